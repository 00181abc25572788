/** A server that was begun anew may be another one: what it says of its tools now is looked at before calls reach it. */
import { isObject, type JsonObject } from '#core/model/json.ts';
import type { DefinitionReview } from '#node/proxy/definitions/definitionReview.ts';
import { toolErrorLine } from '#node/proxy/messages/answers.ts';
import { memberObject } from '#node/proxy/messages/readLine.ts';
import { asRequestId } from '#node/proxy/messages/sortMessage.ts';
import type { Handshake, Repeated } from '#node/proxy/transports/handshake.ts';
import type { UpstreamEvents } from '#node/proxy/transports/upstream.ts';

/** A list that never ends is known by its beginning. */
const MAX_PAGES = 50;

export function afterRestart(definitions: DefinitionReview | null): Pick<UpstreamEvents, 'onBegunAnew' | 'refusal'> {
  if (definitions === null) return {};
  return {
    onBegunAnew: async (list) => {
      let cursor: string | null = null;
      for (let page = 0; page < MAX_PAGES; page++) {
        const result: JsonObject | string = await list(cursor);
        if (typeof result === 'string') return result;
        const review = await definitions.review('tools/list', cursor === null ? {} : { cursor }, result);
        if (review.kind === 'refused') return review.reason;
        const next = result['nextCursor'];
        if (typeof next !== 'string') return null;
        cursor = next;
      }
      return null;
    },
    refusal: definitions.refusal,
  };
}

export interface NotAsBefore {
  readonly why: string;
  /** It went, or was silent, rather than said something else. */
  readonly silent: boolean;
}

/** Asks the new server for its tools, if the client knew those of the old one, and has them looked at; null when calls may go on. */
export async function toolsAgain(
  { onBegunAnew }: Pick<UpstreamEvents, 'onBegunAnew'>,
  memory: Handshake,
  ask: (question: Repeated) => Promise<JsonObject | string | null>,
): Promise<NotAsBefore | null> {
  if (onBegunAnew === undefined || memory.list(null) === null) return null;
  let silent = false;
  const why = await onBegunAnew(async (cursor) => {
    const question = memory.list(cursor);
    const answer = question === null ? null : await ask(question);
    silent = typeof answer === 'string';
    if (typeof answer === 'string') return answer;
    const result = answer?.['result'];
    return isObject(result) ? result : 'it does not list its tools any more';
  });
  return why === null ? null : { why, silent };
}

/** What the client is told in the place of a call that was let through when the last server was there; null when it may go on. */
export function refusedCall({ refusal }: Pick<UpstreamEvents, 'refusal'>, messages: readonly JsonObject[]): Buffer | null {
  const [message] = messages;
  if (message?.['method'] !== 'tools/call' || refusal === undefined) return null;
  const params = memberObject(message, 'params');
  const why = refusal(String(params['name']));
  const id = asRequestId(message['id']);
  return why === null || id === null ? null : toolErrorLine(id, why, params);
}
