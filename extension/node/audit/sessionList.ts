/** Which sessions the record knows, and what became of their calls. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import { happenedText } from '#contract/sessionStory.ts';
import type { Verdict } from '#core/model/verdict.ts';

export interface SessionSummary {
  readonly session: string;
  readonly client: AuditEntry['client'];
  readonly workspace: string;
  /** Wall clock of the first and the last entry, milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** `seq` of the last entry: clocks jump. */
  readonly last: number;
  readonly entries: number;
  readonly prompts: number;
  /** Calls by verdict. */
  readonly calls: Readonly<Record<Verdict, number>>;
  /** The first thing a person asked; empty when that is not recorded. */
  readonly asked: string;
}

export interface SessionList {
  readonly add: (entry: AuditEntry) => void;
  /** The one with the newest entry first. */
  readonly list: () => readonly SessionSummary[];
}

/** What is kept of a first prompt. */
const MAX_ASKED = 200;

export function sessionList(): SessionList {
  const bySession = new Map<string, { -readonly [K in keyof SessionSummary]: SessionSummary[K] } & { calls: Record<Verdict, number> }>();
  return {
    add: (entry) => {
      if (entry.session === '') return;
      let known = bySession.get(entry.session);
      if (known === undefined) {
        const { session, client, workspace, time, seq } = entry;
        const calls = { clean: 0, flag: 0, quarantine: 0, block: 0 };
        known = { session, client, workspace, from: time, to: time, last: seq, entries: 0, prompts: 0, calls, asked: '' };
        bySession.set(session, known);
      }
      known.entries += 1;
      known.to = entry.time;
      known.last = entry.seq;
      // A relay's entries may come first, and know neither client nor project.
      if (known.client === 'mcp') known.client = entry.client;
      if (known.workspace === '') known.workspace = entry.workspace;
      if (entry.kind === 'call' && entry.channel !== 'response' && entry.channel !== 'definition') known.calls[entry.verdict] += 1;
      if (entry.kind === 'prompt') {
        known.prompts += 1;
        if (known.asked === '') known.asked = happenedText(entry).slice(0, MAX_ASKED);
      }
    },
    list: () => [...bySession.values()].sort((a, b) => b.last - a.last),
  };
}
