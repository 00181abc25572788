/** One pass over a text that says which encodings could stand in it, so that clean text pays for nothing else. */
import { cipherTable, CIPHERS } from '#core/normalize/decoders/ciphers.ts';

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
const KINDS = new Uint8Array(128);
for (let code = 48; code <= 57; code++) KINDS[code] = DIGIT;
for (let code = 65; code <= 90; code++) KINDS[code] = UPPER | (code <= 70 ? HEX : 16);
for (let code = 97; code <= 122; code++) KINDS[code] = LOWER | (code <= 102 ? HEX : 16);

const MAX_RUNS = 4000;
const MAX_LINES = 400;
const SHORTEST = 8;

export function signsIn(text: string): Signs {
  const base64: number[] = [];
  const hex: number[] = [];
  const base32: number[] = [];
  const ciphers: { line: number; cipher: number }[] = [];
  const table = cipherTable();
  const hits = new Uint8Array(CIPHERS);
  let touched = 0;
  let line = 0;
  let percent = 0;
  let entities = 0;
  let escapes = 0;
  let quoted = 0;
  let leet = 0;
  let morse = 0;
  let turned = 0;
  let accents = 0;
  let singles = 0;
  let mostSingles = 0;
  let shorts = 0;
  let mostShorts = 0;
  let shape = 0;
  let lastEnd = -9;
  let runStart = -1;
  let runKinds = 0;
  let lastRun = -99;
  let lastMorse = -9;
  let dots = 0;
  let mostMorse = 0;
  let cut = false;
  const { length } = text;
  let at = 0;
  while (at < length) {
    const code = text.charCodeAt(at);
    const kind = code < 128 ? (KINDS[code] ?? OTHER) : OTHER;
    if (kind !== OTHER) {
      const start = at;
      let kinds = kind;
      let hash = code & 31;
      at++;
      while (at < length) {
        const next = text.charCodeAt(at);
        const its = next < 128 ? (KINDS[next] ?? OTHER) : OTHER;
        if (its === OTHER) break;
        kinds |= its;
        hash = (hash * 29 + (next & 31)) & 0xffff;
        at++;
      }
      const size = at - start;
      if (size === 1) {
        singles = start - lastEnd <= 3 ? singles + 1 : 1;
        if (singles > mostSingles) mostSingles = singles;
      } else if (start - lastEnd > 1) singles = 0;
      // Rows of tokens of the same shape: two hex digits, two or three decimal ones, eight binary ones.
      const prefixed = size === 4 && code === 0x30 && (text.charCodeAt(start + 1) | 32) === 0x78;
      if (
        prefixed ||
        (size <= 4 ? size >= 2 && (kinds & 16) === 0 && (size === 2 || (kinds & DIGIT) !== 0) : size === 8 && kinds === DIGIT)
      ) {
        shorts = start - lastEnd <= 4 && (size === 8) === (shape === 8) ? shorts + 1 : 1;
        shape = size;
        if (shorts > mostShorts) mostShorts = shorts;
      } else if ((kinds & 16) !== 0 && size > 2) shorts = 0;
      if (kinds <= 27 && (kinds & DIGIT) === 0 && size <= 12 && size > 1) {
        const cipher = table[hash] ?? 0;
        if (cipher !== 0) {
          touched++;
          hits[cipher] = (hits[cipher] ?? 0) + 1;
          if (hits[cipher] === 2) {
            if (ciphers.length < MAX_LINES) ciphers.push({ line, cipher });
            else cut = true;
          }
        }
      } else if ((kinds & DIGIT) !== 0 && (kinds & 16) !== 0 && size >= 3 && size <= 16 && isLeet(text, start, at)) leet++;
      lastEnd = at;
      if (runStart < 0) {
        runStart = start;
        runKinds = kinds;
      } else runKinds |= kinds;
      continue;
    }
    // A run ends at what no alphabet of base64 has.
    const joins = code === 0x2b || code === 0x2f || code === 0x2d || code === 0x5f;
    if (runStart >= 0 && !joins) {
      const size = at - runStart;
      if (size >= SHORTEST) {
        if ((runKinds & 3) === 3) {
          if ((size >= 16 || size % 4 === 0 || code === 0x3d) && (runStart - lastRun <= 24 || startsText(text, runStart, size))) {
            if (base64.length < MAX_RUNS) base64.push(runStart, at);
            else cut = true;
            lastRun = at;
          }
        } else if (size >= 12) {
          if ((runKinds & 16) === 0 && size % 2 === 0) {
            if (hex.length < MAX_RUNS) hex.push(runStart, at);
            else cut = true;
          } else if ((runKinds & LOWER) === 0 && size >= 16) {
            if (base32.length < MAX_RUNS) base32.push(runStart, at);
            else cut = true;
          }
        }
      }
      runStart = -1;
    }
    switch (code) {
      case 0x0a:
        if (touched > 0) {
          hits.fill(0);
          touched = 0;
        }
        line = at + 1;
        break;
      case 0x25:
        if (isHexDigit(text.charCodeAt(at + 1)) || text.charCodeAt(at + 1) === 0x75) percent++;
        break;
      case 0x26:
        if (text.charCodeAt(at + 1) === 0x23 || (text.charCodeAt(at + 1) | 32) >= 97) entities++;
        break;
      case 0x5c:
        if (isEscape(text.charCodeAt(at + 1))) escapes++;
        break;
      case 0x3d:
        if (isHexDigit(text.charCodeAt(at + 1)) && isHexDigit(text.charCodeAt(at + 2))) quoted++;
        break;
      case 0x2b:
        if (at > 0 && (text.charCodeAt(at - 1) | 32) === 0x75) escapes++;
        break;
      case 0x2d:
      case 0x2e:
        if (at - lastMorse > 3) {
          morse = 0;
          dots = 0;
        }
        lastMorse = at;
        morse++;
        if (code === 0x2e) dots++;
        if (morse > mostMorse && dots > 3 && dots < morse - 1) mostMorse = morse;
        break;
      case 0x40:
      case 0x24:
        if (at > 0 && lastEnd === at && at + 1 < length && (KINDS[text.charCodeAt(at + 1) & 127] ?? 0) & LOWER) leet++;
        break;
      default:
        if (code >= 0x250 && code <= 0x2af) turned++;
        else if (code >= 0xc0 && (code <= 0x36f || (code >= 0x1e00 && code <= 0x1eff))) accents++;
        break;
    }
    if (code === 0x2212 || code === 0xb7) mostMorse++;
    at++;
  }
  if (runStart >= 0 && length - runStart >= SHORTEST) {
    const size = length - runStart;
    if ((runKinds & 3) === 3) base64.push(runStart, length);
    else if ((runKinds & 16) === 0 && size % 2 === 0 && size >= 12) hex.push(runStart, length);
    else if ((runKinds & LOWER) === 0 && size >= 16) base32.push(runStart, length);
  }
  return {
    base64,
    hex,
    base32,
    numbers: mostShorts >= 6,
    percent: percent >= 3,
    entities: entities >= 2,
    escapes: escapes >= 3,
    quoted: quoted >= 3,
    spaced: mostSingles >= 6,
    leet: leet >= 2,
    morse: mostMorse >= 14,
    turned: turned >= 4,
    accents: accents >= 3,
    ciphers,
    cut,
  };
}

const isHexDigit = (code: number): boolean => (code >= 48 && code <= 57) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);
/** `\x`, `\u`, `\U` and octal. */
const isEscape = (code: number): boolean => code === 0x78 || (code | 32) === 0x75 || (code >= 48 && code <= 55);

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
