/** Tables of words as bytes in base64, so that whoever opens a pack reads them at once instead of number by number. */
import type { WordTable } from '#core/detect/scan.ts';

/** A table as it stands in a file, without its bytes: the arrays one after the other, little-endian. */
export interface KeptTable {
  readonly letters: string;
  /** Of the arrays, in the order of `LONGS`, `SHORTS` and `BYTES`. */
  readonly sizes: readonly number[];
}

/** Arrays of four bytes an entry come first, so that each starts where it may. */
const LONGS = ['bits', 'firsts', 'starts', 'from', 'owners', 'where'] as const;
const SHORTS = ['ranks', 'entries'] as const;
const BYTES = ['marks', 'grams'] as const;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** `bytes`: base64. */
export function keepTable(table: WordTable): { readonly table: KeptTable; readonly bytes: string } {
  const arrays = [...LONGS, ...SHORTS, ...BYTES].map((name) => table[name]);
  const bytes = arrays.flatMap((array) => [...new Uint8Array(array.buffer, array.byteOffset, array.byteLength)]);
  return { table: { letters: table.letters, sizes: arrays.map((array) => array.length) }, bytes: base64(bytes) };
}

/** @throws when the bytes are not as many as the sizes say. */
export function openTable({ letters, sizes }: KeptTable, all: Uint8Array): WordTable {
  // Where arrays of any kind may not start, a copy does.
  const { buffer, byteOffset } = all.byteOffset % 4 === 0 ? all : new Uint8Array(all);
  let at = byteOffset;
  let field = 0;
  const next = <T>(make: (from: number, length: number) => T, size: number): T => {
    const length = sizes[field++] ?? 0;
    const array = make(at, length);
    at += length * size;
    return array;
  };
  const ints = (): Int32Array => next((from, length) => new Int32Array(buffer, from, length), 4);
  const shorts = (): Uint16Array => next((from, length) => new Uint16Array(buffer, from, length), 2);
  const units = (): Uint8Array => next((from, length) => new Uint8Array(buffer, from, length), 1);
  const table: WordTable = {
    letters,
    bits: ints(),
    firsts: ints(),
    starts: ints(),
    from: ints(),
    owners: ints(),
    where: ints(),
    ranks: shorts(),
    entries: shorts(),
    marks: units(),
    grams: units(),
  };
  if (at - byteOffset !== all.length) throw new Error('the index of the rule pack is damaged');
  return table;
}

function base64(bytes: readonly number[]): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const held = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (let place = 0; place < 4; place++) out += at + place > bytes.length ? '=' : (ALPHABET[(held >> (18 - 6 * place)) & 63] ?? '');
  }
  return out;
}
