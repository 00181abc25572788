/** What is written in one turn of the event loop leaves with one system call, which costs more than a small message does. */
import type { Writable } from 'node:stream';

/** As `stream.write`; the bytes leave when whatever runs now, promises included, has run. */
export function writeTogether(stream: Writable, bytes: Buffer | string): boolean {
  if (stream.writableCorked === 0) {
    stream.cork();
    process.nextTick(() => stream.uncork());
  }
  return stream.write(bytes);
}
