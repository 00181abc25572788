/**
 * The timeline's index over the journal. Owned by the broker's process only, and disposable: damaged, of another
 * version or of another journal it is deleted and built anew. What it shows is always read from the journal itself.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { MinuteCount, TimelinePage, TimelineQuery } from '#contract/ipc.ts';
import { MAX_LINE_BYTES, parseEntryLine } from '#home/journal/entryLine.ts';
import { packedFile, segmentFile, tombstoneFile } from '#home/journal/segments.ts';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import { loadFileBackedSqlite } from '#node/audit/fileBackedSqlite.ts';
import { openIndexStore, removeIndexFiles, type IndexPosition, type IndexStore, type LinePlace } from '#node/audit/indexStore.ts';
import { openSegment } from '#node/audit/openSegment.ts';
import { queryPage, readEntry } from '#node/audit/timelinePage.ts';

export interface AuditIndex {
  /** Takes in whatever was appended since, by any process, in slices of a few milliseconds. @throws when the index cannot be written */
  catchUp(): Promise<void>;
  /** Takes in what this process has just appended, at once when that is all that is new. The rest waits for `catchUp`. */
  add(entries: readonly AuditEntry[]): void;
  query(query: TimelineQuery): TimelinePage;
  /** See `Requests.counts`; empty while the index is unusable. */
  counts(since: number, until: number): readonly MinuteCount[];
  close(): void;
}

/** How long one slice may keep the event loop, in milliseconds. */
const SLICE_MS = 8;
const BLOCK_BYTES = 256 * 1024;
/** One for all indexes: no two read at the same time. */
const scratch = Buffer.alloc(BLOCK_BYTES);
const MAX_COUNTED_MS = 7 * 24 * 3600 * 1000;

/** @throws Error when the WebAssembly module cannot be loaded or the index's folder cannot be used */
export async function openIndex(layout: Layout, wasmPath: string): Promise<AuditIndex> {
  const sqlite = await loadFileBackedSqlite(wasmPath);
  ensurePrivateFolder(layout.index);
  const file = join(layout.index, 'timeline.sqlite');
  const openAnew = (): IndexStore => {
    removeIndexFiles(file);
    return openIndexStore(sqlite, file);
  };
  const openSound = (): IndexStore => {
    try {
      return openIndexStore(sqlite, file);
    } catch {
      return openAnew(); // whatever was wrong with it, the journal has all of it
    }
  };
  let store = openSound();
  let state: 'reading' | 'current' | 'closed' = 'reading';
  /** Set when a row turned out not to fit the journal. */
  let mistrusted = false;
  let catching: Promise<void> | null = null;

  const rebuild = (): void => {
    try {
      store.close();
    } catch {
      // A damaged database may fail to close. Its file is deleted next, so the new one cannot be harmed by it.
      removeIndexFiles(file);
    }
    store = openAnew();
    mistrusted = false;
  };

  /** One slice. `more` when there is more to read. */
  const slice = (): 'more' | 'done' => {
    if (mistrusted || !stillTheJournal(layout.journal, store.position())) rebuild();
    const until = performance.now() + SLICE_MS;
    let result: 'more' | 'done' = 'more';
    store.write((insert) => {
      let position = store.position();
      do {
        const step = readBlock(layout.journal, position, insert);
        position = step.position;
        result = step.result;
      } while (result === 'more' && performance.now() < until);
      return position;
    });
    return result;
  };

  const sliceOrRebuild = (): 'more' | 'done' => {
    try {
      return slice();
    } catch {
      // Damage found on the way shows as an error of SQLite. A new index that fails as well is an error of the disk.
      rebuild();
      return slice();
    }
  };

  const catchUp = async (): Promise<void> => {
    while (state !== 'closed' && sliceOrRebuild() === 'more') {
      state = 'reading';
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (state !== 'closed') state = 'current';
  };

  return {
    catchUp() {
      catching ??= catchUp().finally(() => {
        catching = null;
      });
      return catching;
    },
    add(entries) {
      const [first] = entries;
      // Far behind, the running catch-up will come to them; a slice here would only hold up the caller.
      if (first === undefined || state !== 'current') return;
      if (sliceOrRebuild() === 'more') state = 'reading';
    },
    query(query) {
      const indexing = state !== 'current';
      try {
        const page = queryPage(layout.journal, store, query);
        if (page.misfits > 0) mistrusted = true;
        return { entries: page.entries, next: page.next, indexing: indexing || mistrusted };
      } catch {
        mistrusted = true; // an error of SQLite: the next catch-up builds the index anew
        return { entries: [], next: null, indexing: true };
      }
    },
    counts(since, until) {
      try {
        return store.counts(Math.max(since, until - MAX_COUNTED_MS), until);
      } catch {
        mistrusted = true; // as above
        return [];
      }
    },
    close() {
      if (state === 'closed') return;
      state = 'closed';
      store.close();
    },
  };
}

/** False when the last entry seen is not in its place any more: another journal, or an append that was taken back. */
function stillTheJournal(folder: string, { last }: IndexPosition): boolean {
  if (last === null) return true;
  const handle = openSegment(folder, last.segment);
  if (handle === null) return false;
  try {
    return readEntry(handle, last)?.hash === last.hash;
  } finally {
    handle.close();
  }
}

interface Step {
  readonly position: IndexPosition;
  readonly result: 'more' | 'done';
}

function readBlock(folder: string, position: IndexPosition, insert: (entry: AuditEntry, place: LinePlace) => void): Step {
  const { segment, offset } = position;
  // Asked before reading: once the next segment exists nobody writes to this one, so its end read after is its end.
  const nextExists = [segmentFile, packedFile, tombstoneFile].some((file) => existsSync(file(folder, segment + 1)));
  const nextSegment: Step = { position: { ...position, segment: segment + 1, offset: 0 }, result: 'more' };
  const handle = openSegment(folder, segment);
  if (handle === null) return nextExists ? nextSegment : { position, result: 'done' };
  try {
    let block = handle.read(offset, BLOCK_BYTES, scratch);
    if (block.length === BLOCK_BYTES && !block.includes(10)) block = handle.read(offset, MAX_LINE_BYTES + 1);
    const end = block.lastIndexOf(10) + 1;
    if (end === 0) {
      // Longer than any line of ours: passed over. Verification names it.
      if (block.length > MAX_LINE_BYTES) return { position: { ...position, offset: offset + block.length }, result: 'more' };
      return nextExists ? nextSegment : { position, result: 'done' };
    }
    let last = position.last;
    for (let from = 0; from < end;) {
      const lineEnd = block.indexOf(10, from);
      const parsed = parseEntryLine(block.subarray(from, lineEnd));
      // A line that is no entry, or out of order, is not shown as one; verification names it.
      if (parsed.code === null && parsed.entry.seq > (last?.seq ?? 0)) {
        const place = { segment, offset: offset + from, length: lineEnd - from };
        insert(parsed.entry, place);
        last = { ...place, seq: parsed.entry.seq, hash: parsed.entry.hash };
      }
      from = lineEnd + 1;
    }
    return { position: { segment, offset: offset + end, last }, result: 'more' };
  } finally {
    handle.close();
  }
}
