/** Streams the lines of one segment, plain or compressed, with bounded memory, leaving the event loop free between blocks. */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { MAX_LINE_BYTES } from '#home/journal/entryLine.ts';
import { PLAIN_FILE } from '#home/journal/segments.ts';

export type SegmentLine =
  | { readonly kind: 'line'; readonly line: number; readonly bytes: Buffer }
  /** Bytes behind the last line end. */
  | { readonly kind: 'torn'; readonly line: number }
  | { readonly kind: 'tooLong'; readonly line: number };

/** About 300 entries: a few milliseconds of checking between two turns of the event loop. */
const BLOCK_BYTES = 256 * 1024;

/** What hears of the bytes themselves, as they are read. */
export interface SegmentBytes {
  readonly plain: (bytes: Buffer) => void;
  /** Of a compressed segment, as it is on the disk. */
  readonly packed: (bytes: Buffer) => void;
}

/** A name that ends in `.gz` is unpacked. @throws the system's error, or an Error when `file` is no regular file or not in gzip */
export async function* segmentLines(file: string, hears?: SegmentBytes): AsyncGenerator<SegmentLine, void, void> {
  const handle = await open(file, constants.O_RDONLY | PLAIN_FILE);
  try {
    if (!(await handle.stat()).isFile()) throw new Error('it is not a regular file');
    let rest: Buffer = Buffer.alloc(0);
    let line = 0;
    for await (const block of file.endsWith('.gz') ? unpacked(handle, hears) : plainBlocks(handle)) {
      hears?.plain(block);
      const bytes = rest.length === 0 ? block : Buffer.concat([rest, block]);
      let from = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
        line += 1;
        yield { kind: 'line', line, bytes: bytes.subarray(from, end) };
        from = end + 1;
      }
      // Copied, as the block's memory is used again.
      rest = Buffer.from(bytes.subarray(from));
      if (rest.length > MAX_LINE_BYTES) {
        yield { kind: 'tooLong', line: line + 1 };
        return;
      }
    }
    if (rest.length > 0) yield { kind: 'torn', line: line + 1 };
  } finally {
    await handle.close();
  }
}

async function* plainBlocks(handle: FileHandle): AsyncGenerator<Buffer, void, void> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  for (let position = 0; ;) {
    const { bytesRead } = await handle.read(block, 0, BLOCK_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield block.subarray(0, bytesRead);
  }
}

async function* unpacked(handle: FileHandle, hears: SegmentBytes | undefined): AsyncGenerator<Buffer, void, void> {
  const gunzip = createGunzip({ chunkSize: BLOCK_BYTES });
  const feed = async (): Promise<void> => {
    for await (const block of plainBlocks(handle)) {
      hears?.packed(block);
      // Copied: zlib works on it in a thread of its own while the next is read.
      if (!gunzip.write(Buffer.from(block))) await new Promise((resolve) => gunzip.once('drain', resolve).once('close', resolve));
      if (gunzip.destroyed) return;
    }
    gunzip.end();
  };
  const feeding = feed().catch((error: unknown) => void gunzip.destroy(error instanceof Error ? error : new Error(String(error))));
  try {
    for await (const block of gunzip) yield block as Buffer;
  } finally {
    gunzip.destroy();
    await feeding;
  }
}
