/**
 * Finds every occurrence of every word of a table in a text, in one pass.
 *
 * Each word is entered once, under the four (or, if it has no four, two) units of it that are rarest in ordinary text.
 * The pass looks each place of the text up in a table by those units and compares whole words only where it finds one.
 * An Aho–Corasick automaton does the same pass no faster, and takes megabytes that a hook, which lives for one call, would have to read.
 */
import { pieceFrequency } from '#core/detect/frequency.ts';
import { foldedCode } from '#core/detect/letters.ts';
import { AS_WRITTEN, ENDS, STARTS, type Word } from '#core/detect/literals.ts';

const LONG = 4;
const SHORT = 2;
/** Of the filters, which fit into a processor's nearest memory: one bit says whether any word is entered there. */
const LONG_BITS = 17;
/** Of the tables behind them. */
const HEAD_BITS = 13;
const SPREAD = 0x9e3779b1;

/** A table of words, made at build time, so that a hook does not have to. */
export interface WordTable {
  /** All words, one after the other; word `w` is from `starts[w]` to before `starts[w + 1]`. */
  readonly letters: string;
  readonly starts: Int32Array;
  /** `Word.marks`. By word. */
  readonly marks: Uint8Array;
  /** Where in the word the units start that it is entered under. By word. */
  readonly grams: Uint8Array;
  /** A bit for every hash of four units, and for every two units, that some word is entered under. */
  readonly long: Int32Array;
  readonly short: Int32Array;
  /** By hash: the first word entered there, counting from 1; `next` chains the others. */
  readonly heads: Uint16Array;
  readonly next: Uint16Array;
  /** Those who ask for word `w`: `owners` from `from[w]` to before `from[w + 1]`. */
  readonly owners: Int32Array;
  readonly from: Int32Array;
  /** Where anybody asks for a word. By word. */
  readonly where: Int32Array;
}

/** Where in the word its rarest units start. */
function gramOf(word: string): number {
  const size = word.length >= LONG ? LONG : SHORT;
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at + size <= word.length; at++) {
    const often = pieceFrequency(word.slice(at, at + size).toLowerCase());
    if (often < least) {
      least = often;
      best = at;
    }
  }
  return best;
}

/** Words are two units or longer, and at most 65,534. */
export function buildTable(
  words: readonly { readonly word: Word; readonly owners: readonly number[]; readonly where: number }[],
): WordTable {
  const long = new Int32Array(1 << (LONG_BITS - 5));
  const short = new Int32Array(1 << 11);
  const heads = new Uint16Array(1 << HEAD_BITS);
  const next = new Uint16Array(words.length + 1);
  const starts = [0];
  const from = [0];
  const grams: number[] = [];
  for (const [index, { word, owners }] of words.entries()) {
    const { text } = word;
    const gram = gramOf(text);
    grams.push(gram);
    starts.push((starts[index] as number) + text.length);
    from.push((from[index] as number) + owners.length);
    const size = text.length >= LONG ? LONG : SHORT;
    let rolled = 0;
    for (let at = gram; at < gram + size; at++) rolled = (rolled << 8) | (foldedCode(text.charCodeAt(at)) | 32);
    if (size === SHORT) {
      rolled &= 0xffff;
      short[rolled >>> 5] = (short[rolled >>> 5] as number) | (1 << rolled);
    } else {
      const bit = Math.imul(rolled, SPREAD) >>> (32 - LONG_BITS);
      long[bit >>> 5] = (long[bit >>> 5] as number) | (1 << bit);
    }
    const slot = Math.imul(rolled, SPREAD) >>> (32 - HEAD_BITS);
    next[index + 1] = heads[slot] as number;
    heads[slot] = index + 1;
  }
  return {
    letters: words.map(({ word }) => word.text).join(''),
    starts: new Int32Array(starts),
    marks: new Uint8Array(words.map(({ word }) => word.marks)),
    grams: new Uint8Array(grams),
    long,
    short,
    heads,
    next,
    owners: new Int32Array(words.flatMap(({ owners }) => owners)),
    from: new Int32Array(from),
    where: new Int32Array(words.map(({ where }) => where)),
  };
}

/** Appends pairs to `out`: the index of a word somebody asks for `here` and at `channel` (masks), and where it starts. Places of one word ascend. */
export function scan(table: WordTable, text: string, here: number, channel: number, out: number[]): void {
  const { long, short } = table;
  let rolled = 0;
  for (let at = 0; at < text.length; at++) {
    let code = text.charCodeAt(at);
    if (code > 127) code = foldedCode(code);
    rolled = (rolled << 8) | (code | 32);
    const bit = Math.imul(rolled, SPREAD) >>> (32 - LONG_BITS);
    if ((((long[bit >>> 5] as number) >>> bit) & 1) !== 0) enter(table, text, rolled, at + 1 - LONG, here, channel, out);
    const pair = rolled & 0xffff;
    if ((((short[pair >>> 5] as number) >>> pair) & 1) !== 0) enter(table, text, pair, at + 1 - SHORT, here, channel, out);
  }
}

/** `key`: two or four units that start at `from`. Which of them a word is entered under is told by the words' letters. */
function enter(table: WordTable, text: string, key: number, from: number, here: number, channel: number, out: number[]): void {
  const { heads, next, where } = table;
  for (let word = heads[Math.imul(key, SPREAD) >>> (32 - HEAD_BITS)] as number; word !== 0; word = next[word] as number) {
    const asked = where[word - 1] as number;
    if ((asked & here) !== 0 && (asked & channel) !== 0) compare(table, text, word - 1, from, out);
  }
}

function compare(table: WordTable, text: string, index: number, gramAt: number, out: number[]): void {
  const { letters, starts, marks } = table;
  const from = starts[index] as number;
  const size = (starts[index + 1] as number) - from;
  const start = gramAt - (table.grams[index] as number);
  if (start < 0 || start + size > text.length) return;
  const mark = marks[index] as number;
  if ((mark & AS_WRITTEN) !== 0) {
    for (let at = 0; at < size; at++) if (text.charCodeAt(start + at) !== letters.charCodeAt(from + at)) return;
  } else for (let at = 0; at < size; at++) if (foldedCode(text.charCodeAt(start + at)) !== letters.charCodeAt(from + at)) return;
  if ((mark & STARTS) !== 0 && !isEdge(text, start)) return;
  if ((mark & ENDS) !== 0 && !isEdge(text, start + size)) return;
  out.push(index, start);
}

/** Whether a regex sees a word boundary there; also where that depends on its flags. */
function isEdge(text: string, at: number): boolean {
  const before = at === 0 ? SIGN : sideOf(text.charCodeAt(at - 1));
  const after = at === text.length ? SIGN : sideOf(text.charCodeAt(at));
  return before + after !== 0 && before + after !== 2;
}

const SIGN = 0;
const LETTER = 1;
/** Letters of words only with the flags `iu`. */
const EITHER = 4;

function sideOf(code: number): number {
  if (code > 127) return code === 0x17f || code === 0x212a ? EITHER : SIGN;
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95 ? LETTER : SIGN;
}
