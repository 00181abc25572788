/** Reads words of a shell text: quotes, expansions, substitutions. Source: POSIX XCU 2.2 and 2.6, with bash's additions. */
import { MAX_EXPANSION, MAX_SHELL_DEPTH } from '#core/normalize/limits.ts';
import { ansiC, braces, hide, parameter, reveal } from '#core/normalize/shell/expansion.ts';
import { constantOutput } from '#core/normalize/shell/output.ts';
import { ahead, atEnd, made, newline, skipArithmetic, skipBlanks, subshell, type Reader } from '#core/normalize/shell/reader.ts';
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

/** The word being read. */
interface Building {
  parts: string;
  quoted: boolean;
  readonly inner: Simple[];
  startsWithInner: boolean;
  splits: boolean;
  prints: string | null;
}

type Quoting = 'quoted' | 'bare';

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
    const split = raw.splits ? piece.split(/[ \t\n]+/u).filter((part) => part !== '') : [piece];
    if (split.length > MAX_EXPANSION) reader.state.troubles.add('too-many');
    for (const part of split.slice(0, MAX_EXPANSION)) words.push({ ...base, text: made(reader, reveal(tilde(reader, part))) });
  }
  return words;
}

/** The value after `NAME=`. */
export function assignedValue(reader: Reader): { text: string; inner: readonly Simple[] } {
  if (reader.source[reader.pos] === '(') return array(reader);
  if (atEnd(reader) || ' \t\n;&|)'.includes(reader.source[reader.pos] ?? '')) return { text: '', inner: [] };
  const word = rawWord(reader, 'assignment');
  return { text: made(reader, reveal(word.parts)), inner: word.inner };
}

function array(reader: Reader): { text: string; inner: readonly Simple[] } {
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
  return { text: values.join(' '), inner };
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

/** Puts what a substitution prints, or a mark where that cannot be told. */
function substitute(reader: Reader, word: Building, value: string | null, commands: readonly Simple[], quoting: Quoting): void {
  if (word.parts === '') word.startsWithInner = true;
  for (const command of commands) word.inner.push(command);
  if (value === null) word.parts += '$()';
  else put(reader, word, value, quoting);
}

function put(reader: Reader, word: Building, value: string, quoting: Quoting): void {
  const text = made(reader, value);
  word.parts += quoting === 'quoted' ? hide(text) : text;
  if (quoting === 'bare') word.splits = true;
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

/** Reads what `$` introduces. */
function dollar(reader: Reader, word: Building, quoting: Quoting): void {
  const { source, state } = reader;
  const literal = (text: string): void => {
    word.parts += quoting === 'quoted' ? hide(text) : text;
  };
  reader.pos++;
  const next = source[reader.pos];
  if (next === '(') {
    if (source[reader.pos + 1] === '(') {
      reader.pos += 2;
      skipArithmetic(reader);
      return literal('0');
    }
    reader.pos++;
    const first = reader.pipelines.length;
    const commands = subshell(reader);
    return substitute(reader, word, constantOutput(reader.pipelines.slice(first), state), commands, quoting);
  }
  if (next === '{') {
    const stop = closingBrace(reader, reader.pos + 1);
    const body = source.slice(reader.pos + 1, stop);
    reader.pos = stop + 1;
    if (/\$\(|`/u.test(body)) reader.quoted(body);
    const value = parameter(body, state.variables);
    remembered(reader, word, /^[A-Za-z_]\w*/u.exec(body)?.[0] ?? '');
    return value === null ? literal(`\${${body}}`) : put(reader, word, value, quoting);
  }
  const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[@*#?$!0-9-])/u.exec(ahead(reader, 80))?.[0];
  if (name === undefined) return literal('$');
  reader.pos += name.length;
  if (name === 'IFS') return put(reader, word, ' ', quoting);
  // Empty outside functions: a way to break a word up for readers that do not know it.
  if (name === '@' || name === '*' || name === '!') return;
  if (/^\d$/u.test(name) && /[A-Za-z]/u.test(source[reader.pos - 3] ?? '') && /[A-Za-z]/u.test(source[reader.pos] ?? '')) return;
  const value = state.variables.get(name);
  remembered(reader, word, name);
  if (value === undefined) literal(`$${name}`);
  else put(reader, word, value, quoting);
}

/** A variable that holds what commands print stands for those commands. */
function remembered(reader: Reader, word: Building, name: string): void {
  const commands = reader.state.origins.get(name);
  if (!commands) return;
  if (word.parts === '') word.startsWithInner = true;
  if (word.inner.length < MAX_EXPANSION) for (const command of commands) word.inner.push(command);
}

/** Text in which only `$`, backticks and backslashes are special: here-documents, arithmetic, defaults of variables. */
export function readQuoted(reader: Reader): string {
  const word: Building = { parts: '', quoted: true, inner: [], startsWithInner: false, splits: false, prints: null };
  doubleQuoted(reader, word);
  return reveal(word.parts);
}

function closingBrace(reader: Reader, from: number): number {
  const { source } = reader;
  let depth = 1;
  for (let at = from; at < source.length; at++) {
    const char = source[at];
    if (char === '\\') at++;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return at;
    else if (char === '\n' && depth === 1 && at - from > 400) break;
  }
  reader.state.troubles.add('unterminated');
  return source.length;
}

function backtick(reader: Reader, word: Building, quoting: Quoting): void {
  const { source, state } = reader;
  const start = ++reader.pos;
  while (!atEnd(reader) && source[reader.pos] !== '`') reader.pos += source[reader.pos] === '\\' ? 2 : 1;
  if (atEnd(reader)) state.troubles.add('unterminated');
  const body = source.slice(start, reader.pos).replace(/\\([$`\\])/gu, '$1');
  reader.pos++;
  if (state.depth >= MAX_SHELL_DEPTH) {
    state.troubles.add('too-deep');
    return;
  }
  state.depth++;
  const pipelines = reader.nested(body);
  state.depth--;
  for (const pipeline of pipelines) reader.pipelines.push(pipeline);
  substitute(reader, word, constantOutput(pipelines, state), pipelines.flat(2), quoting);
}
