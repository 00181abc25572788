/** What `$` and backticks introduce in a word: variables, substitutions, arithmetic. Source: POSIX XCU 2.6, with bash's additions. */
import { MAX_EXPANSION, MAX_SHELL_DEPTH } from '#core/normalize/limits.ts';
import { evaluated } from '#core/normalize/shell/arithmetic.ts';
import { hide } from '#core/normalize/shell/expansion.ts';
import { constantOutput } from '#core/normalize/shell/output.ts';
import { parameter, valueOf } from '#core/normalize/shell/parameters.ts';
import { ahead, atEnd, made, doubleParenthesis, subshell, type Reader } from '#core/normalize/shell/reader.ts';
import type { Simple } from '#core/normalize/shell/syntax.ts';

/** The word being read. */
export interface Building {
  parts: string;
  quoted: boolean;
  readonly inner: Simple[];
  startsWithInner: boolean;
  splits: boolean;
  prints: string | null;
}

export type Quoting = 'quoted' | 'bare';

/** Puts what a substitution prints, or a mark where that cannot be told. */
export function substitute(reader: Reader, word: Building, value: string | null, commands: readonly Simple[], quoting: Quoting): void {
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

/** Reads what `$` introduces. */
export function dollar(reader: Reader, word: Building, quoting: Quoting): void {
  const { source, state } = reader;
  const literal = (text: string): void => {
    word.parts += quoting === 'quoted' ? hide(text) : text;
  };
  reader.pos++;
  const next = source[reader.pos];
  if (next === '(') {
    if (source[reader.pos + 1] === '(') {
      reader.pos += 2;
      const { arithmetic, commands } = doubleParenthesis(reader, reader.pos - 2);
      if (commands.length > 0) return substitute(reader, word, null, commands.flat(2), quoting);
      return literal(String(evaluated(arithmetic, state.variables) ?? 0));
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
    const value = parameter(body, state);
    remembered(reader, word, /^[A-Za-z_]\w*/u.exec(body)?.[0] ?? '');
    return value === null ? literal(`\${${body}}`) : put(reader, word, value, /(?:^|\[)@\]?$/u.test(body) ? 'bare' : quoting);
  }
  if (next === '[') {
    const stop = source.indexOf(']', reader.pos);
    const value = stop < 0 || stop - reader.pos > 200 ? null : evaluated(source.slice(reader.pos + 1, stop), state.variables);
    if (value === null) return literal('$');
    reader.pos = stop + 1;
    return literal(String(value));
  }
  const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[@*#?$!0-9-])/u.exec(ahead(reader, 80))?.[0];
  if (name === undefined) return literal('$');
  reader.pos += name.length;
  if (name === 'IFS') return put(reader, word, ' ', quoting);
  // Empty outside functions: a way to break a word up for readers that do not know it.
  if (name === '!') return;
  if (name === '@' || name === '*') {
    const all = state.variables.get('@');
    if (all !== undefined) put(reader, word, all, 'bare');
    return;
  }
  if (
    /^\d$/u.test(name) &&
    !state.variables.has(name) &&
    /[A-Za-z]/u.test(source[reader.pos - 3] ?? '') &&
    /[A-Za-z]/u.test(source[reader.pos] ?? '')
  )
    return;
  const value = valueOf(name, undefined, state);
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

export function backtick(reader: Reader, word: Building, quoting: Quoting): void {
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
  const pipelines = reader.nested(body, start - 1, reader.pos);
  state.depth--;
  for (const pipeline of pipelines) reader.pipelines.push(pipeline);
  substitute(reader, word, constantOutput(pipelines, state), pipelines.flat(2), quoting);
}
