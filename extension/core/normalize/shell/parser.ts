/**
 * A lenient shell parser. It never fails: text that ends too early is read as if closed there and the trouble is noted.
 * One pass over the text; substitutions are parsed in place. Source: POSIX XCU 2.10, with bash's additions.
 */
import { MAX_EXPANSION, MAX_SHELL_DEPTH } from '#core/normalize/limits.ts';
import { reveal } from '#core/normalize/shell/expansion.ts';
import { follow, type Here } from '#core/normalize/shell/folders.ts';
import { bodyOf, filtered } from '#core/normalize/shell/output.ts';
import { ahead, atEnd, newline, skipArithmetic, skipBlanks, subshell, type Reader } from '#core/normalize/shell/reader.ts';
import type { ParsedRedirect, Script, ShellState, Simple, Word } from '#core/normalize/shell/syntax.ts';
import { assignedValue, rawWord, readQuoted, readWord } from '#core/normalize/shell/words.ts';

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
const SKIPPED: ReadonlySet<string> = new Set(['then', 'else', 'elif', 'do', '!', 'coproc', 'time']);
const DECLARERS: ReadonlySet<string> = new Set(['export', 'local', 'declare', 'readonly', 'typeset']);
const REDIRECT = /^(?:&>>|&>|<<<|<<-|<<|<>|>>|>\||>&|<&|>|<)/u;

export function parseShell(source: string, state: ShellState): Script {
  return parseIn(source, state, 0);
}

function parseIn(text: string, state: ShellState, scope: number): Script {
  const reader = newReader(text, state, scope);
  list(reader, '');
  return { pipelines: reader.pipelines };
}

function newReader(text: string, state: ShellState, scope: number): Reader {
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
    list: (closer) => list(reader, closer),
    nested: (inner) => {
      const own = ++state.scopes;
      state.parents.set(own, reader.scope);
      return parseIn(inner, state, own).pipelines;
    },
    quoted: (inner) => {
      if (state.depth >= MAX_SHELL_DEPTH) {
        state.troubles.add('too-deep');
        return inner;
      }
      state.depth++;
      const own = newReader(`${inner.replaceAll('"', '\\"')}"`, state, reader.scope);
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
      const double = source[reader.pos + 1] === '(';
      reader.pos += double ? 2 : 1;
      if (double) skipArithmetic(reader);
      else for (const simple of subshell(reader)) stage.push(simple);
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
      continue;
    }
    if (reserved === 'function') {
      reader.pos += reserved.length;
      skipBlanks(reader);
      readWord(reader);
      continue;
    }
    const end = OPENERS.get(reserved);
    if (end === undefined) break;
    reader.pos += reserved.length;
    if (reserved === 'for' || reserved === 'select') loopHead(reader);
    else if (reserved === 'case') caseHead(reader);
    for (const simple of list(reader, end)) stage.push(simple);
    trailingRedirects(reader, stage);
    return false;
  }
  const simple = simpleCommand(reader);
  if (simple) stage.push(simple);
  return false;
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
  for (;;) {
    skipBlanks(reader);
    if (atEnd(reader) || ';\n&|()'.includes(reader.source[reader.pos] ?? '')) break;
    const before = reader.pos;
    for (const word of readWord(reader)) values.push(word.text);
    if (reader.pos === before) reader.pos++;
  }
  // Every value at once: splitting the variable later gives each of them as a word of its own.
  if (name !== '') reader.state.variables.set(name, values.join(' '));
}

function caseHead(reader: Reader): void {
  skipBlanks(reader);
  readWord(reader);
  skipBlanks(reader);
  if (/^in\b/u.test(ahead(reader, 3))) reader.pos += 2;
}

function trailingRedirects(reader: Reader, stage: Simple[]): void {
  const redirects: ParsedRedirect[] = [];
  const start = reader.pos;
  while (redirect(reader, redirects)) skipBlanks(reader);
  if (redirects.length > 0) stage.push({ assigns: [], words: [], redirects, start, end: reader.pos, scope: reader.scope });
}

function simpleCommand(reader: Reader): Simple | null {
  const { source, state } = reader;
  skipBlanks(reader);
  const start = reader.pos;
  const assigns: { name: string; value: string }[] = [];
  const words: Word[] = [];
  const redirects: ParsedRedirect[] = [];
  let end = start;
  for (;;) {
    // Blanks and comments after the last word are not part of the command.
    if (words.length + redirects.length + assigns.length > 0) end = reader.pos;
    skipBlanks(reader);
    const char = source[reader.pos];
    if (char === undefined || char === '\n' || char === ';' || char === '|' || char === ')') break;
    if (char === '&' && source[reader.pos + 1] !== '>') break;
    if (redirect(reader, redirects)) continue;
    if (char === '(') {
      // `name() {` defines a function: its body is read as commands, the name is not one.
      if (words.length === 1 && /^\(\s*\)/u.test(ahead(reader, 20))) {
        reader.pos = source.indexOf(')', reader.pos) + 1;
        return null;
      }
      break;
    }
    const before = reader.pos;
    const assign =
      words.length === 0 || DECLARERS.has(words[0]?.text ?? '') ? /^([A-Za-z_][A-Za-z0-9_]*)\+?=/u.exec(ahead(reader, 200)) : null;
    if (assign) {
      reader.pos += assign[0].length;
      const name = assign[1] ?? '';
      const value = assignedValue(reader);
      assigns.push({ name, value: value.text });
      const appended = assign[0].includes('+=') ? (state.origins.get(name) ?? []) : [];
      if (value.inner.length + appended.length > 0) state.origins.set(name, [...appended, ...value.inner].slice(0, MAX_EXPANSION));
      else state.origins.delete(name);
      state.variables.set(name, assign[0].includes('+=') ? (state.variables.get(name) ?? '') + value.text : value.text);
      if (words.length > 0)
        words.push({
          text: `${name}=${value.text}`,
          start: before,
          end: reader.pos,
          quoted: false,
          inner: value.inner,
          startsWithInner: false,
          prints: null,
        });
      continue;
    }
    const read = readWord(reader);
    if (reader.pos === before) {
      reader.pos++;
      continue;
    }
    for (const word of read) words.push(word);
  }
  if (words.length === 0 && assigns.length === 0 && redirects.length === 0) return null;
  if (state.commands <= 0) {
    state.troubles.add('too-many');
    reader.pos = source.length;
    return null;
  }
  state.commands--;
  const simple: Simple = { assigns, words, redirects, start, end, scope: reader.scope };
  setVariables(reader, simple);
  return simple;
}

/** What a builtin leaves in variables: `read` its constant input, `cd` the folder. */
function setVariables(reader: Reader, simple: Simple): void {
  const { variables } = reader.state;
  const [program, ...operands] = simple.words.map((word) => word.text).filter((word) => !word.startsWith('-') || word === '-');
  if (program === 'read' || program === 'mapfile' || program === 'readarray') {
    const input = bodyOf(simple) ?? reader.input;
    // Every line at once, as a loop would see them one after the other.
    if (input !== null) for (const name of operands) variables.set(name, input.replaceAll('\n', ' ').trim());
  }
  if (program === 'set' && simple.words[1]?.text === '--')
    for (const [index, operand] of simple.words.slice(2, 11).entries()) variables.set(String(index + 1), operand.text);
  const folder = variables.get('PWD');
  if ((program === 'cd' || program === 'pushd') && folder !== undefined) {
    const here: Here = { folder, back: [variables.get('OLDPWD') ?? folder] };
    const searchPath = simple.assigns.find((assign) => assign.name === 'CDPATH')?.value ?? variables.get('CDPATH');
    follow(program, operands, here, variables.get('HOME') ?? '', searchPath);
    variables.set('PWD', here.folder).set('OLDPWD', folder);
  }
}

function redirect(reader: Reader, into: ParsedRedirect[]): boolean {
  const { source } = reader;
  const number = /^(?:\d{1,3}|\{[A-Za-z_]\w*\})(?=[<>])/u.exec(ahead(reader, 40))?.[0] ?? '';
  const op = REDIRECT.exec(source.slice(reader.pos + number.length, reader.pos + number.length + 3))?.[0];
  if (op === undefined) return false;
  if ((op === '<' || op === '>') && source[reader.pos + number.length + 1] === '(' && number === '') return false;
  reader.pos += number.length + op.length;
  skipBlanks(reader);
  const start = reader.pos;
  const raw = rawWord(reader, 'word');
  const target: Word = {
    text: reveal(raw.parts),
    start,
    end: reader.pos,
    quoted: raw.quoted,
    inner: raw.inner,
    startsWithInner: raw.startsWithInner,
    prints: raw.prints,
  };
  if (op === '<<' || op === '<<-') {
    const entry: { op: string; target: Word; body: string | null } = { op: '<<', target, body: '' };
    into.push(entry);
    reader.heredocs.push({
      delimiter: target.text,
      strip: op === '<<-',
      quoted: raw.quoted,
      fill: (body) => {
        entry.body = body;
      },
    });
  } else into.push({ op, target, body: op === '<<<' ? target.text : null });
  return true;
}
