/** One pass over a text that says which encodings could stand in it, so that clean text pays for nothing else. */
import { cipherTable, CIPHERS } from '#core/normalize/decoders/ciphers.ts';
import { BEYOND, unitsOf } from '#core/normalize/textUnits.ts';

export interface Signs {
  /** Runs that may be base64, as start and end, one after the other. */
  readonly base64: readonly number[];
  readonly hex: readonly number[];
  readonly base32: readonly number[];
  /** A row of short numbers or pairs of hex digits. */
  readonly numbers: boolean;
  readonly percent: boolean;
  readonly entities: boolean;
  readonly escapes: boolean;
  readonly quoted: boolean;
  readonly spaced: boolean;
  readonly leet: boolean;
  readonly morse: boolean;
  readonly turned: boolean;
  /** Accents, on letters or by themselves. */
  readonly accents: boolean;
  /** Starts of lines in which words of a cipher occur, and which cipher. */
  readonly ciphers: readonly { readonly line: number; readonly cipher: number }[];
  /** There were more runs than are kept. */
  readonly cut: boolean;
}

const OTHER = 0;
const UPPER = 1;
const LOWER = 2;
const DIGIT = 4;
/** a–f or A–F beside UPPER or LOWER. */
const HEX = 8;
/** Letters that base32 does not know, digits that are no hex, and so on are found by what is missing. */
const KINDS = new Uint8Array(256);
for (let code = 48; code <= 57; code++) KINDS[code] = DIGIT;
for (let code = 65; code <= 90; code++) KINDS[code] = UPPER | (code <= 70 ? HEX : 16);
for (let code = 97; code <= 122; code++) KINDS[code] = LOWER | (code <= 102 ? HEX : 16);

const MAX_RUNS = 4000;
const MAX_LINES = 400;
const SHORTEST = 8;
/** So many tokens in a row may spell something. */
const ROW = 6;
const NO_ROWS = { singles: 0, shorts: 0 };

/** What is gathered of runs of letters and digits. */
interface Runs {
  readonly base64: number[];
  readonly hex: number[];
  readonly base32: number[];
  last: number;
  cut: boolean;
}

export function signsIn(text: string): Signs {
  const runs: Runs = { base64: [], hex: [], base32: [], last: -99, cut: false };
  const ciphers: { line: number; cipher: number }[] = [];
  const table = cipherTable();
  const units = unitsOf(text);
  const hits = new Uint8Array(CIPHERS);
  let touched = 0;
  let line = 0;
  let leet = 0;
  let morse = 0;
  let turned = 0;
  let accents = 0;
  let singles = 0;
  let shorts = 0;
  let runStart = -1;
  let runKinds = 0;
  let lastMorse = -9;
  let dots = 0;
  let mostMorse = 0;
  const { length } = text;
  let at = 0;
  // Whatever is rare is done elsewhere: this loop stays short, and so fast.
  while (at < length) {
    const code = units[at] as number;
    const kind = KINDS[code] as number;
    if (kind !== OTHER) {
      const start = at;
      let kinds = kind;
      let hash = code & 31;
      at++;
      // The 0 at the end is of no word.
      for (let its = KINDS[units[at] as number] as number; its !== OTHER; its = KINDS[units[at] as number] as number) {
        kinds |= its;
        hash = Math.imul(hash, 29) + ((units[at] as number) & 31);
        at++;
      }
      const size = at - start;
      if (size === 1) singles++;
      else if (isShort(units, start, size, kinds)) shorts++;
      if ((kinds & DIGIT) === 0) {
        if (size <= 12 && size > 1) {
          const cipher = table[hash & 0xffff] as number;
          if (cipher !== 0) {
            touched++;
            hits[cipher] = (hits[cipher] as number) + 1;
            if (hits[cipher] === 2) {
              if (ciphers.length < MAX_LINES) ciphers.push({ line, cipher });
              else runs.cut = true;
            }
          }
        }
      } else if ((kinds & 16) !== 0 && size >= 3 && size <= 16 && isLeet(text, start, at)) leet++;
      const from = runStart < 0 ? start : runStart;
      const all = runStart < 0 ? kinds : runKinds | kinds;
      if (at === length || joins(units[at] as number)) {
        runStart = from;
        runKinds = all;
      } else {
        if (at - from >= SHORTEST) endRun(runs, text, from, at, all);
        runStart = -1;
      }
      continue;
    }
    // A run ends at what no alphabet of base64 has.
    if (runStart >= 0 && !joins(code)) {
      if (at - runStart >= SHORTEST) endRun(runs, text, runStart, at, runKinds);
      runStart = -1;
    }
    if (code === 0x0a) {
      if (touched > 0) {
        hits.fill(0);
        touched = 0;
      }
      line = at + 1;
    } else if (code === 0x2d || code === 0x2e) {
      if (at - lastMorse > 3) {
        morse = 0;
        dots = 0;
      }
      lastMorse = at;
      morse++;
      if (code === 0x2e) dots++;
      if (morse > mostMorse && dots > 3 && dots < morse - 1) mostMorse = morse;
    } else if (code >= BEYOND) {
      const sign = text.charCodeAt(at);
      if (sign >= 0x250 && sign <= 0x2af) turned++;
      else if (sign >= 0xc0 && (sign <= 0x36f || (sign >= 0x1e00 && sign <= 0x1eff))) accents++;
      else if (sign === 0x2212 || sign === 0xb7) mostMorse++;
    }
    at++;
  }
  if (runStart >= 0 && length - runStart >= SHORTEST) {
    const size = length - runStart;
    if ((runKinds & 3) === 3) runs.base64.push(runStart, length);
    else if ((runKinds & 16) === 0 && size % 2 === 0 && size >= 12) runs.hex.push(runStart, length);
    else if ((runKinds & LOWER) === 0 && size >= 16) runs.base32.push(runStart, length);
  }
  const { base64, hex, base32, cut } = runs;
  const rows = singles >= ROW || shorts >= ROW ? rowsIn(units, length) : NO_ROWS;
  return {
    base64,
    hex,
    base32,
    numbers: rows.shorts >= ROW,
    percent: count(text, '%', isPercent) >= 3,
    entities: count(text, '&', isEntity) >= 2,
    escapes: count(text, '\\', isEscape) + count(text, '+', isCodePoint) >= 3,
    quoted: count(text, '=', isQuoted) >= 3,
    spaced: rows.singles >= ROW,
    leet: leet + count(text, '@', isLeetSign) + count(text, '$', isLeetSign) >= 2,
    morse: mostMorse >= 14,
    turned: turned >= 4,
    accents: accents >= 3,
    ciphers,
    cut,
  };
}

/** What alphabets of base64 have beside letters and digits. */
const joins = (code: number): boolean => code === 0x2b || code === 0x2f || code === 0x2d || code === 0x5f;

/** What a run that ends before `end` may be. */
function endRun(runs: Runs, text: string, start: number, end: number, kinds: number): void {
  const size = end - start;
  if ((kinds & 3) === 3) {
    if (size < 16 && size % 4 !== 0 && text.charCodeAt(end) !== 0x3d) return;
    if (start - runs.last > 24 && !startsText(text, start, size)) return;
    keep(runs, runs.base64, start, end);
    runs.last = end;
  } else if (size < 12) return;
  else if ((kinds & 16) === 0 && size % 2 === 0) keep(runs, runs.hex, start, end);
  else if ((kinds & LOWER) === 0 && size >= 16) keep(runs, runs.base32, start, end);
}

function keep(runs: Runs, list: number[], start: number, end: number): void {
  if (list.length < MAX_RUNS) list.push(start, end);
  else runs.cut = true;
}

function isShort(units: Uint8Array, start: number, size: number, kinds: number): boolean {
  if (size > 4) return size === 8 && kinds === DIGIT;
  if (size === 4 && units[start] === 0x30 && ((units[start + 1] as number) | 32) === 0x78) return true;
  return size >= 2 && (kinds & 16) === 0 && (size === 2 || (kinds & DIGIT) !== 0);
}

/** The longest rows of single letters and digits, perhaps with words right beside them, and of tokens of the same shape: two hex digits, two or three decimal ones, eight binary ones. */
function rowsIn(units: Uint8Array, length: number): { readonly singles: number; readonly shorts: number } {
  let singles = 0;
  let mostSingles = 0;
  let shorts = 0;
  let mostShorts = 0;
  let shape = 0;
  let lastEnd = -9;
  for (let at = 0; at < length; at++) {
    const start = at;
    let kinds = 0;
    for (let kind = KINDS[units[at] as number] as number; kind !== OTHER; kind = KINDS[units[at] as number] as number) {
      kinds |= kind;
      at++;
    }
    const size = at - start;
    if (size === 0) continue;
    const gap = start - lastEnd;
    lastEnd = at;
    if (size === 1) {
      singles = gap <= 3 ? singles + 1 : 1;
      if (singles > mostSingles) mostSingles = singles;
    } else if (gap > 1) singles = 0;
    if (isShort(units, start, size, kinds)) {
      shorts = gap <= 4 && (size === 8) === (shape === 8) ? shorts + 1 : 1;
      shape = size;
      if (shorts > mostShorts) mostShorts = shorts;
    } else if ((kinds & 16) !== 0 && size > 2) shorts = 0;
  }
  return { singles: mostSingles, shorts: mostShorts };
}

/** How often `sign` stands where `means` says so. */
function count(text: string, sign: string, means: (text: string, at: number) => boolean): number {
  let sum = 0;
  for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + 1)) if (means(text, at)) sum++;
  return sum;
}

const isHexDigit = (code: number): boolean => (code >= 48 && code <= 57) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);
const isPercent = (text: string, at: number): boolean => isHexDigit(text.charCodeAt(at + 1)) || text.charCodeAt(at + 1) === 0x75;
const isEntity = (text: string, at: number): boolean => text.charCodeAt(at + 1) === 0x23 || (text.charCodeAt(at + 1) | 32) >= 97;
/** `\x`, `\u`, `\U` and octal. */
const isEscape = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at + 1);
  return code === 0x78 || (code | 32) === 0x75 || (code >= 48 && code <= 55);
};
/** `U+`. */
const isCodePoint = (text: string, at: number): boolean => at > 0 && (text.charCodeAt(at - 1) | 32) === 0x75;
const isQuoted = (text: string, at: number): boolean => isHexDigit(text.charCodeAt(at + 1)) && isHexDigit(text.charCodeAt(at + 2));
/** Between a letter or digit and a small letter. */
const isLeetSign = (text: string, at: number): boolean =>
  at > 0 && at + 1 < text.length && kindOf(text.charCodeAt(at - 1)) !== OTHER && (kindOf(text.charCodeAt(at + 1) & 127) & LOWER) !== 0;
const kindOf = (code: number): number => (code < 128 ? (KINDS[code] as number) : OTHER);

/** A word with a digit between letters, or before them. */
function isLeet(text: string, start: number, end: number): boolean {
  for (let at = start; at + 1 < end; at++) {
    const code = text.charCodeAt(at);
    if (code === 48 || code === 49 || code === 51 || code === 52 || code === 53 || code === 55)
      return text.charCodeAt(at + 1) > 57 || at > start + 1;
  }
  return false;
}

/** Whether the first four signs of a run can be base64 of text (bytes below 128, or of UTF-8), or of a compressed stream. */
function startsText(text: string, start: number, size: number): boolean {
  const first = sextet(text.charCodeAt(start));
  if (first < 32) {
    if ((sextet(text.charCodeAt(start + 1)) & 8) === 0 && (sextet(text.charCodeAt(start + 2)) & 2) === 0) return true;
    return size >= 24 && (first === 7 || first === 30);
  }
  return size >= 24 && first >= 48 && first < 62;
}

function sextet(code: number): number {
  if (code >= 97) return code - 71;
  if (code >= 65) return code - 65;
  return code >= 48 ? code + 4 : 62;
}
