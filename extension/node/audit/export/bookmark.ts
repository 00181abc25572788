/** How far a receiver has been served, kept in a small file so that shipping goes on behind it. */
import { isObject } from '#core/model/json.ts';
import { errorText, readBounded, writePrivate } from '#home/privateFile.ts';
import { ExportError } from '#node/audit/export/exportError.ts';

export interface Bookmark {
  /** Everything up to here was taken, or not wanted. */
  readonly reached: number;
  /** The last entry that was sent, to know the same journal again; null when none was. */
  readonly last: { readonly seq: number; readonly hash: string } | null;
}

const MAX_BYTES = 4096;

/** Null when there is none yet. @throws ExportError BOOKMARK */
export function readBookmark(file: string): Bookmark | null {
  let value: unknown;
  try {
    const bytes = readBounded(file, MAX_BYTES);
    if (bytes === null) return null;
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw unusable(file, errorText(error), error);
  }
  if (isObject(value) && value['v'] === 1 && isSeq(value['reached'])) {
    const { last } = value;
    if (last === null) return { reached: value['reached'], last: null };
    if (last !== undefined && isObject(last) && isSeq(last['seq']) && typeof last['hash'] === 'string')
      return { reached: value['reached'], last: { seq: last['seq'], hash: last['hash'] } };
  }
  throw unusable(file, 'it is not a bookmark of ours');
}

/** @throws ExportError BOOKMARK */
export function writeBookmark(file: string, bookmark: Bookmark): void {
  try {
    writePrivate(file, `${JSON.stringify({ v: 1, ...bookmark })}\n`);
  } catch (error) {
    throw new ExportError(
      'BOOKMARK',
      `the bookmark ${file} could not be written (${errorText(error)}); what was sent after it will be sent again`,
      error,
    );
  }
}

const isSeq = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

function unusable(file: string, why: string, cause?: unknown): ExportError {
  return new ExportError(
    'BOOKMARK',
    `the bookmark ${file} cannot be used (${why}); remove it to send everything again, or name another file`,
    cause,
  );
}
