/** What a later message of the same connection refers to: calls that go on as tasks, and calls that are asked again with answers. */
import type { ToolCall } from '#core/model/call.ts';
import { canonicalJson, isObject } from '#core/model/json.ts';
import type { JsonObject } from '#core/model/json.ts';

export interface KnownCall {
  readonly call: ToolCall;
  /** Its correlation id in the record. */
  readonly recordedAs: string | null;
}

export interface CallMemory {
  /** Looks into the delivered result of a call for a task, or for questions the client will answer by calling again. */
  readonly remember: (known: KnownCall, result: JsonObject) => void;
  /** The call that became this task. */
  readonly task: (id: unknown) => KnownCall | null;
  /**
   * The earlier round of a call that is made again with answers (`inputResponses`, 2026-07-28): the same tool, arguments and
   * state, once. It was decided then; what changed are answers to questions that were judged.
   */
  readonly round: (call: ToolCall, params: JsonObject) => KnownCall | null;
}

const MAX_KEPT = 1000;

export function callMemory(): CallMemory {
  const tasks = new Map<string, KnownCall>();
  const rounds = new Map<string, KnownCall>();
  const keep = (map: Map<string, KnownCall>, key: string, known: KnownCall): void => {
    map.delete(key);
    map.set(key, known);
    if (map.size > MAX_KEPT) map.delete(map.keys().next().value as string);
  };
  const roundKey = ({ tool, args, useId }: ToolCall, state: unknown): string =>
    canonicalJson([tool, args, useId, typeof state === 'string' ? state : null]);

  return {
    remember: (known, result) => {
      const { task } = result;
      if (isObject(task) && typeof task['taskId'] === 'string') keep(tasks, task['taskId'], known);
      if (result['resultType'] === 'task' && typeof result['taskId'] === 'string') keep(tasks, result['taskId'], known);
      if (result['resultType'] === 'input_required') keep(rounds, roundKey(known.call, result['requestState']), known);
    },
    task: (id) => (typeof id === 'string' ? (tasks.get(id) ?? null) : null),
    round: (call, params) => {
      if (params['inputResponses'] === undefined && params['requestState'] === undefined) return null;
      const key = roundKey(call, params['requestState']);
      const known = rounds.get(key) ?? null;
      rounds.delete(key);
      return known;
    },
  };
}
