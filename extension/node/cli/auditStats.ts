/** `callgate audit stats`: totals straight from the journal. Fields are checked, hashes are not: that is what `verify` is for. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import { visibleLine } from '#core/policy/visibleText.ts';
import { isoTime, ruleIds } from '#node/audit/export/entryText.ts';
import { type AuditAction, readFiltered, sayingFailures } from '#node/cli/auditAction.ts';
import { FILTER_USAGE, parseAuditOptions } from '#node/cli/auditOptions.ts';
import { localTime } from '#node/cli/auditTable.ts';
import { print } from '#node/cli/command.ts';

export const STATS_USAGE = 'usage: callgate audit stats [--json] [filters]';
const TOP = 15;
/** A server may name tools as it likes: memory stays bounded, and what is over is counted together. */
const MOST_NAMES = 20_000;
const OTHERS = '(others)';

export interface HeldTimes {
  readonly count: number;
  /** Milliseconds from the call to its answer, to within 5 %. */
  readonly median: number;
  readonly p95: number;
  readonly longest: number;
}

export interface AuditStats {
  readonly entries: number;
  readonly first: string | null;
  readonly last: string | null;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly kinds: Readonly<Record<string, number>>;
  readonly clients: Readonly<Record<string, number>>;
  readonly agents: Readonly<Record<string, number>>;
  readonly tools: Readonly<Record<string, number>>;
  readonly rules: Readonly<Record<string, number>>;
  readonly days: Readonly<Record<string, number>>;
  readonly held: Readonly<Record<string, HeldTimes>>;
}

class Counter {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    const key = this.#counts.has(name) || this.#counts.size < MOST_NAMES ? name : OTHERS;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** Most first. */
  record(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
  }
}

/** Steps of five percent: exact enough for a person, and a million holds take no more room than ten. */
class Times {
  readonly #steps = new Map<number, number>();
  #count = 0;
  #longest = 0;

  add(ms: number): void {
    const step = Math.round(Math.log(Math.max(0, ms) + 1) / Math.log(1.05));
    this.#steps.set(step, (this.#steps.get(step) ?? 0) + 1);
    this.#count += 1;
    this.#longest = Math.max(this.#longest, ms);
  }

  summary(): HeldTimes {
    const steps = [...this.#steps].sort(([a], [b]) => a - b);
    const at = (share: number): number => {
      let seen = 0;
      for (const [step, count] of steps) {
        seen += count;
        if (seen >= share * this.#count) return Math.min(this.#longest, Math.round(1.05 ** step - 1));
      }
      return this.#longest;
    };
    return { count: this.#count, median: at(0.5), p95: at(0.95), longest: this.#longest };
  }
}

const DAY_MS = 86_400_000;

/** Takes entries one by one and says in the end what they come to. */
export function statsCollector(): { readonly take: (entry: AuditEntry) => void; readonly result: () => AuditStats } {
  const counters = {
    verdicts: new Counter(),
    outcomes: new Counter(),
    kinds: new Counter(),
    clients: new Counter(),
    agents: new Counter(),
    tools: new Counter(),
    rules: new Counter(),
  };
  const days = new Map<number, number>();
  const held = new Map<string, Times>();
  let entries = 0;
  let first: number | null = null;
  let last: number | null = null;
  return {
    take(entry) {
      entries += 1;
      first = Math.min(first ?? entry.time, entry.time);
      last = Math.max(last ?? entry.time, entry.time);
      counters.kinds.add(entry.kind);
      counters.verdicts.add(entry.verdict);
      counters.outcomes.add(entry.outcome);
      counters.clients.add(entry.client);
      counters.agents.add(entry.agent);
      if (entry.tool !== '') counters.tools.add(entry.server === null ? entry.tool : `${entry.server}/${entry.tool}`);
      if (entry.findings.length > 0) for (const rule of ruleIds(entry)) counters.rules.add(rule);
      const day = Math.floor(entry.time / DAY_MS);
      if (days.has(day) || days.size < MOST_NAMES) days.set(day, (days.get(day) ?? 0) + 1);
      if (entry.kind === 'hold') {
        const by = held.get(entry.by) ?? new Times();
        held.set(entry.by, by);
        by.add(entry.tookMs);
      }
    },
    result: () => ({
      entries,
      first: first === null ? null : isoTime(first),
      last: last === null ? null : isoTime(last),
      verdicts: counters.verdicts.record(),
      outcomes: counters.outcomes.record(),
      kinds: counters.kinds.record(),
      clients: counters.clients.record(),
      agents: counters.agents.record(),
      tools: counters.tools.record(),
      rules: counters.rules.record(),
      days: Object.fromEntries([...days].sort(([a], [b]) => a - b).map(([day, count]) => [isoTime(day * DAY_MS).slice(0, 10), count])),
      held: Object.fromEntries([...held].map(([by, times]) => [by, times.summary()])),
    }),
  };
}

export const stats: AuditAction = async (args, host, signal) => {
  const options = parseAuditOptions(args, { flags: ['json'], values: [] }, { now: Date.now(), cwd: host.cwd });
  if ('problem' in options || options.words.length > 0) {
    print(host.stderr, `${'problem' in options ? `callgate: ${options.problem}\n` : ''}${STATS_USAGE}\n${FILTER_USAGE}`);
    return 2;
  }
  return sayingFailures(host, async () => {
    const collector = statsCollector();
    const limit = options.limit ?? Number.POSITIVE_INFINITY;
    let taken = 0;
    const { batches, sayProblems } = readFiltered(host, options.filter, { order: 'oldest', check: 'shape', until: 'end', signal });
    for await (const { found } of batches) {
      for (const { entry } of found.slice(0, limit - taken)) collector.take(entry);
      taken += found.length;
      if (taken >= limit || signal.aborted) break;
    }
    const result = collector.result();
    print(host.stdout, options.flags.has('json') ? JSON.stringify(result) : statsText(result));
    return sayProblems();
  });
};

function statsText(result: AuditStats): string {
  const { entries, first, last, held } = result;
  const lines = [`${entries} ${entries === 1 ? 'entry' : 'entries'}`];
  if (first !== null && last !== null) lines[0] += `, from ${localTime(Date.parse(first))} to ${localTime(Date.parse(last))}`;
  const section = (title: string, counts: Readonly<Record<string, number>>, most: number): void => {
    const rows = Object.entries(counts);
    if (rows.length === 0) return;
    lines.push('', title);
    for (const [name, count] of rows.slice(0, most))
      lines.push(`  ${String(count).padStart(9)}  ${percent(count, entries)}  ${visibleLine(name, 100)}`);
    if (rows.length > most) lines.push(`             and ${rows.length - most} more (--json has them)`);
  };
  section('Verdicts', result.verdicts, TOP);
  section('Outcomes', result.outcomes, TOP);
  section('Kinds', result.kinds, TOP);
  section('Clients', result.clients, TOP);
  section('Agents', result.agents, TOP);
  section('Tools', result.tools, TOP);
  section('Rules', result.rules, TOP);
  section('Last days (UTC)', Object.fromEntries(Object.entries(result.days).slice(-TOP)), TOP);
  const holds = Object.entries(held);
  if (holds.length > 0) {
    lines.push('', 'Held until answered by');
    for (const [by, { count, median, p95, longest }] of holds)
      lines.push(
        `  ${String(count).padStart(9)}  ${by.padEnd(8)} median ${seconds(median)}, 95 % within ${seconds(p95)}, longest ${seconds(longest)}`,
      );
  }
  return lines.join('\n');
}

const percent = (count: number, of: number): string => `${((count / Math.max(1, of)) * 100).toFixed(1).padStart(5)} %`;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
