/** One page of the timeline: which rows the index names, read from the journal itself and checked against the query. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { TimelineQuery } from '#contract/ipc.ts';
import { MAX_LINE_BYTES, parseEntryLine } from '#home/journal/entryLine.ts';
import type { IndexRow, IndexStore, LinePlace } from '#node/audit/indexStore.ts';
import { isDropped, openSegment, type OpenSegment } from '#node/audit/openSegment.ts';
import { matchesQuery, textFinder } from '#node/audit/timelineFilter.ts';

const MAX_PAGE = 500;
/** A text search reads at most this many entries for one page; `next` goes on from there. */
const MAX_SCANNED = 10_000;
/** The same for any page in bytes: entries can be huge, and a query must not keep calls waiting while it reads them. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;
/**
 * Lines that stand within this many bytes are read at once. Their text is made to look into: what is larger than 128 KiB
 * would stay in memory until V8 clears all of it, some 100 MB later.
 */
const MAX_STRETCH = 96 * 1024;
/** One for all pages: no two are read at the same time. */
const scratch = Buffer.alloc(MAX_STRETCH);

interface ReadPage {
  readonly entries: readonly AuditEntry[];
  readonly next: number | null;
  /** Rows whose entry was not where they say. */
  readonly misfits: number;
}

export function readEntry(segment: OpenSegment, place: LinePlace): AuditEntry | null {
  if (place.length > MAX_LINE_BYTES) return null;
  const parsed = parseEntryLine(segment.read(place.offset, place.length));
  return parsed.code === null ? parsed.entry : null;
}

export function queryPage(folder: string, store: IndexStore, query: TimelineQuery): ReadPage {
  const limit = Math.min(MAX_PAGE, Math.max(1, Math.trunc(query.limit) || 1));
  const mayHave = query.text === undefined ? null : textFinder(query.text);
  // One row more than wanted tells whether there is a next page.
  const batch = mayHave === null ? limit + 1 : MAX_PAGE;
  const handles = new Map<number, OpenSegment | null>();
  const entries: AuditEntry[] = [];
  let misfits = 0;
  let scanned = 0;
  let bytesRead = 0;
  let before = Math.min(query.before ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  const handleOf = (segment: number): OpenSegment | null => {
    let handle = handles.get(segment);
    if (handle === undefined) handles.set(segment, (handle = openSegment(folder, segment)));
    return handle;
  };
  const take = (row: IndexRow, bytes: Buffer | null): void => {
    const parsed = bytes === null ? null : parseEntryLine(bytes);
    if (parsed?.code !== null || parsed.entry.seq !== row.seq)
      misfits += handles.get(row.segment) === null && isDropped(folder, row.segment) ? 0 : 1;
    else if (matchesQuery(parsed.entry, query)) entries.push(parsed.entry);
  };
  try {
    for (;;) {
      const rows = store.rows(query, before, batch);
      for (const stretch of stretches(rows)) {
        const { segment, offset, length } = stretch;
        // Pages without a text search mostly want all their rows; those with one throw most away unread.
        const handle = handleOf(segment);
        const bytes = handle?.read(offset, length, scratch) ?? Buffer.alloc(0);
        const candidates = mayHave?.(bytes) ?? null;
        for (const row of stretch.rows) {
          if (entries.length === limit || scanned === MAX_SCANNED || bytesRead > MAX_PAGE_BYTES) return { entries, next: before, misfits };
          const from = row.offset - offset;
          if (candidates === null || candidates(from, from + row.length))
            take(row, from + row.length <= bytes.length ? bytes.subarray(from, from + row.length) : null);
          bytesRead += row.length;
          scanned += 1;
          before = row.seq;
        }
      }
      if (rows.length < batch) return { entries, next: null, misfits };
    }
  } finally {
    for (const handle of handles.values()) handle?.close();
  }
}

interface Stretch {
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
  /** Newest first, as they came. */
  readonly rows: readonly IndexRow[];
}

/** Neighbouring rows of one segment together, so that many lines cost one read. A row too long for any line is one of its own and reads nothing. */
function stretches(rows: readonly IndexRow[]): readonly Stretch[] {
  const out: { segment: number; offset: number; length: number; rows: IndexRow[] }[] = [];
  for (const row of rows) {
    const length = row.length > MAX_LINE_BYTES ? 0 : row.length;
    const last = out.at(-1);
    const end = last === undefined ? 0 : last.offset + last.length;
    // The next row is an older one, so it stands before the stretch; a gap of other rows between is read with it when small.
    if (
      last !== undefined &&
      last.segment === row.segment &&
      row.offset < last.offset &&
      end - row.offset <= MAX_STRETCH &&
      last.offset - row.offset - length < 4096
    ) {
      last.length = end - row.offset;
      last.offset = row.offset;
      last.rows.push(row);
    } else out.push({ segment: row.segment, offset: row.offset, length, rows: [row] });
  }
  return out;
}
