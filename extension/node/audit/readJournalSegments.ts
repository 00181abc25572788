/** Which files hold the journal, and the lines of one of them: plain or compressed, from either end, a block at a time. */
import { constants, createReadStream, readdirSync, statSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { MAX_LINE_BYTES } from '#home/journal/entryLine.ts';
import { PLAIN_FILE } from '#home/journal/segments.ts';
import { errorCode } from '#home/privateFile.ts';

export interface JournalSegment {
  readonly number: number;
  /** `expired`: only its signed tombstone is left. */
  readonly kind: 'plain' | 'compressed' | 'expired';
  readonly file: string;
  /** On the disk. */
  readonly bytes: number;
}

/** Whole lines, without their ends, in the order in which they are read. */
export interface LineBlock {
  readonly lines: readonly Buffer[];
  /** Of the file, so far. */
  readonly bytesRead: number;
  /** Lines longer than any of ours in this block; their bytes are passed over. */
  readonly tooLong: number;
}

/** About 350 entries: a few milliseconds of reading between two turns of the event loop. */
export const BLOCK_BYTES = 256 * 1024;
/** A compressed segment read from its end is in memory as a whole; a segment has 16 MiB and at most one batch more. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;
const NEWLINE = 10;
const NAME = /^(\d{6,15})\.(jsonl|jsonl\.gz|expired)$/;
/** While a segment is being compressed or expired two of its files stand side by side for a moment: the fuller one counts. */
const RANK = { jsonl: 0, 'jsonl.gz': 1, expired: 2 } as const;
const KINDS = ['plain', 'compressed', 'expired'] as const;

/** Ascending; an absent folder is empty. @throws the system's error */
export function listJournal(folder: string): readonly JournalSegment[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
  const best = new Map<number, { readonly rank: 0 | 1 | 2; readonly name: string }>();
  for (const name of names) {
    const match = NAME.exec(name);
    if (match === null) continue;
    const number = Number(match[1]);
    const rank = RANK[match[2] as keyof typeof RANK];
    if (String(number).padStart(6, '0') !== match[1] || number === 0 || (best.get(number)?.rank ?? 3) <= rank) continue;
    best.set(number, { rank, name });
  }
  const out: JournalSegment[] = [];
  for (const [number, { rank, name }] of [...best].sort(([a], [b]) => a - b)) {
    const file = join(folder, name);
    // Gone between the two looks: compressed or expired this moment, so the next name is the one.
    out.push({ number, kind: KINDS[rank], file, bytes: statSync(file, { throwIfNoEntry: false })?.size ?? 0 });
  }
  return out;
}

/** @throws the system's error, or an Error when it is no regular file */
export async function openPlain(file: string): Promise<FileHandle> {
  const handle = await open(file, constants.O_RDONLY | PLAIN_FILE);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error(`${file} is not a regular file`);
}

/** The whole lines in `bytes` up to `end`, which stands behind a line end. */
export function linesOf(bytes: Buffer, end: number): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < end;) {
    const to = bytes.indexOf(NEWLINE, from);
    lines.push(bytes.subarray(from, to));
    from = to + 1;
  }
  return lines;
}

/** What a stream of bytes holds in whole lines; half a line at its end is left out. */
export class LineCutter {
  #rest: Buffer = Buffer.alloc(0);
  #skipping = false;

  /** The lines that end in `chunk`, and how many were too long for a line of ours. */
  cut(chunk: Buffer): { readonly lines: readonly Buffer[]; readonly tooLong: number } {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    const lines = linesOf(bytes, end);
    let tooLong = 0;
    if (this.#skipping && end > 0) {
      lines.shift();
      this.#skipping = false;
    }
    this.#rest = bytes.subarray(end);
    if (this.#rest.length > MAX_LINE_BYTES) {
      if (!this.#skipping) tooLong += 1;
      this.#skipping = true;
      this.#rest = Buffer.alloc(0);
    }
    return { lines, tooLong };
  }
}

/** @throws the system's or zlib's error: a compressed segment that is cut or damaged */
export async function* compressedBlocks(file: string): AsyncGenerator<LineBlock, void, void> {
  const source = createReadStream(file, { flags: 'r', highWaterMark: BLOCK_BYTES });
  const unpacked = createGunzip({ chunkSize: BLOCK_BYTES });
  source.once('error', (error) => unpacked.destroy(error));
  source.pipe(unpacked);
  try {
    const cutter = new LineCutter();
    for await (const chunk of unpacked as AsyncIterable<Buffer>) yield { ...cutter.cut(chunk), bytesRead: unpacked.bytesWritten };
  } finally {
    source.destroy();
    unpacked.destroy();
  }
}

/** The lines of a plain file from its last to its first; half a line at the end is left out. */
export async function* plainBlocksBackwards(file: string): AsyncGenerator<LineBlock, void, void> {
  const handle = await openPlain(file);
  try {
    const { size } = await handle.stat();
    let end = size;
    /** The beginning of a line whose head stands further in front; null before the first line end was met. */
    let tail: Buffer | null = null;
    let skipping = false;
    while (end > 0) {
      const length = Math.min(BLOCK_BYTES, end);
      const block = Buffer.allocUnsafe(length);
      const { bytesRead } = await handle.read(block, 0, length, end - length);
      if (bytesRead < length) throw new Error(`${file} became shorter while it was read`);
      end -= length;
      const first = block.indexOf(NEWLINE);
      if (first < 0) {
        if (tail !== null && !skipping) tail = Buffer.concat([block, tail]);
        skipping ||= (tail?.length ?? 0) > MAX_LINE_BYTES;
        if (end === 0 && tail !== null)
          yield skipping ? { lines: [], bytesRead: size, tooLong: 1 } : { lines: [tail], bytesRead: size, tooLong: 0 };
        continue;
      }
      const last = block.lastIndexOf(NEWLINE);
      const lines: Buffer[] = [];
      if (tail !== null && !skipping) lines.push(Buffer.concat([block.subarray(last + 1), tail]));
      const tooLong = skipping ? 1 : 0;
      skipping = false;
      lines.push(...linesOf(block.subarray(first + 1), last - first).reverse());
      tail = block.subarray(0, first);
      if (end === 0) lines.push(tail);
      yield { lines, bytesRead: size - end, tooLong };
    }
  } finally {
    await handle.close();
  }
}

/** As above for a compressed file, which is unpacked into memory. @throws Error when it unpacks to more than a segment can hold */
export async function* compressedBlocksBackwards(file: string): AsyncGenerator<LineBlock, void, void> {
  const blocks: LineBlock[] = [];
  let unpacked = 0;
  for await (const block of compressedBlocks(file)) {
    for (const line of block.lines) unpacked += line.length;
    if (unpacked > MAX_UNPACKED_BYTES) throw new Error(`${file} unpacks to more than ${MAX_UNPACKED_BYTES} bytes; read it oldest first`);
    blocks.push(block);
  }
  const size = blocks.at(-1)?.bytesRead ?? 0;
  for (const { lines, tooLong } of blocks.reverse()) yield { lines: [...lines].reverse(), tooLong, bytesRead: size };
}

/** Fewer bytes than `length` at the end of the file. */
export async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe(length);
  const { bytesRead } = await handle.read(block, 0, length, offset);
  return block.subarray(0, bytesRead);
}
