/** One session on show: its pages, oldest first on the page, fetched from its end backwards. Without its looks. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { TimelinePage, TimelineQuery } from '#contract/ipc.ts';

export interface Session {
  readonly id: string;
  /** The entry it was opened from: earlier pages are fetched until it is there. */
  readonly opened: number;
  /** In the order of the record, without doubles. */
  readonly entries: readonly AuditEntry[];
  /** `before` of the next earlier page; null at the beginning. */
  readonly next: number | null;
  readonly loading: boolean;
}

export const SESSION_PAGE = 200;
/** An entry that is further back than this is left to the person's own asking. */
const MOST_UNASKED = 2000;

export function openSession(id: string, opened: number): Session {
  return { id, opened, entries: [], next: null, loading: true };
}

export function sessionQuery(id: string, before: number | null): TimelineQuery {
  return { session: id, limit: SESSION_PAGE, ...(before === null ? {} : { before }) };
}

/** An answer for another session, or for one that is closed, is ignored by its id. */
export function addSessionPage(session: Session, query: TimelineQuery, page: TimelinePage): Session {
  if (query.session !== session.id) return session;
  return { ...session, entries: merge(session.entries, page.entries), next: page.next, loading: false };
}

export function addSessionEntry(session: Session, entry: AuditEntry): Session {
  return entry.session === session.id ? { ...session, entries: merge(session.entries, [entry]) } : session;
}

/** Whether an earlier page is wanted without anybody asking for it. */
export function wantsMore({ entries, opened, next, loading }: Session): boolean {
  const first = entries[0];
  return !loading && next !== null && first !== undefined && first.seq > opened && entries.length < MOST_UNASKED;
}

function merge(known: readonly AuditEntry[], more: readonly AuditEntry[]): readonly AuditEntry[] {
  const last = known.at(-1)?.seq ?? 0;
  // Live entries come one by one, at the end of what may be thousands.
  if (more.length === 1 && more[0] !== undefined && more[0].seq > last) return [...known, ...more];
  const bySeq = new Map([...known, ...more].map((entry) => [entry.seq, entry]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}
