/** What a text looks like, as far as `Gate` asks; each answer is worked out when the first regex wants it. */
import { isOdd, type Gate } from '#core/detect/gates.ts';
import type { TextField } from '#core/normalize/fields.ts';

const DIGIT = 1;
const GAP = 2;
const TOKEN = 4;
const KINDS = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  const letter = (code | 32) >= 97 && (code | 32) <= 122;
  if (code >= 48 && code <= 57) KINDS[code] = DIGIT | TOKEN;
  else if (code === 32 || code === 46) KINDS[code] = GAP;
  else if (code === 45) KINDS[code] = GAP | TOKEN;
  else if (letter || code === 95) KINDS[code] = TOKEN;
}

export interface Looks {
  readonly text: string;
  /** Nothing but what `fold` passes over; null: not known yet. */
  plain: boolean | null;
  /** -1: not known yet. */
  digits: number;
  spaced: number;
}

export function looksOf(field: TextField): Looks {
  return {
    text: field.text,
    plain: field.offsets === null && !field.derived && field.field !== 'raw' ? true : null,
    digits: -1,
    spaced: -1,
  };
}

export function passes(gate: Gate, looks: Looks): boolean {
  if (gate.odd && isPlain(looks)) return false;
  if (gate.digits > 0 || gate.spaced > 0) {
    if (looks.digits < 0) countDigits(looks);
    if (looks.digits < gate.digits || looks.spaced < gate.spaced) return false;
  }
  if (gate.token > 0 && !hasToken(looks.text, gate.token)) return false;
  return gate.signs === '' || hasSign(looks.text, gate.signs);
}

function isPlain(looks: Looks): boolean {
  if (looks.plain === null) {
    const { text } = looks;
    looks.plain = true;
    for (let at = 0; at < text.length && looks.plain; at++) if (isOdd(text.charCodeAt(at))) looks.plain = false;
  }
  return looks.plain;
}

function countDigits(looks: Looks): void {
  const { text } = looks;
  let digits = 0;
  let spaced = 0;
  for (let at = 0; at < text.length; at++) {
    if ((text.charCodeAt(at) - 48) >>> 0 > 9) continue;
    let count = 0;
    let row = 0;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      const kind = code < 128 ? (KINDS[code] as number) : 0;
      if ((kind & DIGIT) !== 0) {
        count++;
        row++;
        if (row > digits) digits = row;
      } else if ((kind & GAP) === 0) break;
      else row = 0;
    }
    if (count > spaced) spaced = count;
  }
  looks.digits = digits;
  looks.spaced = spaced;
}

/** Looks at every `least`-th place, and back from there. Letters beyond ASCII count: regexes take two of them for others. */
function hasToken(text: string, least: number): boolean {
  let at = least - 1;
  while (at < text.length) {
    let back = at;
    while (back > at - least && isTokenUnit(text.charCodeAt(back))) back--;
    if (back === at - least) return true;
    at = back + least;
  }
  return false;
}

const isTokenUnit = (code: number): boolean => code > 127 || ((KINDS[code] as number) & TOKEN) !== 0;

function hasSign(text: string, signs: string): boolean {
  for (let at = 0; at < signs.length; at++) if (text.includes(signs.charAt(at))) return true;
  return false;
}
