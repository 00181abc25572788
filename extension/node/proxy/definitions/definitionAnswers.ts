/** Answers by which a server describes itself: reviewed before the client hears them. */
import type { JsonObject, JsonValue } from '#core/model/json.ts';
import { isObject } from '#core/model/json.ts';
import type { DefinitionReview, Review } from '#node/proxy/definitions/definitionReview.ts';
import type { Request } from '#node/proxy/inFlight.ts';
import { errorLine } from '#node/proxy/messages/answers.ts';
import type { Part } from '#node/proxy/messages/readLine.ts';
import { rewriteJson } from '#node/proxy/messages/rewriteJson.ts';
import { MAX_DEPTH } from '#node/proxy/messages/sortMessage.ts';
import type { RelayParts } from '#node/proxy/relayParts.ts';
import { askPieces } from '#node/proxy/results/judgeResult.ts';
import { readablePieces, strayMembers } from '#node/proxy/results/readable.ts';

export function definitionAnswers(
  { origin, inFlight, toClient, askGate, log, settled }: RelayParts,
  definitions: DefinitionReview,
): (part: Part, request: Request, message: JsonObject) => void {
  return (part, request, message) => {
    const slot = toClient.reserve();
    request.stage = 'result';
    const end = (line: Buffer): void => {
      slot.settle(inFlight.remove(request) ? [line] : []);
      settled();
    };
    const refuse = (why: string): void => {
      log(`${origin.server}: withheld the answer to ${request.method}: ${why}`);
      end(errorLine(request.id, -32000, `Callgate withheld the answer of "${origin.server}" to ${request.method}: ${why}`));
    };
    const result = message['result'];
    if (part.repeated !== null) return refuse('a key appears twice in it.');
    if (part.depth > MAX_DEPTH) return refuse(`it is nested deeper than ${MAX_DEPTH} levels.`);
    if (!isObject(result)) return refuse('it is no object.');
    const reviewed = (review: Review): void => {
      if (review.kind === 'same') end(part.bytes);
      else if (review.kind === 'refused') refuse(review.reason);
      else end(Buffer.from(rewriteJson(part.bytes.toString('utf8'), new Map<string, JsonValue>([['/result', review.result]]))));
    };
    const stray = strayMembers(message, 'result');
    const beside =
      stray === null
        ? Promise.resolve(null)
        : askPieces(askGate, request.call, request, readablePieces(stray, part.bytes.length), {
            onHeld: slot.release,
            waiting: '',
            quiet: true,
            quarantined: 'refuse',
          });
    void beside
      .then((refusal) =>
        refusal === null
          ? definitions.review(request.method, request.params, result)
          : { kind: 'refused' as const, reason: refusal.reason },
      )
      .then(reviewed, (error: unknown) => refuse(`it could not be reviewed (${error instanceof Error ? error.message : String(error)}).`));
  };
}
