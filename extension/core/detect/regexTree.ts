/** Reads the source of a `u` regex into a tree, for whoever has to reason about it. Syntax: ECMA-262, Patterns. */

/** What one character may be: `ascii[code]` is 1 for members below 128; `beyond`: members above may exist, of up to `units` UTF-16 units. */
export interface CharacterSet {
  readonly kind: 'set';
  readonly ascii: Uint8Array;
  readonly beyond: boolean;
  readonly units: 1 | 2;
}

export type RegexNode =
  /** One character, as it is written. */
  | { readonly kind: 'char'; readonly code: number }
  | CharacterSet
  /** Takes no text: anchors, word boundaries (`edge`: one must be there), and looking around (`of` is what is looked for). */
  | { readonly kind: 'look'; readonly of: RegexNode | null; readonly edge?: true }
  | { readonly kind: 'back' }
  | { readonly kind: 'sequence'; readonly of: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly of: readonly RegexNode[] }
  | { readonly kind: 'repeat'; readonly of: RegexNode; readonly least: number; readonly most: number };

const MAX_DEPTH = 60;
const sets = new Map<string, Uint8Array>();

/** The tree of a regex that compiles with the `u` flag; null for syntax this reader does not know (inline modifiers). */
export function readRegex(source: string, flags: string): RegexNode | null {
  let at = 0;
  let known = true;

  const choice = (depth: number): RegexNode => {
    if (depth > MAX_DEPTH) known = false;
    const of = [sequence(depth)];
    while (known && source[at] === '|') {
      at++;
      of.push(sequence(depth));
    }
    return of.length === 1 ? (of[0] as RegexNode) : { kind: 'choice', of };
  };

  const sequence = (depth: number): RegexNode => {
    const of: RegexNode[] = [];
    while (known && at < source.length && source[at] !== '|' && source[at] !== ')') of.push(repeated(atom(depth)));
    return of.length === 1 ? (of[0] as RegexNode) : { kind: 'sequence', of };
  };

  const repeated = (node: RegexNode): RegexNode => {
    const hit = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/u.exec(source.slice(at, at + 16));
    if (!hit) return node;
    at += hit[0].length;
    const [sign, low, comma, high] = hit;
    if (low === undefined)
      return { kind: 'repeat', of: node, least: sign[0] === '+' ? 1 : 0, most: sign[0] === '?' ? 1 : Number.POSITIVE_INFINITY };
    const most = comma === undefined ? Number(low) : high === '' ? Number.POSITIVE_INFINITY : Number(high);
    return { kind: 'repeat', of: node, least: Number(low), most };
  };

  const atom = (depth: number): RegexNode => {
    const char = source[at] ?? '';
    if (char === '^' || char === '$') {
      at++;
      return { kind: 'look', of: null };
    }
    if (char === '(') return group(depth);
    if (char === '.') {
      at++;
      return set('.', true, 2);
    }
    if (char === '[') return bracket();
    if (char === '\\') return escape();
    const code = source.codePointAt(at) ?? 0;
    at += code > 0xffff ? 2 : 1;
    return { kind: 'char', code };
  };

  const group = (depth: number): RegexNode => {
    const head = /^\((?:\?(?:(<?[=!])|:|<[^=!>][^>]{0,100}>))?/u.exec(source.slice(at, at + 110));
    at += head?.[0].length ?? 1;
    if (head === null || source[at] === '?') known = false;
    const of = choice(depth + 1);
    at++;
    return head?.[1] === undefined ? of : { kind: 'look', of };
  };

  const bracket = (): RegexNode => {
    const from = at;
    for (at++; at < source.length && source[at] !== ']'; at++) if (source[at] === '\\') at++;
    at++;
    const raw = source.slice(from, at);
    const rest = raw.replace(/\\[dw]|\\[^\w]|\\[tnrfv]/gu, '');
    const beyond = raw.startsWith('[^') || !/^[\u0020-\u005b\u005d-\u007e]*$/u.test(rest);
    return set(raw, beyond, raw.startsWith('[^') || /\\[DWSPpu]|[\ud800-\udfff]/.test(raw) ? 2 : 1);
  };

  const escape = (): RegexNode => {
    const [raw = ''] = /^\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|k<[^>]*>|[1-9]\d{0,2}|[\s\S])/u.exec(
      source.slice(at, at + 64),
    ) ?? ['\\'];
    at += raw.length;
    const letter = raw[1] ?? '';
    if (letter === 'b') return { kind: 'look', of: null, edge: true };
    if (letter === 'B') return { kind: 'look', of: null };
    if (letter === 'k' || /[1-9]/u.test(letter)) return { kind: 'back' };
    if (letter === 'd' || letter === 'w') return set(raw, false, 1);
    if (letter === 's') return set(raw, true, 1);
    if (/[DWSpP]/u.test(letter)) return set(raw, true, 2);
    if (letter === 'u' || letter === 'x') return { kind: 'char', code: Number.parseInt(raw.replace(/[^0-9a-fA-F]/gu, ''), 16) };
    const control = 'tnvfr'.indexOf(letter);
    if (control >= 0) return { kind: 'char', code: [9, 10, 11, 12, 13][control] ?? 0 };
    if (letter === '0') return { kind: 'char', code: 0 };
    if (letter === 'c') return { kind: 'char', code: raw.charCodeAt(2) % 32 };
    return { kind: 'char', code: raw.codePointAt(1) ?? 0 };
  };

  const set = (raw: string, beyond: boolean, units: 1 | 2): CharacterSet => ({ kind: 'set', ascii: members(raw, flags), beyond, units });

  const tree = choice(0);
  return known && at === source.length ? tree : null;
}

/** Asked of the regex engine itself, which is never wrong about its own classes. */
function members(raw: string, flags: string): Uint8Array {
  const key = `${flags}/${raw}`;
  let table = sets.get(key);
  if (!table) {
    table = new Uint8Array(128);
    const regex = new RegExp(`^${raw}$`, `${flags.replace(/[^is]/gu, '')}u`);
    for (let code = 0; code < 128; code++) table[code] = regex.test(String.fromCharCode(code)) ? 1 : 0;
    sets.set(key, table);
  }
  return table;
}
