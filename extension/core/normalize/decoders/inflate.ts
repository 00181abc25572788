/** A bounded inflate for gzip and zlib streams. Sources: RFC 1950, RFC 1951, RFC 1952. */

/** Most bytes a stream may grow to. */
const MAX_OUTPUT = 256 * 1024;
const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCES = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12_289, 16_385,
  24_577,
];
const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

interface Stream {
  readonly bytes: ArrayLike<number>;
  at: number;
  held: number;
  bits: number;
  readonly out: number[];
  failed: boolean;
}

/** Codes by length: how many, and the symbols in order of their code. */
interface Huffman {
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
}

export interface Inflated {
  readonly bytes: readonly number[];
  /** The stream goes on beyond what may be read. */
  readonly cut: boolean;
}

/** The plain bytes of a gzip or zlib stream, as far as it can be read; null when `bytes` is neither. */
export function inflated(bytes: ArrayLike<number>): Inflated | null {
  const at = startOf(bytes);
  if (at < 0) return null;
  const stream: Stream = { bytes, at, held: 0, bits: 0, out: [], failed: false };
  // Every round reads at least three bits, so their number is bounded by the input.
  for (let last = 0; last === 0 && !stream.failed && stream.out.length < MAX_OUTPUT;) {
    last = take(stream, 1);
    const kind = take(stream, 2);
    if (kind === 0) stored(stream);
    else if (kind === 1) packed(stream, ...fixedCodes());
    else if (kind === 2) dynamic(stream);
    else stream.failed = true;
  }
  return stream.out.length === 0 ? null : { bytes: stream.out, cut: stream.out.length >= MAX_OUTPUT };
}

function startOf(bytes: ArrayLike<number>): number {
  if (bytes[0] === 0x78 && ((0x78 << 8) | (bytes[1] ?? 0)) % 31 === 0) return (bytes[1] ?? 0) & 0x20 ? -1 : 2;
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b || bytes[2] !== 8) return -1;
  const flags = bytes[3] ?? 0;
  let at = 10;
  if (flags & 4) at += 2 + (bytes[at] ?? 0) + ((bytes[at + 1] ?? 0) << 8);
  for (const flag of [8, 16]) {
    if (!(flags & flag)) continue;
    while (at < bytes.length && bytes[at] !== 0) at++;
    at++;
  }
  return flags & 2 ? at + 2 : at;
}

function take(stream: Stream, count: number): number {
  while (stream.bits < count) {
    if (stream.at >= stream.bytes.length) {
      stream.failed = true;
      return 0;
    }
    stream.held |= (stream.bytes[stream.at++] ?? 0) << stream.bits;
    stream.bits += 8;
  }
  const value = stream.held & ((1 << count) - 1);
  stream.held >>>= count;
  stream.bits -= count;
  return value;
}

function stored(stream: Stream): void {
  stream.held = 0;
  stream.bits = 0;
  const size = (stream.bytes[stream.at] ?? 0) | ((stream.bytes[stream.at + 1] ?? 0) << 8);
  stream.at += 4;
  const end = Math.min(stream.at + size, stream.bytes.length);
  if (end < stream.at + size) stream.failed = true;
  while (stream.at < end && stream.out.length < MAX_OUTPUT) stream.out.push(stream.bytes[stream.at++] ?? 0);
}

function codesOf(lengths: readonly number[]): Huffman {
  const counts = new Uint16Array(16);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  counts[0] = 0;
  const starts = new Uint16Array(16);
  for (let length = 1; length < 15; length++) starts[length + 1] = (starts[length] ?? 0) + (counts[length] ?? 0);
  const symbols = new Uint16Array(lengths.length);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    symbols[starts[length] ?? 0] = symbol;
    starts[length] = (starts[length] ?? 0) + 1;
  }
  return { counts, symbols };
}

/** The next symbol; -1 at the end of the input or where no code fits. */
function symbolOf(stream: Stream, { counts, symbols }: Huffman): number {
  let code = 0;
  let first = 0;
  let index = 0;
  for (let length = 1; length <= 15; length++) {
    code |= take(stream, 1);
    if (stream.failed) return -1;
    const count = counts[length] ?? 0;
    if (code - count < first) return symbols[index + (code - first)] ?? -1;
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  return -1;
}

function fixedCodes(): readonly [Huffman, Huffman] {
  const lengths = Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8));
  return [codesOf(lengths), codesOf(Array.from({ length: 30 }, () => 5))];
}

function dynamic(stream: Stream): void {
  const literals = take(stream, 5) + 257;
  const distances = take(stream, 5) + 1;
  const codes = take(stream, 4) + 4;
  const lengths = Array.from({ length: 19 }, () => 0);
  for (let index = 0; index < codes; index++) lengths[ORDER[index] ?? 0] = take(stream, 3);
  const meta = codesOf(lengths);
  const all: number[] = [];
  while (all.length < literals + distances && !stream.failed) {
    const symbol = symbolOf(stream, meta);
    if (symbol < 0) stream.failed = true;
    else if (symbol < 16) all.push(symbol);
    else {
      const value = symbol === 16 ? (all.at(-1) ?? 0) : 0;
      const times = symbol === 16 ? 3 + take(stream, 2) : symbol === 17 ? 3 + take(stream, 3) : 11 + take(stream, 7);
      for (let time = 0; time < times; time++) all.push(value);
    }
  }
  if (!stream.failed) packed(stream, codesOf(all.slice(0, literals)), codesOf(all.slice(literals, literals + distances)));
}

function packed(stream: Stream, literals: Huffman, distances: Huffman): void {
  const { out } = stream;
  while (out.length < MAX_OUTPUT) {
    const symbol = symbolOf(stream, literals);
    if (symbol === 256) return;
    if (symbol < 0 || symbol > 285) break;
    if (symbol < 256) {
      out.push(symbol);
      continue;
    }
    const length = (LENGTHS[symbol - 257] ?? 0) + take(stream, LENGTH_BITS[symbol - 257] ?? 0);
    const far = symbolOf(stream, distances);
    const distance = (DISTANCES[far] ?? 0) + take(stream, DISTANCE_BITS[far] ?? 0);
    if (far < 0 || distance === 0 || distance > out.length) break;
    for (let step = 0; step < length && out.length < MAX_OUTPUT; step++) out.push(out[out.length - distance] ?? 0);
  }
  stream.failed = true;
}
