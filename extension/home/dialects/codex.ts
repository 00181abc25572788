/** Codex CLI's hook payloads and answers. Codex runs the call unless it is refused by exit 2 with a reason. */
import type { HookReply } from '#contract/hookReply.ts';
import type { Judgement } from '#contract/judgement.ts';
import { readPayload } from '#home/hookPayload.ts';
import { happenedIn } from '#home/dialects/happened.ts';
import { callIn, isBefore, otherEvent, textOf, unknownShape, type HookEvent } from '#home/dialects/hookEvent.ts';

export function readCodex(bytes: Uint8Array): HookEvent {
  const payload = readPayload(bytes);
  if (!payload.ok) return { kind: 'bad', code: payload.code, reason: payload.reason };
  const name = textOf(payload.value['hook_event_name']);
  const call = callIn('codex', payload.value);
  if (name !== '' && !isBefore(name, call !== null)) return otherEvent(happenedIn('codex', name, payload.value), name);
  // Codex cannot be told to ask its user.
  return call === null ? unknownShape() : { kind: 'call', call, reader: 'foreign' };
}

export function answerCodex(judgement: Judgement): HookReply {
  return judgement.outcome === 'delivered' ? { kind: 'pass' } : { kind: 'deny', reason: judgement.reason };
}
