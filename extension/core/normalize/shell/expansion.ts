/** Expansions that need no running shell: `$'…'`, `${…}` of known variables, braces. Source: POSIX XCU 2.6, bash manual 3.5. */
import { MAX_EXPANSION } from '#core/normalize/limits.ts';

/** Stand-ins for quoted characters that would otherwise be special when braces expand or words split. */
const HIDDEN = '{},~ \t\n';
const FIRST_HIDDEN = 0xe000;

/** Quoted text, safe from brace expansion and word splitting until `reveal`. */
export function hide(text: string): string {
  return text.replace(/[{},~ \t\n]/gu, (char) => String.fromCharCode(FIRST_HIDDEN + HIDDEN.indexOf(char)));
}

export function reveal(text: string): string {
  return text.replace(/[\ue000-\ue007]/gu, (char) => HIDDEN[char.charCodeAt(0) - FIRST_HIDDEN] ?? char);
}

/** The text of `$'…'` without its delimiters. */
export function ansiC(body: string): string {
  return body.replace(/\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|c(.)|([\s\S]))/gu, (_, x?: string, u?: string, U?: string, octal?: string, control?: string, other?: string) => {
    const hex = x ?? u ?? U;
    if (hex !== undefined) return char(Number.parseInt(hex, 16));
    if (octal !== undefined) return char(Number.parseInt(octal, 8));
    if (control !== undefined) return char(control.charCodeAt(0) & 0x1f);
    return { a: '', b: '', e: '', E: '', f: ' ', n: '\n', r: '\r', t: '\t', v: ' ' }[other ?? ''] ?? other ?? '';
  });
}

const char = (code: number): string => (code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : '');

/** The value of `${body}`; null when it is not known. */
export function parameter(body: string, variables: ReadonlyMap<string, string>): string | null {
  const shape = /^(#|!)?([A-Za-z_][A-Za-z0-9_]*|[@*#?$!0-9])(?:\[[@*0-9]+\])?(.*)$/su.exec(body);
  if (!shape) return null;
  const [, prefix, name = '', rest = ''] = shape;
  const value = prefix === '!' ? variables.get(variables.get(name) ?? '') : variables.get(name);
  if (prefix === '#') return value === undefined ? null : String(value.length);
  const fallback = /^:?[-=](.*)$/su.exec(rest)?.[1];
  if (value === undefined) return fallback === undefined ? null : plain(fallback, variables);
  if (rest === '' || fallback !== undefined) return value;
  if (/^:?\+/u.test(rest)) return plain(rest.replace(/^:?\+/u, ''), variables);
  const slice = /^:\s?(-?\d{1,6})(?::(-?\d{1,6}))?$/u.exec(rest);
  if (slice) {
    const from = Number(slice[1]);
    const start = from < 0 ? Math.max(0, value.length + from) : from;
    const length = slice[2] === undefined ? value.length : Number(slice[2]);
    return value.slice(start, length < 0 ? value.length + length : start + length);
  }
  const replace = /^\/(\/?)([^/*?[]{1,200})(?:\/(.*))?$/su.exec(rest);
  if (replace) return replace[1] === '/' ? value.replaceAll(replace[2] ?? '', () => replace[3] ?? '') : value.replace(replace[2] ?? '', () => replace[3] ?? '');
  const trim = /^(##?|%%?)([^*?[]{1,200})$/su.exec(rest);
  if (trim) {
    const cut = trim[2] ?? '';
    if (trim[1]?.startsWith('#')) return value.startsWith(cut) ? value.slice(cut.length) : value;
    return value.endsWith(cut) ? value.slice(0, -cut.length) : value;
  }
  const cases: Record<string, (text: string) => string> = { ',,': (text) => text.toLowerCase(), '^^': (text) => text.toUpperCase() };
  return cases[rest]?.(value) ?? value;
}

function plain(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?/gu, (whole, name: string) => variables.get(name) ?? whole).replace(/["']/gu, '');
}

/** `a{b,c}d` → `abd`, `acd`. Ranges and anything beyond the bound stay as written. */
export function braces(text: string): readonly string[] {
  let done: string[] = [text];
  for (let round = 0; round < 6; round++) {
    const next: string[] = [];
    let changed = false;
    for (const item of done) {
      const hit = /(?<!\$)\{([^{}]*,[^{}]*)\}/u.exec(item);
      if (!hit) {
        next.push(item);
        continue;
      }
      changed = true;
      for (const choice of (hit[1] ?? '').split(',')) next.push(item.slice(0, hit.index) + choice + item.slice(hit.index + hit[0].length));
    }
    if (!changed || next.length > MAX_EXPANSION) return done;
    done = next;
  }
  return done;
}
