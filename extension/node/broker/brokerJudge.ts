/** The broker's judge: gate, grants, hold, record. Every call ends in exactly one judgement, failures included. */
import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { GateSettings } from '#contract/ipc.ts';
import { CLIENT_TIMED_OUT, type Judgement, type JudgeOptions } from '#contract/judgement.ts';
import type { ToolCall } from '#core/model/call.ts';
import type { JsonValue } from '#core/model/json.ts';
import type { Decision } from '#core/model/verdict.ts';
import { callEvent } from '#home/auditEvents.ts';
import { blocked, UNASKED } from '#home/engine.ts';
import type { GrantStore } from '#home/grants.ts';
import type { Layout } from '#home/layout.ts';
import { pendingCall, type Unattended } from '#home/localGate.ts';
import { addPending } from '#home/pendingCalls.ts';
import { errorText } from '#home/privateFile.ts';
import {
  approvedReason,
  askReason,
  blockedReason,
  cancelledReason,
  crowdedReason,
  expiredReason,
  grantedReason,
  journalReason,
  noEditorReason,
  noHookReason,
  rejectedReason,
  unaskedReason,
} from '#home/reasons.ts';
import { MAX_WAITING, type HoldEnding, type Holds } from '#node/broker/holds.ts';
import { createJoinedCalls, type Side } from '#node/broker/joinedCalls.ts';
import type { RecentCalls } from '#node/broker/recentCalls.ts';

export interface BrokerJudgeParts {
  readonly layout: Layout;
  readonly decide: (call: ToolCall) => Decision;
  readonly grants: GrantStore;
  readonly holds: Holds;
  readonly recent: RecentCalls;
  readonly record: (event: AuditEvent) => Promise<string | null>;
  readonly hash: (text: string) => string;
  /** As the engine's. */
  readonly scrub: (value: JsonValue) => JsonValue;
  readonly settings: () => GateSettings;
  /** Whether a window is there, or may be back in a moment. */
  readonly attended: () => boolean;
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

export interface AskOptions extends JudgeOptions {
  readonly side: Side;
  readonly unattended: Unattended;
}

export type BrokerJudge = (call: ToolCall, options: AskOptions) => Promise<Judgement>;

/** Where a decision stands in the record. A held result has an id of its own among the holds, and its call's in the record. */
interface Entry {
  readonly kind: 'call' | 'hold' | 'response';
  readonly id: string;
  readonly began: number;
}

export function createBrokerJudge(parts: BrokerJudgeParts): BrokerJudge {
  const { layout, grants, holds, recent, hash, now, warn } = parts;
  const joined = createJoinedCalls(now);

  return async (call, options) => {
    if (options.refusedBecause !== undefined) return refuseUnasked(call, 'engine.definition', options.refusedBecause);
    const other = joined.take(call, options.side);
    if (other) return join(call, await other);
    // Not kept: no hook of the same call shall hear a refusal that was for want of it.
    if (options.needsHook === true && options.side === 'relay') return refuseUnasked(call, 'engine.no-hook', noHookReason);
    const judgement = judgeNew(call, options).catch((error: unknown): Judgement => {
      const decision = blocked(
        'engine.failed',
        'The broker failed',
        `Callgate's broker failed on this call (${errorText(error)}), so it was refused. Try again.`,
      );
      return { id: randomUUID(), decision, outcome: 'refused', by: 'failure', reason: decision.reason };
    });
    joined.keep(call, options.side, judgement);
    return judgement;
  };

  /** Its hook's decision also holds for the call itself; one that the client asked its user about and now makes was allowed. */
  async function join(call: ToolCall, before: Judgement): Promise<Judgement> {
    if (before.outcome !== 'asked') return before;
    const agreed: Judgement = { ...before, outcome: 'delivered', by: 'client', reason: '' };
    return settle({ kind: 'hold', id: agreed.id, began: now() }, call, agreed, '');
  }

  /** Without a hook's decision: the hook always asks before the call is made, so that by now it would be among the joined ones. */
  async function refuseUnasked(call: ToolCall, rule: keyof typeof UNASKED, reason: string): Promise<Judgement> {
    const id = randomUUID();
    const decision = blocked(rule, UNASKED[rule], reason);
    return settle({ kind: 'call', id, began: now() }, call, { id, decision, outcome: 'refused', by: 'gate', reason }, '');
  }

  async function judgeNew(asked: ToolCall, options: AskOptions): Promise<Judgement> {
    const id = randomUUID();
    const { resultOf } = options;
    const isCall = resultOf === undefined && asked.channel !== 'response';
    const entry: Entry = { kind: isCall ? 'call' : 'response', id: resultOf ?? id, began: now() };
    // A relay often does not know whose call it carries; the hook before it did.
    const call = resultOf === undefined ? asked : recent.answered(resultOf, asked);
    if (isCall) recent.keep(id, call);
    const decision = parts.decide(call);
    if (decision.verdict === 'block')
      return settle(entry, call, { id, decision, outcome: 'refused', by: 'gate', reason: blockedReason(decision) }, '');
    if (decision.verdict === 'clean' && options.quiet === true) return { id, decision, outcome: 'delivered', by: 'gate', reason: '' };
    if (decision.verdict !== 'quarantine') return settle(entry, call, { id, decision, outcome: 'delivered', by: 'gate', reason: '' }, '');
    if (grants.take(call)) return settle(entry, call, { id, decision, outcome: 'delivered', by: 'grant', reason: grantedReason }, '');
    if (options.quarantined === 'refuse')
      return settle(entry, call, { id, decision, outcome: 'refused', by: 'gate', reason: unaskedReason(decision) }, '');
    if (!parts.attended()) return settle(entry, call, unattendedJudgement(id, call, decision, options.unattended), '');
    if (holds.waiting() >= MAX_WAITING)
      return settle(entry, call, { id, decision, outcome: 'refused', by: 'gate', reason: crowdedReason(decision, MAX_WAITING) }, '');
    return holdCall(entry, id, call, decision, options);
  }

  async function holdCall(entry: Entry, id: string, call: ToolCall, decision: Decision, options: AskOptions): Promise<Judgement> {
    const { began } = entry;
    const { holdSeconds, onJournalFailure } = parts.settings();
    const { hold, ended } = holds.begin(id, call, decision, holdSeconds * 1000);
    // A client that lost patience tries again: that try can still be approved.
    const cancel = (): void => void holds.end(id, { how: options.signal.reason === CLIENT_TIMED_OUT ? 'expired' : 'cancelled' });
    options.signal.addEventListener('abort', cancel);
    try {
      if (options.signal.aborted) cancel();
      options.onHeld?.(hold.until);
      const problem = await parts.record(
        callEvent(
          entry.kind,
          { id: entry.id, call, decision, outcome: 'held', by: 'gate', reason: decision.reason, note: '', tookMs: now() - began },
          hash,
        ),
      );
      if (problem !== null && onJournalFailure === 'deny') {
        holds.end(id, { how: 'cancelled' });
        return { id, decision, outcome: 'refused', by: 'failure', reason: journalReason(problem) };
      }
      const ending = await ended;
      if (ending.how === 'expired') rememberPending(id, call, decision, 'refuse');
      const note = ending.how === 'approved' || ending.how === 'rejected' ? ending.note : '';
      return await settle(
        { ...entry, kind: 'hold' },
        call,
        endedJudgement(id, call, decision, ending, Math.round((now() - began) / 1000), options.unattended),
        note,
      );
    } finally {
      options.signal.removeEventListener('abort', cancel);
    }
  }

  function endedJudgement(
    id: string,
    call: ToolCall,
    decision: Decision,
    ending: HoldEnding,
    waitedSeconds: number,
    unattended: Unattended,
  ): Judgement {
    switch (ending.how) {
      case 'approved':
        return { id, decision, outcome: 'delivered', by: 'person', reason: approvedReason(ending.note) };
      case 'rejected':
        return { id, decision, outcome: 'refused', by: 'person', reason: rejectedReason(decision, ending.note) };
      case 'expired':
        return { id, decision, outcome: 'expired', by: 'timeout', reason: expiredReason(decision, waitedSeconds) };
      case 'cancelled':
        return { id, decision, outcome: 'refused', by: 'client', reason: cancelledReason };
      case 'unattended':
        return unattendedJudgement(id, call, decision, unattended);
    }
  }

  function unattendedJudgement(id: string, call: ToolCall, decision: Decision, unattended: Unattended): Judgement {
    rememberPending(id, call, decision, unattended);
    if (unattended === 'ask') return { id, decision, outcome: 'asked', by: 'client', reason: askReason(decision) };
    return { id, decision, outcome: 'refused', by: 'gate', reason: noEditorReason(decision) };
  }

  function rememberPending(id: string, call: ToolCall, decision: Decision, unattended: Unattended): void {
    try {
      addPending(layout, pendingCall({ id, call, decision, since: now(), asked: unattended === 'ask', hash, scrub: parts.scrub }));
    } catch (error) {
      // It cannot be approved after a restart then; this time it is refused or asked about all the same.
      warn(`A call could not be kept for a later approval: ${errorText(error)}`);
    }
  }

  /** The judgement once it is recorded; a refusal when it would have been delivered unrecorded. */
  async function settle(entry: Entry, call: ToolCall, judgement: Judgement, note: string): Promise<Judgement> {
    const { id, decision, outcome, by, reason } = judgement;
    const tookMs = Math.max(0, now() - entry.began);
    const problem = await parts.record(callEvent(entry.kind, { id: entry.id, call, decision, outcome, by, reason, note, tookMs }, hash));
    if (problem === null || outcome !== 'delivered' || parts.settings().onJournalFailure === 'warn') return judgement;
    return { id, decision, outcome: 'refused', by: 'failure', reason: journalReason(problem) };
  }
}
