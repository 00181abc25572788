/** Reads words of a shell text: quotes, expansions, substitutions. Source: POSIX XCU 2.2 and 2.6, with bash's additions. */
import { MAX_EXPANSION } from '#core/normalize/limits.ts';
import { ansiC, braces, hide, reveal } from '#core/normalize/shell/expansion.ts';
import { backtick, dollar, substitute, type Building } from '#core/normalize/shell/dollar.ts';
import { constantOutput } from '#core/normalize/shell/output.ts';
import { atEnd, made, newline, skipBlanks, subshell, type Reader } from '#core/normalize/shell/reader.ts';
import type { Simple, Word } from '#core/normalize/shell/syntax.ts';

/** A word before braces and unquoted variables make several of it; quoted characters are hidden from that. */
export interface RawWord {
  readonly parts: string;
  readonly quoted: boolean;
  readonly inner: readonly Simple[];
  readonly startsWithInner: boolean;
  readonly splits: boolean;
  readonly prints: string | null;
}

/** The value after `NAME=`; `values` when it is an array. */
export interface Assigned {
  readonly text: string;
  readonly inner: readonly Simple[];
  readonly values: readonly string[] | null;
}

/** One word as written, which braces and unquoted variables may make several. */
export function readWord(reader: Reader): Word[] {
  const start = reader.pos;
  const raw = rawWord(reader, 'word');
  if (reader.pos === start) return [];
  const base = { start, end: reader.pos, quoted: raw.quoted, inner: raw.inner, startsWithInner: raw.startsWithInner, prints: raw.prints };
  const words: Word[] = [];
  const { texts, cut } = braces(raw.parts);
  if (cut) reader.state.troubles.add('too-many');
  for (const piece of texts) {
    const split = raw.splits ? fieldsOf(piece, reader.state.separators) : [piece];
    if (split.length > MAX_EXPANSION) reader.state.troubles.add('too-many');
    for (const part of split.slice(0, MAX_EXPANSION)) words.push({ ...base, text: made(reader, reveal(tilde(reader, part))) });
  }
  return words;
}

/** Splits what a variable holds at blanks and at what the script made to separate words. */
function fieldsOf(text: string, separators: string): readonly string[] {
  let blank = text;
  for (const char of separators) blank = blank.replaceAll(char, ' ');
  return blank.split(/[ \t\n]+/u).filter((part) => part !== '');
}

/** The value after `NAME=`. */
export function assignedValue(reader: Reader): Assigned {
  if (reader.source[reader.pos] === '(') return array(reader);
  if (atEnd(reader) || ' \t\n;&|)'.includes(reader.source[reader.pos] ?? '')) return { text: '', inner: [], values: null };
  const word = rawWord(reader, 'assignment');
  return { text: made(reader, reveal(word.parts)), inner: word.inner, values: null };
}

function array(reader: Reader): Assigned {
  reader.pos++;
  const values: string[] = [];
  const inner: Simple[] = [];
  for (;;) {
    skipBlanks(reader);
    if (reader.source[reader.pos] === '\n') {
      newline(reader);
      continue;
    }
    if (atEnd(reader) || reader.source[reader.pos] === ')') break;
    const before = reader.pos;
    for (const word of readWord(reader)) {
      values.push(word.text);
      inner.push(...word.inner);
    }
    if (reader.pos === before) reader.pos++;
  }
  reader.pos++;
  return { text: values.join(' '), inner, values };
}

function tilde(reader: Reader, text: string): string {
  const home = reader.state.variables.get('HOME');
  return home !== undefined && /^~(?:\/|$)/u.test(text) ? home + text.slice(1) : text;
}

export function rawWord(reader: Reader, mode: 'word' | 'assignment'): RawWord {
  const { source, state } = reader;
  const word: Building = { parts: '', quoted: false, inner: [], startsWithInner: false, splits: false, prints: null };
  const begin = reader.pos;
  for (;;) {
    const char = source[reader.pos];
    if (char === undefined || ' \t\n;|)&('.includes(char)) break;
    if ((char === '<' || char === '>') && (source[reader.pos + 1] !== '(' || reader.pos !== begin)) break;
    if (char === '<' || char === '>') {
      reader.pos += 2;
      const first = reader.pipelines.length;
      const commands = subshell(reader);
      if (char === '<') word.prints = constantOutput(reader.pipelines.slice(first), state);
      substitute(reader, word, null, commands, 'quoted');
    } else if (char === '\\') {
      word.quoted = true;
      if (source[reader.pos + 1] !== '\n') word.parts += hide(source[reader.pos + 1] ?? '');
      reader.pos += 2;
    } else if (char === "'") {
      word.quoted = true;
      const stop = source.indexOf("'", reader.pos + 1);
      if (stop < 0) state.troubles.add('unterminated');
      word.parts += hide(source.slice(reader.pos + 1, stop < 0 ? source.length : stop));
      reader.pos = stop < 0 ? source.length : stop + 1;
    } else if (char === '"') {
      word.quoted = true;
      reader.pos++;
      doubleQuoted(reader, word);
    } else if (char === '$' && source[reader.pos + 1] === "'") dollarQuoted(reader, word);
    else if (char === '$' && source[reader.pos + 1] === '"') reader.pos++;
    else if (char === '$') dollar(reader, word, 'bare');
    else if (char === '`') backtick(reader, word, 'bare');
    else {
      word.parts += char;
      reader.pos++;
    }
  }
  const inAssignment = mode === 'assignment';
  return { ...word, parts: inAssignment ? tilde(reader, word.parts) : word.parts, splits: word.splits && !inAssignment };
}

function dollarQuoted(reader: Reader, word: Building): void {
  word.quoted = true;
  const start = reader.pos + 2;
  reader.pos = start;
  while (!atEnd(reader) && reader.source[reader.pos] !== "'") reader.pos += reader.source[reader.pos] === '\\' ? 2 : 1;
  if (atEnd(reader)) reader.state.troubles.add('unterminated');
  word.parts += hide(ansiC(reader.source.slice(start, reader.pos)));
  reader.pos++;
}

function doubleQuoted(reader: Reader, word: Building): void {
  const { source } = reader;
  for (;;) {
    const char = source[reader.pos];
    if (char === undefined) {
      reader.state.troubles.add('unterminated');
      return;
    }
    if (char === '"') {
      reader.pos++;
      return;
    }
    if (char === '\\' && '$`"\\\n'.includes(source[reader.pos + 1] ?? ' ')) {
      if (source[reader.pos + 1] !== '\n') word.parts += hide(source[reader.pos + 1] ?? '');
      reader.pos += 2;
    } else if (char === '$') dollar(reader, word, 'quoted');
    else if (char === '`') backtick(reader, word, 'quoted');
    else {
      let stop = reader.pos + 1;
      while (stop < source.length && !'"\\$`'.includes(source[stop] ?? '')) stop++;
      word.parts += hide(source.slice(reader.pos, stop));
      reader.pos = stop;
    }
  }
}

/** Text in which only `$`, backticks and backslashes are special: here-documents, arithmetic, defaults of variables. */
export function readQuoted(reader: Reader): string {
  const word: Building = { parts: '', quoted: true, inner: [], startsWithInner: false, splits: false, prints: null };
  doubleQuoted(reader, word);
  return reveal(word.parts);
}
