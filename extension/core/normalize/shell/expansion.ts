/** Expansions that need no running shell: `$'…'` and braces. Source: POSIX XCU 2.6, bash manual 3.5. */
import { MAX_EXPANSION } from '#core/normalize/limits.ts';

/** Stand-ins for quoted characters that would otherwise be special when braces expand or words split. */
const HIDDEN = '{},~ \t\n';
const FIRST_HIDDEN = 0xe000;
/** Pairs of braces expanded in one word. */
const MAX_BRACES = 6;
const MAX_RANGE = 64;

/** Quoted text, safe from brace expansion and word splitting until `reveal`. */
export function hide(text: string): string {
  return text.replace(/[{},~ \t\n]/gu, (char) => String.fromCharCode(FIRST_HIDDEN + HIDDEN.indexOf(char)));
}

export function reveal(text: string): string {
  return text.replace(/[\ue000-\ue007]/gu, (char) => HIDDEN[char.charCodeAt(0) - FIRST_HIDDEN] ?? char);
}

/** The text of `$'…'` without its delimiters. */
export function ansiC(body: string): string {
  return body.replace(
    /\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|c(.)|([\s\S]))/gu,
    (_, x?: string, u?: string, U?: string, octal?: string, control?: string, other?: string) => {
      const hex = x ?? u ?? U;
      if (hex !== undefined) return char(Number.parseInt(hex, 16));
      if (octal !== undefined) return char(Number.parseInt(octal, 8));
      if (control !== undefined) return char(control.charCodeAt(0) & 0x1f);
      return { a: '', b: '', e: '', E: '', f: ' ', n: '\n', r: '\r', t: '\t', v: ' ' }[other ?? ''] ?? other ?? '';
    },
  );
}

const char = (code: number): string =>
  code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : '';

export interface Expanded {
  readonly texts: readonly string[];
  /** Some braces were left as written: there were too many of them. */
  readonly cut: boolean;
}

/** `a{b,c}d` → `abd`, `acd`; `{1..3}` → `1`, `2`, `3`. */
export function braces(text: string): Expanded {
  let texts: string[] = [text];
  for (let round = 0; round < MAX_BRACES; round++) {
    const next: string[] = [];
    let changed = false;
    for (const item of texts) {
      const pair = bracePair(item);
      if (!pair) next.push(item);
      else {
        changed = true;
        for (const choice of pair.choices) next.push(item.slice(0, pair.open) + choice + item.slice(pair.close + 1));
      }
      if (next.length > MAX_EXPANSION) return { texts, cut: true };
    }
    if (!changed) return { texts, cut: false };
    texts = next;
  }
  return { texts, cut: texts.some((item) => bracePair(item) !== null) };
}

/** The first innermost braces that expand. One pass: a regex for this is quadratic in the commas. */
function bracePair(text: string): { open: number; close: number; choices: readonly string[] } | null {
  let open = -1;
  let comma = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '{') {
      open = text[at - 1] === '$' ? -1 : at;
      comma = false;
    } else if (char === ',') comma = true;
    else if (char === '}') {
      const choices = open < 0 ? null : comma ? text.slice(open + 1, at).split(',', MAX_EXPANSION + 1) : range(text.slice(open + 1, at));
      if (choices) return { open, close: at, choices };
      open = -1;
    }
  }
  return null;
}

/** `1..4` or `a..e`; of a long one the beginning. */
function range(body: string): readonly string[] | null {
  const ends = body.length > 40 ? null : /^(?:(-?\d{1,9})\.\.(-?\d{1,9})|([A-Za-z])\.\.([A-Za-z]))(?:\.\.-?\d{1,9})?$/u.exec(body);
  if (!ends) return null;
  const letters = ends[3] !== undefined;
  const from = letters ? (ends[3] ?? '').charCodeAt(0) : Number(ends[1]);
  const to = letters ? (ends[4] ?? '').charCodeAt(0) : Number(ends[2]);
  const out: string[] = [];
  for (let at = from; out.length < MAX_RANGE && (from <= to ? at <= to : at >= to); at += from <= to ? 1 : -1)
    out.push(letters ? String.fromCharCode(at) : String(at));
  return out;
}
