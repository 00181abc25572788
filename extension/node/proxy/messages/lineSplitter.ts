/** Cuts a byte stream into lines without touching their bytes. */

export interface LineSink {
  /** The line's own bytes, its newline included. */
  readonly onLine: (line: Buffer) => void;
  /** Once per line longer than the limit; its bytes are thrown away up to and including the next newline. */
  readonly onOverlong: () => void;
}

export interface LineSplitter {
  feed(chunk: Buffer): void;
  /** How many bytes of an unfinished line are waiting. */
  pendingBytes(): number;
}

/** A sender of single bytes must not cost an object for each: so many pieces become one. */
const PIECES_MERGED = 1024;

/** Only `\n` ends a line, as the stdio transport says; memory is bounded by `limit` bytes. */
export function splitLines(limit: number, sink: LineSink): LineSplitter {
  let parts: Buffer[] = [];
  let loose = 0;
  let size = 0;
  let skipping = false;

  const keep = (part: Buffer): void => {
    if (skipping) return;
    size += part.length;
    if (size > limit) {
      skipping = true;
      parts = [];
      sink.onOverlong();
    } else {
      parts.push(part);
      loose++;
      if (loose === PIECES_MERGED) {
        parts.push(Buffer.concat(parts.splice(-PIECES_MERGED)));
        loose = 0;
      }
    }
  };

  const finish = (): void => {
    const line = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
    const whole = !skipping;
    parts = [];
    loose = 0;
    size = 0;
    skipping = false;
    if (whole) sink.onLine(line);
  };

  return {
    feed(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(10, from); at !== -1; at = chunk.indexOf(10, from)) {
        keep(chunk.subarray(from, at + 1));
        finish();
        from = at + 1;
      }
      if (from < chunk.length) keep(chunk.subarray(from));
    },
    pendingBytes: () => size,
  };
}
