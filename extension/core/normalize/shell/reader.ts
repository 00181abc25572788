/** The place in a shell text the parser has reached, and what every part of the parser reads with: blanks, line ends, here-documents. */
import { parameter } from '#core/normalize/shell/parameters.ts';
import type { Pipeline, ShellState, Simple } from '#core/normalize/shell/syntax.ts';

interface Heredoc {
  readonly delimiter: string;
  readonly strip: boolean;
  readonly quoted: boolean;
  readonly fill: (body: string) => void;
}

/** One text being parsed. `pos` only grows. */
export interface Reader {
  readonly source: string;
  pos: number;
  readonly state: ShellState;
  readonly pipelines: Pipeline[];
  /** Here-documents announced on this line; their bodies start at the next. */
  heredocs: Heredoc[];
  /** The subshell being read; commands of one share a working folder. */
  scope: number;
  /** Constant text that arrives on the standard input of the stage being read; null when it is not known. */
  input: string | null;
  /** What the commands read get as their place: where this text stands in the one that is shown; null when it is that one. */
  readonly shown: { readonly start: number; readonly end: number } | null;
  /** The function whose body comes next. */
  defining: string | null;
  /** Reads commands up to `closer` (`)`, a reserved word, or empty for the end) and returns all of them. */
  readonly list: (closer: string) => Simple[];
  /** Expands `text` as if it stood in double quotes; substitutions in it run. */
  readonly quoted: (text: string) => string;
  /** Parses `text`, which stands inside this one, as a script of its own. */
  readonly nested: (text: string, start: number, end: number) => readonly Pipeline[];
  /** Parses `text` as commands of this very shell: the body of a function that is called, an alias that is used. */
  readonly called: (text: string, start: number, end: number) => readonly Pipeline[];
}

export const atEnd = (reader: Reader): boolean => reader.pos >= reader.source.length;
export const ahead = (reader: Reader, length: number): string => reader.source.slice(reader.pos, reader.pos + length);

/** Counts text the parser makes; expansions can make far more of it than was written. Over the bound nothing more is read. */
export function made(reader: Reader, text: string): string {
  const { state } = reader;
  state.output -= text.length;
  if (state.output >= 0) return text;
  state.troubles.add('too-long');
  reader.pos = reader.source.length;
  return '';
}

export function skipBlanks(reader: Reader): void {
  const { source } = reader;
  for (;;) {
    const char = source[reader.pos];
    if (char === ' ' || char === '\t' || char === '\r') reader.pos++;
    else if (char === '\\' && source[reader.pos + 1] === '\n') reader.pos += 2;
    else if (char === '#') while (!atEnd(reader) && source[reader.pos] !== '\n') reader.pos++;
    else return;
  }
}

/** Steps over a line feed and reads the here-documents that were announced before it. */
export function newline(reader: Reader): void {
  reader.pos++;
  const { source, state } = reader;
  const pending = reader.heredocs;
  reader.heredocs = [];
  for (const doc of pending) {
    const lines: string[] = [];
    let closed = false;
    while (!atEnd(reader)) {
      const stop = source.indexOf('\n', reader.pos);
      const line = source.slice(reader.pos, stop < 0 ? source.length : stop);
      reader.pos = stop < 0 ? source.length : stop + 1;
      const bare = doc.strip ? line.replace(/^\t+/u, '') : line;
      if (bare.trimEnd() === doc.delimiter) {
        closed = true;
        break;
      }
      lines.push(bare);
    }
    if (!closed) state.troubles.add('unterminated');
    const body = lines.join('\n');
    doc.fill(made(reader, doc.quoted ? body : /\$\(|`/u.test(body) ? reader.quoted(body) : expandBody(reader, body)));
  }
}

function expandBody(reader: Reader, body: string): string {
  const { variables } = reader.state;
  let room = reader.state.output;
  return body.replace(
    /\\([$`\\])|\$\{([^{}]{1,200})\}|\$([A-Za-z_][A-Za-z0-9_]*)/gu,
    (whole, escaped?: string, braced?: string, name?: string) => {
      const value = escaped ?? (braced === undefined ? variables.get(name ?? '') : parameter(braced, reader.state)) ?? whole;
      room -= value.length;
      return room < 0 ? whole : value;
    },
  );
}

/** Passes over `(( … ))` after its opening; only substitutions in it run anything. Returns what stood inside. */
export function skipArithmetic(reader: Reader): string {
  let depth = 2;
  const start = reader.pos;
  while (!atEnd(reader) && depth > 0) {
    if (reader.source[reader.pos] === '(') depth++;
    else if (reader.source[reader.pos] === ')') depth--;
    reader.pos++;
  }
  if (depth > 0) reader.state.troubles.add('unterminated');
  const body = reader.source.slice(start, reader.pos);
  if (/\$\(|`/u.test(body)) reader.quoted(body.replace(/\){1,2}$/u, ''));
  return body.replace(/\){1,2}$/u, '');
}

/** Reads the rest of a subshell after its opening, and returns its commands. */
export function subshell(reader: Reader): Simple[] {
  const outer = reader.scope;
  reader.scope = ++reader.state.scopes;
  reader.state.parents.set(reader.scope, outer);
  const folder = reader.state.variables.get('PWD');
  const commands = reader.list(')');
  reader.scope = outer;
  if (folder !== undefined) reader.state.variables.set('PWD', folder);
  return commands;
}

/** Letters with a blank and more letters after them: no arithmetic, whatever stands around it. */
const WORDS = /[A-Za-z_]\w{0,40}[ \t]{1,20}-{0,2}[A-Za-z~/.]/u;

/**
 * Passes over what follows `((`. It is arithmetic only when it ends with `))` in bash, and never in dash, so whatever
 * looks like commands is read as those of a subshell in a subshell. `from`: where the first parenthesis stands.
 */
export function doubleParenthesis(reader: Reader, from: number): { readonly arithmetic: string; readonly commands: readonly Pipeline[] } {
  const arithmetic = skipArithmetic(reader);
  const whole = reader.source.slice(from + 1, reader.pos - 1);
  if (whole.endsWith(')') && !WORDS.test(arithmetic)) return { arithmetic, commands: [] };
  const commands = reader.called(whole, from, reader.pos);
  for (const pipeline of commands) reader.pipelines.push(pipeline);
  return { arithmetic, commands };
}
