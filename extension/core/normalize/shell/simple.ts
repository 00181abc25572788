/** Reads one simple command: assignments, words, redirections. Source: POSIX XCU 2.9.1, with bash's additions. */
import { MAX_EXPANSION } from '#core/normalize/limits.ts';
import { evaluated } from '#core/normalize/shell/arithmetic.ts';
import { setVariables, withPositional } from '#core/normalize/shell/builtins.ts';
import { reveal } from '#core/normalize/shell/expansion.ts';
import { ahead, skipBlanks, type Reader } from '#core/normalize/shell/reader.ts';
import type { ParsedRedirect, ShellState, Simple, Word } from '#core/normalize/shell/syntax.ts';
import { assignedValue, rawWord, readWord, type Assigned } from '#core/normalize/shell/words.ts';

const DECLARERS: ReadonlySet<string> = new Set(['export', 'local', 'declare', 'readonly', 'typeset', 'alias']);
const REDIRECT = /^(?:&>>|&>|<<<|<<-|<<|<>|>>|>\||>&|<&|>|<)/u;

export function trailingRedirects(reader: Reader, stage: Simple[]): void {
  const redirects: ParsedRedirect[] = [];
  const start = reader.pos;
  while (redirect(reader, redirects)) skipBlanks(reader);
  if (redirects.length > 0)
    stage.push({
      assigns: [],
      words: [],
      redirects,
      start: reader.shown?.start ?? start,
      end: reader.shown?.end ?? reader.pos,
      scope: reader.scope,
    });
}

/** Reads one simple command; what it calls of the script's own functions and aliases comes with it. */
export function simpleCommand(reader: Reader): readonly Simple[] {
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
        reader.defining = words[0]?.text ?? null;
        return [];
      }
      break;
    }
    const before = reader.pos;
    const assign =
      words.length === 0 || DECLARERS.has(words[0]?.text ?? '')
        ? /^([A-Za-z_][A-Za-z0-9_]*)(?:\[([^\]\s]{1,40})\])?\+?=/u.exec(ahead(reader, 200))
        : null;
    if (assign) {
      reader.pos += assign[0].length;
      const name = assign[1] ?? '';
      const value = assignedValue(reader);
      const appends = assign[0].endsWith('+=');
      assigns.push({ name, value: value.text });
      if (value.values !== null || assign[2] !== undefined) setArray(state, name, assign[2], value, appends);
      else state.arrays.delete(name);
      if (assign[2] !== undefined) continue;
      const appended = appends ? (state.origins.get(name) ?? []) : [];
      if (value.inner.length + appended.length > 0) state.origins.set(name, [...appended, ...value.inner].slice(0, MAX_EXPANSION));
      else state.origins.delete(name);
      if (state.form === 'file' && value.text === '' && !appends) state.variables.delete(name);
      else state.variables.set(state.references.get(name) ?? name, appends ? (state.variables.get(name) ?? '') + value.text : value.text);
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
  if (words.length === 0 && assigns.length === 0 && redirects.length === 0) return [];
  if (state.commands <= 0) {
    state.troubles.add('too-many');
    reader.pos = source.length;
    return [];
  }
  state.commands--;
  const simple: Simple = {
    assigns,
    words,
    redirects,
    start: reader.shown?.start ?? start,
    end: reader.shown?.end ?? end,
    scope: reader.scope,
  };
  setVariables(reader, simple);
  return [simple, ...calledBy(reader, simple, end)];
}

function setArray(state: ShellState, written: string, index: string | undefined, value: Assigned, appends: boolean): void {
  const name = state.references.get(written) ?? written;
  const before = state.arrays.get(name) ?? [];
  const values: string[] = index === undefined ? [...(appends ? before : []), ...(value.values ?? [value.text])] : [...before];
  if (index !== undefined) values[elementAt(state, index, before.length)] = value.text;
  const whole = Array.from(values.slice(0, MAX_EXPANSION), (one: string | undefined) => one ?? '');
  state.arrays.set(name, whole);
  if (index !== undefined) state.variables.set(name, whole.join(' '));
}

function elementAt(state: ShellState, index: string, next: number): number {
  const at = evaluated(index, state.variables);
  return at === null || at < 0 || at >= MAX_EXPANSION ? next : at;
}

/** What a command runs when its program is a function or an alias of the script. */
function calledBy(reader: Reader, simple: Simple, end: number): readonly Simple[] {
  const { state } = reader;
  const first = simple.words[0];
  if (first === undefined || state.functions.size + state.aliases.size === 0 || state.calling.has(first.text)) return [];
  const alias = first.quoted ? undefined : state.aliases.get(first.text);
  const body = alias ?? state.functions.get(first.text);
  const given = simple.words.slice(1).map((word) => word.text);
  // Without words of its own, the body says no more than it did where it was defined, but for what it prints to whoever called it.
  const passed =
    reader.shown !== null || body === undefined || body.length > 4000
      ? reader.shown !== null
      : /^\s{0,9}(?:\|(?!\|)|[)\x60])/u.test(reader.source.slice(end, end + 12));
  if (body === undefined || (alias === undefined && !passed && (given.length === 0 || !/\$/u.test(body)))) return [];
  state.calls -= body.length + 64;
  if (state.calls < 0) {
    state.troubles.add('too-many-calls');
    return [];
  }
  state.calling.add(first.text);
  const restore = alias === undefined ? withPositional(state, given) : null;
  const text = alias === undefined ? body : `${body} ${reader.source.slice(first.end, end)}`;
  const pipelines = reader.called(text, first.start, end);
  restore?.();
  state.calling.delete(first.text);
  for (const pipeline of pipelines) reader.pipelines.push(pipeline);
  return pipelines.flat(2);
}

function redirect(reader: Reader, into: ParsedRedirect[]): boolean {
  const { source } = reader;
  const number = /^(?:\d{1,3}|\{[A-Za-z_]\w*\})(?=[<>])/u.exec(ahead(reader, 40))?.[0] ?? '';
  const op = REDIRECT.exec(source.slice(reader.pos + number.length, reader.pos + number.length + 3))?.[0];
  if (op === undefined) return false;
  if ((op === '<' || op === '>') && source[reader.pos + number.length + 1] === '(' && number === '') return false;
  const fd = number.replace(/[{}]/gu, '');
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
    const entry: { op: string; fd: string; target: Word; body: string | null } = { op: '<<', fd, target, body: '' };
    into.push(entry);
    reader.heredocs.push({
      delimiter: target.text,
      strip: op === '<<-',
      quoted: raw.quoted,
      fill: (body) => {
        entry.body = body;
      },
    });
  } else into.push({ op, fd, target, body: op === '<<<' ? target.text : null });
  return true;
}
