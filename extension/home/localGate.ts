/** Judges calls in this process, for hooks and shims without a broker: same engine, settings, grants and journal. */
import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { JudgeOptions, Judgement } from '#contract/judgement.ts';
import type { ToolCall } from '#core/model/call.ts';
import { canonicalJson, type JsonValue } from '#core/model/json.ts';
import type { Decision } from '#core/model/verdict.ts';
import { callEvent, scrubEvent, type CallRecord } from '#home/auditEvents.ts';
import { blocked, openEngine, UNASKED, type Engine } from '#home/engine.ts';
import { grantKey, openGrants } from '#home/grants.ts';
import { keyedHash, openJournal, type Journal } from '#home/journal/journal.ts';
import type { Layout } from '#home/layout.ts';
import { addPending, listPending, PENDING_MS, removePending, type PendingCall } from '#home/pendingCalls.ts';
import { errorText } from '#home/privateFile.ts';
import { askReason, blockedReason, grantedReason, journalReason, noEditorReason, noHookReason, unaskedReason } from '#home/reasons.ts';
import { readSettings } from '#home/settings.ts';

/** What happens to a quarantined call when no person can be reached through an editor. */
export type Unattended = 'ask' | 'refuse';

export interface LocalGateOptions {
  readonly layout: Layout;
  /** `rules.json` beside the running bundle. */
  readonly rulesFile: string;
  /** See `loadRules`. */
  readonly checkedRules?: string;
  /** Hears what a person should know but no call fails on. */
  readonly warn: (message: string) => void;
  readonly now?: () => number;
}

export type LocalJudgeOptions = Pick<JudgeOptions, 'resultOf' | 'quarantined' | 'quiet' | 'needsHook' | 'refusedBecause'>;

export interface LocalGate {
  /** Never throws: failures are judgements too. */
  readonly judge: (call: ToolCall, unattended: Unattended, options?: LocalJudgeOptions) => Judgement;
  readonly engine: Pick<Engine, 'policyFor' | 'decide'>;
  /** Null, or why it could not be recorded. */
  readonly record: (event: AuditEvent) => string | null;
  readonly close: () => void;
}

export function judgeAlone(call: ToolCall, options: LocalGateOptions & { readonly unattended: Unattended }): Judgement {
  const gate = openLocalGate(options);
  try {
    return gate.judge(call, options.unattended);
  } finally {
    gate.close();
  }
}

export function openLocalGate(options: LocalGateOptions): LocalGate {
  const { layout, warn } = options;
  const now = options.now ?? Date.now;
  const engine = openEngine(layout, options.rulesFile, { checkedHash: options.checkedRules ?? '' });
  const grants = openGrants(layout, now, warn);
  const problem = engine.problem();
  if (problem !== null) warn(problem);
  let journal: Journal | null = null;
  let hash: ((text: string) => string) | null = null;

  const clean = (value: JsonValue): JsonValue => engine.scrub(value, (text) => (hash ??= keyedHash(layout))(text));

  const record = (event: AuditEvent): string | null => {
    try {
      journal ??= openJournal(layout);
      journal.append([scrubEvent(event, clean)]);
      return null;
    } catch (error) {
      return errorText(error);
    }
  };

  const judge = (call: ToolCall, unattended: Unattended, options: LocalJudgeOptions = {}): Judgement => {
    const { resultOf } = options;
    const began = now();
    const id = randomUUID();
    // Hooks decide in processes of their own when there is no broker: nobody here knows what they decided.
    const decision =
      options.refusedBecause !== undefined
        ? blocked('engine.definition', UNASKED['engine.definition'], options.refusedBecause)
        : options.needsHook === true
          ? blocked('engine.no-hook', UNASKED['engine.no-hook'], noHookReason)
          : engine.decide(call);
    if (decision.verdict === 'clean' && options.quiet === true) return { id, decision, outcome: 'delivered', by: 'gate', reason: '' };
    const judgement = settle(id, call, decision, unattended, options.quarantined === 'refuse');
    const problem = recordCall(resultOf === undefined && call.channel !== 'response' ? 'call' : 'response', {
      id: resultOf ?? id,
      call,
      decision,
      outcome: judgement.outcome,
      by: judgement.by,
      reason: judgement.reason,
      note: '',
      tookMs: Math.max(0, now() - began),
    });
    if (problem === null) return judgement;
    const { settings } = readSettings(layout);
    warn(`The journal cannot be written: ${problem}`);
    if (settings.onJournalFailure === 'warn' || judgement.outcome !== 'delivered') return judgement;
    return { id, decision, outcome: 'refused', by: 'failure', reason: journalReason(problem) };
  };

  const recordCall = (kind: 'call' | 'response', entry: CallRecord): string | null => {
    try {
      hash ??= keyedHash(layout);
      return record(callEvent(kind, entry, hash));
    } catch (error) {
      return errorText(error);
    }
  };

  const settle = (id: string, call: ToolCall, decision: Decision, unattended: Unattended, unasked: boolean): Judgement => {
    if (decision.verdict === 'block') return { id, decision, outcome: 'refused', by: 'gate', reason: blockedReason(decision) };
    if (decision.verdict !== 'quarantine') return { id, decision, outcome: 'delivered', by: 'gate', reason: '' };
    try {
      if (grants.take(call)) return { id, decision, outcome: 'delivered', by: 'grant', reason: grantedReason };
      if (unasked) return { id, decision, outcome: 'refused', by: 'gate', reason: unaskedReason(decision) };
      const agreed = askedBefore(call);
      if (agreed) {
        removePending(layout, agreed.hold.id);
        return { id, decision, outcome: 'delivered', by: 'client', reason: '' };
      }
      hash ??= keyedHash(layout);
      addPending(layout, pendingCall({ id, call, decision, since: now(), asked: unattended === 'ask', hash, scrub: clean }));
    } catch (error) {
      // Without grants and without the note for the panel the call is still asked about or refused.
      warn(`A held call could not be kept for approval: ${errorText(error)}`);
    }
    if (unattended === 'ask') return { id, decision, outcome: 'asked', by: 'client', reason: askReason(decision) };
    return { id, decision, outcome: 'refused', by: 'gate', reason: noEditorReason(decision) };
  };

  /** A client that asked its user about this call's hook and then runs it through the relay was told yes. */
  const askedBefore = (call: ToolCall): PendingCall | undefined => {
    if (call.client !== 'mcp' || call.useId === null) return undefined;
    const argsHash = (hash ??= keyedHash(layout))(canonicalJson(call.args));
    return listPending(layout, now(), warn).find((pending) => sameAsked(pending, call) && pending.argsHash === argsHash);
  };

  return { judge, record, engine, close: () => journal?.close() };
}

/** What a person can still approve later; without the secrets of its arguments. */
export function pendingCall(about: {
  id: string;
  call: ToolCall;
  decision: Decision;
  since: number;
  asked: boolean;
  hash: (text: string) => string;
  scrub: (value: JsonValue) => JsonValue;
}): PendingCall {
  const { id, call, decision, since, asked, hash, scrub } = about;
  const event = scrubEvent(
    callEvent('call', { id, call, decision, outcome: 'refused', by: 'gate', reason: decision.reason, note: '', tookMs: 0 }, hash),
    scrub,
  );
  const shown = { ...decision, findings: event.findings, reason: event.reason };
  return {
    hold: { id, call: { ...call, ...partsOf(event) }, decision: shown, state: 'expired', since, until: since + PENDING_MS },
    key: grantKey(call),
    argsHash: event.argsHash,
    asked,
  };
}

/** The parts of a call as the record shows them. */
function partsOf({
  agent,
  session,
  useId,
  tool,
  server,
  cwd,
  args,
}: AuditEvent): Pick<ToolCall, 'agent' | 'session' | 'useId' | 'tool' | 'server' | 'cwd' | 'args'> {
  return { agent, session, useId, tool, server, cwd, args };
}

/** The hook and the relay name server and folder differently, so the client's id and the tool join them; ids are the client's, never the model's. */
function sameAsked(pending: PendingCall, call: ToolCall): boolean {
  return (
    pending.asked && pending.hold.call.client !== 'mcp' && pending.hold.call.useId === call.useId && pending.hold.call.tool === call.tool
  );
}
