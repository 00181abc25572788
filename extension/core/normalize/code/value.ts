/** What is known of a value in code: its text, its parts, the name it goes by, and where it comes from. */

/** Where a value comes from; a value made of others comes from all they come from. */
export const FETCHED = 1;
export const DECODED = 2;
/** The whole environment. */
export const ENVIRONMENT = 4;
export const FILE = 8;
/** The arguments or the input of the program. */
export const INPUT = 16;
/** A connection to another machine. */
export const CONNECTION = 32;
/** One variable of the environment that is named like a secret. */
export const SECRET = 64;
/** Facts of the machine or its user. */
export const LOCAL = 128;

export interface Value {
  readonly text: string | null;
  readonly list: readonly Value[] | null;
  readonly keys: ReadonlyMap<string, Value> | null;
  /** Dotted, such as `os.path.join`; of an object what made it, such as `net.Socket()`. Empty when it has none. */
  readonly name: string;
  readonly from: number;
  /** Files whose content it holds, at most a few. */
  readonly files: readonly string[];
  /** The host it is connected to, or that is asked. */
  readonly host: string;
}

export const UNKNOWN: Value = { text: null, list: null, keys: null, name: '', from: 0, files: [], host: '' };
export const textValue = (text: string, from = 0): Value => ({ ...UNKNOWN, text, from });
export const named = (name: string): Value => ({ ...UNKNOWN, name });

/** No known text is longer; what would be is not known. */
export const MAX_KNOWN = 64 * 1024;

/** A value nothing is known of but where it comes from. */
export function madeOf(values: readonly Value[]): Value {
  let from = 0;
  let host = '';
  const files: string[] = [];
  for (const value of values) {
    from |= value.from;
    if (host === '') ({ host } = value);
    for (const file of value.files) if (files.length < 8 && !files.includes(file)) files.push(file);
  }
  return from === 0 && files.length === 0 && host === '' ? UNKNOWN : { ...UNKNOWN, from, files, host };
}

/** `values` with all they hold. */
export function flat(values: readonly Value[], most = 256): readonly Value[] {
  const out: Value[] = [];
  const queue = [...values];
  for (let at = 0; at < queue.length && out.length < most; at++) {
    const value = queue[at] as Value;
    out.push(value);
    if (queue.length < most * 2) queue.push(...(value.list ?? []).slice(0, most), ...(value.keys?.values() ?? []));
  }
  return out;
}

export function withText(text: string | null, parts: readonly Value[]): Value {
  const made = madeOf(parts);
  return text === null || text.length > MAX_KNOWN ? made : { ...made, text };
}

/** Texts joined: what is not known of a path or a command line stays a hole that shells know, `$UNKNOWN`. */
export function joined(parts: readonly Value[], between: string): Value {
  if (parts.every((part) => part.text === null)) return madeOf(parts);
  // Two at a time is what a program that builds a text in a loop does: not copied each time.
  const [first, second] = parts;
  if (first && second && parts.length === 2) return withText((first.text ?? '$UNKNOWN') + between + (second.text ?? '$UNKNOWN'), parts);
  return withText(parts.map((part) => part.text ?? '$UNKNOWN').join(between), parts);
}

export function joinedPath(parts: readonly Value[]): Value {
  let path = '';
  let known = false;
  for (const part of parts) {
    const text = part.text ?? (part.list === null ? '$UNKNOWN' : '');
    known ||= part.text !== null;
    path =
      /^(?:\/|~|[A-Za-z]:[\\/])/u.test(text) && text !== '/'
        ? text
        : path === ''
          ? text
          : `${path.replace(/\/$/u, '')}/${text.replace(/^\//u, '')}`;
  }
  return { ...withText(known ? path : null, parts), name: 'Path()' };
}

/** `%s` and `{}` filled in, in order or by name. */
export function formatted(template: Value, args: readonly Value[], keys: ReadonlyMap<string, Value> | null): Value {
  const all = [template, ...args, ...(keys?.values() ?? [])];
  if (template.text === null) return madeOf(all);
  let next = 0;
  const pick = (name: string): string => {
    const value = /^\d{1,3}$/u.test(name) ? args[Number(name)] : name === '' ? args[next++] : keys?.get(name);
    return value?.text ?? '$UNKNOWN';
  };
  let room = MAX_KNOWN;
  const text = template.text.replace(
    /%[-+ 0-9.]{0,6}[sdrfxXi@vq]|\{\{|\}\}|\{(\w{0,40})(?:![rsa])?(?::[^{}]{0,20})?\}/gu,
    (whole, name?: string) => {
      const made = whole === '{{' ? '{' : whole === '}}' ? '}' : pick(name ?? '');
      room -= made.length;
      return room < 0 ? '' : made;
    },
  );
  return withText(text, all);
}
