/** One segment read here and there, plain or packed: for the timeline, which knows where each entry stands. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { PLAIN_FILE, packedFile, readAt, segmentFile, tombstoneFile } from '#home/journal/segments.ts';
import { errorCode } from '#home/privateFile.ts';

export interface OpenSegment {
  /** Fewer bytes than `length` when the segment ends before. They may stand in `into`, which is used again for the next. */
  readonly read: (offset: number, length: number, into?: Buffer) => Buffer;
  readonly close: () => void;
}

/** A segment has 16 MiB and at most one batch more; what is larger unpacked is no segment of ours. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;
/** The packed segment read last: pages are read one after the other, and unpacking takes a tenth of a second. */
let unpacked: { readonly file: string; readonly inode: number; readonly bytes: Buffer } | null = null;

/** Null when there is no such file, or nothing that could be a segment. */
export function openSegment(folder: string, segment: number): OpenSegment | null {
  const plain = openPlain(segmentFile(folder, segment));
  if (plain !== null) return { read: (offset, length, into) => readAt(plain, offset, length, into), close: () => closeSync(plain) };
  const file = packedFile(folder, segment);
  const handle = openPlain(file);
  if (handle === null) return null;
  try {
    const { ino } = fstatSync(handle);
    if (unpacked?.file !== file || unpacked.inode !== ino)
      unpacked = { file, inode: ino, bytes: gunzipSync(readFileSync(handle), { maxOutputLength: MAX_UNPACKED_BYTES }) };
    const { bytes } = unpacked;
    return { read: (offset, length) => bytes.subarray(offset, offset + length), close: () => undefined };
  } catch {
    return null; // damaged: verification names it, and the rest of the timeline is shown
  } finally {
    closeSync(handle);
  }
}

/** Whether the segment was dropped: its rows then show nothing, and that is as it should be. */
export function isDropped(folder: string, segment: number): boolean {
  const handle = openPlain(tombstoneFile(folder, segment));
  if (handle === null) return false;
  closeSync(handle);
  return true;
}

function openPlain(file: string): number | null {
  let handle: number;
  try {
    handle = openSync(file, constants.O_RDONLY | PLAIN_FILE);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(errorCode(error))) return null;
    throw error;
  }
  if (fstatSync(handle).isFile()) return handle;
  closeSync(handle);
  return null;
}
