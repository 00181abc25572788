/** The numbered files of the journal: their names, which are there, and their last whole lines. */
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import { MAX_LINE_BYTES } from '#home/journal/entryLine.ts';
import { errorCode, writeDurably } from '#home/privateFile.ts';
import { ensurePrivateFolder } from '#home/layout.ts';

/** A writer begins a new segment when the last one has reached this size, in bytes. */
export const SEGMENT_BYTES = 16 * 1024 * 1024;
/** Open flags against a link or a pipe that somebody put in place of a file of ours. Windows has neither flag. */
export const PLAIN_FILE = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const NEWLINE = 10;

export function segmentName(number: number): string {
  return `${String(number).padStart(6, '0')}.jsonl`;
}

export function segmentFile(folder: string, number: number): string {
  return join(folder, segmentName(number));
}

/** A sealed segment in gzip; see node/audit/retention. */
export function packedFile(folder: string, number: number): string {
  return `${segmentFile(folder, number)}.gz`;
}
/** The signed statement about a whole segment; see node/audit/seals. */
export function sealFile(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(6, '0')}.seal`);
}
/** What stands in place of a segment that was dropped by its age or for its size; see node/audit/retention. */
export function tombstoneFile(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(6, '0')}.expired`);
}

export type SegmentPart = 'jsonl' | 'jsonl.gz' | 'seal' | 'expired';

export interface SegmentListing {
  /** Ascending: those of which there is a segment, a compressed one or a tombstone. */
  readonly numbers: readonly number[];
  readonly has: (number: number, part: SegmentPart) => boolean;
  /** Highest number of any part, a lonely seal included; 0 if none. */
  readonly highest: number;
  /** Files that look like parts of the journal and are named as no writer names them. */
  readonly strange: readonly string[];
}

const PART = /^(\d{6,15})\.(jsonl|jsonl\.gz|seal|expired)$/;

/** An absent folder lists as empty. @throws the system's error for anything else. */
export function listSegments(folder: string): SegmentListing {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    names = [];
  }
  const there = new Set<string>();
  const numbers = new Set<number>();
  const strange: string[] = [];
  let highest = 0;
  for (const name of names) {
    if (!/\.(?:jsonl|jsonl\.gz|seal|expired)$/i.test(name)) continue;
    const part = PART.exec(name);
    const number = Number.parseInt(part?.[1] ?? '0', 10);
    if (part === null || number === 0 || String(number).padStart(6, '0') !== part[1]) {
      strange.push(name);
      continue;
    }
    there.add(`${number}.${part[2]}`);
    if (part[2] !== 'seal') numbers.add(number);
    highest = Math.max(highest, number);
  }
  return {
    numbers: [...numbers].sort((a, b) => a - b),
    has: (number, part) => there.has(`${number}.${part}`),
    highest,
    strange: strange.sort(),
  };
}

/** The first number that is not there although a later one is, or null. */
export function missingSegment(numbers: readonly number[]): number | null {
  for (const [index, number] of numbers.entries()) if (number !== index + 1) return index + 1;
  return null;
}

/** One whole line, without its end, and where it begins in its segment. */
export interface LineAt {
  readonly bytes: Buffer;
  readonly offset: number;
}

/** Reads exactly `length` bytes at `offset`; fewer when the file ends before. Into `into` when they fit there: then only until it is used again. */
export function readAt(handle: number, offset: number, length: number, into?: Buffer): Buffer {
  const buffer = into !== undefined && into.length >= length ? into : Buffer.allocUnsafe(length);
  let have = 0;
  while (have < length) {
    const got = readSync(handle, buffer, have, length - have, offset + have);
    if (got === 0) break;
    have += got;
  }
  return buffer.subarray(0, have);
}

/**
 * The line that ends (with its line end) at `end`; null when `end` is 0.
 * `tooLong` when no line begins within the longest length a line may have.
 */
export function lineBefore(handle: number, end: number): LineAt | 'tooLong' | null {
  if (end === 0) return null;
  for (let size = 8192; ; size *= 8) {
    const length = Math.min(size, end, MAX_LINE_BYTES + 2);
    const buffer = readAt(handle, end - length, length);
    const before = buffer.lastIndexOf(NEWLINE, buffer.length - 2);
    // Buffer.lastIndexOf counts a negative start from the end, so a one-byte buffer would find its own line end.
    const start = buffer.length < 2 ? -1 : before;
    if (start >= 0) return { bytes: buffer.subarray(start + 1, buffer.length - 1), offset: end - length + start + 1 };
    if (length === end) return { bytes: buffer.subarray(0, buffer.length - 1), offset: 0 };
    if (length === MAX_LINE_BYTES + 2) return 'tooLong';
  }
}

/** Where the last whole line ends: the file's size, or less when its last line is torn. `tooLong` as above. */
export function wholeEnd(handle: number, size: number): number | 'tooLong' {
  if (size === 0) return 0;
  for (let step = 8192; ; step *= 8) {
    const length = Math.min(step, size, MAX_LINE_BYTES + 2);
    const at = readAt(handle, size - length, length).lastIndexOf(NEWLINE);
    if (at >= 0) return size - length + at + 1;
    if (length === size) return 0;
    if (length === MAX_LINE_BYTES + 2) return 'tooLong';
  }
}

/**
 * Moves the bytes behind `end` (a line whose writer was killed while writing, so it was never acknowledged) to a file
 * of their own under `torn/`, then cuts them off. Returns that file. Whole lines are never touched.
 */
export function setTornAside(folder: string, segment: string, end: number, time: number): string {
  const torn = join(folder, 'torn');
  ensurePrivateFolder(torn);
  const copy = join(torn, `${basename(segment, '.jsonl')}-${end}-${time}.part`);
  const handle = openSync(segment, constants.O_RDWR | PLAIN_FILE);
  try {
    const bytes = readAt(handle, end, fstatSync(handle).size - end);
    const out = openSync(copy, 'wx', 0o600);
    try {
      writeDurably(out, bytes);
    } finally {
      closeSync(out);
    }
    ftruncateSync(handle, end);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  return copy;
}

/** Makes a new name in `folder` survive a power cut. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return; // folders cannot be opened there; NTFS journals names itself
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
