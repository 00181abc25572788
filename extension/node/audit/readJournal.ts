/**
 * Streams the entries of the whole journal with bounded memory: every segment, plain or compressed, oldest or newest first,
 * and on from there as lines are added by any process. Takes no lock and writes nothing. What is not an entry is passed over
 * and told; only `callgate audit verify` says whether that is all of them.
 */
import { existsSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { MAX_LINE_BYTES } from '#home/journal/entryLine.ts';
import { JournalError } from '#home/journal/journalError.ts';
import { segmentFile } from '#home/journal/segments.ts';
import { errorCode, errorText } from '#home/privateFile.ts';
import { findSegment } from '#node/audit/findSegment.ts';
import {
  BLOCK_BYTES,
  compressedBlocks,
  compressedBlocksBackwards,
  linesOf,
  listJournal,
  openPlain,
  plainBlocksBackwards,
  readAt,
  type JournalSegment,
} from '#node/audit/readJournalSegments.ts';
import { takeEntries, type FoundEntry, type Taking, type WantedEntries } from '#node/audit/takeEntries.ts';

export interface ReadBatch {
  readonly found: readonly FoundEntry[];
  /** Highest `seq` passed so far, whether it was wanted or not; 0 if none. */
  readonly reached: number;
  /** Of all there was to read when it began, 0 to 1. */
  readonly progress: number;
}

export interface ReadOptions extends WantedEntries {
  /** `end`: until nothing more is there · `follow`: goes on with what is appended (oldest first only), until the signal. */
  readonly until: 'end' | 'follow';
  readonly signal: AbortSignal;
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
      const newest = options.to === undefined ? Number.MAX_SAFE_INTEGER : await findSegment(segments, options.to);
      yield* backwards(
        state,
        segments.filter(({ number }) => number <= newest),
      );
    } else yield* forwards(state, await findSegment(segments, options.from ?? 1));
  } catch (error) {
    if (error instanceof JournalError) throw error;
    throw new JournalError('IO', { file: folder, line: 0 }, `the journal could not be read (${errorText(error)})`, error);
  }
}

interface Reading extends Taking {
  readonly folder: string;
  readonly options: ReadOptions;
  total: number;
  /** Bytes of the segments that are done. */
  before: number;
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
        yield batch(state, takeEntries(state, segment.file, lines, 0), bytesRead);
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
            yield batch(state, takeEntries(state, segment.file, lines, line), bytesRead);
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
        yield batch(state, takeEntries(state, file, lines, line), offset);
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
