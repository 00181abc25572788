/** Small files of ours under the data folder: read with a bound, written whole or not at all, 0600. */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, renameSync, unlinkSync, writeSync } from 'node:fs';

/** What a failed file operation was, without trusting that something thrown is an Error. */
export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Opening a named pipe would wait for its writer, and with it every call that this process judges. Not on Windows, which has no such files. */
export const READ_WITHOUT_WAITING = constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0);

/**
 * The file's bytes; null when there is no such file.
 * @throws Error when it is no plain file, cannot be read or holds more than `maxBytes`.
 */
export function readBounded(file: string, maxBytes: number): Buffer | null {
  let handle: number;
  try {
    handle = openSync(file, READ_WITHOUT_WAITING);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile()) throw new Error(`${file} is not a plain file`);
    const chunks: Buffer[] = [];
    let total = 0;
    for (;;) {
      // At once if it holds what it says; what has grown since comes in further pieces.
      const chunk = Buffer.allocUnsafe(Math.min(total === 0 ? stat.size + 1 : 64 * 1024, maxBytes + 1));
      const got = readSync(handle, chunk, 0, chunk.length, null);
      if (got === 0) return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, total);
      total += got;
      if (total > maxBytes) throw new Error(`${file} is larger than ${maxBytes} bytes`);
      chunks.push(chunk.subarray(0, got));
    }
  } finally {
    closeSync(handle);
  }
}

/** Writes all of `bytes` at the handle's place and waits until they are on the disk: one `write` may take only a part. */
export function writeDurably(handle: number, bytes: Uint8Array): void {
  let from = 0;
  while (from < bytes.length) from += writeSync(handle, bytes, from);
  fsyncSync(handle);
}

/** Replaces `file` in one step, so that a reader sees the old text or the new one and never half of it. */
export function writePrivate(file: string, text: string | Uint8Array): void {
  const temporary = `${file}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const handle = openSync(temporary, 'wx', 0o600);
  try {
    try {
      writeDurably(handle, bytes);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  }
}

/** True when this call removed it: of several processes exactly one is told so. */
export function removeIfThere(file: string): boolean {
  try {
    unlinkSync(file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
