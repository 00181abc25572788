/**
 * The timeline's index over the journal. Owned by the broker's process only, and disposable: damaged, of another
 * version or of another journal it is deleted and built anew. What it shows is always read from the journal itself.
 */
import { closeSync, constants, existsSync, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { TimelinePage, TimelineQuery } from '#contract/ipc.ts';
import { MAX_LINE_BYTES, parseEntryLine } from '#home/journal/entryLine.ts';
import { PLAIN_FILE, readAt, segmentFile } from '#home/journal/segments.ts';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import { errorCode } from '#home/privateFile.ts';
import { loadFileBackedSqlite } from '#node/audit/fileBackedSqlite.ts';
import {
  openIndexStore,
  removeIndexFiles,
  type IndexPosition,
  type IndexRow,
  type IndexStore,
  type LinePlace,
} from '#node/audit/indexStore.ts';
import { matchesQuery, mayHaveText } from '#node/audit/timelineFilter.ts';

export interface AuditIndex {
  /** Takes in whatever was appended since, by any process, in slices of a few milliseconds. @throws when the index cannot be written */
  catchUp(): Promise<void>;
  /** Takes in what this process has just appended, at once when that is all that is new. The rest waits for `catchUp`. */
  add(entries: readonly AuditEntry[]): void;
  query(query: TimelineQuery): TimelinePage;
  close(): void;
}

/** How long one slice may keep the event loop, in milliseconds. */
const SLICE_MS = 8;
const BLOCK_BYTES = 256 * 1024;
const MAX_PAGE = 500;
/** A text search reads at most this many entries for one page; `next` goes on from there. */
const MAX_SCANNED = 10_000;
/** The same for any page in bytes: entries can be huge, and a query must not keep calls waiting while it reads them. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;

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
    close() {
      if (state === 'closed') return;
      state = 'closed';
      store.close();
    },
  };
}

/** A word that stands in every line, such as a field's name, must not have every line checked in full. */
function surelyOther(line: Buffer, query: TimelineQuery): boolean {
  try {
    return !matchesQuery(JSON.parse(line.toString('utf8')) as AuditEntry, query);
  } catch {
    return false; // no entry: the full check says so
  }
}

/** False when the last entry seen is not in its place any more: another journal, or an append that was taken back. */
function stillTheJournal(folder: string, { last }: IndexPosition): boolean {
  if (last === null) return true;
  const handle = openSegment(folder, last.segment);
  if (handle === null) return false;
  try {
    return readEntry(handle, last)?.hash === last.hash;
  } finally {
    closeSync(handle);
  }
}

/** Null when there is no such file, or nothing that could be a segment. */
function openSegment(folder: string, segment: number): number | null {
  let handle: number;
  try {
    handle = openSync(segmentFile(folder, segment), constants.O_RDONLY | PLAIN_FILE);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(errorCode(error))) return null;
    throw error;
  }
  if (fstatSync(handle).isFile()) return handle;
  closeSync(handle);
  return null;
}

function readEntry(handle: number, place: LinePlace): AuditEntry | null {
  if (place.length > MAX_LINE_BYTES) return null;
  const parsed = parseEntryLine(readAt(handle, place.offset, place.length));
  return parsed.code === null ? parsed.entry : null;
}

interface Step {
  readonly position: IndexPosition;
  readonly result: 'more' | 'done';
}

function readBlock(folder: string, position: IndexPosition, insert: (entry: AuditEntry, place: LinePlace) => void): Step {
  const { segment, offset } = position;
  // Asked before reading: once the next segment exists nobody writes to this one, so its end read after is its end.
  const nextExists = existsSync(segmentFile(folder, segment + 1));
  const nextSegment: Step = { position: { ...position, segment: segment + 1, offset: 0 }, result: 'more' };
  const handle = openSegment(folder, segment);
  if (handle === null) return nextExists ? nextSegment : { position, result: 'done' };
  try {
    let block = readAt(handle, offset, BLOCK_BYTES);
    if (block.length === BLOCK_BYTES && !block.includes(10)) block = readAt(handle, offset, MAX_LINE_BYTES + 1);
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
    closeSync(handle);
  }
}

interface ReadPage {
  readonly entries: readonly AuditEntry[];
  readonly next: number | null;
  /** Rows whose entry was not where they say. */
  readonly misfits: number;
}

function queryPage(folder: string, store: IndexStore, query: TimelineQuery): ReadPage {
  const limit = Math.min(MAX_PAGE, Math.max(1, Math.trunc(query.limit) || 1));
  // One row more than wanted tells whether there is a next page.
  const batch = query.text === undefined ? limit + 1 : MAX_PAGE;
  const handles = new Map<number, number | null>();
  const entries: AuditEntry[] = [];
  let misfits = 0;
  let scanned = 0;
  let bytesRead = 0;
  let before = Math.min(query.before ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  const read = (row: IndexRow): void => {
    let handle = handles.get(row.segment);
    if (handle === undefined) handles.set(row.segment, (handle = openSegment(folder, row.segment)));
    if (handle === null || row.length > MAX_LINE_BYTES) {
      misfits += 1;
      return;
    }
    const bytes = readAt(handle, row.offset, row.length);
    bytesRead += row.length;
    if (query.text !== undefined && (!mayHaveText(bytes, query.text) || surelyOther(bytes, query))) return;
    const parsed = parseEntryLine(bytes);
    if (parsed.code !== null || parsed.entry.seq !== row.seq) misfits += 1;
    else if (matchesQuery(parsed.entry, query)) entries.push(parsed.entry);
  };
  try {
    for (;;) {
      const rows = store.rows(query, before, batch);
      for (const row of rows) {
        if (entries.length === limit || scanned === MAX_SCANNED || bytesRead > MAX_PAGE_BYTES) return { entries, next: before, misfits };
        read(row);
        scanned += 1;
        before = row.seq;
      }
      if (rows.length < batch) return { entries, next: null, misfits };
    }
  } finally {
    for (const handle of handles.values()) if (handle !== null) closeSync(handle);
  }
}
