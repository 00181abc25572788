/** A server that was begun anew may be another one: what it says of its tools now is looked at before calls reach it. */
import type { JsonObject } from '#core/model/json.ts';
import type { DefinitionReview } from '#node/proxy/definitions/definitionReview.ts';
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
