/** A hook's standard input, to its end, within bounds. */
import { readSync } from 'node:fs';
import { MAX_PAYLOAD_BYTES } from '#contract/hookReply.ts';
import { errorCode } from '#home/privateFile.ts';

/** A payload that does not come within this time is not coming, in milliseconds. */
export const INPUT_DEADLINE_MS = 10_000;

const CHUNK_BYTES = 64 * 1024;

/**
 * The whole input, or what has been read of it when the handle would have to be waited for. Node's own stream costs
 * several milliseconds to set up; the caller's deadline is the hook script's.
 */
export function readNow(handle: number): { readonly bytes: Buffer; readonly whole: boolean } {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let got: number;
    try {
      got = readSync(handle, chunk, 0, CHUNK_BYTES, null);
    } catch (error) {
      // A client may hand over a pipe that does not block.
      if (errorCode(error) === 'EAGAIN') return { bytes: Buffer.concat(chunks), whole: false };
      if (errorCode(error) === 'EOF') return { bytes: Buffer.concat(chunks), whole: true };
      throw error;
    }
    total += got;
    if (got > 0) chunks.push(chunk.subarray(0, got));
    // One byte over the limit is kept, so that the reader can tell it was too long.
    if (got === 0 || total > MAX_PAYLOAD_BYTES) return { bytes: Buffer.concat(chunks), whole: true };
  }
}

/** What `input` brings after `before`; null when it did not end in time. */
export function readStream(before: Buffer, input: NodeJS.ReadableStream, deadlineMs: number = INPUT_DEADLINE_MS): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks = [before];
    let total = before.length;
    const finish = (bytes: Buffer | null): void => {
      clearTimeout(timer);
      input.removeAllListeners('data');
      input.pause();
      resolve(bytes);
    };
    const timer = setTimeout(() => finish(null), deadlineMs);
    input.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      total += chunk.length;
      if (total > MAX_PAYLOAD_BYTES) finish(Buffer.concat(chunks));
    });
    input.once('end', () => finish(Buffer.concat(chunks)));
    input.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}
