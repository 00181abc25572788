/** Reads one quoted text: escapes, and the holes in which code stands. */

export type Part = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'code'; readonly code: string };

export interface Quoting {
  /** A sign that opens another level, of quotes in brackets; empty: none. */
  readonly open: string;
  readonly close: string;
  /** `few`: only the backslash and the quote. */
  readonly escapes: 'all' | 'few' | 'none';
  readonly holes: 'none' | '{' | '${' | '#{' | '$';
  /** Whether a line feed may stand in it; else the text ends there. */
  readonly lines: boolean;
}

export interface Quoted {
  /** With holes left out. */
  readonly text: string;
  readonly parts: readonly Part[] | null;
  readonly end: number;
}

const VARIABLE = /\$(?:\{\^?([A-Za-z_]\w{0,60})\}|([A-Za-z_]\w{0,60}))|@\{\[/uy;
const SIMPLE: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\u0007',
  e: '\u001b',
  '0': '\0',
};

export function quotedText(source: string, from: number, how: Quoting): Quoted {
  const parts: Part[] = [];
  const chunks: string[] = [];
  let pos = from;
  let chunk = from;
  let depth = 1;
  const flush = (): void => {
    if (pos > chunk) chunks.push(source.slice(chunk, pos));
  };
  const hole = (code: string, end: number): void => {
    flush();
    const before = chunks.join('');
    chunks.length = 0;
    if (before !== '') parts.push({ kind: 'text', text: before });
    parts.push({ kind: 'code', code });
    pos = end;
    chunk = end;
  };
  const first = how.close[0] ?? '';
  while (pos < source.length) {
    const char = source[pos] ?? '';
    if (char === first && source.startsWith(how.close, pos) && --depth === 0) break;
    if (char === how.open && how.open !== '') depth++;
    if (char === '\n' && !how.lines) break;
    if (char === '\\') {
      if (how.escapes === 'none') {
        pos += 2;
        continue;
      }
      flush();
      const read = escape(source, pos + 1, how);
      chunks.push(read.text);
      pos = read.end;
      chunk = pos;
      continue;
    }
    if (how.holes === '{' && char === '{') {
      if (source[pos + 1] === '{') {
        flush();
        chunks.push('{');
        pos += 2;
        chunk = pos;
        continue;
      }
      const end = holeEnd(source, pos + 1);
      hole(source.slice(pos + 1, end).replace(/(?:![rsa])?(?::[^:'"()[\]]{0,40})?=?$/u, ''), Math.min(source.length, end + 1));
      continue;
    }
    if ((how.holes === '${' || how.holes === '#{') && char === how.holes[0] && source[pos + 1] === '{') {
      const end = holeEnd(source, pos + 2);
      hole(source.slice(pos + 2, end), Math.min(source.length, end + 1));
      continue;
    }
    if (how.holes === '$' && (char === '$' || (char === '@' && source[pos + 1] === '{'))) {
      VARIABLE.lastIndex = pos;
      const hit = VARIABLE.exec(source);
      if (hit) {
        if (hit[0] === '@{[') {
          const end = holeEnd(source, pos + 2);
          hole(source.slice(pos + 3, Math.max(pos + 3, end - 1)), Math.min(source.length, end + 1));
        } else {
          const indexed =
            /^(?:\{["']?\w{1,60}["']?\}|\[["']?\w{1,60}["']?\]|->\{\w{1,60}\})/u.exec(
              source.slice(VARIABLE.lastIndex, VARIABLE.lastIndex + 70),
            )?.[0] ?? '';
          hole(`$${hit[1] ?? hit[2] ?? ''}${indexed}`, VARIABLE.lastIndex + indexed.length);
        }
        continue;
      }
    }
    pos++;
  }
  pos = Math.min(pos, source.length);
  flush();
  const rest = chunks.join('');
  const end = pos + (source.startsWith(how.close, pos) ? how.close.length : 0);
  if (parts.length === 0) return { text: rest, parts: null, end };
  if (rest !== '') parts.push({ kind: 'text', text: rest });
  return { text: parts.map((part) => (part.kind === 'text' ? part.text : '')).join(''), parts, end };
}

/** The brace that closes a hole: braces and quotes in it count. A hole in a hole is read when the outer one is. */
function holeEnd(source: string, from: number): number {
  let depth = 1;
  let quote = '';
  const most = Math.min(source.length, from + 4000);
  for (let pos = from; pos < most; pos++) {
    const char = source[pos] ?? '';
    if (char === '\\') pos++;
    else if (quote !== '') {
      if (char === quote) quote = '';
    } else if (char === '"' || char === "'" || char === '`') quote = char;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return pos;
  }
  return most;
}

function escape(source: string, at: number, how: Quoting): { readonly text: string; readonly end: number } {
  const char = source[at] ?? '';
  if (how.escapes === 'few') return { text: char === '\\' || char === how.close ? char : `\\${char}`, end: at + 1 };
  if (char === '\n') return { text: '', end: at + 1 };
  if (char === 'x' || char === 'u' || char === 'U') {
    const hit = /^(?:x\{?([0-9a-fA-F]{1,6})\}?|u\{?([0-9a-fA-F]{1,6})\}?|U([0-9a-fA-F]{8}))/u.exec(
      char === 'x' && source[at + 1] !== '{'
        ? source.slice(at, at + 3)
        : source[at + 1] === '{' || char === 'U'
          ? source.slice(at, at + 10)
          : source.slice(at, at + 5),
    );
    const code = Number.parseInt(hit?.[1] ?? hit?.[2] ?? hit?.[3] ?? '', 16);
    if (hit && code <= 0x10_ffff) return { text: String.fromCodePoint(code), end: at + hit[0].length };
  }
  const octal = /^[0-7]{1,3}/u.exec(source.slice(at, at + 3))?.[0];
  if (octal !== undefined && (octal.length > 1 || octal === '0'))
    return { text: String.fromCharCode(Number.parseInt(octal, 8)), end: at + octal.length };
  return { text: SIMPLE[char] ?? char, end: at + 1 };
}
