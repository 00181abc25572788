/** JSON lines over a stream, with a bound: what one side sends as a line the other gets as one value. */
import { StringDecoder } from 'node:string_decoder';

export interface LineReader {
  readonly push: (chunk: Buffer) => void;
}

/** `onLine` gets parsed values, undefined for a line that is not JSON; `onOverflow` is called once, and nothing after it. */
export function createLineReader(maxLength: number, onLine: (value: unknown) => void, onOverflow: () => void): LineReader {
  const decoder = new StringDecoder('utf8');
  let parts: string[] = [];
  let length = 0;
  let over = false;
  return {
    push: (chunk) => {
      if (over) return;
      const pieces = decoder.write(chunk).split('\n');
      for (const [index, piece] of pieces.entries()) {
        length += piece.length;
        if (length > maxLength) {
          over = true;
          parts = [];
          onOverflow();
          return;
        }
        parts.push(piece);
        if (index === pieces.length - 1) break; // the last piece has no end yet
        const line = parts.join('');
        parts = [];
        length = 0;
        if (line.trim() !== '') onLine(parsed(line));
      }
    },
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined; // no JSON text parses to undefined, so this says what happened
  }
}
