/** Which entries a person asks for, beyond what the index answers: every facet, and a look at a line before it is parsed. */
import type { AuditEntry, DecidedBy, Outcome } from '#contract/auditRecord.ts';
import type { ClientId } from '#core/model/call.ts';
import type { Severity } from '#core/model/finding.ts';
import type { Verdict } from '#core/model/verdict.ts';
import { fits } from '#core/policy/policy.ts';
import { clientMeant, matchesQuery, textFinder } from '#node/audit/timelineFilter.ts';

/** Absent: not asked for. Several values of one facet: any of them. Different facets: all of them. */
export interface AuditFilter {
  readonly verdict?: readonly Verdict[];
  readonly outcome?: readonly Outcome[];
  readonly kind?: readonly AuditEntry['kind'][];
  readonly by?: readonly DecidedBy[];
  readonly client?: readonly ClientId[];
  /** A client's id means every agent of that client, as in the panel. */
  readonly agent?: readonly string[];
  readonly tool?: readonly string[];
  readonly server?: readonly string[];
  readonly session?: readonly string[];
  /** Absolute folders: the workspace itself or one inside. */
  readonly workspace?: readonly string[];
  /** Globs with `*` over the ids of the findings' rules. */
  readonly rule?: readonly string[];
  readonly category?: readonly string[];
  /** Of at least one finding. */
  readonly severity?: readonly Severity[];
  /** Milliseconds since 1970: from `since` on, before `until`. */
  readonly since?: number;
  readonly until?: number;
  /** As in the panel: any case, in the arguments, the reason or the rule ids. */
  readonly text?: string;
  /** First and last sequence number. */
  readonly seq?: { readonly from: number; readonly to: number };
}

const inFolder = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`) || path.startsWith(`${folder}\\`);

export function matchesFilter(entry: AuditEntry, filter: AuditFilter): boolean {
  const { findings } = entry;
  const one = <T>(wanted: readonly T[] | undefined, is: T): boolean => wanted === undefined || wanted.includes(is);
  return (
    one(filter.verdict, entry.verdict) &&
    one(filter.outcome, entry.outcome) &&
    one(filter.kind, entry.kind) &&
    one(filter.by, entry.by) &&
    one(filter.client, entry.client) &&
    one(filter.tool, entry.tool) &&
    one<string | null>(filter.server, entry.server) &&
    one(filter.session, entry.session) &&
    (filter.since === undefined || entry.time >= filter.since) &&
    (filter.until === undefined || entry.time < filter.until) &&
    (filter.seq === undefined || (entry.seq >= filter.seq.from && entry.seq <= filter.seq.to)) &&
    (filter.agent === undefined || filter.agent.some((agent) => agent === (clientMeant(agent) === null ? entry.agent : entry.client))) &&
    (filter.workspace === undefined || filter.workspace.some((folder) => inFolder(folder, entry.workspace))) &&
    (filter.rule === undefined || findings.some(({ rule }) => filter.rule?.some((glob) => fits(glob, rule)))) &&
    (filter.category === undefined || findings.some(({ category }) => filter.category?.includes(category))) &&
    (filter.severity === undefined || findings.some(({ severity }) => filter.severity?.includes(severity))) &&
    (filter.text === undefined || matchesQuery(entry, { text: filter.text, limit: 1 }))
  );
}

const TIME_FIELD = Buffer.from('"time":');

/**
 * Tells lines apart by their bytes, which is ten times faster than by parsing them: an entry's line is canonical JSON, so
 * what it says can stand in it in one way only. False only when `matchesFilter` would be false.
 */
export function lineMayMatch(filter: AuditFilter): ((line: Buffer) => boolean) | undefined {
  const tests: ((line: Buffer) => boolean)[] = [];
  const field = (name: keyof AuditEntry, values: readonly string[] | undefined): void => {
    if (values === undefined) return;
    const needles = values.map((value) => Buffer.from(`"${name}":${JSON.stringify(value)}`));
    tests.push((line) => needles.some((needle) => line.includes(needle)));
  };
  field('verdict', filter.verdict);
  field('outcome', filter.outcome);
  field('kind', filter.kind);
  field('by', filter.by);
  field('client', filter.client);
  field('tool', filter.tool);
  field('server', filter.server);
  field('session', filter.session);
  const { since, until, text } = filter;
  if (since !== undefined || until !== undefined)
    tests.push((line) => {
      // Behind the arguments and findings there are only plain strings, whose quotes are escaped: the last one is the entry's own.
      const at = line.lastIndexOf(TIME_FIELD);
      const time = at < 0 ? Number.NaN : Number.parseInt(line.toString('latin1', at + TIME_FIELD.length, at + TIME_FIELD.length + 17), 10);
      return !Number.isFinite(time) || (time >= (since ?? 0) && (until === undefined || time < until));
    });
  if (text !== undefined) {
    const find = textFinder(text);
    tests.push((line) => find(line)(0, line.length));
  }
  return tests.length === 0 ? undefined : (line) => tests.every((test) => test(line));
}
