/** What the journal says about definitions: one entry for what was pinned together, one for what is decided together. */
import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { JsonValue } from '#core/model/json.ts';
import { worse, type Verdict } from '#core/model/verdict.ts';
import { definitionDiff, diffLines } from '#core/policy/definitionDiff.ts';
import { plainEvent } from '#home/auditEvents.ts';
import type { ReviewEvent } from '#node/proxy/definitions/classify.ts';

interface About {
  readonly server: string;
  readonly shown: string;
  readonly cwd: string;
  readonly session: string;
}

/** The record is bounded; the pins have the whole. */
const MAX_NAMED = 400;
const MAX_DIFFED = 40;
const MAX_LINES = 30;
const LINE = 300;
const MAX_FINDINGS = 40;

export function recordsOf(events: readonly ReviewEvent[], about: About): readonly AuditEvent[] {
  const records: AuditEvent[] = [];
  const first = events.filter(({ type, how }) => type === 'pinned' && how === 'first');
  if (first.length > 0)
    records.push(
      entry('config', about, first, 'delivered', {
        reason: `First sight of ${count(first)} of the MCP server "${about.server}": pinned as they are now.`,
        args: { server: about.shown, pinned: first.slice(0, MAX_NAMED).map(({ item, hash }) => [item.kind, item.name, hash]) },
      }),
    );
  const anew = events.filter(({ type, how }) => type === 'pinned' && how !== 'first');
  if (anew.length > 0)
    records.push(
      entry('config', about, anew, 'delivered', {
        reason: `${count(anew)} of the MCP server "${about.server}" changed or came new in a way that asks for nobody's approval: pinned anew.`,
        args: { server: about.shown, pinned: changesIn(anew) },
        least: 'flag',
      }),
    );
  const groups = new Map<string, ReviewEvent[]>();
  for (const event of events) {
    if (event.type === 'pinned') continue;
    const group = event.type === 'blocked' ? 'blocked' : (event.item.held?.group ?? '');
    groups.set(group, [...(groups.get(group) ?? []), event]);
  }
  for (const [group, held] of groups) {
    const blocked = group === 'blocked';
    const [one] = held;
    records.push(
      entry('call', about, held, blocked ? 'refused' : 'held', {
        reason:
          held.length === 1
            ? (one?.item.held?.why ?? '')
            : `${count(held)} of the MCP server "${about.server}" ${blocked ? 'are blocked' : 'need a person'}: hidden from the agent.`,
        args: { server: about.shown, hidden: changesIn(held) },
        least: blocked ? 'block' : 'quarantine',
        ...(blocked ? {} : { id: group }),
      }),
    );
  }
  return records;
}

const count = (events: readonly ReviewEvent[]): string => (events.length === 1 ? '1 definition' : `${events.length} definitions`);

function changesIn(events: readonly ReviewEvent[]): JsonValue {
  return events.slice(0, MAX_NAMED).map(({ item, before, after, hash }, index) => ({
    kind: item.kind,
    name: item.name,
    hash,
    ...(item.held === null ? {} : { change: item.held.change }),
    ...(index >= MAX_DIFFED ? {} : { diff: diffLines(definitionDiff(before, after), LINE).slice(0, MAX_LINES) }),
  }));
}

interface Words {
  readonly reason: string;
  readonly args: JsonValue;
  readonly least?: Verdict;
  readonly id?: string;
}

function entry(
  kind: 'call' | 'config',
  about: About,
  events: readonly ReviewEvent[],
  outcome: 'delivered' | 'held' | 'refused',
  { reason, args, least = 'clean', id = randomUUID() }: Words,
): AuditEvent {
  const [one] = events;
  const name = one?.item.kind === 'instructions' ? 'instructions' : (one?.item.name ?? '');
  const tool = events.length === 1 ? name : count(events);
  return {
    ...plainEvent(kind, {
      client: 'mcp',
      id,
      session: about.session,
      tool,
      args,
      verdict: 'clean',
      outcome,
      by: 'gate',
      reason,
      cwd: about.cwd,
    }),
    channel: 'definition',
    server: about.server,
    verdict: events.reduce((verdict, event) => worse(verdict, event.judged.verdict), least),
    // Their places are in the definitions, which are not in the record as they came.
    findings: events
      .flatMap((event) => event.judged.findings)
      .slice(0, MAX_FINDINGS)
      .map((finding) => ({ ...finding, at: '', span: null })),
  };
}
