/** What a Streamable HTTP upstream asks of its server by itself: a new session for one that is over, and which headers a call needs. */
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '#core/model/json.ts';
import { memberObject } from '#node/proxy/messages/readLine.ts';
import { idKey } from '#node/proxy/messages/sortMessage.ts';
import type { RequestId } from '#node/proxy/messages/sortMessage.ts';
import { toolsAgain } from '#node/proxy/transports/afterRestart.ts';
import type { Handshake } from '#node/proxy/transports/handshake.ts';
import { delay } from '#node/proxy/transports/httpAnswer.ts';
import type { ParameterHeaders } from '#node/proxy/transports/statelessHeaders.ts';
import type { Outbound, UpstreamEvents } from '#node/proxy/transports/upstream.ts';

const RENEWALS = { most: 3, windowMs: 60_000 };
const ORDER_MS = 2_000;
const MAX_PAGES = 50;

/** Requests of our own: their answers do not reach the client. */
export interface OwnRequests {
  /** Sends it; null when it is not answered. `id` is that of its only message. */
  ask(id: RequestId, outbound: Outbound): Promise<JsonObject | null>;
  /** True when the answer was for one of them. */
  answered(key: string, message: JsonObject): boolean;
  /** True when nobody else waits for an answer with this key. */
  failed(key: string): boolean;
}

export function ownRequests(post: (outbound: Outbound) => Promise<void>): OwnRequests {
  const waiting = new Map<string, (answer: JsonObject | null) => void>();
  const settle = (key: string, answer: JsonObject | null): boolean => {
    const resolve = waiting.get(key);
    waiting.delete(key);
    resolve?.(answer);
    return resolve !== undefined;
  };
  return {
    ask: (id, outbound) =>
      new Promise((resolve) => {
        waiting.set(idKey(id), resolve);
        void post(outbound).then(() => settle(idKey(id), null));
      }),
    answered: settle,
    failed: (key) => settle(key, null),
  };
}

export interface RenewalParts {
  readonly memory: Handshake;
  readonly own: OwnRequests;
  readonly post: (outbound: Outbound) => Promise<void>;
  /** The session of now; null when there is none. */
  readonly session: () => string | null;
  readonly events: UpstreamEvents;
  readonly log: (line: string) => void;
}

/** Gives null when there is a session in place of the one that is lost, else why there is none, to be put behind "and". */
export function sessionRenewal({ memory, own, post, session, events, log }: RenewalParts): (lost: string) => Promise<string | null> {
  let begun: number[] = [];
  let renewing: Promise<string | null> | null = null;

  async function beginAgain(): Promise<string | null> {
    const now = Date.now();
    begun = [...begun.filter((at) => now - at < RENEWALS.windowMs), now];
    if (begun.length > RENEWALS.most) return `did so ${RENEWALS.most} times within a minute`;
    const [first, ...others] = memory.repeat();
    if (first === undefined || first.id === null) return 'has begun none before';
    log('http: the server has ended the session; Callgate begins a new one');
    const answer = await own.ask(first.id, first);
    if (answer === null) return 'did not begin a new one';
    const other = memory.difference(answer);
    if (other !== null) return `when asked for a new one ${other}`;
    for (const message of others) {
      const done = message.id === null ? post(message) : own.ask(message.id, message);
      await Promise.race([done, delay(ORDER_MS)]);
    }
    const tools = await toolsAgain(events, memory, async (question) =>
      question.id === null ? null : ((await own.ask(question.id, question)) ?? 'it did not answer'),
    );
    if (tools !== null) return `in the new one: ${tools.why}`;
    for (const line of memory.listChanged()) events.onLine(line);
    return null;
  }

  return (lost) => {
    if (renewing === null && session() !== lost) return Promise.resolve(session() === null ? 'began no new one' : null);
    renewing ??= beginAgain().finally(() => (renewing = null));
    return renewing;
  };
}

/**
 * The server misses a header for an argument: the client has its list of tools from somewhere else, or the list has
 * changed. True when it was asked for; the call was refused unread, so it may be sent again.
 */
export async function learnHeaders(call: JsonObject, own: OwnRequests, parameters: ParameterHeaders): Promise<boolean> {
  const { _meta = {} } = memberObject(call, 'params');
  let cursor: unknown;
  for (let page = 0; page < MAX_PAGES; page++) {
    const id = `callgate-${randomUUID()}`;
    const list: JsonObject = { jsonrpc: '2.0', id, method: 'tools/list', params: { _meta, ...(typeof cursor === 'string' && { cursor }) } };
    const answer = await own.ask(id, { messages: [list], line: Buffer.from(`${JSON.stringify(list)}\n`) });
    const result = memberObject(answer ?? {}, 'result');
    if (!Array.isArray(result['tools'])) return page > 0;
    parameters.learn(result);
    cursor = result['nextCursor'];
    if (typeof cursor !== 'string') break;
  }
  return true;
}
