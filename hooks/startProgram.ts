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

/** Where a program's text begins in the bundle that starts it; the next sign stands for the ends of its lines. */
const BEGIN = '\n//callgate-program:';

/**
 * A program's text as it stands at the end of the bundle that starts it: one comment, which V8 passes over three times as
 * fast as over a string.
 * @throws when the text is not ASCII or holds every sign that could stand for the end of a line.
 */
export function programComment(text: string): string {
  const sign = ['\u0001', '\u0002', '\u0003', '\u0004', '\u0005', '\u0006', '\u007f'].find((one) => !text.includes(one));
  if (sign === undefined || text.includes('\r') || /[\u0080-\uffff]/u.test(text))
    throw new Error('the program holds signs that cannot be kept in its bundle');
  return BEGIN + sign + text.replaceAll('\n', sign);
}

/** What `programComment` put into this bundle. @throws when there is none. */
export function programIn(file: string): string {
  const bundle = readFileSync(file, 'latin1');
  const begin = bundle.lastIndexOf(BEGIN) + BEGIN.length;
  if (begin < BEGIN.length) throw new Error(`${file} holds no program`);
  return bundle
    .slice(begin + 1)
    .trimEnd()
    .replaceAll(bundle.charAt(begin), '\n');
}

/** `text` is a function expression that takes `require` and gives the program's exports; `file` is the bundle it came in. */
export function startProgram(text: string, file: string, load: NodeJS.Require): StartedProgram {
  const cacheFile = join(dirname(file), `hook.${process.versions.v8}.${process.arch}.cache`);
  const cachedData = readCode(cacheFile, text);
  const script = new Script(text, cachedData === null ? { filename: file } : { filename: file, cachedData });
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

function codeHash(text: string, code: Buffer): Buffer {
  return createHash('sha256').update(text).update(code).digest();
}

function readCode(file: string, text: string): Buffer | null {
  try {
    const bytes = readBounded(file, MAX_CACHE_BYTES);
    if (bytes === null || bytes.length <= HASH_BYTES) return null;
    const code = bytes.subarray(HASH_BYTES);
    return codeHash(text, code).equals(bytes.subarray(0, HASH_BYTES)) ? code : null;
  } catch {
    return null; // compiled from its text, the program does the same, only later
  }
}
