/**
 * Starts the hook's program from its text, with the machine code's better half kept beside it: V8's code cache, which
 * holds every function that ran once and saves a third of a hook's own time.
 *
 * The cache is made by the first call after an installation. It is used only when its first 32 bytes are the SHA-256
 * of the program's text and of the rest, so a torn, stale or damaged one costs time and nothing else. V8 itself turns
 * away what another version of it or another processor made.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { readBounded, writePrivate } from '#home/privateFile.ts';

const HASH_BYTES = 32;
const MAX_CACHE_BYTES = 8 * 1024 * 1024;

export interface StartedProgram {
  readonly exports: unknown;
  /** Writes the code cache when there was no usable one, with what `rehearse` runs in it as well. Never fails. */
  readonly keepCode: (rehearse: () => Promise<void>) => Promise<void>;
}

/** Beside the bundle that starts it: as a part of it Node would read and scan it once more. */
export const PROGRAM = 'hook-program.cjs';

/**
 * Starts the program beside the bundle `starter`: ASCII, a function expression that takes `require` and gives the program's exports.
 * @throws when it is not there or no program.
 */
export function startProgram(starter: string, load: NodeJS.Require): StartedProgram {
  const folder = dirname(starter);
  const file = join(folder, PROGRAM);
  const text = readFileSync(file);
  const cacheFile = join(folder, `hook.${process.versions.v8}.${process.arch}.cache`);
  const cachedData = readCode(cacheFile, text);
  const script = new Script(text.toString('latin1'), cachedData === null ? { filename: file } : { filename: file, cachedData });
  const start = script.runInThisContext() as (load: NodeJS.Require) => unknown;
  return {
    exports: start(load),
    keepCode: async (rehearse) => {
      if (cachedData !== null && script.cachedDataRejected !== true) return;
      try {
        await rehearse();
        const code = script.createCachedData();
        writePrivate(cacheFile, Buffer.concat([codeHash(text, code), code]));
      } catch {
        return; // a full or read-only disk: the next call is as slow as this one was
      }
    },
  };
}

function codeHash(text: Buffer, code: Buffer): Buffer {
  return createHash('sha256').update(text).update(code).digest();
}

function readCode(file: string, text: Buffer): Buffer | null {
  try {
    const bytes = readBounded(file, MAX_CACHE_BYTES);
    if (bytes === null || bytes.length <= HASH_BYTES) return null;
    const code = bytes.subarray(HASH_BYTES);
    return codeHash(text, code).equals(bytes.subarray(0, HASH_BYTES)) ? code : null;
  } catch {
    return null; // compiled from its text, the program does the same, only later
  }
}
