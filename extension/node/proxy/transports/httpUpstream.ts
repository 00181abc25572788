/**
 * A server spoken to over Streamable HTTP (MCP 2025-03-26 to 2025-11-25 with sessions, 2026-07-28 without).
 * `node:http` and not `fetch`: fetch gives up on an answer after five minutes, and a tool may take longer.
 */
import type { WebUpstreamSpec } from '#contract/mcpLink.ts';
import { isObject } from '#core/model/json.ts';
import type { JsonObject } from '#core/model/json.ts';
import { memberObject } from '#node/proxy/messages/readLine.ts';
import { asRequestId, idKey } from '#node/proxy/messages/sortMessage.ts';
import { refusedCall } from '#node/proxy/transports/afterRestart.ts';
import { handshake } from '#node/proxy/transports/handshake.ts';
import { answersIn, contentType, delay, errorLines, readAnswer, refuse } from '#node/proxy/transports/httpAnswer.ts';
import type { AnswerReader, Owed, Posted } from '#node/proxy/transports/httpAnswer.ts';
import { httpClient, readRefusal } from '#node/proxy/transports/httpClient.ts';
import type { Authorize, HttpAnswer } from '#node/proxy/transports/httpClient.ts';
import { failureText } from '#node/proxy/transports/httpFailure.ts';
import { listener } from '#node/proxy/transports/httpListener.ts';
import { isHeaderMismatch, isModernError, isSessionLost } from '#node/proxy/transports/httpRefusal.ts';
import { learnHeaders, ownRequests, sessionRenewal } from '#node/proxy/transports/httpRenewal.ts';
import { connectEventStream } from '#node/proxy/transports/sseUpstream.ts';
import { parameterHeaders, statelessHeaders, statelessVersion, withoutFaultyTools } from '#node/proxy/transports/statelessHeaders.ts';
import type { OpenUpstream, Outbound, Upstream, UpstreamEvents } from '#node/proxy/transports/upstream.ts';

export interface WebOptions {
  readonly spec: WebUpstreamSpec;
  readonly log: (line: string) => void;
  readonly authorize?: Authorize | undefined;
}

const ACCEPT = 'application/json, text/event-stream';
/** Later messages wait this long for a notification to be taken, so that the server sees them in order. */
const ORDER_MS = 2_000;
/** And this long for the stream of what the server says unasked; some servers show no sign of it before they say something. */
const LISTEN_MS = 500;
/** Nothing runs for a notification: a server that takes longer to say 202 does not say it any more. */
const NOTIFICATION_MS = 60_000;
/** A cancelled request's stream is kept this long for what the server has to say of it. */
const CANCELLED_MS = 5_000;

export function httpUpstream(options: WebOptions): OpenUpstream {
  return (events) => open(options, events);
}

interface Post extends Posted {
  readonly abort: AbortController;
}

function open({ spec, log, authorize }: WebOptions, events: UpstreamEvents): Upstream {
  const client = httpClient({ url: spec.url, headers: spec.headers, network: spec.network ?? {}, authorize, log });
  const memory = handshake();
  const parameters = parameterHeaders();
  const streams = new Set<HttpAnswer>();
  const posts = new Set<Post>();
  const postOwn = (outbound: Outbound): Promise<void> => post(outbound, true);
  const own = ownRequests(postOwn);
  /** tools/list requests: their answers say which arguments go into headers. */
  const listing = new Set<string>();
  let session: string | null = null;
  let legacy: Upstream | null = null;
  let closing = false;
  let paused = false;
  let turn: Promise<void> = Promise.resolve();
  let idle: (() => void) | null = null;

  const sessionHeaders = (): Record<string, string> => {
    const version = memory.version();
    return { ...(session === null ? {} : { 'mcp-session-id': session }), ...(version === null ? {} : { 'mcp-protocol-version': version }) };
  };

  const reader: AnswerReader = {
    client,
    emit,
    failOwed,
    track,
    log,
    closing: () => closing,
    onOverlong: events.onOverlong,
    resume: (lastId) => get({ 'last-event-id': lastId }),
  };
  const renew = sessionRenewal({ memory, own, post: postOwn, session: () => session, events, log });
  const unasked = listener(reader, () => (closing ? null : (session ?? '')), get);

  function emit(text: string, owed: Owed): void {
    // One message, one line: raw line breaks in JSON are white space, so a blank in their place changes nothing.
    let line = text.replace(/[\r\n]+/g, ' ').trim();
    if (line === '') return;
    let value: unknown = null;
    try {
      value = JSON.parse(line);
    } catch {
      // The relay drops and logs what is not JSON; the request stays owed and is answered when the stream ends.
      value = null;
    }
    for (const { key, message } of answersIn(value)) {
      owed.delete(key);
      if (own.answered(key, message)) return;
      memory.answered(message);
      if (listing.delete(key)) line = withoutFaultyTools(line, message, parameters, log);
    }
    events.onLine(Buffer.from(`${line}\n`));
  }

  function failOwed(owed: Owed, why: string): void {
    for (const key of owed.keys()) {
      listing.delete(key);
      if (own.failed(key)) owed.delete(key);
    }
    if (!closing) for (const line of errorLines(owed, why)) events.onLine(line);
    owed.clear();
  }

  async function post(outbound: Outbound, again = false): Promise<void> {
    const owed: Owed = new Map();
    const version = statelessVersion(outbound.messages);
    const [message = {}] = outbound.messages;
    for (const { id: given, method } of outbound.messages) {
      const id = asRequestId(given);
      if (typeof method !== 'string' || id === null) continue;
      owed.set(idKey(id), id);
      if (version !== null && method === 'tools/list') listing.add(idKey(id));
    }
    const isInitialize = message['method'] === 'initialize';
    // A new beginning: the old session, if any, is not part of it.
    if (isInitialize) session = null;
    const used = version === null ? session : null;
    const mine: Post = { owed, resumable: version === null, abort: new AbortController() };
    posts.add(mine);
    try {
      const answer = await client.request({
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: ACCEPT,
          ...(version === null ? (isInitialize ? {} : sessionHeaders()) : statelessHeaders(version, asSent(outbound), parameters)),
        },
        body: outbound.line,
        signal: mine.abort.signal,
        ...(owed.size === 0 && { headMs: NOTIFICATION_MS }),
      });
      const given = answer.headers['mcp-session-id'];
      if (isInitialize && answer.status < 300 && typeof given === 'string') {
        if (/^[\x21-\x7e]{1,4096}$/.test(given)) session = given;
        else log('http: the server gave a session id that fits no header; it is not used');
      }
      if (answer.status === 400 && version !== null && message['method'] === 'tools/call' && !again) {
        const body = await readRefusal(answer);
        if (isHeaderMismatch(body) && (await learnHeaders(message, own, parameters))) await post(outbound, true);
        else refuse(answer, body, owed, reader);
        return;
      }
      if (answer.status >= 400 && (used !== null || isInitialize)) {
        await refused(answer, outbound, mine, used, again);
        return;
      }
      await readAnswer(answer, mine, reader);
      // What the server asks on that stream is lost when a call makes it ask before the stream is there.
      if (answer.status < 300 && outbound.messages.some((one) => one['method'] === 'notifications/initialized'))
        await Promise.race([unasked.listen(), delay(LISTEN_MS)]);
    } catch (error) {
      const broken = failureText(error);
      if (!closing && owed.size === 0 && !mine.abort.signal.aborted) log(`http: ${broken}`);
      failOwed(
        owed,
        `the MCP server at ${client.shown} cannot be reached, or left before its answer was whole: ${broken}. A call that had arrived may have run.`,
      );
    } finally {
      posts.delete(mine);
    }
  }

  /** Refusals that are no last word: a session that is over, and a server that knows only the older transport. */
  async function refused(answer: HttpAnswer, outbound: Outbound, mine: Post, used: string | null, again: boolean): Promise<void> {
    const body = await readRefusal(answer);
    const isInitialize = used === null;
    if (isInitialize && !again && [400, 404, 405].includes(answer.status) && !isModernError(body)) {
      const older = await connectEventStream(client, events, log);
      if (typeof older !== 'string') {
        if (closing) await older.close(0);
        legacy = older;
        if (paused) older.pause();
        older.send(outbound);
        return;
      }
      log(`http: no older transport there either: ${older}`);
    }
    if (!isInitialize && isSessionLost(answer.status, body)) {
      // The message was not taken, so sending it once more does nothing twice. Answers belong to the old session.
      const fault = again ? 'the one that was begun in its place too' : await renew(used);
      const stays = outbound.messages.some((message) => message['method'] !== undefined);
      if (fault === null) {
        const refused = refusedCall(events, outbound.messages);
        if (refused !== null) events.onLine(refused);
        else if (stays) await post(outbound, true);
        return;
      }
      failOwed(
        mine.owed,
        `the MCP server at ${client.shown} has ended this session (HTTP ${answer.status}) and ${fault}; restart the server in the client`,
      );
      return;
    }
    refuse(answer, body, mine.owed, reader);
  }

  async function get(headers: Readonly<Record<string, string>>): Promise<HttpAnswer | null> {
    if (closing) return null;
    const answer = await client.request({ method: 'GET', headers: { accept: 'text/event-stream', ...sessionHeaders(), ...headers } });
    if (answer.status === 200 && contentType(answer) === 'text/event-stream') return answer;
    answer.drop();
    return null;
  }

  async function track(answer: HttpAnswer): Promise<string> {
    streams.add(answer);
    if (paused) answer.body.pause();
    try {
      return await answer.over;
    } finally {
      streams.delete(answer);
    }
  }

  /** True when the server is told by the end of the stream and nothing is to be sent. */
  function cancelled(message: JsonObject): boolean {
    const id = message['method'] === 'notifications/cancelled' ? asRequestId(memberObject(message, 'params')['requestId']) : null;
    const mine = id === null ? undefined : [...posts].find((one) => one.owed.has(idKey(id)));
    if (id === null || mine === undefined) return false;
    mine.owed.delete(idKey(id));
    if (mine.owed.size > 0) return false;
    if (!mine.resumable) mine.abort.abort();
    else setTimeout(() => mine.abort.abort(), CANCELLED_MS).unref();
    return !mine.resumable;
  }

  let farewell: Promise<void> | null = null;
  async function close(patienceMs: number): Promise<void> {
    if (posts.size > 0 && patienceMs > 0)
      await Promise.race([new Promise<void>((resolve) => (idle = resolve)), delay(Math.min(patienceMs, 500))]);
    closing = true;
    for (const mine of posts) mine.abort.abort();
    for (const stream of streams) stream.drop();
    if (session !== null) {
      const goodbye = client.request({ method: 'DELETE', headers: sessionHeaders() }).then((answer) => answer.drop());
      // 405 and errors alike: the server forgets the session in its own time.
      await Promise.race([
        goodbye.catch((error: unknown) => log(`http: could not end the session: ${failureText(error)}`)),
        delay(Math.max(patienceMs, 200)),
      ]);
    }
    await legacy?.close(patienceMs);
    client.destroy();
  }

  return {
    send(outbound) {
      if (closing) return true;
      if (legacy !== null) return legacy.send(outbound);
      if (outbound.messages.length === 1 && outbound.messages.some(cancelled)) return true;
      memory.sent(outbound.messages);
      const asks = outbound.messages.some((message) => typeof message['method'] === 'string' && message['id'] !== undefined);
      const begins = outbound.messages.some((message) => message['method'] === 'initialize');
      const posted = turn
        .then(() => (legacy === null ? post(outbound) : void legacy.send(outbound)))
        .finally(() => {
          if (posts.size === 0) idle?.();
        });
      turn = asks && !begins ? turn.then(() => undefined) : Promise.race([posted, delay(ORDER_MS)]);
      return true;
    },
    end: () => legacy?.end(),
    close: (patienceMs) => (farewell ??= close(patienceMs)),
    pause() {
      paused = true;
      legacy?.pause();
      for (const stream of streams) stream.body.pause();
    },
    resume() {
      paused = false;
      legacy?.resume();
      for (const stream of streams) stream.body.resume();
    },
  };
}

/** The message as the server will read it: the relay may have put secrets back into its arguments. */
function asSent({ line }: Outbound): JsonObject {
  const value: unknown = JSON.parse(line.toString('utf8'));
  return isObject(value) ? value : {};
}
