/**
 * A lenient shell parser. It never fails: text that ends too early is read as if closed there and the trouble is noted.
 * One pass over the text; substitutions are parsed in place. Source: POSIX XCU 2.10, with bash's additions.
 */
import { MAX_SHELL_DEPTH } from '#core/normalize/limits.ts';
import { ansiC, braces, hide, parameter, reveal } from '#core/normalize/shell/expansion.ts';
import { constantOutput } from '#core/normalize/shell/output.ts';
import type { ParsedRedirect, Pipeline, Script, ShellState, Simple, Word } from '#core/normalize/shell/syntax.ts';

const OPENERS: ReadonlyMap<string, string> = new Map([['if', 'fi'], ['while', 'done'], ['until', 'done'], ['for', 'done'], ['select', 'done'], ['case', 'esac'], ['{', '}']]);
const CLOSERS: ReadonlySet<string> = new Set(['fi', 'done', 'esac', '}']);
const SKIPPED: ReadonlySet<string> = new Set(['then', 'else', 'elif', 'do', '!', 'coproc', 'time']);
const DECLARERS: ReadonlySet<string> = new Set(['export', 'local', 'declare', 'readonly', 'typeset']);
const REDIRECT = /^(?:&>>|&>|<<<|<<-|<<|<>|>>|>\||>&|<&|>|<)/u;

export function parseShell(source: string, state: ShellState): Script {
  if (source.length > state.units) {
    state.troubles.add('too-long');
    source = source.slice(0, Math.max(0, state.units));
  }
  state.units -= source.length;
  const parser = newParser(source, state);
  parser.list('');
  return { pipelines: parser.pipelines };
}

interface Parser {
  readonly pipelines: Pipeline[];
  /** Reads commands up to `closer` (`)`, a reserved word, or empty for the end) and returns all of them. */
  list(closer: string): Simple[];
}

function newParser(source: string, state: ShellState): Parser {
  let pos = 0;
  const pipelines: Pipeline[] = [];
  let heredocs: { delimiter: string; strip: boolean; quoted: boolean; fill: (body: string) => void }[] = [];

  const rest = (length: number): string => source.slice(pos, pos + length);
  const atEnd = (): boolean => pos >= source.length;

  function skipBlanks(): void {
    for (;;) {
      const char = source[pos];
      if (char === ' ' || char === '\t' || char === '\r') pos++;
      else if (char === '\\' && source[pos + 1] === '\n') pos += 2;
      else if (char === '#') while (!atEnd() && source[pos] !== '\n') pos++;
      else return;
    }
  }

  function newline(): void {
    pos++;
    const pending = heredocs;
    heredocs = [];
    for (const doc of pending) {
      const lines: string[] = [];
      let closed = false;
      while (!atEnd()) {
        const stop = source.indexOf('\n', pos);
        const line = source.slice(pos, stop < 0 ? source.length : stop);
        pos = stop < 0 ? source.length : stop + 1;
        const bare = doc.strip ? line.replace(/^\t+/u, '') : line;
        if (bare.trimEnd() === doc.delimiter) {
          closed = true;
          break;
        }
        lines.push(bare);
      }
      if (!closed) state.troubles.add('unterminated');
      const body = lines.join('\n');
      doc.fill(doc.quoted ? body : expandBody(body));
    }
  }

  function expandBody(body: string): string {
    return body.replace(/\\([$`\\])|\$\{([^{}]{1,200})\}|\$([A-Za-z_][A-Za-z0-9_]*)/gu, (whole, escaped?: string, braced?: string, name?: string) =>
      escaped ?? (braced === undefined ? state.variables.get(name ?? '') : parameter(braced, state.variables)) ?? whole,
    );
  }

  function list(closer: string): Simple[] {
    const all: Simple[] = [];
    if (state.depth >= MAX_SHELL_DEPTH) {
      state.troubles.add('too-deep');
      pos = source.length;
      return all;
    }
    state.depth++;
    for (;;) {
      const before = pos;
      const stages: Simple[][] = [];
      let closed = false;
      for (;;) {
        const stage: Simple[] = [];
        closed = command(closer, stage);
        if (stage.length > 0) stages.push(stage);
        if (closed) break;
        skipBlanks();
        if (source[pos] !== '|' || source[pos + 1] === '|') break;
        pos += source[pos + 1] === '&' ? 2 : 1;
        skipBlanks();
        while (source[pos] === '\n') {
          newline();
          skipBlanks();
        }
      }
      if (stages.length > 0) pipelines.push(stages);
      for (const stage of stages) all.push(...stage);
      if (closed) break;
      skipBlanks();
      if (atEnd()) {
        if (closer === ')') state.troubles.add('unterminated');
        break;
      }
      if (source[pos] === ')' && closer === ')') {
        pos++;
        break;
      }
      if (source[pos] === '\n') newline();
      else if (';&|'.includes(source[pos] ?? '')) pos++;
      else if (source[pos] === ')') pos++; // a case pattern, or a stray one
      else if (pos === before) pos++;
    }
    state.depth--;
    return all;
  }

  /** Reads one command or group into `stage`; true when it met `closer` instead. */
  function command(closer: string, stage: Simple[]): boolean {
    for (;;) {
      skipBlanks();
      if (source[pos] === ')' && closer === ')') {
        pos++;
        return true;
      }
      if (source[pos] === '(') {
        const double = source[pos + 1] === '(';
        pos += double ? 2 : 1;
        if (double) skipArithmetic();
        else stage.push(...list(')'));
        trailingRedirects(stage);
        return false;
      }
      const reserved = /^(?:[a-z]+|[{}!])(?=[\s;&|()<>]|$)/u.exec(rest(12))?.[0];
      if (reserved === undefined) break;
      if (reserved === closer) {
        pos += reserved.length;
        return true;
      }
      if (SKIPPED.has(reserved) || CLOSERS.has(reserved)) {
        pos += reserved.length;
        continue;
      }
      if (reserved === 'function') {
        pos += reserved.length;
        skipBlanks();
        readWord();
        continue;
      }
      const end = OPENERS.get(reserved);
      if (end === undefined) break;
      pos += reserved.length;
      if (reserved === 'for' || reserved === 'select') loopHead();
      else if (reserved === 'case') caseHead();
      stage.push(...list(end));
      trailingRedirects(stage);
      return false;
    }
    const simple = simpleCommand();
    if (simple) stage.push(simple);
    return false;
  }

  function loopHead(): void {
    skipBlanks();
    if (source.startsWith('((', pos)) {
      pos += 2;
      skipArithmetic();
      return;
    }
    const name = readWord()[0]?.text ?? '';
    skipBlanks();
    if (!/^in\b/u.test(rest(3))) return;
    pos += 2;
    const values: string[] = [];
    for (;;) {
      skipBlanks();
      if (atEnd() || ';\n&|()'.includes(source[pos] ?? '')) break;
      const before = pos;
      for (const word of readWord()) values.push(word.text);
      if (pos === before) pos++;
    }
    // Every value at once: splitting the variable later gives each of them as a word of its own.
    if (name !== '') state.variables.set(name, values.slice(0, 64).join(' '));
  }

  function caseHead(): void {
    skipBlanks();
    readWord();
    skipBlanks();
    if (/^in\b/u.test(rest(3))) pos += 2;
  }

  function trailingRedirects(stage: Simple[]): void {
    const redirects: ParsedRedirect[] = [];
    const start = pos;
    while (redirect(redirects)) skipBlanks();
    if (redirects.length > 0) stage.push({ assigns: [], words: [], redirects, start, end: pos });
  }

  function simpleCommand(): Simple | null {
    skipBlanks();
    const start = pos;
    const assigns: { name: string; value: string }[] = [];
    const words: Word[] = [];
    const redirects: ParsedRedirect[] = [];
    let end = start;
    for (;;) {
      // Blanks and comments after the last word are not part of the command.
      if (words.length + redirects.length + assigns.length > 0) end = pos;
      skipBlanks();
      const char = source[pos];
      if (char === undefined || char === '\n' || char === ';' || char === '|' || char === ')') break;
      if (char === '&' && source[pos + 1] !== '>') break;
      if (redirect(redirects)) continue;
      if (char === '(') {
        // `name() {` defines a function: its body is read as commands, the name is not one.
        if (words.length === 1 && /^\(\s*\)/u.test(rest(20))) {
          pos = source.indexOf(')', pos) + 1;
          words.length = 0;
          return null;
        }
        break;
      }
      const before = pos;
      const assign = words.length === 0 || DECLARERS.has(words[0]?.text ?? '') ? /^([A-Za-z_][A-Za-z0-9_]*)\+?=/u.exec(rest(200)) : null;
      if (assign) {
        pos += assign[0].length;
        const name = assign[1] ?? '';
        const value = source[pos] === '(' ? array() : valueWords();
        assigns.push({ name, value: value.text });
        state.variables.set(name, assign[0].includes('+=') ? (state.variables.get(name) ?? '') + value.text : value.text);
        if (words.length > 0) words.push({ text: `${name}=${value.text}`, start: before, end: pos, quoted: false, inner: value.inner, startsWithInner: false });
        continue;
      }
      const read = readWord();
      if (pos === before) {
        pos++;
        continue;
      }
      words.push(...read);
    }
    if (words.length === 0 && assigns.length === 0 && redirects.length === 0) return null;
    if (state.commands <= 0) {
      state.troubles.add('too-many');
      return null;
    }
    state.commands--;
    return { assigns, words, redirects, start, end };
  }

  function valueWords(): { text: string; inner: readonly Simple[] } {
    if (atEnd() || ' \t\n;&|)'.includes(source[pos] ?? '')) return { text: '', inner: [] };
    const word = rawWord('assignment');
    return { text: reveal(word.parts), inner: word.inner };
  }

  function array(): { text: string; inner: readonly Simple[] } {
    pos++;
    const values: string[] = [];
    const inner: Simple[] = [];
    for (;;) {
      skipBlanks();
      if (source[pos] === '\n') {
        newline();
        continue;
      }
      if (atEnd() || source[pos] === ')') break;
      const before = pos;
      for (const word of readWord()) {
        values.push(word.text);
        inner.push(...word.inner);
      }
      if (pos === before) pos++;
    }
    pos++;
    return { text: values.join(' '), inner };
  }

  function redirect(into: ParsedRedirect[]): boolean {
    const number = /^(?:\d{1,3}|\{[A-Za-z_]\w*\})(?=[<>])/u.exec(rest(40))?.[0] ?? '';
    const op = REDIRECT.exec(source.slice(pos + number.length, pos + number.length + 3))?.[0];
    if (op === undefined) return false;
    if ((op === '<' || op === '>') && source[pos + number.length + 1] === '(' && number === '') return false;
    pos += number.length + op.length;
    skipBlanks();
    const start = pos;
    const raw = rawWord('word');
    const target: Word = { text: reveal(raw.parts), start, end: pos, quoted: raw.quoted, inner: raw.inner, startsWithInner: raw.startsWithInner };
    if (op === '<<' || op === '<<-') {
      const entry: { op: string; target: Word; body: string | null } = { op: '<<', target, body: '' };
      into.push(entry);
      heredocs.push({ delimiter: target.text, strip: op === '<<-', quoted: raw.quoted, fill: (body) => { entry.body = body; } });
    } else into.push({ op, target, body: op === '<<<' ? target.text : null });
    return true;
  }

  /** One word as written, which braces and unquoted variables may make several. */
  function readWord(): Word[] {
    const start = pos;
    const raw = rawWord('word');
    if (pos === start) return [];
    const base = { start, end: pos, quoted: raw.quoted, inner: raw.inner, startsWithInner: raw.startsWithInner };
    const words: Word[] = [];
    for (const piece of braces(raw.parts)) {
      const split = raw.splits ? piece.split(/[ \t\n]+/u).filter((part) => part !== '') : [piece];
      for (const part of split.slice(0, 256)) words.push({ ...base, text: reveal(tilde(part)) });
    }
    return words;
  }

  function tilde(text: string): string {
    const home = state.variables.get('HOME');
    return home !== undefined && /^~(?:\/|$)/u.test(text) ? home + text.slice(1) : text;
  }

  function rawWord(mode: 'word' | 'assignment'): { parts: string; quoted: boolean; inner: readonly Simple[]; startsWithInner: boolean; splits: boolean } {
    let parts = '';
    let quoted = false;
    let startsWithInner = false;
    let splits = false;
    const inner: Simple[] = [];
    const begin = pos;
    const put = (text: string): void => {
      parts += text;
    };
    const substituted = (value: string | null, commands: readonly Simple[], inQuotes: 'quoted' | 'bare'): void => {
      if (parts === '') startsWithInner = true;
      inner.push(...commands);
      if (value === null) put('$()');
      else if (inQuotes === 'quoted') put(hide(value));
      else {
        put(value);
        splits = true;
      }
    };
    for (;;) {
      const char = source[pos];
      if (char === undefined || char === ' ' || char === '\t' || char === '\n' || char === ';' || char === '|' || char === ')' || char === '&') break;
      if (char === '(' || ((char === '<' || char === '>') && source[pos + 1] !== '(')) break;
      if ((char === '<' || char === '>') && pos !== begin) break;
      if (char === '<' || char === '>') {
        pos += 2;
        substituted(null, list(')'), 'quoted');
      } else if (char === '\\') {
        quoted = true;
        if (source[pos + 1] !== '\n') put(hide(source[pos + 1] ?? ''));
        pos += 2;
      } else if (char === "'") {
        quoted = true;
        const stop = source.indexOf("'", pos + 1);
        if (stop < 0) state.troubles.add('unterminated');
        put(hide(source.slice(pos + 1, stop < 0 ? source.length : stop)));
        pos = stop < 0 ? source.length : stop + 1;
      } else if (char === '"') {
        quoted = true;
        pos++;
        doubleQuoted(put, substituted);
      } else if (char === '$' && source[pos + 1] === "'") {
        quoted = true;
        const start = pos + 2;
        pos = start;
        while (!atEnd() && source[pos] !== "'") pos += source[pos] === '\\' ? 2 : 1;
        if (atEnd()) state.troubles.add('unterminated');
        put(hide(ansiC(source.slice(start, pos))));
        pos++;
      } else if (char === '$' && source[pos + 1] === '"') pos++;
      else if (char === '$') {
        const value = dollar(substituted, 'bare');
        if (value !== null) {
          put(value.text);
          if (value.known) splits = true;
        }
      } else if (char === '`') backtick(substituted, 'bare');
      else {
        put(char);
        pos++;
      }
    }
    const inAssignment = mode === 'assignment';
    return { parts: inAssignment ? tilde(parts) : parts, quoted, inner, startsWithInner, splits: splits && !inAssignment };
  }

  type Substituted = (value: string | null, commands: readonly Simple[], inQuotes: 'quoted' | 'bare') => void;

  function doubleQuoted(put: (text: string) => void, substituted: Substituted): void {
    for (;;) {
      const char = source[pos];
      if (char === undefined) {
        state.troubles.add('unterminated');
        return;
      }
      if (char === '"') {
        pos++;
        return;
      }
      if (char === '\\' && '$`"\\\n'.includes(source[pos + 1] ?? ' ')) {
        if (source[pos + 1] !== '\n') put(hide(source[pos + 1] ?? ''));
        pos += 2;
      } else if (char === '$') {
        const value = dollar(substituted, 'quoted');
        if (value !== null) put(hide(value.text));
      } else if (char === '`') backtick(substituted, 'quoted');
      else {
        // Long runs of plain text are the common case in quotes.
        const stop = /["\\$`]/u.exec(source.slice(pos + 1, pos + 4096));
        const length = 1 + (stop ? stop.index : Math.min(4095, source.length - pos - 1));
        put(hide(source.slice(pos, pos + length)));
        pos += length;
      }
    }
  }

  /** Reads what `$` introduces; null when it was handed to `substituted`. */
  function dollar(substituted: Substituted, inQuotes: 'quoted' | 'bare'): { text: string; known: boolean } | null {
    pos++;
    const next = source[pos];
    if (next === '(') {
      if (source[pos + 1] === '(') {
        pos += 2;
        skipArithmetic();
        return { text: '0', known: false };
      }
      pos++;
      const first = pipelines.length;
      const commands = list(')');
      substituted(constantOutput(pipelines.slice(first), state), commands, inQuotes);
      return null;
    }
    if (next === '{') {
      const stop = closingBrace(pos + 1);
      const body = source.slice(pos + 1, stop);
      pos = stop + 1;
      const value = parameter(body, state.variables);
      return value === null ? { text: `\${${body}}`, known: false } : { text: value, known: true };
    }
    const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[@*#?$!0-9-])/u.exec(rest(80))?.[0];
    if (name === undefined) return { text: '$', known: false };
    pos += name.length;
    if (name === 'IFS') return { text: ' ', known: true };
    // Empty outside functions: a way to break a word up for readers that do not know it.
    if (name === '@' || name === '*' || name === '!') return { text: '', known: false };
    if (/^\d$/u.test(name) && /[A-Za-z]/u.test(source[pos - 3] ?? '') && /[A-Za-z]/u.test(source[pos] ?? '')) return { text: '', known: false };
    const value = state.variables.get(name);
    return value === undefined ? { text: `$${name}`, known: false } : { text: value, known: true };
  }

  function closingBrace(from: number): number {
    let depth = 1;
    for (let at = from; at < source.length; at++) {
      const char = source[at];
      if (char === '\\') at++;
      else if (char === '{') depth++;
      else if (char === '}' && --depth === 0) return at;
      else if (char === '\n' && depth === 1 && at - from > 400) break;
    }
    state.troubles.add('unterminated');
    return source.length;
  }

  function backtick(substituted: Substituted, inQuotes: 'quoted' | 'bare'): void {
    const start = ++pos;
    while (!atEnd() && source[pos] !== '`') pos += source[pos] === '\\' ? 2 : 1;
    if (atEnd()) state.troubles.add('unterminated');
    const body = source.slice(start, pos).replace(/\\([$`\\])/gu, '$1');
    pos++;
    if (state.depth >= MAX_SHELL_DEPTH) {
      state.troubles.add('too-deep');
      return;
    }
    state.depth++;
    const script = parseShell(body, state);
    state.depth--;
    pipelines.push(...script.pipelines);
    substituted(constantOutput(script.pipelines, state), script.pipelines.flat(2), inQuotes);
  }

  /** Passes over `(( … ))` after its opening; nothing in it runs a command worth naming. */
  function skipArithmetic(): void {
    let depth = 2;
    while (!atEnd() && depth > 0) {
      if (source[pos] === '(') depth++;
      else if (source[pos] === ')') depth--;
      pos++;
    }
    if (depth > 0) state.troubles.add('unterminated');
  }

  return { pipelines, list };
}
