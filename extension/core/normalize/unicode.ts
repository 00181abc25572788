/**
 * Folds text to what a reader or a shell would take it for, keeping a way back to the original offsets.
 * Sources: UAX #15 (NFKC), UAX #9 (bidi controls), UTS #39 (confusables). Words of other scripts stay as they are: a
 * look-alike is replaced only in a word that also holds Latin letters, or among such words.
 */
import { readAs, sameAs } from '#core/normalize/confusables.ts';
import { bytesText } from '#core/normalize/decoders/bytes.ts';
import {
  isBidiControl,
  isInvisible,
  isSelector,
  NONE,
  reorders,
  selectorByte,
  zeroWidthBit,
  type Hidden,
} from '#core/normalize/invisible.ts';

export type { Hidden } from '#core/normalize/invisible.ts';

export interface Folded {
  readonly text: string;
  /** Original offset of each unit of `text`, and of its end; null when nothing changed. */
  readonly offsets: Int32Array | null;
  readonly hidden: Hidden;
}

/** Longer compatibility forms are whole words in one sign; nothing is spelt with them, and they would make the text many times longer. */
const MAX_COMPOSED = 3;
const NOT_PLAIN = /[^\t\n\u0020-\u007e]/u;
/** Words kept of each kind of disguise. */
const MAX_WORDS = 300;
/** Marks on one Latin letter from which they are ink over the text and no accents. */
const MANY_MARKS = 3;

interface Swap {
  /** Where in the output the look-alike stands. */
  readonly at: number;
  readonly latin: number;
}

/** What is known of the word being read, and of the whole-look-alike words waiting for their line to end. */
interface Words {
  start: number;
  ascii: number;
  latin: number;
  foreign: number;
  styled: number;
  swaps: Swap[];
  exact: boolean;
  waiting: Swap[];
  lineForeign: boolean;
  lineSwapped: boolean;
}

interface Output {
  units: Uint16Array;
  offsets: Int32Array;
  length: number;
}

interface Seen {
  zeroWidth: number;
  bidi: number;
  nul: number;
  tagText: string;
  selectors: number[];
  bits: string;
  first: number;
  readonly swapped: string[];
  readonly styled: string[];
}

export function fold(text: string): Folded {
  if (!NOT_PLAIN.test(text)) return { text, offsets: null, hidden: NONE };
  const out: Output = {
    units: new Uint16Array(text.length * MAX_COMPOSED),
    offsets: new Int32Array(text.length * MAX_COMPOSED + 1),
    length: 0,
  };
  const seen: Seen = { zeroWidth: 0, bidi: 0, nul: 0, tagText: '', selectors: [], bits: '', first: -1, swapped: [], styled: [] };
  const words: Words = {
    start: -1,
    ascii: 0,
    latin: 0,
    foreign: 0,
    styled: 0,
    swaps: [],
    exact: true,
    waiting: [],
    lineForeign: false,
    lineSwapped: false,
  };
  let inFlag = false;
  let marks = 0;
  let before = 0;
  let runOfSelectors = 0;
  for (let at = 0; at < text.length;) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) {
      inFlag = false;
      marks = 0;
      if (unit === 0) {
        seen.nul++;
        if (seen.first < 0) seen.first = at;
      } else {
        if ((unit | 0x20) >= 97 && (unit | 0x20) <= 122) {
          if (words.start < 0) words.start = out.length;
          words.ascii++;
        } else if (words.start >= 0) endWord(words, out, seen);
        if (unit === 0x0a || unit === 0x0d) endLine(words, out);
        // A lone carriage return hides what came before it on a terminal; treat it as the line break it looks like.
        put(out, unit === 0x0d ? 0x0a : unit, at);
      }
      before = unit;
      at++;
      continue;
    }
    const code = text.codePointAt(at) ?? 0;
    const from = at;
    at += code > 0xffff ? 2 : 1;
    if (code >= 0xe0000 && code <= 0xe007f) {
      if (!inFlag) {
        if (code >= 0xe0020 && code < 0xe007f) seen.tagText += String.fromCodePoint(code - 0xe0000);
        if (seen.first < 0) seen.first = from;
      }
      continue;
    }
    inFlag = code === 0x1f3f4;
    if (isPlainScript(code)) {
      if (words.start >= 0) endWord(words, out, seen);
      put(out, code, from);
      marks = 0;
      before = code;
      runOfSelectors = 0;
      continue;
    }
    if (isBidiControl(code)) {
      seen.bidi++;
      if (seen.first < 0) seen.first = from;
      continue;
    }
    if (isInvisible(code)) {
      runOfSelectors = isSelector(code) ? runOfSelectors + 1 : 0;
      if (runOfSelectors > 0) seen.selectors.push(selectorByte(code));
      const bit = zeroWidthBit(code);
      if (bit !== null) seen.bits += bit;
      if (isOdd(code, before, runOfSelectors, from)) {
        seen.zeroWidth++;
        if (seen.first < 0) seen.first = from;
      }
      continue;
    }
    runOfSelectors = 0;
    if (isMark(code)) {
      marks++;
      if (isPaint(code) || marks >= MANY_MARKS) {
        if (marks === MANY_MARKS && isAsciiLetter(before)) out.length -= dropMarks(out);
        if (isAsciiLetter(before)) continue;
      }
      put(out, code, from);
      continue;
    }
    marks = 0;
    before = code;
    readLetter(code, from, words, out, seen);
  }
  endWord(words, out, seen);
  endLine(words, out);
  out.offsets[out.length] = text.length;
  if (seen.bidi > 0 && !text.split('\n').some((line) => reorders(line))) seen.bidi = 0;
  return {
    text: textOf(out.units, out.length),
    offsets: out.offsets.slice(0, out.length + 1),
    hidden: {
      zeroWidth: seen.zeroWidth,
      bidi: seen.bidi,
      nul: seen.nul,
      tagText: seen.tagText,
      selectorText: selectorText(seen.selectors),
      bitText: bitText(seen.bits),
      swapped: seen.swapped,
      styled: seen.styled,
      first: seen.zeroWidth + seen.bidi + seen.nul > 0 || seen.tagText !== '' || seen.selectors.length > 8 ? Math.max(0, seen.first) : -1,
    },
  };
}

function put(out: Output, code: number, at: number): void {
  if (code > 0xffff) {
    put(out, 0xd800 + ((code - 0x10000) >> 10), at);
    put(out, 0xdc00 + ((code - 0x10000) & 0x3ff), at);
    return;
  }
  out.units[out.length] = code;
  out.offsets[out.length] = at;
  out.length++;
}

/** A sign outside ASCII that draws something: as it is, in its compatibility form, or as the letter it looks like. */
function readLetter(code: number, from: number, words: Words, out: Output, seen: Seen): void {
  // Lines for a reader; what ends a line for a program is left to those who read the text.
  if (code === 0x2028 || code === 0x2029 || code === 0x85) {
    endWord(words, out, seen);
    endLine(words, out);
    put(out, code, from);
    return;
  }
  for (const { value, kind, latin } of signsOf(code)) {
    if (kind === 'other') {
      if (words.start >= 0) endWord(words, out, seen);
    } else {
      if (words.start < 0) words.start = out.length;
      if (kind === 'styled') {
        words.ascii++;
        words.styled++;
      } else if (kind === 'latin') words.latin++;
      else if (kind === 'foreign') words.foreign++;
      else {
        words.swaps.push({ at: out.length, latin });
        if (kind === 'like') words.exact = false;
      }
    }
    put(out, value, from);
  }
}

/** One sign of the compatibility form of a character, and what it counts as in a word. */
interface Sign {
  readonly value: number;
  readonly kind: 'styled' | 'same' | 'like' | 'latin' | 'foreign' | 'other';
  /** The Latin letter it looks like. */
  readonly latin: number;
}

/** By code point below 0x3400, as they are met: normalizing one character costs more than all the rest. */
const SIGNS: (readonly Sign[] | undefined)[] = [];
const MOST_KEPT = 0x3400;

function signsOf(code: number): readonly Sign[] {
  if (code < MOST_KEPT) return (SIGNS[code] ??= newSigns(code));
  return newSigns(code);
}

function newSigns(code: number): readonly Sign[] {
  const char = String.fromCodePoint(code);
  // A blank of Braille is a space to who sees it.
  const form = code === 0x2800 ? ' ' : char.normalize('NFKC');
  return [...(form.length > MAX_COMPOSED ? char : form)].map((piece): Sign => {
    const value = piece.codePointAt(0) ?? 0;
    if (value < 0x80) return { value, kind: isAsciiLetter(value) ? 'styled' : 'other', latin: 0 };
    const latin = readAs(piece)?.charCodeAt(0) ?? 0;
    if (latin === 0x2f || latin === 0x5c) return { value: latin, kind: 'other', latin };
    // An enclosed letter is two units wide: it is replaced at once, not when its word ends.
    if (latin !== 0 && value > 0xffff) return { value: latin, kind: 'styled', latin };
    if (latin !== 0) return { value, kind: sameAs(piece) === undefined ? 'like' : 'same', latin };
    return { value, kind: isWordLetter(value) ? (isLatin(value) ? 'latin' : 'foreign') : 'other', latin };
  });
}

function endWord(words: Words, out: Output, seen: Seen): void {
  if (words.start < 0) return;
  const { start, swaps } = words;
  if (words.foreign > 0) words.lineForeign = true;
  else if (swaps.length > 0) {
    if (words.ascii + words.latin > 0) {
      apply(swaps, out);
      if (words.exact && words.ascii >= 2 && out.length - start >= 4) {
        words.lineSwapped = true;
        if (seen.swapped.length < MAX_WORDS) seen.swapped.push(textOf(out.units.subarray(start), out.length - start));
      }
    } else words.waiting.push(...swaps);
  }
  if (words.styled === out.length - start && words.styled >= 2 && seen.styled.length < MAX_WORDS)
    seen.styled.push(textOf(out.units.subarray(start), out.length - start));
  words.start = -1;
  words.ascii = 0;
  words.latin = 0;
  words.foreign = 0;
  words.styled = 0;
  words.exact = true;
  if (swaps.length > 0) words.swaps = [];
}

/** Words wholly of look-alikes may be words of their own script; they are not where nothing else on the line is. */
function endLine(words: Words, out: Output): void {
  if (words.waiting.length > 0) {
    if (words.lineSwapped || (!words.lineForeign && words.waiting.length > 1)) apply(words.waiting, out);
    words.waiting = [];
  }
  words.lineForeign = false;
  words.lineSwapped = false;
}

function apply(swaps: readonly Swap[], out: Output): void {
  for (const swap of swaps) out.units[swap.at] = swap.latin;
}

/** How many marks end the output. */
function dropMarks(out: Output): number {
  let count = 0;
  while (count < MANY_MARKS && count < out.length && isMark(out.units[out.length - 1 - count] ?? 0)) count++;
  return count;
}

function textOf(units: Uint16Array, length: number): string {
  let text = '';
  for (let at = 0; at < length; at += 8192)
    text += String.fromCharCode.apply(null, units.subarray(at, Math.min(length, at + 8192)) as unknown as number[]);
  return text;
}

/** Letters and signs of scripts in which nothing looks Latin and NFKC changes nothing: most of what is not Latin. */
function isPlainScript(code: number): boolean {
  return (
    (code >= 0x0590 && code <= 0x0674 && code !== 0x061c) ||
    (code >= 0x0679 && code <= 0x0e32) ||
    (code >= 0x3041 && code <= 0x309a) ||
    (code >= 0x30a1 && code <= 0x30fa) ||
    (code >= 0x3400 && code <= 0x9fff) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0x1f300 && code <= 0x1faff)
  );
}

function isWordLetter(code: number): boolean {
  return (
    (code >= 0x00c0 && code <= 0x058f && code !== 0xd7 && code !== 0xf7) ||
    (code >= 0x10a0 && code <= 0x10ff) ||
    (code >= 0x13a0 && code <= 0x167f) ||
    (code >= 0x1d00 && code <= 0x1fff) ||
    (code >= 0x2c60 && code <= 0x2dff) ||
    (code >= 0xa4d0 && code <= 0xa69f) ||
    (code >= 0xa720 && code <= 0xa7ff) ||
    (code >= 0xab30 && code <= 0xabbf)
  );
}

const isLatin = (code: number): boolean => code < 0x250 || (code >= 0x1e00 && code <= 0x1eff);
const isAsciiLetter = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
const isMark = (code: number): boolean =>
  (code >= 0x300 && code <= 0x36f && code !== 0x34f) ||
  (code >= 0x1ab0 && code <= 0x1aff) ||
  (code >= 0x1dc0 && code <= 0x1dff) ||
  (code >= 0x20d0 && code <= 0x20ff);
/** Strokes, slashes and frames over a letter. */
const isPaint = (code: number): boolean => (code >= 0x334 && code <= 0x338) || (code >= 0x20d2 && code <= 0x20e6);

/** Whether an invisible character stands where no script and no emoji needs it. */
function isOdd(code: number, before: number, selectors: number, at: number): boolean {
  if (code === 0xad || (code === 0xfeff && at === 0)) return false;
  const inScript = before >= 0x0300;
  if (code === 0x200c || code === 0x200d || code === 0x200e || code === 0x200f || code === 0x061c || (code >= 0x180b && code <= 0x180f))
    return !inScript;
  if (isSelector(code)) return selectors > 1 || before < 0x23;
  return true;
}

const selectorText = (bytes: readonly number[]): string =>
  bytes.length < 4 ? '' : (bytesText(bytes.filter((byte) => byte !== 15)) ?? bytesText(bytes) ?? '');

/** Bits of zero-width characters as bytes, in either sense; empty when that is no text. */
function bitText(bits: string): string {
  if (bits.length < 32 || bits.length > 65_536) return '';
  for (const one of ['1', '0']) {
    const bytes: number[] = [];
    for (let at = 0; at + 8 <= bits.length; at += 8) {
      let byte = 0;
      for (let step = 0; step < 8; step++) byte = (byte << 1) | (bits[at + step] === one ? 1 : 0);
      bytes.push(byte);
    }
    const text = bytesText(bytes);
    if (text !== null) return text;
  }
  return '';
}

/** The original span of a stretch of folded text. */
export function originalSpan(offsets: Int32Array | null, start: number, end: number): { start: number; end: number } {
  if (offsets === null) return { start, end };
  const last = offsets[offsets.length - 1] ?? end;
  const from = offsets[start] ?? last;
  return { start: from, end: Math.max(from, end > start ? (offsets[end] ?? last) : from) };
}
