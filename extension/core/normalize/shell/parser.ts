/**
 * A lenient shell parser. It never fails: text that ends too early is read as if closed there and the trouble is noted.
 * One pass over the text; substitutions are parsed in place. Source: POSIX XCU 2.10, with bash's additions.
 */
import { MAX_EXPANSION, MAX_SHELL_DEPTH } from '#core/normalize/limits.ts';
import { bodyOf, filtered } from '#core/normalize/shell/output.ts';
import {
  ahead,
  atEnd,
  doubleParenthesis,
  newline,
  skipArithmetic,
  skipBlanks,
  subshell,
  type Reader,
} from '#core/normalize/shell/reader.ts';
import { simpleCommand, trailingRedirects } from '#core/normalize/shell/simple.ts';
import type { Script, ShellState, Simple } from '#core/normalize/shell/syntax.ts';
import { readQuoted, readWord } from '#core/normalize/shell/words.ts';

const OPENERS: ReadonlyMap<string, string> = new Map([
  ['if', 'fi'],
  ['while', 'done'],
  ['until', 'done'],
  ['for', 'done'],
  ['select', 'done'],
  ['case', 'esac'],
  ['{', '}'],
]);
const CLOSERS: ReadonlySet<string> = new Set(['fi', 'done', 'esac', '}']);
const COPROC_NAME = /^[ \t]{1,20}[A-Za-z_]\w{0,40}[ \t]{1,20}(?=[{(]|(?:while|until|for|if|case)\s)/u;
const MAX_FUNCTIONS = 256;
const SKIPPED: ReadonlySet<string> = new Set(['then', 'else', 'elif', 'do', '!', 'coproc', 'time']);
export function parseShell(source: string, state: ShellState): Script {
  return parseIn(source, state, 0, null);
}

function parseIn(text: string, state: ShellState, scope: number, shown: Reader['shown']): Script {
  const reader = newReader(text, state, scope, shown);
  list(reader, '');
  return { pipelines: reader.pipelines };
}

function newReader(text: string, state: ShellState, scope: number, shown: Reader['shown']): Reader {
  let source = text;
  if (source.length > state.units) {
    state.troubles.add('too-long');
    source = source.slice(0, Math.max(0, state.units));
  }
  state.units -= source.length;
  const reader: Reader = {
    source,
    pos: 0,
    state,
    pipelines: [],
    heredocs: [],
    scope,
    input: null,
    shown,
    defining: null,
    list: (closer) => list(reader, closer),
    nested: (inner, start, end) => {
      const own = ++state.scopes;
      state.parents.set(own, reader.scope);
      return parseIn(inner, state, own, shown ?? { start, end }).pipelines;
    },
    called: (inner, start, end) => {
      if (state.depth >= MAX_SHELL_DEPTH) {
        state.troubles.add('too-deep');
        return [];
      }
      state.depth++;
      const { pipelines } = parseIn(inner, state, reader.scope, shown ?? { start, end });
      state.depth--;
      return pipelines;
    },
    quoted: (inner) => {
      if (state.depth >= MAX_SHELL_DEPTH) {
        state.troubles.add('too-deep');
        return inner;
      }
      state.depth++;
      const own = newReader(`${inner.replaceAll('"', '\\"')}"`, state, reader.scope, shown ?? { start: reader.pos, end: reader.pos });
      const value = readQuoted(own);
      for (const found of own.pipelines) reader.pipelines.push(found);
      state.depth--;
      return value;
    },
  };
  return reader;
}

function list(reader: Reader, closer: string): Simple[] {
  const { source, state } = reader;
  const all: Simple[] = [];
  if (state.depth >= MAX_SHELL_DEPTH) {
    state.troubles.add('too-deep');
    reader.pos = source.length;
    return all;
  }
  state.depth++;
  for (;;) {
    const before = reader.pos;
    const closed = pipeline(reader, closer, all);
    if (closed) break;
    skipBlanks(reader);
    if (atEnd(reader)) {
      if (closer === ')') state.troubles.add('unterminated');
      break;
    }
    const char = source[reader.pos];
    if (char === ')' && closer === ')') {
      reader.pos++;
      break;
    }
    if (char === '\n') newline(reader);
    // A `)` here ends a case pattern, or is a stray one.
    else if (';&|)'.includes(char ?? '') || reader.pos === before) reader.pos++;
  }
  state.depth--;
  return all;
}

/** Reads one pipeline and adds its commands to `all`; true when it met `closer`. */
function pipeline(reader: Reader, closer: string, all: Simple[]): boolean {
  const { source } = reader;
  const stages: Simple[][] = [];
  let closed = false;
  for (;;) {
    const stage: Simple[] = [];
    closed = command(reader, closer, stage);
    if (stage.length > 0) stages.push(stage);
    const only = stage.length === 1 ? stage[0] : undefined;
    reader.input = only
      ? filtered(
          only.words.map((word) => word.text),
          bodyOf(only) ?? reader.input,
          reader.state,
        )
      : null;
    if (closed) break;
    skipBlanks(reader);
    if (source[reader.pos] !== '|' || source[reader.pos + 1] === '|') break;
    reader.pos += source[reader.pos + 1] === '&' ? 2 : 1;
    skipBlanks(reader);
    while (source[reader.pos] === '\n') {
      newline(reader);
      skipBlanks(reader);
    }
  }
  reader.input = null;
  if (stages.length > 0) reader.pipelines.push(stages);
  for (const stage of stages) for (const simple of stage) all.push(simple);
  return closed;
}

/** Reads one command or group into `stage`; true when it met `closer` instead. */
function command(reader: Reader, closer: string, stage: Simple[]): boolean {
  const { source } = reader;
  for (;;) {
    skipBlanks(reader);
    if (source[reader.pos] === ')' && closer === ')') {
      reader.pos++;
      return true;
    }
    if (source[reader.pos] === '(') {
      const from = reader.pos;
      const double = source[reader.pos + 1] === '(';
      reader.pos += double ? 2 : 1;
      if (double) for (const simple of doubleParenthesis(reader, from).commands.flat(2)) stage.push(simple);
      else for (const simple of subshell(reader)) stage.push(simple);
      defined(reader, from);
      trailingRedirects(reader, stage);
      return false;
    }
    const reserved = /^(?:[a-z]+|[{}!])(?=[\s;&|()<>]|$)/u.exec(ahead(reader, 12))?.[0];
    if (reserved === undefined) break;
    if (reserved === closer) {
      reader.pos += reserved.length;
      return true;
    }
    if (SKIPPED.has(reserved) || CLOSERS.has(reserved)) {
      reader.pos += reserved.length;
      if (reserved === 'coproc') reader.pos += COPROC_NAME.exec(ahead(reader, 80))?.[0].length ?? 0;
      continue;
    }
    if (reserved === 'function') {
      reader.pos += reserved.length;
      skipBlanks(reader);
      reader.defining = readWord(reader)[0]?.text ?? null;
      skipBlanks(reader);
      reader.pos += /^\(\s{0,20}\)/u.exec(ahead(reader, 24))?.[0].length ?? 0;
      while (/[\s]/u.test(source[reader.pos] ?? '')) {
        if (source[reader.pos] === '\n') newline(reader);
        else reader.pos++;
      }
      continue;
    }
    const end = OPENERS.get(reserved);
    if (end === undefined) break;
    const from = reader.pos;
    const name = reader.defining;
    reader.defining = null;
    reader.pos += reserved.length;
    if (reserved === 'for' || reserved === 'select') loopHead(reader);
    else if (reserved === 'case') caseHead(reader);
    for (const simple of list(reader, end)) stage.push(simple);
    reader.defining = name;
    defined(reader, from);
    trailingRedirects(reader, stage);
    return false;
  }
  reader.defining = null;
  for (const simple of simpleCommand(reader)) stage.push(simple);
  return false;
}

/** Keeps the body of a function, so that it can be read again with the words of a call. */
function defined(reader: Reader, from: number): void {
  if (reader.defining !== null && reader.state.functions.size < MAX_FUNCTIONS)
    reader.state.functions.set(reader.defining, reader.source.slice(from, reader.pos));
  reader.defining = null;
}

function loopHead(reader: Reader): void {
  skipBlanks(reader);
  if (reader.source.startsWith('((', reader.pos)) {
    reader.pos += 2;
    skipArithmetic(reader);
    return;
  }
  const name = readWord(reader)[0]?.text ?? '';
  skipBlanks(reader);
  if (!/^in\b/u.test(ahead(reader, 3))) return;
  reader.pos += 2;
  const values: string[] = [];
  const origins: Simple[] = [];
  for (;;) {
    skipBlanks(reader);
    if (atEnd(reader) || ';\n&|()'.includes(reader.source[reader.pos] ?? '')) break;
    const before = reader.pos;
    for (const word of readWord(reader)) {
      values.push(word.text);
      for (const inner of word.inner) if (origins.length < MAX_EXPANSION) origins.push(inner);
    }
    if (reader.pos === before) reader.pos++;
  }
  if (name !== '' && origins.length > 0) reader.state.origins.set(name, origins);
  // Every value at once: splitting the variable later gives each of them as a word of its own.
  const all = values.join(' ').trim();
  if (name !== '' && !(all === '' && reader.state.form === 'file')) reader.state.variables.set(name, all);
}

function caseHead(reader: Reader): void {
  skipBlanks(reader);
  readWord(reader);
  skipBlanks(reader);
  if (/^in\b/u.test(ahead(reader, 3))) reader.pos += 2;
}
