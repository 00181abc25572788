/** Where the journal ends, and whether its end is the one that was signed. What does not fit is refused, never mended. */
import { closeSync, constants, fstatSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AuditEntry } from '#contract/auditRecord.ts';
import { nextCheckpointFile, parseCheckpointFile, readCheckpointBytes, type Checkpoint } from '#home/journal/checkpoint.ts';
import { GENESIS_PREV, MAX_LINE_BYTES, parseEntryLine } from '#home/journal/entryLine.ts';
import { JournalError, START_ANEW, journalErrorFrom } from '#home/journal/journalError.ts';
import type { SigningKey } from '#home/journal/keys.ts';
import {
  lineBefore,
  listSegments,
  missingSegment,
  PLAIN_FILE,
  readAt,
  segmentFile,
  segmentName,
  setTornAside,
  syncFolder,
  wholeEnd,
} from '#home/journal/segments.ts';

export interface Tail {
  /** Number of the last segment; 0 when there is none yet. */
  readonly segment: number;
  /** Its size in bytes, all of it whole lines. */
  readonly size: number;
  readonly seq: number;
  readonly hash: string;
}

export interface JournalNotice {
  readonly code: 'TORN_LINE' | 'UNSIGNED_ENTRIES' | 'NOT_TAKEN_BACK';
  readonly file: string;
  readonly message: string;
}
type Report = (notice: JournalNotice) => void;

/** Call with the lock held. Sets a torn last line aside. @throws JournalError SEGMENTS, BROKEN_TAIL and system failures */
export function readTail(folder: string, time: number, report: Report): Tail {
  const { numbers, strange, has } = listSegments(folder);
  const missing = missingSegment(numbers);
  if (missing !== null)
    throw new JournalError(
      'SEGMENTS',
      { file: segmentFile(folder, missing), line: 0 },
      `this segment is missing although a later one is there. ${START_ANEW}`,
    );
  if (strange[0] !== undefined)
    throw new JournalError(
      'SEGMENTS',
      { file: `${folder}/${strange[0]}`, line: 0 },
      'no writer names a segment like this (a copy made by another program?); move it out of this folder, then try again',
    );
  const last = numbers.length;
  if (last === 0) return { segment: 0, size: 0, seq: 0, hash: GENESIS_PREV };
  if (!has(last, 'jsonl'))
    throw new JournalError(
      'SEGMENTS',
      { file: segmentFile(folder, last), line: 0 },
      `the journal's last segments are missing: what is left of it ends with one that was packed or dropped long after they were begun. ${START_ANEW}`,
    );

  const size = setAsideIfTorn(folder, last, time, report);
  // A writer that ended between making a segment and writing to it leaves an empty one; only the last may be empty.
  const holder = size > 0 ? last : last - 1;
  if (holder === 0) return { segment: last, size, seq: 0, hash: GENESIS_PREV };
  const entry = withSegment(folder, holder, (handle, end) => lastEntry(folder, holder, handle, end).entry);
  return { segment: last, size, seq: entry.seq, hash: entry.hash };
}

function setAsideIfTorn(folder: string, number: number, time: number, report: Report): number {
  const file = segmentFile(folder, number);
  const { size, end } = withSegment(folder, number, (handle, bytes) => ({ size: bytes, end: wholeEnd(handle, bytes) }));
  if (end === 'tooLong')
    throw new JournalError(
      'BROKEN_TAIL',
      { file, line: 0 },
      `its end is no line of ours: no line end within ${MAX_LINE_BYTES} bytes. ${START_ANEW}`,
    );
  if (end === size) return size;
  const copy = setTornAside(folder, file, end, time);
  report({
    code: 'TORN_LINE',
    file: copy,
    message: `A writer ended in the middle of a line that was never acknowledged. Its ${size - end} bytes were moved to ${copy}.`,
  });
  return end;
}

function withSegment<T>(folder: string, number: number, work: (handle: number, size: number) => T): T {
  const file = segmentFile(folder, number);
  let handle: number;
  try {
    handle = openSync(file, constants.O_RDONLY | PLAIN_FILE);
  } catch (error) {
    throw journalErrorFrom(error, file, 'read a segment');
  }
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile()) throw new JournalError('SEGMENTS', { file, line: 0 }, `this is not a file. ${START_ANEW}`);
    return work(handle, stat.size);
  } finally {
    closeSync(handle);
  }
}

interface EntryAt {
  readonly entry: AuditEntry;
  readonly offset: number;
}

function lastEntry(folder: string, number: number, handle: number, end: number): EntryAt {
  const line = lineBefore(handle, end);
  const at = (what: string): JournalError =>
    new JournalError('BROKEN_TAIL', { file: segmentFile(folder, number), line: countLines(handle, end) }, `${what}. ${START_ANEW}`);
  if (line === null)
    throw new JournalError(
      'SEGMENTS',
      { file: segmentFile(folder, number), line: 0 },
      `this segment is empty although a later one is there. ${START_ANEW}`,
    );
  if (line === 'tooLong') throw at(`the last line is longer than ${MAX_LINE_BYTES} bytes`);
  const parsed = parseEntryLine(line.bytes);
  if (parsed.code !== null) throw at(parsed.message);
  return { entry: parsed.entry, offset: line.offset };
}

function countLines(handle: number, end: number): number {
  let lines = 0;
  for (let offset = 0; offset < end; offset += 65536) {
    for (const byte of readAt(handle, offset, Math.min(65536, end - offset))) if (byte === 10) lines += 1;
  }
  return lines;
}

/**
 * The checkpoint in these bytes of `file`, and the bytes; null when there is none. A key that was changed by a process that
 * ended before its last step has its first statement beside the file: that step is made now.
 * @throws JournalError CHECKPOINT_DAMAGED
 */
export function signedCheckpoint(
  file: string,
  bytes: Buffer | null,
  key: SigningKey,
): { readonly checkpoint: Checkpoint; readonly bytes: Buffer } | null {
  const state = parseCheckpointFile(bytes, key.publicKey, key.id);
  if (state.state === 'missing' || bytes === null) return null;
  if (state.state === 'ok') return { checkpoint: state.checkpoint, bytes };
  const next = readCheckpointBytes(nextCheckpointFile(file));
  const nextState = parseCheckpointFile(next, key.publicKey, key.id);
  if (next === null || nextState.state !== 'ok')
    throw new JournalError(
      'CHECKPOINT_DAMAGED',
      { file, line: state.line },
      `the checkpoint cannot be trusted: ${state.message}. ${START_ANEW}`,
    );
  renameSync(nextCheckpointFile(file), file);
  syncFolder(dirname(file));
  return { checkpoint: nextState.checkpoint, bytes: next };
}

/**
 * Insists that the journal ends where the checkpoint says, or goes on from there in an unbroken chain (its writer ended
 * before it could sign). Returns the checkpoint; null when neither entries nor a checkpoint exist.
 * @throws JournalError CHECKPOINT_MISSING, CUT_OFF, REWRITTEN, BROKEN_TAIL, KEY
 */
export function checkAgainstCheckpoint(
  folder: string,
  mirror: string,
  tail: Tail,
  signed: Checkpoint | null,
  keyId: string,
  report: Report,
): Checkpoint | null {
  if (signed === null) {
    if (tail.seq === 0) return null;
    throw new JournalError(
      'CHECKPOINT_MISSING',
      { file: mirror, line: 0 },
      `there are ${tail.seq} entries and no checkpoint, so nobody can tell whether that is all of them. ${START_ANEW}`,
    );
  }
  const lastFile = tail.segment === 0 ? folder : segmentFile(folder, tail.segment);
  if (signed.count > tail.seq) {
    throw new JournalError(
      'CUT_OFF',
      { file: lastFile, line: 0 },
      `the checkpoint names ${signed.count} entries, but only ${tail.seq} are there: entry ${tail.seq + 1} and later were cut off. ${START_ANEW}`,
    );
  }
  if (signed.count === tail.seq && signed.head === tail.hash) return signed;
  const head = signed.count === tail.seq ? tail.hash : hashReachedBackwards(folder, tail, signed.count, keyId);
  if (head !== signed.head) {
    throw new JournalError(
      'REWRITTEN',
      { file: lastFile, line: 0 },
      `entry ${signed.count} is not the one that was signed: the journal was rewritten or replaced. ${START_ANEW}`,
    );
  }
  report({
    code: 'UNSIGNED_ENTRIES',
    file: lastFile,
    message: `Entries ${signed.count + 1} to ${tail.seq} were written by a process that ended before it could sign them; they fit the chain and are kept.`,
  });
  return signed;
}

/** Follows the chain from the tail back to entry `count` and gives that entry's hash (64 zeros for entry 0). */
function hashReachedBackwards(folder: string, tail: Tail, count: number, keyId: string): string {
  let expected = { seq: tail.seq, hash: tail.hash };
  for (let number = tail.segment; number > 0; number -= 1) {
    const reached = withSegment(folder, number, (handle, size): string | null => {
      for (let end = size; end > 0;) {
        if (expected.seq === count) return expected.hash;
        const { entry, offset } = lastEntry(folder, number, handle, end);
        if (entry.seq !== expected.seq || entry.hash !== expected.hash || entry.key !== keyId) {
          throw new JournalError(
            'BROKEN_TAIL',
            { file: `${folder}/${segmentName(number)}`, line: countLines(handle, end) },
            `entry ${expected.seq} does not fit the chain behind the last checkpoint. ${START_ANEW}`,
          );
        }
        expected = { seq: entry.seq - 1, hash: entry.prev };
        end = offset;
      }
      return null;
    });
    if (reached !== null) return reached;
  }
  if (expected.seq === count) return expected.hash;
  throw new JournalError(
    'BROKEN_TAIL',
    { file: folder, line: 0 },
    `entry ${expected.seq} is not there although later ones are. ${START_ANEW}`,
  );
}
