/**
 * Reads lines of cmd.exe and gives them as words: `^` escapes, `%VAR%` and its parts, `&`, `&&`, `||`, `|`, `for`, `if`, `call`.
 * Source: `help cmd`, `help set`, `help for`.
 */
import { environmentOf } from '#core/normalize/powershell/names.ts';

export interface CmdCommand {
  readonly words: readonly string[];
  readonly redirects: readonly { readonly op: string; readonly target: string }[];
  /** It reads what the one before prints. */
  readonly piped: boolean;
}

const MAX_COMMANDS = 512;
const MAX_WORDS = 256;

export function readCmd(text: string): { readonly commands: readonly CmdCommand[]; readonly cut: boolean } {
  const variables = new Map<string, string>();
  const commands: CmdCommand[] = [];
  let cut = text.length > 65_536;
  let piped = false;
  for (const [line, sign] of linesOf(text.slice(0, 65_536))) {
    if (commands.length >= MAX_COMMANDS) {
      cut = true;
      break;
    }
    const { words, redirects } = wordsOf(expanded(line, variables));
    for (const plain of withoutControl(words)) {
      if (plain.length === 0) continue;
      const set = /^set$/iu.test(plain[0] ?? '') ? /^"?([^=\s/"]{1,80})=(.{0,4000}?)"?$/su.exec(plain.slice(1).join(' ')) : null;
      if (set && variables.size < 512) variables.set((set[1] ?? '').toLowerCase(), set[2] ?? '');
      commands.push({ words: plain, redirects, piped });
    }
    piped = sign === '|';
  }
  return { commands, cut };
}

/** Commands of a text, each with the sign that follows it. Carets escape, quotes hide signs. */
function linesOf(text: string): readonly (readonly [string, string])[] {
  const out: (readonly [string, string])[] = [];
  let parts: string[] = [];
  let quoted = false;
  const end = (sign: string): void => {
    const line = parts.join('').trim();
    if (line !== '' && !/^(?:::|rem\s)/iu.test(line)) out.push([line, sign]);
    parts = [];
  };
  for (let pos = 0; pos < text.length; pos++) {
    const char = text[pos] ?? '';
    if (char === '"') quoted = !quoted;
    if (char === '^' && !quoted) {
      pos++;
      if (text[pos] === '\r') pos++;
      // An escaped sign must stay one letter of a word.
      const next = text[pos] ?? '';
      if (next !== '\n') parts.push(/[&|<>()]/u.test(next) ? `\u0001${next}` : next);
    } else if (char === '\n') {
      quoted = false;
      end(';');
    } else if (!quoted && (char === '&' || char === '|') && !(char === '&' && text[pos - 1] === '>')) {
      const sign = text[pos + 1] === char ? char + char : char;
      pos += sign.length - 1;
      end(sign);
    } else if (!quoted && (char === '(' || char === ')') && (parts.length === 0 || char === ')' || parts.at(-1) === ' ')) end(';');
    else parts.push(char);
  }
  end(';');
  return out;
}

/** `%NAME%`, `%NAME:~0,1%`, `%NAME:a=b%`, `!NAME!`. What is not known stays as it is written. */
function expanded(line: string, variables: ReadonlyMap<string, string>): string {
  let room = 65_536;
  return line.replace(
    /[%!]([A-Za-z_][\w()]{0,60})(?::~(-?\d{1,4})(?:,(-?\d{1,4}))?|:([^=%!]{1,80})=([^%!]{0,80}))?[%!]/gu,
    (whole, name: string, from?: string, count?: string, what?: string, by?: string) => {
      let value = variables.get(name.toLowerCase()) ?? environmentOf(name);
      if (value === null) return whole;
      if (from !== undefined) {
        const start = Number(from) < 0 ? Math.max(0, value.length + Number(from)) : Number(from);
        value =
          count === undefined
            ? value.slice(start)
            : Number(count) < 0
              ? value.slice(start, Number(count))
              : value.slice(start, start + Number(count));
      } else if (what !== undefined) value = value.replaceAll(what, () => by ?? '');
      room -= value.length;
      return room < 0 ? whole : value;
    },
  );
}

function wordsOf(line: string): { readonly words: readonly string[]; readonly redirects: CmdCommand['redirects'] } {
  const words: string[] = [];
  const redirects: { op: string; target: string }[] = [];
  let pending: string | null = null;
  for (const hit of line.matchAll(/(\d?>{1,2}(?:&\d)?|\d?<)|((?:"[^"]{0,4000}"?|\u0001.|[^\s"<>,;]|[,;](?=\S)){1,4000})/gu)) {
    const [, sign, word] = hit;
    if (sign !== undefined) {
      pending = sign.includes('&') ? null : sign.replace(/^\d/u, '');
      continue;
    }
    const plain = (word ?? '').replaceAll('\u0001', '').replaceAll('"', '');
    if (pending !== null) {
      redirects.push({ op: pending, target: plain });
      pending = null;
    } else if (words.length < MAX_WORDS) words.push(words.length === 0 ? plain.replace(/^@/u, '') : plain);
  }
  return { words: words.filter((word, index) => word !== '' || index > 0), redirects };
}

/** What is left when `if`, `for … do`, `call`, `start` and `else` are taken away; a `for /f` runs the command it reads, too. */
function withoutControl(words: readonly string[]): readonly (readonly string[])[] {
  const name = (words[0] ?? '').toLowerCase();
  switch (name) {
    case 'call':
    case 'else':
    case 'do':
      return withoutControl(words.slice(1));
    case 'if': {
      let index = 1;
      while (/^(?:\/i|not)$/iu.test(words[index] ?? '')) index++;
      const test = (words[index] ?? '').toLowerCase();
      const skip = /^(?:exist|defined|errorlevel)$/u.test(test)
        ? 2
        : /^(?:==|equ|neq|lss|leq|gtr|geq)$/u.test((words[index + 1] ?? '').toLowerCase())
          ? 3
          : 1;
      return withoutControl(words.slice(index + skip));
    }
    case 'for': {
      const index = words.findIndex((word) => word.toLowerCase() === 'do');
      const read = /\('([^']{1,2000})'\)|\(`([^`]{1,2000})`\)/u.exec(words.join(' '));
      const own = read === null ? [] : [wordsOf(read[1] ?? read[2] ?? '').words];
      return index < 0 ? own : [...own, ...withoutControl(words.slice(index + 1))];
    }
    case 'start': {
      let index = 1;
      while (
        /^\/(?:b|min|max|wait|i|low|high|d\S{0,200}|normal|realtime|shared|separate)$/iu.test(words[index] ?? '') ||
        (index < 3 && (words[index] ?? '') === '')
      )
        index++;
      return [words, words.slice(index)];
    }
    default:
      return [words];
  }
}
