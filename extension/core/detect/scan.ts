/**
 * Finds every occurrence of every word of a table in a text, in one pass.
 *
 * Each word is entered once, under the four (or, if it has no four, two) units of it that are rarest in ordinary text. Two
 * units stand everywhere, so that whether a letter is before and after them is told as well.
 * The pass looks each place of the text up in a table by those units and compares whole words only where it finds one.
 * An Aho–Corasick automaton does the same pass no faster, and takes megabytes that a hook, which lives for one call, would have to read.
 */
import { frequencyOf, pieceFrequency } from '#core/detect/frequency.ts';
import { foldedCode } from '#core/detect/letters.ts';
import { AS_WRITTEN, ENDS, STARTS, type Word } from '#core/detect/literals.ts';
import { BEYOND, TWIN, unitOf, unitsOf } from '#core/normalize/textUnits.ts';

const LONG = 4;
const SHORT = 2;
/** So many bits fit into a processor's nearest memory. */
const LONG_BITS = 17;
const LONG_SIZE = 1 << LONG_BITS;
/** Two units of seven bits, four ways. */
const SHORT_SIZE = 1 << 16;
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
  /** A bit for every hash of four units that some word is entered under; then, for every two, one for each way their sides may be. */
  readonly bits: Int32Array;
  /** How many bits are set before each 32 of them. */
  readonly ranks: Uint16Array;
  /** The words entered under the `n`th bit that is set: `entries` from `firsts[n]` to before `firsts[n + 1]`. */
  readonly firsts: Int32Array;
  readonly entries: Uint16Array;
  /** Those who ask for word `w`: `owners` from `from[w]` to before `from[w + 1]`. */
  readonly owners: Int32Array;
  readonly from: Int32Array;
  /** Where anybody asks for a word. By word. */
  readonly where: Int32Array;
}

const SIGN = 0;
const LETTER = 1;
/** Letters of words only with the flags `iu`. */
const EITHER = 4;

function sideOf(code: number): number {
  if (code > 127) return code === 0x17f || code === 0x212a ? EITHER : SIGN;
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95 ? LETTER : SIGN;
}

/** By unit of `unitsOf`: the unit as a table knows it, in seven bits, and above them whether it is a letter. What is not ASCII shares those that are left over. */
const UNITS = Uint8Array.from({ length: 256 }, (_, unit) =>
  unit < BEYOND ? unit | 32 | (sideOf(unit) << 7) : unit < TWIN ? unit & 31 : (unit & 31) | 96 | (LETTER << 7),
);
const UNIT = 127;
const tableUnit = (code: number): number => UNITS[unitOf(code)] as number;

/** Where in the word its rarest units start. */
function gramOf({ text, marks }: Word): number {
  const size = text.length >= LONG ? LONG : SHORT;
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at + size <= text.length; at++) {
    const piece = text.slice(at, at + size).toLowerCase();
    const often =
      size === LONG
        ? pieceFrequency(piece) + (crowded().has(longBit(rolledOf(text, at, LONG))) ? CROWD : 0)
        : frequencyOf(piece, at === 0 && (marks & STARTS) !== 0, at + size === text.length && (marks & ENDS) !== 0);
    if (often < least) {
      least = often;
      best = at;
    }
  }
  return best;
}

/** What stands in columns, lines and drawings of any text: a rare word must not be entered where these are looked up. */
const DRAWN = ['    ', '\n   ', '\n\n  ', ';\n  ', ',\n  ', '{\n  ', '----', '====', '****', '####', '////', '....', '____'];
/** As often as the commonest words. */
const CROWD = 6;
let bitsOfDrawn: ReadonlySet<number> | null = null;
const crowded = (): ReadonlySet<number> => (bitsOfDrawn ??= new Set(DRAWN.map((text) => longBit(rolledOf(text, 0, LONG)))));

/** Where among the bits a word is entered: once, or for two units by the sides they may have. */
function bitsOf({ text, marks }: Word, gram: number): readonly number[] {
  if (text.length >= LONG) return [longBit(rolledOf(text, gram, LONG))];
  const sides = (at: number, inner: number, edge: number): readonly number[] => {
    if (at >= 0 && at < text.length) return [tableUnit(text.charCodeAt(at)) >> 7];
    return (marks & edge) === 0 ? [SIGN, LETTER] : [LETTER - (tableUnit(text.charCodeAt(inner)) >> 7)];
  };
  const after = sides(gram + SHORT, gram + SHORT - 1, ENDS);
  return sides(gram - 1, gram, STARTS).flatMap((before) => after.map((next) => shortBit(rolledOf(text, gram, SHORT)) + before * 2 + next));
}

function rolledOf(text: string, from: number, size: number): number {
  let rolled = 0;
  for (let at = from; at < from + size; at++) rolled = (rolled << 7) | (tableUnit(text.charCodeAt(at)) & UNIT);
  return rolled;
}

const longBit = (units: number): number => Math.imul(units, SPREAD) >>> (32 - LONG_BITS);
/** Of the first of its four. */
const shortBit = (units: number): number => LONG_SIZE + units * 4;

/** Words are two units or longer, and at most 65,534. */
export function buildTable(
  words: readonly { readonly word: Word; readonly owners: readonly number[]; readonly where: number }[],
): WordTable {
  const starts = [0];
  const from = [0];
  const grams: number[] = [];
  const byBit = new Map<number, number[]>();
  for (const [index, { word, owners }] of words.entries()) {
    const gram = gramOf(word);
    grams.push(gram);
    starts.push((starts[index] as number) + word.text.length);
    from.push((from[index] as number) + owners.length);
    for (const bit of bitsOf(word, gram)) {
      const entered = byBit.get(bit);
      if (entered) entered.push(index);
      else byBit.set(bit, [index]);
    }
  }
  const bits = new Int32Array((LONG_SIZE + SHORT_SIZE) >>> 5);
  const ranks = new Uint16Array(bits.length);
  const firsts: number[] = [];
  const entries: number[] = [];
  for (const [bit, entered] of [...byBit].sort(([a], [b]) => a - b)) {
    bits[bit >>> 5] = (bits[bit >>> 5] as number) | (1 << bit);
    firsts.push(entries.length);
    entries.push(...entered);
  }
  firsts.push(entries.length);
  for (let cell = 1; cell < bits.length; cell++) ranks[cell] = (ranks[cell - 1] as number) + ones(bits[cell - 1] as number);
  return {
    letters: words.map(({ word }) => word.text).join(''),
    starts: new Int32Array(starts),
    marks: new Uint8Array(words.map(({ word }) => word.marks)),
    grams: new Uint8Array(grams),
    bits,
    ranks,
    firsts: new Int32Array(firsts),
    entries: new Uint16Array(entries),
    owners: new Int32Array(words.flatMap(({ owners }) => owners)),
    from: new Int32Array(from),
    where: new Int32Array(words.map(({ where }) => where)),
  };
}

/** How many bits of it are set. */
function ones(cell: number): number {
  const pairs = cell - ((cell >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * Writes pairs into `out`: the index of a word somebody asks for `here` and at `channel` (masks), and where it starts. Places
 * of one word ascend. Returns how many numbers were written; what stood behind them is left, as shrinking a list and growing it again takes longer.
 */
export function scan(table: WordTable, text: string, here: number, channel: number, out: number[]): number {
  const units = unitsOf(text);
  const count = pass(table, text, units, here, channel, out, false);
  return count < 0 ? pass(table, text, units, here, channel, out, true) : count;
}

/** -1: a letter was met that is one to some regexes only, so that words may start and end beside it; `anySide` heeds no sides. */
function pass(table: WordTable, text: string, units: Uint8Array, here: number, channel: number, out: number[], anySide: boolean): number {
  let count = 0;
  const { bits } = table;
  const { length } = text;
  let rolled = 0;
  /** A bit for each of the last four units: whether it is a letter. */
  let letters = 0;
  // Two units are looked up when it is known what follows them, one step later.
  for (let at = 0; at <= length; at++) {
    const written = units[at] as number;
    if (written >= TWIN && !anySide) return -1;
    const unit = UNITS[written] as number;
    rolled = ((rolled << 7) | (unit & UNIT)) & 0xfffffff;
    letters = (letters << 1) | (unit >> 7);
    const long = longBit(rolled);
    if ((((bits[long >>> 5] as number) >>> long) & 1) !== 0) count = enter(table, text, long, at + 1 - LONG, here, channel, out, count);
    const pair = shortBit((rolled >>> 7) & 0x3fff);
    const short = pair + (((letters >> 2) & 2) | (letters & 1));
    if ((((bits[short >>> 5] as number) >>> short) & 1) !== 0) count = enter(table, text, short, at - SHORT, here, channel, out, count);
    if (anySide)
      for (let other = pair; other < pair + 4; other++)
        if (other !== short && (((bits[other >>> 5] as number) >>> other) & 1) !== 0)
          count = enter(table, text, other, at - SHORT, here, channel, out, count);
  }
  return count;
}

/** `bit`: one that is set, for the units that start at `gramAt`. Which of them a word is entered under is told by the words' letters. */
function enter(
  table: WordTable,
  text: string,
  bit: number,
  gramAt: number,
  here: number,
  channel: number,
  out: number[],
  before: number,
): number {
  const { bits, ranks, firsts, entries, where, grams } = table;
  const cell = bit >>> 5;
  const rank = (ranks[cell] as number) + ones((bits[cell] as number) & ((1 << bit) - 1));
  const end = firsts[rank + 1] as number;
  let count = before;
  for (let at = firsts[rank] as number; at < end; at++) {
    const word = entries[at] as number;
    const asked = where[word] as number;
    if ((asked & here) === 0 || (asked & channel) === 0) continue;
    const start = gramAt - (grams[word] as number);
    if (!stands(table, text, word, start)) continue;
    out[count++] = word;
    out[count++] = start;
  }
  return count;
}

function stands(table: WordTable, text: string, word: number, start: number): boolean {
  const { letters, starts, marks } = table;
  const from = starts[word] as number;
  const size = (starts[word + 1] as number) - from;
  if (start < 0 || start + size > text.length) return false;
  const mark = marks[word] as number;
  if ((mark & AS_WRITTEN) !== 0) {
    for (let at = 0; at < size; at++) if (text.charCodeAt(start + at) !== letters.charCodeAt(from + at)) return false;
  } else for (let at = 0; at < size; at++) if (foldedCode(text.charCodeAt(start + at)) !== letters.charCodeAt(from + at)) return false;
  if ((mark & STARTS) !== 0 && !isEdge(text, start)) return false;
  return (mark & ENDS) === 0 || isEdge(text, start + size);
}

/** Whether a regex sees a word boundary there; also where that depends on its flags. */
function isEdge(text: string, at: number): boolean {
  const before = at === 0 ? SIGN : sideOf(text.charCodeAt(at - 1));
  const after = at === text.length ? SIGN : sideOf(text.charCodeAt(at));
  return before + after !== 0 && before + after !== 2;
}
