/**
 * Finds every occurrence of every word of a pack in a text, in one pass that ignores ASCII case.
 *
 * Each word is entered once, under the four (or, if it has no four, two) units of it that are rarest in ordinary text.
 * The pass looks each place of the text up in a table by those units and compares whole words only where it finds one.
 * An Aho–Corasick automaton does the same pass no faster, and building it costs a hook, which lives for one call, milliseconds.
 */
import { foldedCode, rarity } from '#core/detect/literals.ts';

const LONG = 4;
const SHORT = 2;
/** Of the filters, which fit into a processor's nearest memory: one bit says whether any word is entered there. */
const LONG_BITS = 17;
/** Of the tables behind them. */
const HEAD_BITS = 12;
const SPREAD = 0x9e3779b1;

export interface Scanner {
  readonly words: readonly string[];
  readonly grams: readonly number[];
  /** A bit for every hash of four units, and for every two units, that some word is entered under. */
  readonly long: Int32Array;
  readonly short: Int32Array;
  /** By hash: the first word entered there, counting from 1; `next` chains the others. */
  readonly heads: Uint16Array;
  readonly next: Uint16Array;
  /** The units a word is entered under, rolled into one number; by word, counting from 1. */
  readonly keys: Int32Array;
  readonly anyShort: boolean;
}

/** Where in the word its rarest units start. Worked out at build time. */
export function gramOf(word: string): number {
  const size = word.length >= LONG ? LONG : SHORT;
  let best = 0;
  for (let at = 1; at + size <= word.length; at++) if (rarity(word.slice(at, at + size)) > rarity(word.slice(best, best + size))) best = at;
  return best;
}

/** `words`: folded, two units or longer, at most 65,534; `grams`: `gramOf` of each. */
export function newScanner(words: readonly string[], grams: readonly number[]): Scanner {
  const long = new Int32Array(1 << (LONG_BITS - 5));
  const short = new Int32Array(1 << 11);
  const heads = new Uint16Array(1 << HEAD_BITS);
  const next = new Uint16Array(words.length + 1);
  const keys = new Int32Array(words.length + 1);
  let anyShort = false;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string;
    const from = grams[index] as number;
    const size = word.length >= LONG ? LONG : SHORT;
    let rolled = 0;
    for (let at = from; at < from + size; at++) rolled = (rolled << 8) | (word.charCodeAt(at) | 32);
    if (size === SHORT) {
      rolled &= 0xffff;
      short[rolled >>> 5] = (short[rolled >>> 5] as number) | (1 << rolled);
      anyShort = true;
    } else {
      const bit = Math.imul(rolled, SPREAD) >>> (32 - LONG_BITS);
      long[bit >>> 5] = (long[bit >>> 5] as number) | (1 << bit);
    }
    const slot = Math.imul(rolled, SPREAD) >>> (32 - HEAD_BITS);
    keys[index + 1] = rolled;
    next[index + 1] = heads[slot] as number;
    heads[slot] = index + 1;
  }
  return { words, grams, long, short, heads, next, keys, anyShort };
}

/** Appends pairs to `out`: the index of a word and where it starts. Places of one word ascend. */
export function scan(scanner: Scanner, text: string, out: number[]): void {
  const { long, short, anyShort } = scanner;
  let rolled = 0;
  for (let at = 0; at < text.length; at++) {
    let code = text.charCodeAt(at);
    if (code > 127) code = foldedCode(code);
    rolled = (rolled << 8) | (code | 32);
    const bit = Math.imul(rolled, SPREAD) >>> (32 - LONG_BITS);
    if ((((long[bit >>> 5] as number) >>> bit) & 1) !== 0) enter(scanner, text, rolled, at + 1 - LONG, out);
    const pair = rolled & 0xffff;
    if (anyShort && (((short[pair >>> 5] as number) >>> pair) & 1) !== 0) enter(scanner, text, pair, at + 1 - SHORT, out);
  }
}

/** `key`: two or four units that start at `from`. Two with a first one of 0 could be taken for four, and are then told apart by the words. */
function enter(scanner: Scanner, text: string, key: number, from: number, out: number[]): void {
  const { heads, keys, next } = scanner;
  for (let word = heads[Math.imul(key, SPREAD) >>> (32 - HEAD_BITS)] as number; word !== 0; word = next[word] as number)
    if (keys[word] === key) compare(scanner, text, word - 1, from, out);
}

function compare(scanner: Scanner, text: string, index: number, gramAt: number, out: number[]): void {
  const word = scanner.words[index] as string;
  const start = gramAt - (scanner.grams[index] as number);
  if (start < 0 || start + word.length > text.length) return;
  for (let at = 0; at < word.length; at++) if (foldedCode(text.charCodeAt(start + at)) !== word.charCodeAt(at)) return;
  out.push(index, start);
}
