/**
 * Writes down what agents were asked, what their tools gave back, and when they began and ended. The hooks that report it
 * have heard their answer before any of this happens: nothing here holds an agent up, and what fails is only said.
 */
import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { ToolCall } from '#core/model/call.ts';
import { canonicalJson } from '#core/model/json.ts';
import { worse, type Decision } from '#core/model/verdict.ts';
import { callEvent } from '#home/auditEvents.ts';
import type { Happened, Speaker } from '#home/dialects/happened.ts';
import { errorText } from '#home/privateFile.ts';
import { resultPieces } from '#node/broker/resultPieces.ts';
import type { RecentCalls } from '#node/broker/recentCalls.ts';

export interface Conversation {
  /** Comes back at once; the writing follows, in the order of the calls. Never throws. */
  readonly note: (happened: Happened) => void;
  /** Settles when everything noted so far is written. */
  readonly written: () => Promise<void>;
}

export interface ConversationParts {
  readonly decide: (call: ToolCall) => Decision;
  readonly record: (event: AuditEvent) => Promise<string | null>;
  readonly recent: RecentCalls;
  /** Looks in the journal for a call that this process has not judged itself: its correlation id, or null. */
  readonly lookUp: (result: ToolCall) => Promise<string | null>;
  /** Asked each time: people switch it while agents run. */
  readonly wanted: () => boolean;
  readonly hash: (text: string) => string;
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

/** What waits to be written; beyond that a flood of events would fill the memory. */
const MAX_WAITING = 2000;
const MAX_FINDINGS = 100;

export function createConversation(parts: ConversationParts): Conversation {
  const { hash, warn } = parts;
  let waiting = 0;
  let dropped = 0;
  let last: Promise<void> = Promise.resolve();

  const write = async (happened: Happened, at: number): Promise<void> => {
    const event = await eventFor(happened, at);
    const problem = event === null ? null : await parts.record(event);
    if (problem !== null) warn(`A ${happened.kind} could not be recorded: ${problem}`);
  };

  const eventFor = (happened: Happened, at: number): Promise<AuditEvent | null> | AuditEvent => {
    switch (happened.kind) {
      case 'response':
        return responseEvent(happened.call, at);
      case 'prompt':
        return said('prompt', happened.id ?? randomUUID(), happened.who, { prompt: happened.text });
      case 'session':
        return said('session', randomUUID(), happened.who, { step: happened.step, ...happened.details });
    }
  };

  /** Judged only for what must not be kept: a person's own words and an agent's last ones are nobody's attack. */
  const said = (kind: 'prompt' | 'session', id: string, who: Speaker, args: ToolCall['args']): AuditEvent => {
    const call: ToolCall = { ...who, useId: null, channel: 'response', tool: '', server: null, args };
    const event = callEvent(
      kind,
      { id, call, decision: parts.decide(call), outcome: 'delivered', by: 'client', reason: '', note: '', tookMs: 0 },
      hash,
    );
    return { ...event, channel: 'other', verdict: 'clean', findings: [], rules: '', policy: '' };
  };

  const responseEvent = async (call: ToolCall, at: number): Promise<AuditEvent | null> => {
    const known = parts.recent.find(call);
    // The relay carried this call and has written down the whole result.
    if (known?.hasResult === true) return null;
    const id = known?.id ?? (await parts.lookUp(call)) ?? randomUUID();
    const { kept, keptDecision, decision } = await judged(call);
    const seen = decision.findings[0];
    const reason =
      decision.verdict === 'clean' || seen === undefined
        ? ''
        : `Seen in a result that had reached the agent: ${seen.title} (${seen.rule}).`;
    const tookMs = known === null ? 0 : Math.max(0, at - known.at);
    const event = callEvent(
      'response',
      { id, call: kept, decision: keptDecision, outcome: 'delivered', by: 'client', reason, note: '', tookMs },
      hash,
    );
    if (kept === call) return event;
    const findings = decision.findings.slice(0, MAX_FINDINGS);
    return { ...event, argsHash: hash(canonicalJson(call.args)), verdict: decision.verdict, findings };
  };

  /** Long results are judged piece by piece, so that hooks which wait for an answer get theirs in between. Only the first piece is kept. */
  const judged = async (call: ToolCall): Promise<{ kept: ToolCall; keptDecision: Decision; decision: Decision }> => {
    const [first, ...rest] = resultPieces(call.args);
    const kept = rest.length === 0 ? call : { ...call, args: first ?? null };
    const keptDecision = parts.decide(kept);
    let decision = keptDecision;
    for (const args of rest) {
      await new Promise((resolve) => setImmediate(resolve));
      const more = parts.decide({ ...call, args });
      // What was found further on has no place in the part that is kept.
      const elsewhere = more.findings.map((finding) => ({ ...finding, at: '', span: null }));
      const verdict = worse(decision.verdict, more.verdict);
      decision =
        verdict === decision.verdict
          ? { ...decision, findings: [...decision.findings, ...elsewhere] }
          : { ...more, findings: [...elsewhere, ...decision.findings] };
    }
    return { kept, keptDecision, decision };
  };

  return {
    note: (happened) => {
      if (!parts.wanted()) return;
      if (waiting >= MAX_WAITING) {
        if (dropped++ % 1000 === 0) warn(`More happens than can be written down; ${dropped} events were left out.`);
        return;
      }
      const at = parts.now();
      waiting += 1;
      last = last
        .then(() => new Promise<void>((resolve) => setImmediate(resolve)))
        .then(() => write(happened, at))
        .catch((error: unknown) => warn(`A ${happened.kind} could not be recorded: ${errorText(error)}`))
        .finally(() => (waiting -= 1));
    },
    written: () => last,
  };
}
