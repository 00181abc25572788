/** Streams the lines of one segment with bounded memory, leaving the event loop free between blocks. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { MAX_LINE_BYTES } from '#home/journal/entryLine.ts';
import { PLAIN_FILE } from '#home/journal/segments.ts';

export type SegmentLine =
  | { readonly kind: 'line'; readonly line: number; readonly bytes: Buffer }
  /** Bytes behind the last line end. */
  | { readonly kind: 'torn'; readonly line: number }
  | { readonly kind: 'tooLong'; readonly line: number };

/** About 300 entries: a few milliseconds of checking between two turns of the event loop. */
const BLOCK_BYTES = 256 * 1024;

/** @throws the system's error, or an Error when `file` is not a regular file */
export async function* segmentLines(file: string): AsyncGenerator<SegmentLine, void, void> {
  const handle = await open(file, constants.O_RDONLY | PLAIN_FILE);
  try {
    if (!(await handle.stat()).isFile()) throw new Error('it is not a regular file');
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    let rest = Buffer.alloc(0);
    let position = 0;
    let line = 0;
    for (;;) {
      const { bytesRead } = await handle.read(block, 0, BLOCK_BYTES, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      const bytes = Buffer.concat([rest, block.subarray(0, bytesRead)]);
      let from = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
        line += 1;
        yield { kind: 'line', line, bytes: bytes.subarray(from, end) };
        from = end + 1;
      }
      rest = bytes.subarray(from);
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
