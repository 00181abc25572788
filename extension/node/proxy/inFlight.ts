/** The client's requests that have no answer yet. */
import type { ToolCall } from '#core/model/call.ts';
import type { JsonObject } from '#core/model/json.ts';
import { idKey } from '#node/proxy/messages/sortMessage.ts';
import type { RequestId } from '#node/proxy/messages/sortMessage.ts';

export interface Request {
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject;
  /** What was asked, and what the answer is judged as. */
  readonly call: ToolCall;
  readonly progressToken: RequestId | null;
  /** Aborted when the client cancels or is gone. */
  readonly abort: AbortController;
  /** judging: the server has not seen it · forwarded: the server owes an answer · result: the answer is being judged. */
  stage: 'judging' | 'forwarded' | 'result';
  /** The call's correlation id in the record; null until it is judged, and for requests that are no calls. */
  recordedAs: string | null;
  /** When it came, milliseconds on a clock that never goes back, and how long its client waits for the answer; null: as long as it takes. */
  readonly since: number;
  readonly answerWithinMs: number | null;
  /** A person is being asked. */
  held: boolean;
  /** The last progress value told to the client, by the server or by us. */
  progress: number;
}

export interface InFlight {
  /** False when a request with the same id, or one a client may confuse with it, has no answer yet. */
  add(request: Request): boolean;
  find(id: RequestId): Request | null;
  findByToken(token: RequestId): Request | null;
  /** Only if it is this very request: an id may have been used again meanwhile. */
  remove(request: Request): boolean;
  all(): readonly Request[];
  size(): number;
}

export function inFlightRequests(): InFlight {
  const byId = new Map<string, Request>();
  const byToken = new Map<string, Request>();
  return {
    add(request) {
      const key = idKey(request.id);
      if (byId.has(key)) return false;
      byId.set(key, request);
      if (request.progressToken !== null) byToken.set(idKey(request.progressToken), request);
      return true;
    },
    find: (id) => byId.get(idKey(id)) ?? null,
    findByToken: (token) => byToken.get(idKey(token)) ?? null,
    remove(request) {
      const key = idKey(request.id);
      if (byId.get(key) !== request) return false;
      byId.delete(key);
      if (request.progressToken !== null && byToken.get(idKey(request.progressToken)) === request)
        byToken.delete(idKey(request.progressToken));
      return true;
    },
    all: () => [...byId.values()],
    size: () => byId.size,
  };
}

export function newRequest(
  about: Pick<Request, 'id' | 'method' | 'params' | 'call' | 'progressToken' | 'answerWithinMs' | 'stage'>,
): Request {
  return { ...about, abort: new AbortController(), since: performance.now(), recordedAs: null, held: false, progress: 0 };
}
