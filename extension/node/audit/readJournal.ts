/**
 * Streams the entries of the whole journal with bounded memory: every segment, plain or compressed, oldest or newest first,
 * and on from there as lines are added by any process. Takes no lock and writes nothing. What is not an entry is passed over
 * and told; only `callgate audit verify` says whether that is all of them.
 */
import { existsSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { AuditEntry } from '#contract/auditRecord.ts';
import { MAX_LINE_BYTES, parseEntryLine } from '#home/journal/entryLine.ts';
import { wrongEntryField } from '#home/journal/entryShape.ts';
import { JournalError } from '#home/journal/journalError.ts';
import { segmentFile } from '#home/journal/segments.ts';
import { errorCode, errorText } from '#home/privateFile.ts';
import {
  BLOCK_BYTES,
  compressedBlocks,
  compressedBlocksBackwards,
  linesOf,
  listJournal,
  openPlain,
  plainBlocksBackwards,
  type JournalSegment,
} from '#node/audit/readJournalSegments.ts';

export interface FoundEntry {
  readonly entry: AuditEntry;
  /** The line as it stands in the journal, without its end. Shares memory with its neighbours: copy it to keep it. */
  readonly bytes: Buffer;
  readonly file: string;
  /** Counts from 1; 0 when the journal is read from its end. */
  readonly line: number;
}

export interface ReadBatch {
  readonly found: readonly FoundEntry[];
  /** Highest `seq` passed so far, whether it was wanted or not; 0 if none. */
  readonly reached: number;
  /** Of all there was to read when it began, 0 to 1. */
  readonly progress: number;
}

/** Something that is no entry, or not where it belongs. It was passed over. */
export interface ReadProblem {
  readonly file: string;
  /** 0 when it is about the whole file, or the journal is read from its end. */
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

export interface ReadOptions {
  readonly order: 'oldest' | 'newest';
  /** First and last `seq` wanted. */
  readonly from?: number;
  readonly to?: number;
  /** `whole`: each entry's hash and canonical form are checked · `shape`: only its fields, which is twice as fast. */
  readonly check: 'whole' | 'shape';
  /** False only when the line cannot hold a wanted entry; such lines are not even parsed. */
  readonly mayMatch?: (line: Buffer) => boolean;
  readonly matches: (entry: AuditEntry) => boolean;
  /** `end`: until nothing more is there · `follow`: goes on with what is appended (oldest first only), until the signal. */
  readonly until: 'end' | 'follow';
  readonly signal: AbortSignal;
  readonly onProblem: (problem: ReadProblem) => void;
}

/** How often a followed journal is looked at, in milliseconds: a new line is told within two looks. */
const LOOK_MS = 80;

/** @throws JournalError when the folder or a segment cannot be read, or the journal is replaced while it is followed */
export async function* readJournal(folder: string, options: ReadOptions): AsyncGenerator<ReadBatch, void, void> {
  const state: Reading = { folder, options, last: null, total: 1, before: 0 };
  try {
    const segments = listJournal(folder);
    state.total = segments.reduce((sum, { bytes }) => sum + bytes, 0) || 1;
    if (options.order === 'newest') {
      const newest = options.to === undefined ? Number.MAX_SAFE_INTEGER : await startAt(segments, options.to);
      yield* backwards(
        state,
        segments.filter(({ number }) => number <= newest),
      );
    } else yield* forwards(state, await startAt(segments, options.from ?? 1));
  } catch (error) {
    if (error instanceof JournalError) throw error;
    throw new JournalError('IO', { file: folder, line: 0 }, `the journal could not be read (${errorText(error)})`, error);
  }
}

interface Reading {
  readonly folder: string;
  readonly options: ReadOptions;
  /** `seq` of the last entry seen; null before the first. */
  last: number | null;
  total: number;
  /** Bytes of the segments that are done. */
  before: number;
}

/** Index of the segment that holds entry `seq`, by its segments' first entries. */
async function startAt(segments: readonly JournalSegment[], seq: number): Promise<number> {
  if (seq <= 1) return segments[0]?.number ?? 1;
  const readable = segments.filter(({ kind }) => kind !== 'expired');
  let [low, high] = [0, readable.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const first = await firstSeq(readable[middle]);
    // One that cannot be read is read from the one before, where the trouble is told in its place.
    if (first !== null && first <= seq) low = middle;
    else high = middle - 1;
  }
  return readable[low]?.number ?? segments[0]?.number ?? 1;
}

async function firstSeq(segment: JournalSegment | undefined): Promise<number | null> {
  if (segment === undefined) return null;
  try {
    if (segment.kind === 'compressed') {
      for await (const { lines } of compressedBlocks(segment.file)) if (lines[0] !== undefined) return seqOf(lines[0]);
      return null;
    }
    const handle = await openPlain(segment.file);
    try {
      const block = await readAt(handle, 0, MAX_LINE_BYTES + 1);
      const end = block.indexOf(10);
      return end < 0 ? null : seqOf(block.subarray(0, end));
    } finally {
      await handle.close();
    }
  } catch {
    return null; // reading it in its turn says what is wrong with it
  }
}

function seqOf(line: Buffer): number | null {
  const parsed = parseEntryLine(line);
  return parsed.code === null ? parsed.entry.seq : null;
}

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe(length);
  const { bytesRead } = await handle.read(block, 0, length, offset);
  return block.subarray(0, bytesRead);
}

function take(state: Reading, file: string, lines: readonly Buffer[], firstLine: number): FoundEntry[] {
  const { options } = state;
  const forwards = options.order === 'oldest';
  const found: FoundEntry[] = [];
  for (const [index, bytes] of lines.entries()) {
    const line = forwards ? firstLine + index : 0;
    if (isBefore(bytes, options.from ?? 1) || options.mayMatch?.(bytes) === false) continue;
    const parsed = options.check === 'whole' ? parseEntryLine(bytes) : parseShape(bytes);
    if (parsed.code !== null) {
      options.onProblem({ file, line, code: parsed.code, message: parsed.message });
      continue;
    }
    const { entry } = parsed;
    if (state.last !== null && (forwards ? entry.seq <= state.last : entry.seq >= state.last)) {
      options.onProblem({ file, line, code: 'ORDER', message: `entry ${entry.seq} stands beside entry ${state.last}` });
      continue;
    }
    state.last = entry.seq;
    if (entry.seq >= (options.from ?? 1) && entry.seq <= (options.to ?? Number.MAX_SAFE_INTEGER) && options.matches(entry))
      found.push({ entry, bytes, file, line });
  }
  return found;
}

const SEQ_FIELD = Buffer.from('"seq":');

/** Without parsing: behind the arguments and findings quotes are escaped, so the last such name is the entry's own. */
function isBefore(line: Buffer, seq: number): boolean {
  if (seq <= 1) return false;
  const at = line.lastIndexOf(SEQ_FIELD) + SEQ_FIELD.length;
  return at >= SEQ_FIELD.length && Number.parseInt(line.toString('latin1', at, at + 17), 10) < seq;
}

type Parsed = { readonly entry: AuditEntry; readonly code: null } | { readonly code: string; readonly message: string };

function parseShape(bytes: Buffer): Parsed {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    const wrong = wrongEntryField(value);
    if (wrong === null) return { entry: value as AuditEntry, code: null };
    return { code: 'SHAPE', message: `the entry's field ${JSON.stringify(wrong.slice(0, 100))} is missing, unknown or of the wrong kind` };
  } catch (error) {
    return { code: 'NOT_JSON', message: `the line is not JSON (${errorText(error).slice(0, 200)})` };
  }
}

const done = (state: Reading, end: 'from' | 'to'): boolean =>
  state.last !== null &&
  (end === 'to' ? state.last >= (state.options.to ?? Number.MAX_SAFE_INTEGER) : state.last <= (state.options.from ?? 1));

const batch = (state: Reading, found: readonly FoundEntry[], bytesRead: number): ReadBatch => ({
  found,
  reached: state.last ?? 0,
  progress: Math.min(1, (state.before + bytesRead) / state.total),
});

const tellTooLong = (state: Reading, file: string, count: number): void => {
  if (count > 0)
    state.options.onProblem({ file, line: 0, code: 'TOO_LONG', message: `a line longer than ${MAX_LINE_BYTES} bytes was passed over` });
};

async function* backwards(state: Reading, segments: readonly JournalSegment[]): AsyncGenerator<ReadBatch, void, void> {
  for (const segment of [...segments].reverse()) {
    if (segment.kind === 'expired') continue;
    const blocks = segment.kind === 'plain' ? plainBlocksBackwards(segment.file) : compressedBlocksBackwards(segment.file);
    try {
      for await (const { lines, bytesRead, tooLong } of blocks) {
        tellTooLong(state, segment.file, tooLong);
        yield batch(state, take(state, segment.file, lines, 0), bytesRead);
        if (state.options.signal.aborted || done(state, 'from')) return;
      }
    } catch (error) {
      tellUnreadable(state, segment.file, error);
    }
    state.before += segment.bytes;
  }
}

/** A segment that is damaged must not hide those after it. */
function tellUnreadable({ options }: Reading, file: string, error: unknown): void {
  if (error instanceof JournalError) throw error;
  options.onProblem({ file, line: 0, code: 'UNREADABLE', message: `the segment cannot be read (${errorText(error)})` });
}

async function* forwards(state: Reading, first: number): AsyncGenerator<ReadBatch, void, void> {
  const { folder, options } = state;
  for (let number = first; !options.signal.aborted && !done(state, 'to');) {
    const segments = listJournal(folder);
    const segment = segments.find((item) => item.number === number);
    const laterExists = segments.some((item) => item.number > number);
    if (segment === undefined) {
      if (!laterExists) {
        if (options.until === 'end') return;
        await pause(options.signal);
        continue;
      }
      options.onProblem({ file: segmentFile(folder, number), line: 0, code: 'MISSING_SEGMENT', message: 'the segment is missing' });
    } else if (segment.kind !== 'expired') {
      try {
        if (segment.kind === 'compressed') {
          let line = 1;
          for await (const { lines, bytesRead, tooLong } of compressedBlocks(segment.file)) {
            tellTooLong(state, segment.file, tooLong);
            yield batch(state, take(state, segment.file, lines, line), bytesRead);
            line += lines.length + tooLong;
            if (options.signal.aborted || done(state, 'to')) return;
          }
        } else yield* plainForwards(state, segment);
      } catch (error) {
        // Compressed or expired while we came to it: its other name is there now.
        if (errorCode(error) === 'ENOENT' && listJournal(folder).find((item) => item.number === number)?.kind !== segment.kind) continue;
        tellUnreadable(state, segment.file, error);
      }
      state.before += segment.bytes;
    }
    if (!laterExists && !existsAfter(folder, number)) return;
    number += 1;
  }
}

const existsAfter = (folder: string, number: number): boolean =>
  existsSync(segmentFile(folder, number + 1)) || listJournal(folder).some((item) => item.number > number);

/** Ends at the segment's end; when following the last one, only once a later one is there. */
async function* plainForwards(state: Reading, { number, file }: JournalSegment): AsyncGenerator<ReadBatch, void, void> {
  const { folder, options } = state;
  const handle = await openPlain(file);
  try {
    let offset = 0;
    let line = 1;
    for (;;) {
      // Asked before reading: once a later segment exists nobody writes to this one, so its end read after is its end.
      const isClosed = existsAfter(folder, number);
      let block = await readAt(handle, offset, BLOCK_BYTES);
      if (block.length === BLOCK_BYTES && !block.includes(10)) block = await readAt(handle, offset, MAX_LINE_BYTES + 1);
      const end = block.lastIndexOf(10) + 1;
      if (end > 0) {
        const lines = linesOf(block, end);
        offset += end;
        yield batch(state, take(state, file, lines, line), offset);
        line += lines.length;
      } else if (block.length > MAX_LINE_BYTES) {
        tellTooLong(state, file, 1);
        offset += block.length;
      } else if (isClosed) {
        if (block.length > 0)
          options.onProblem({ file, line, code: 'TORN_INSIDE', message: 'the segment ends in half a line, and writers went on after it' });
        return;
      } else if (options.until === 'end') {
        return; // half a line at the very end was acknowledged to nobody
      } else {
        await pause(options.signal);
        mustBeTheSame(await handle.stat(), file, offset);
      }
      if (options.signal.aborted || done(state, 'to')) return;
    }
  } finally {
    await handle.close();
  }
}

/** A whole line is cut off again only when its writer's disk failed, and a journal is moved away only by a person. */
function mustBeTheSame(open: { readonly ino: number; readonly size: number }, file: string, offset: number): void {
  const named = statSync(file, { throwIfNoEntry: false });
  if (open.size >= offset && (named === undefined || named.ino === open.ino)) return;
  throw new JournalError(
    'REWRITTEN',
    { file, line: 0 },
    'the journal was replaced or became shorter while it was being followed; run `callgate audit verify`, then start this again',
  );
}

async function pause(signal: AbortSignal): Promise<void> {
  try {
    await wait(LOOK_MS, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
