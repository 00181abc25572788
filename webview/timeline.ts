/** The timeline's pages, filter and live entries, without its looks. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { TimelinePage, TimelineQuery } from '#contract/ipc.ts';
import type { Verdict } from '#core/model/verdict.ts';

export interface Filter {
  readonly verdict: Verdict | null;
  readonly agent: string | null;
  readonly tool: string | null;
  readonly text: string;
}

export interface Timeline {
  readonly filter: Filter;
  /** Newest first, without doubles. */
  readonly entries: readonly AuditEntry[];
  /** `before` of the next page; null when there is none. */
  readonly next: number | null;
  readonly indexing: boolean;
  /** A page was asked for and has not come. */
  readonly loading: boolean;
  /** Every agent and tool seen so far, sorted: the choices of the filters. */
  readonly agents: readonly string[];
  readonly tools: readonly string[];
}

export const PAGE_SIZE = 50;
/** Rows kept in the panel; older ones come back by paging. */
const MOST_ROWS = 1000;
const MOST_CHOICES = 200;

export const noFilter: Filter = { verdict: null, agent: null, tool: null, text: '' };
export const emptyTimeline: Timeline = { filter: noFilter, entries: [], next: null, indexing: false, loading: true, agents: [], tools: [] };

export function queryFor(filter: Filter, before: number | null): TimelineQuery {
  const text = filter.text.trim();
  return {
    limit: PAGE_SIZE,
    ...(filter.verdict === null ? {} : { verdict: filter.verdict }),
    ...(filter.agent === null ? {} : { agent: filter.agent }),
    ...(filter.tool === null ? {} : { tool: filter.tool }),
    ...(text === '' ? {} : { text }),
    ...(before === null ? {} : { before }),
  };
}

export function isFiltered(filter: Filter): boolean {
  return filter.verdict !== null || filter.agent !== null || filter.tool !== null || filter.text.trim() !== '';
}

function answersTo(query: TimelineQuery, filter: Filter): boolean {
  const asked = queryFor(filter, null);
  return query.verdict === asked.verdict && query.agent === asked.agent && query.tool === asked.tool && query.text === asked.text;
}

/** The same test the index makes: text is looked for in the arguments, the reason and the rule ids, without case. */
export function matchesFilter(entry: AuditEntry, filter: Filter): boolean {
  if (filter.verdict !== null && entry.verdict !== filter.verdict) return false;
  if (filter.agent !== null && entry.agent !== filter.agent) return false;
  if (filter.tool !== null && entry.tool !== filter.tool) return false;
  const text = filter.text.trim().toLowerCase();
  if (text === '') return true;
  const within = [JSON.stringify(entry.args), entry.reason, ...entry.findings.map((finding) => finding.rule)];
  return within.some((part) => part.toLowerCase().includes(text));
}

function merge(one: readonly AuditEntry[], other: readonly AuditEntry[]): readonly AuditEntry[] {
  const bySeq = new Map<number, AuditEntry>();
  for (const entry of [...one, ...other]) bySeq.set(entry.seq, entry);
  return [...bySeq.values()].sort((a, b) => b.seq - a.seq);
}

function choices(known: readonly string[], more: readonly string[]): readonly string[] {
  const all = new Set([...known, ...more.filter((name) => name !== '')]);
  return all.size === known.length ? known : [...all].sort().slice(0, MOST_CHOICES);
}

function withChoices(timeline: Timeline, entries: readonly AuditEntry[]): Timeline {
  return {
    ...timeline,
    agents: choices(
      timeline.agents,
      entries.map((entry) => entry.agent),
    ),
    tools: choices(
      timeline.tools,
      entries.map((entry) => entry.tool),
    ),
  };
}

/** Takes a page in. Answers to a filter that is no longer set are ignored. */
export function addPage(timeline: Timeline, query: TimelineQuery, page: TimelinePage): Timeline {
  if (!answersTo(query, timeline.filter)) return timeline;
  const newest = page.entries[0]?.seq ?? 0;
  // A first page starts afresh, but keeps live entries that are newer than what the index knew.
  const kept = query.before === undefined ? timeline.entries.filter((entry) => entry.seq > newest) : timeline.entries;
  const entries = merge(kept, page.entries);
  return withChoices({ ...timeline, entries, next: page.next, indexing: page.indexing, loading: false }, page.entries);
}

/** Takes a live entry in. */
export function addEntry(timeline: Timeline, entry: AuditEntry): Timeline {
  const known = withChoices(timeline, [entry]);
  if (!matchesFilter(entry, timeline.filter)) return known;
  const entries = merge(timeline.entries, [entry]);
  const last = entries[MOST_ROWS - 1];
  if (entries.length <= MOST_ROWS || !last) return { ...known, entries };
  return { ...known, entries: entries.slice(0, MOST_ROWS), next: last.seq };
}

export function setFilter(timeline: Timeline, filter: Filter): Timeline {
  // What is shown is thinned at once; the full answer follows.
  return { ...timeline, filter, entries: timeline.entries.filter((entry) => matchesFilter(entry, filter)), next: null, loading: true };
}
