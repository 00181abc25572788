/** Numeric addresses in every notation that some program reads. Sources: inet_aton(3), RFC 4291, RFC 6052, RFC 3056, RFC 4380, RFC 5214. */

/** An IPv4 address written as one to four decimal, octal or hex numbers; null when it is not one. */
export function parseV4(name: string): number | null {
  const parts = name.split('.');
  if (parts.length > 4 || parts.length === 0) return null;
  const numbers: number[] = [];
  for (const part of parts) {
    const value = numberOf(part);
    if (value === null) return null;
    numbers.push(value);
  }
  // A single short number is far more often a port or an id than an address.
  if (parts.length === 1 && (numbers[0] ?? 0) < 0x1000000) return /^0(?:x0{0,15})?$/u.test(parts[0] ?? '') ? 0 : null;
  const last = numbers.pop() ?? 0;
  let value = 0;
  // Too large parts wrap in some readers (`425.510.425.510` is a known form); take them modulo 256 as those do.
  for (const number of numbers) value = value * 256 + (number % 256);
  const room = 256 ** (4 - numbers.length);
  return (value * room + (last % room)) >>> 0;
}

/** The low 32 bits of a number as a reader of C would take it; null when it is none. */
function numberOf(part: string): number | null {
  const shape = /^(?:0x([0-9a-f]{0,32})|0o([0-7]{1,44})|(0[0-7]{1,44})|(\d{1,40}))$/u.exec(part);
  if (!shape) return null;
  const [, hex, marked, octal, decimal] = shape;
  const text =
    hex !== undefined
      ? `0x${hex === '' ? '0' : hex}`
      : marked !== undefined
        ? `0o${marked}`
        : octal !== undefined
          ? `0o${octal.slice(1)}`
          : (decimal ?? '0');
  // Past 2^53 a double loses the low bits, which are the ones that count.
  return text.length < 15 ? Number(text) : Number(BigInt.asUintN(32, BigInt(text)));
}

export interface SixAddress {
  /** In the short form of RFC 5952. */
  readonly text: string;
  /** The IPv4 address it stands for or leads to; null when it is none. */
  readonly four: number | null;
}

/** Null when it is not an IPv6 address. */
export function parseV6(name: string): SixAddress | null {
  const groups = groupsOf(name);
  if (groups === null) return null;
  const at = (index: number): number => groups[index] ?? 0;
  const pair = (index: number): number => ((at(index) << 16) | at(index + 1)) >>> 0;
  const zeros = (from: number, to: number): boolean => groups.slice(from, to).every((group) => group === 0);
  let four: number | null = null;
  if (zeros(0, 5) && at(5) === 0xffff) four = pair(6);
  else if (zeros(0, 4) && at(4) === 0xffff && at(5) === 0) four = pair(6);
  else if (zeros(0, 6) && pair(6) > 0xffff) four = pair(6);
  else if (at(0) === 0x64 && at(1) === 0xff9b && zeros(2, 6)) four = pair(6);
  else if (at(0) === 0x2002) four = pair(1);
  else if (at(0) === 0x2001 && at(1) === 0) four = ~pair(6) >>> 0;
  else if (at(4) === 0 && at(5) === 0x5efe) four = pair(6);
  return { text: shortest(groups), four };
}

function groupsOf(name: string): readonly number[] | null {
  const [head = '', tail, more] = name.split('::');
  if (more !== undefined) return null;
  const left = readGroups(head);
  const right = readGroups(tail ?? '');
  if (left === null || right === null) return null;
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 0) return null;
  return [...left, ...Array.from({ length: missing }, () => 0), ...right];
}

function readGroups(text: string): number[] | null {
  if (text === '') return [];
  const out: number[] = [];
  for (const group of text.split(':')) {
    if (/^[0-9a-f]{1,6}$/u.test(group)) out.push(Number.parseInt(group, 16) & 0xffff);
    else {
      const four = group.includes('.') ? parseV4(group) : null;
      if (four === null) return null;
      out.push(four >>> 16, four & 0xffff);
    }
  }
  return out;
}

function shortest(groups: readonly number[]): string {
  let best = 0;
  let length = 0;
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - start > length) [best, length] = [start, end - start];
  }
  const hex = groups.map((group) => group.toString(16));
  return length < 2 ? hex.join(':') : `${hex.slice(0, best).join(':')}::${hex.slice(best + length).join(':')}`;
}
