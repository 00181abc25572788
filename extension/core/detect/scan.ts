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
const LONG_BITS = 15;
const SHORT_BITS = 12;
const SPREAD = 0x9e3779b1;

export interface Scanner {
  readonly words: readonly string[];
  readonly grams: readonly number[];
  /** By hash of four or two units: the first word entered there, counting from 1; `next` chains the others. */
  readonly long: Uint16Array;
  readonly short: Uint16Array;
  readonly next: Uint16Array;
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
  const long = new Uint16Array(1 << LONG_BITS);
  const short = new Uint16Array(1 << SHORT_BITS);
  const next = new Uint16Array(words.length + 1);
  let anyShort = false;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string;
    const from = grams[index] as number;
    const size = word.length >= LONG ? LONG : SHORT;
    let rolled = 0;
    for (let at = from; at < from + size; at++) rolled = (rolled << 8) | (word.charCodeAt(at) | 32);
    const heads = size === LONG ? long : short;
    if (size === SHORT) anyShort = true;
    const slot = size === LONG ? longSlot(rolled) : shortSlot(rolled);
    next[index + 1] = heads[slot] as number;
    heads[slot] = index + 1;
  }
  return { words, grams, long, short, next, anyShort };
}

const longSlot = (rolled: number): number => Math.imul(rolled, SPREAD) >>> (32 - LONG_BITS);
/** Units above 255 reach over into their neighbour's bits; only two whole units count here. */
const shortSlot = (rolled: number): number => Math.imul(rolled & 0xffff, SPREAD) >>> (32 - SHORT_BITS);

/** Appends pairs to `out`: the index of a word and where it starts. Places of one word ascend. */
export function scan(scanner: Scanner, text: string, out: number[]): void {
  const { long, short, next, anyShort } = scanner;
  let rolled = 0;
  for (let at = 0; at < text.length; at++) {
    let code = text.charCodeAt(at);
    if (code > 127) code = foldedCode(code);
    rolled = (rolled << 8) | (code | 32);
    let word = long[Math.imul(rolled, SPREAD) >>> (32 - LONG_BITS)] as number;
    if (word !== 0) {
      do {
        compare(scanner, text, word - 1, at + 1 - LONG, out);
        word = next[word] as number;
      } while (word !== 0);
    }
    if (anyShort) {
      word = short[Math.imul(rolled & 0xffff, SPREAD) >>> (32 - SHORT_BITS)] as number;
      while (word !== 0) {
        compare(scanner, text, word - 1, at + 1 - SHORT, out);
        word = next[word] as number;
      }
    }
  }
}

function compare(scanner: Scanner, text: string, index: number, gramAt: number, out: number[]): void {
  const word = scanner.words[index] as string;
  const start = gramAt - (scanner.grams[index] as number);
  if (start < 0 || start + word.length > text.length) return;
  for (let at = 0; at < word.length; at++) if (foldedCode(text.charCodeAt(start + at)) !== word.charCodeAt(at)) return;
  out.push(index, start);
}
