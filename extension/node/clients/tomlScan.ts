/**
 * Where the statements of a TOML document stand. Only for text that a real TOML parser has accepted: it finds places,
 * it does not validate.
 */
export interface TomlStatement {
  readonly kind: 'table' | 'arrayTable' | 'pair';
  /** Of a header its own path; of a pair the full path, its table's included. */
  readonly path: readonly string[];
  /** Offset of the line's first character, and just behind its last, line ending excluded. */
  readonly start: number;
  readonly end: number;
  /** A pair's value; empty for headers. */
  readonly valueStart: number;
  readonly valueEnd: number;
}

export function scanToml(text: string): readonly TomlStatement[] {
  const statements: TomlStatement[] = [];
  let table: readonly string[] = [];
  let at = 0;
  while (at < text.length) {
    const start = at;
    const first = skipSpace(text, at);
    const char = text[first];
    if (char === '[') {
      const double = text[first + 1] === '[';
      const key = readKey(text, first + (double ? 2 : 1));
      at = lineEnd(text, skipSpace(text, key.end) + (double ? 2 : 1));
      table = key.path;
      statements.push({ kind: double ? 'arrayTable' : 'table', path: table, start, end: at, valueStart: at, valueEnd: at });
    } else if (char !== undefined && char !== '#' && char !== '\n' && char !== '\r') {
      const key = readKey(text, first);
      const valueStart = skipSpace(text, skipSpace(text, key.end) + 1);
      const valueEnd = skipValue(text, valueStart);
      at = lineEnd(text, valueEnd);
      statements.push({ kind: 'pair', path: [...table, ...key.path], start, end: at, valueStart, valueEnd });
    } else at = lineEnd(text, first);
    at = text.startsWith('\r\n', at) ? at + 2 : at + 1;
  }
  return statements;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  return at;
}

function lineEnd(text: string, from: number): number {
  const newline = text.indexOf('\n', from);
  if (newline < 0) return text.length;
  return text[newline - 1] === '\r' ? newline - 1 : newline;
}

function readKey(text: string, from: number): { readonly path: readonly string[]; readonly end: number } {
  const path: string[] = [];
  let at = from;
  for (;;) {
    at = skipSpace(text, at);
    const quote = text[at];
    if (quote === '"' || quote === "'") {
      const end = skipString(text, at);
      path.push(quote === '"' ? unescape(text.slice(at + 1, end - 1)) : text.slice(at + 1, end - 1));
      at = end;
    } else {
      const bare = /^[A-Za-z0-9_-]*/u.exec(text.slice(at, at + 1000))?.[0] ?? '';
      path.push(bare);
      at += bare.length;
    }
    const next = skipSpace(text, at);
    if (text[next] !== '.') return { path, end: at };
    at = next + 1;
  }
}

/** TOML's escapes in keys are JSON's plus `\U` and `\e`; anything else never got past the parser. */
function unescape(body: string): string {
  const json = body
    .replaceAll(/\\U([0-9A-Fa-f]{8})/gu, (_, code: string) => JSON.stringify(String.fromCodePoint(Number.parseInt(code, 16))).slice(1, -1))
    .replaceAll('\\e', '\\u001b')
    .replaceAll('\t', '\\t');
  try {
    return String(JSON.parse(`"${json}"`));
  } catch (error) {
    // A key we cannot read is none of ours; its raw text keeps it apart from every other.
    return error instanceof SyntaxError ? body : '';
  }
}

function skipString(text: string, from: number): number {
  const quote = text[from] ?? '"';
  const triple = text.startsWith(quote.repeat(3), from);
  const closing = triple ? quote.repeat(3) : quote;
  let at = from + closing.length;
  while (at < text.length && !text.startsWith(closing, at)) at += quote === '"' && text[at] === '\\' ? 2 : 1;
  at += closing.length;
  // Up to two quotes may stand right in front of the closing three.
  while (triple && text[at] === quote) at += 1;
  return at;
}

function skipValue(text: string, from: number): number {
  const char = text[from];
  if (char === '"' || char === "'") return skipString(text, from);
  if (char !== '[' && char !== '{') {
    const bare = /^[^#,\]}\r\n]*/u.exec(text.slice(from))?.[0] ?? '';
    return from + bare.trimEnd().length;
  }
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const here = text[at];
    if (here === '"' || here === "'") at = skipString(text, at) - 1;
    else if (here === '#') at = lineEnd(text, at) - 1;
    else if (here === '[' || here === '{') depth += 1;
    else if (here === ']' || here === '}') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}
