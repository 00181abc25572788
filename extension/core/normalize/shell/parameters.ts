/** `${…}` of variables whose value is known. Source: POSIX XCU 2.6.2, bash manual 3.5.3. */
import type { ShellState } from '#core/normalize/shell/syntax.ts';

export type Known = Pick<ShellState, 'variables' | 'arrays' | 'references' | 'separators'>;

const SHAPE = /^([#!])?([A-Za-z_][A-Za-z0-9_]*|[@*#?$!0-9])(?:\[([^\]]{1,80})\])?(.*)$/su;
/** Longest pattern that is looked for in a value. */
const MAX_PATTERN = 200;
const MAX_WORDS = 64;

/** The value of `${body}`; null when it is not known. */
export function parameter(body: string, known: Known): string | null {
  const shape = SHAPE.exec(body);
  if (!shape) return null;
  const [, prefix, name = '', index, rest = ''] = shape;
  if (prefix === '!' && (index === '@' || index === '*' || rest === '*' || rest === '@')) return null;
  const list = elements(name, index, known);
  const part = list === null ? null : SLICE.exec(rest);
  if (list !== null && part !== null) {
    const from = Number(part[1]);
    return list.slice(from, part[2] === undefined ? undefined : (from < 0 ? list.length + from : from) + Number(part[2])).join(' ');
  }
  const own = valueOf(name, index, known);
  const value = prefix === '!' ? known.variables.get(own ?? '') : own;
  if (prefix === '#') return value === undefined ? null : String(index === '@' ? known.arrays.get(name)?.length : value.length);
  const fallback = /^:?[-=](.*)$/su.exec(rest)?.[1];
  if (value === undefined) return fallback === undefined ? null : plain(fallback, known);
  if (rest === '' || fallback !== undefined) return value;
  if (/^:?\+/u.test(rest)) return plain(rest.replace(/^:?\+/u, ''), known);
  return sliced(value, rest) ?? replaced(value, rest, known) ?? trimmed(value, rest, known) ?? recased(value, rest);
}

const SLICE = /^:\s{0,3}\(?(-?\d{1,6})\)?(?::\s{0,3}(\d{1,6}))?$/u;

/** Of `$@` with `$0` before it, and of whole arrays. */
function elements(name: string, index: string | undefined, known: Known): readonly string[] | null {
  if (index === '@' || index === '*') return known.arrays.get(known.references.get(name) ?? name) ?? null;
  if ((name !== '@' && name !== '*') || index !== undefined) return null;
  const out = [known.variables.get('0') ?? 'sh'];
  for (let at = 1; at <= MAX_WORDS; at++) {
    const value = known.variables.get(String(at));
    if (value === undefined) break;
    out.push(value);
  }
  return out;
}

/** What a name, or an element of an array, holds. */
export function valueOf(written: string, index: string | undefined, known: Known): string | undefined {
  const name = known.references.get(written) ?? written;
  const array = known.arrays.get(name);
  // bash gives the first element for the bare name, zsh all of them.
  if (index === undefined || array === undefined) return known.variables.get(name);
  if (index === '@') return array.join(' ');
  if (index === '*') return array.join(known.variables.get('IFS') === ' ' ? ' ' : (known.variables.get('IFS')?.slice(0, 1) ?? ' '));
  const at = Number(/^\d/u.test(index) ? index : known.variables.get(index.replace('$', '')));
  return Number.isInteger(at) ? array.at(at) : undefined;
}

function sliced(value: string, rest: string): string | null {
  const slice = /^:\s{0,3}\(?(-?\d{1,6})\)?(?::\s{0,3}\(?(-?\d{1,6})\)?)?$/u.exec(rest);
  if (!slice) return null;
  const from = Number(slice[1]);
  const start = from < 0 ? Math.max(0, value.length + from) : from;
  const length = slice[2] === undefined ? value.length : Number(slice[2]);
  return value.slice(start, length < 0 ? value.length + length : start + length);
}

/** `/a/b`, `//a/b`, `/#a/b`, `/%a/b`, with a plain text or one character class as pattern. */
function replaced(value: string, rest: string, known: Known): string | null {
  const shape = /^\/([/#%]?)((?:\\.|\[[^\]]{1,80}\]|[^/\\[])[^/]{0,200})(?:\/(.*))?$/su.exec(rest);
  if (!shape) return null;
  const pattern = plain((shape[2] ?? '').replace(/\\(.)/gu, '$1'), known);
  const by = plain(shape[3] ?? '', known);
  const characters = /^(?:\?|\[([!^]?)([^\]]{1,80})\])$/u.exec(pattern);
  if (characters) {
    const inside = oneOf(characters[2]);
    const kept = (char: string): boolean => inside(char) === (characters[1] === '!' || characters[1] === '^');
    let left = shape[1] === '/' ? value.length : 1;
    return [...value].map((char) => (kept(char) || left-- <= 0 ? char : by)).join('');
  }
  if (/[*?[]/u.test(pattern)) return value;
  if (shape[1] === '#') return value.startsWith(pattern) ? by + value.slice(pattern.length) : value;
  if (shape[1] === '%') return value.endsWith(pattern) ? value.slice(0, value.length - pattern.length) + by : value;
  return shape[1] === '/' ? value.replaceAll(pattern, () => by) : value.replace(pattern, () => by);
}

/** Whether a character is in the body of `[…]`; without one, every character is. */
function oneOf(body: string | undefined): (char: string) => boolean {
  if (body === undefined) return () => true;
  const set = body
    .replaceAll('[:alpha:]', 'A-Za-z')
    .replaceAll('[:alnum:]', 'A-Za-z0-9')
    .replaceAll('[:digit:]', '0-9')
    .replaceAll('[:lower:]', 'a-z')
    .replaceAll('[:upper:]', 'A-Z')
    .replaceAll('[:space:]', ' \t\n');
  return (char) => {
    for (let at = 0; at < set.length; at++) {
      const low = set[at] ?? '';
      if (set[at + 1] === '-' && set[at + 2] !== undefined) {
        if (char >= low && char <= (set[at + 2] ?? '')) return true;
        at += 2;
      } else if (char === low) return true;
    }
    return false;
  };
}

/** `#a`, `##a`, `%a`, `%%a`, where a star stands at one end of the pattern at most. */
function trimmed(value: string, rest: string, known: Known): string | null {
  const shape = /^(##?|%%?)(.+)$/su.exec(rest);
  if (!shape || (shape[2] ?? '').length > MAX_PATTERN) return null;
  const [, how = '', written = ''] = shape;
  const pattern = plain(written.replace(/\\(.)/gu, '$1'), known);
  const front = how.startsWith('#');
  const star = front ? pattern.startsWith('*') : pattern.endsWith('*');
  const text = star ? (front ? pattern.slice(1) : pattern.slice(0, -1)) : pattern;
  if (/^\?+$/u.test(pattern)) return front ? value.slice(pattern.length) : value.slice(0, Math.max(0, value.length - pattern.length));
  if (text === '' || /[*?[]/u.test(text)) return star && text === '' && how.length === 2 ? '' : value;
  if (!star) {
    if (front) return value.startsWith(text) ? value.slice(text.length) : value;
    return value.endsWith(text) ? value.slice(0, -text.length) : value;
  }
  const at = how === '##' || how === '%' ? value.lastIndexOf(text) : value.indexOf(text);
  if (at < 0) return value;
  return front ? value.slice(at + text.length) : value.slice(0, at);
}

function recased(value: string, rest: string): string {
  const first = value.slice(0, 1);
  switch (rest) {
    case ',,':
    case '@L':
      return value.toLowerCase();
    case '^^':
    case '@U':
      return value.toUpperCase();
    case '^':
    case '@u':
      return first.toUpperCase() + value.slice(1);
    case ',':
      return first.toLowerCase() + value.slice(1);
    case '~~':
      return [...value].map((char) => (char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase())).join('');
    default:
      return value;
  }
}

function plain(text: string, known: Known): string {
  return text
    .replace(/\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?/gu, (whole, name: string) => valueOf(name, undefined, known) ?? whole)
    .replace(/["']/gu, '');
}
