/** What a client's hooks report when there is nothing to decide: prompts, results, sessions. Shapes as recorded from Claude Code and Codex. */
import type { ToolCall } from '#core/model/call.ts';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { callIn, textOf, type HookClient } from '#home/dialects/hookEvent.ts';

export type SessionStep = 'begin' | 'end' | 'turn-end' | 'agent-begin' | 'agent-end';

/** Who it is about; the parts of a call that every event has. */
export type Speaker = Pick<ToolCall, 'client' | 'agent' | 'session' | 'cwd'>;

export type Happened =
  /** A person's words to the agent. `id` is the client's own; null if it has none. */
  | { readonly kind: 'prompt'; readonly who: Speaker; readonly id: string | null; readonly text: string }
  /** What a tool gave back or how it failed, as the arguments of a call on the channel `response`. */
  | { readonly kind: 'response'; readonly call: ToolCall }
  | { readonly kind: 'session'; readonly who: Speaker; readonly step: SessionStep; readonly details: JsonObject };

const STEPS: ReadonlyMap<string, SessionStep> = new Map<string, SessionStep>([
  ['sessionstart', 'begin'],
  ['sessionend', 'end'],
  ['stop', 'turn-end'],
  ['subagentstart', 'agent-begin'],
  ['subagentstop', 'agent-end'],
]);
const RESPONSES: ReadonlySet<string> = new Set(['posttooluse', 'posttoolusefailure']);
const PROMPTS: ReadonlySet<string> = new Set(['userpromptsubmit', 'userpromptsubmitted']);

/** What of a session's beginning or end is kept, under the names of our own record. */
const KEPT: readonly (readonly [from: string, to: string])[] = [
  ['source', 'source'],
  ['reason', 'reason'],
  ['model', 'model'],
  ['agent_type', 'agentType'],
  ['permission_mode', 'mode'],
  ['last_assistant_message', 'said'],
];

/** Null for events that the record does not keep. */
export function happenedIn(client: HookClient, name: string, payload: JsonObject): Happened | null {
  const plain = name.toLowerCase().replaceAll(/[^a-z]/g, '');
  if (PROMPTS.has(plain)) {
    const id = textOf(payload['prompt_id']) || textOf(payload['turn_id']);
    return { kind: 'prompt', who: speakerIn(client, payload), id: id === '' ? null : id, text: textOf(payload['prompt']) };
  }
  if (RESPONSES.has(plain)) {
    const call = callIn(client, payload);
    return call && { kind: 'response', call: { ...call, channel: 'response', args: resultIn(payload) } };
  }
  const step = STEPS.get(plain);
  if (step === undefined) return null;
  const details = KEPT.flatMap(([from, to]) => (textOf(payload[from]) === '' ? [] : [[to, textOf(payload[from])] as const]));
  return { kind: 'session', who: speakerIn(client, payload), step, details: Object.fromEntries(details) };
}

function speakerIn(client: HookClient, payload: JsonObject): Speaker {
  return {
    client,
    agent: textOf(payload['agent_id']) || 'main',
    session: textOf(payload['session_id']) || textOf(payload['sessionId']),
    cwd: textOf(payload['cwd']),
  };
}

/** One shape for all: the client's own result under `result`, or why there is none under `error`. */
function resultIn(payload: JsonObject): JsonValue {
  const error = payload['error'];
  if (error !== undefined) return { error };
  const result = payload['tool_response'] ?? payload['toolResult'] ?? payload['tool_result'] ?? null;
  return isObject(result) ? result : { result };
}
