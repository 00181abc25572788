import type { DecidedBy, Outcome } from '#contract/auditRecord.ts';
import type { ToolCall } from '#core/model/call.ts';
import type { Decision } from '#core/model/verdict.ts';

/** How one call ended, for whoever has to answer the client. */
export interface Judgement {
  /** Correlation id in the journal. */
  readonly id: string;
  readonly decision: Decision;
  readonly outcome: Exclude<Outcome, 'held'>;
  readonly by: DecidedBy;
  /** For the model: why, and what it or its user can do. Empty when delivered without a person. */
  readonly reason: string;
}

/** Reason of an abort by which a client gave up waiting, as if the hold's own time were over: its next try can still be approved. */
export const CLIENT_TIMED_OUT = 'the client gave up waiting';

/** The part of AbortSignal we use; written out because this folder knows neither Node nor the browser. */
export interface CancelSignal {
  readonly aborted: boolean;
  /** `CLIENT_TIMED_OUT` or anything else. */
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface JudgeOptions {
  /** Aborted when the client is gone or cancelled: frees the hold. */
  readonly signal: CancelSignal;
  /** Called once when the call is held. */
  readonly onHeld?: (until: number) => void;
  /** The correlation id of the call whose result this is; absent for a call. */
  readonly resultOf?: string;
  /** `refuse`: what is quarantined is refused at once and nobody is asked. `hold` unless said. */
  readonly quarantined?: 'hold' | 'refuse';
  /** True: nothing is recorded of what is clean. For messages that come often and are no result of a call. */
  readonly quiet?: boolean;
  /** True: policy wants a decision of the client's hook before the relay's call; without one it is refused. */
  readonly needsHook?: boolean;
  /** Why this call is refused whatever it says: the tool's definition is held or denied. */
  readonly refusedBecause?: string;
}

/** Judges one call and, when it is quarantined, waits for a person. Never rejects: failures are judgements too. */
export type Judge = (call: ToolCall, options: JudgeOptions) => Promise<Judgement>;
