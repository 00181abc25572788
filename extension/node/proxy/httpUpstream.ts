/**
 * A server spoken to over Streamable HTTP (MCP 2025-03-26 to 2025-11-25, and the per-request headers of 2026-07-28).
 * `node:http` and not `fetch`: fetch gives up on an answer after five minutes, and a tool may take longer.
 */
import type { IncomingMessage } from 'node:http';
import type { UpstreamSpec } from '#contract/mcpLink.ts';
import { isObject } from '#core/model/json.ts';
import type { JsonObject } from '#core/model/json.ts';
import { errorLine } from '#node/proxy/answers.ts';
import { httpClient } from '#node/proxy/httpClient.ts';
import { memberObject } from '#node/proxy/readLine.ts';
import { readEvents } from '#node/proxy/serverSentEvents.ts';
import { asRequestId, idKey } from '#node/proxy/sortMessage.ts';
import type { RequestId } from '#node/proxy/sortMessage.ts';
import { MAX_MESSAGE_BYTES } from '#node/proxy/upstream.ts';
import type { OpenUpstream, Outbound, Upstream, UpstreamEvents } from '#node/proxy/upstream.ts';

export interface HttpOptions {
  readonly spec: Extract<UpstreamSpec, { transport: 'http' }>;
  readonly log: (line: string) => void;
}

const ACCEPT = 'application/json, text/event-stream';
const MAX_ERROR_BYTES = 64 * 1024;
/** Later messages wait this long for a notification to be taken, so that the server sees them in order. */
const ORDER_MS = 2_000;
const RETRY_MS = { least: 100, first: 1_000, most: 30_000, answerTries: 5 };

export function httpUpstream(options: HttpOptions): OpenUpstream {
  return (events) => open(options, events);
}

/** The requests of one POST that have no answer yet. */
type Owed = Map<string, RequestId>;

function open({ spec, log }: HttpOptions, events: UpstreamEvents): Upstream {
  const client = httpClient(spec.url, spec.headers);
  const streams = new Set<IncomingMessage>();
  let sessionId: string | null = null;
  let protocolVersion: string | null = null;
  let initializeKey: string | null = null;
  let closing = false;
  let paused = false;
  let turn: Promise<void> = Promise.resolve();
  let posting = 0;
  let idle: (() => void) | null = null;

  const sessionHeaders = (): Record<string, string> => ({
    ...(sessionId === null ? {} : { 'mcp-session-id': sessionId }),
    ...(protocolVersion === null ? {} : { 'mcp-protocol-version': protocolVersion }),
  });

  function emit(text: string, owed: Owed): void {
    // One message, one line: raw line breaks in JSON are white space, so a blank in their place changes nothing.
    const line = text.replace(/[\r\n]+/g, ' ').trim();
    if (line === '') return;
    let value: unknown = null;
    try {
      value = JSON.parse(line);
    } catch {
      // The relay drops and logs what is not JSON; the request stays owed and is answered when the stream ends.
      value = null;
    }
    for (const message of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (!isObject(message) || !('result' in message || 'error' in message)) continue;
      const id = asRequestId(message['id']);
      if (id === null) continue;
      owed.delete(idKey(id));
      const version = memberObject(message, 'result')['protocolVersion'];
      if (initializeKey === idKey(id) && typeof version === 'string') protocolVersion = version;
    }
    events.onLine(Buffer.from(`${line}\n`));
  }

  function failOwed(owed: Owed, why: string): void {
    if (closing) return;
    for (const id of owed.values()) events.onLine(errorLine(id, -32000, why));
    owed.clear();
  }

  async function post(outbound: Outbound): Promise<void> {
    const owed: Owed = new Map();
    for (const message of outbound.messages) {
      const id = asRequestId(message['id']);
      if (typeof message['method'] === 'string' && id !== null) owed.set(idKey(id), id);
      if (message['method'] === 'initialize' && id !== null) {
        // A new beginning: the old session, if any, is not part of it.
        initializeKey = idKey(id);
        sessionId = null;
        protocolVersion = null;
      }
    }
    let response: IncomingMessage;
    try {
      response = await client.request(
        'POST',
        { 'content-type': 'application/json', accept: ACCEPT, ...sessionHeaders(), ...statelessHeaders(outbound.messages) },
        outbound.line,
      );
    } catch (error) {
      failOwed(owed, `the MCP server at ${client.shown} cannot be reached: ${messageOf(error)}`);
      if (!closing) log(`http: ${messageOf(error)}`);
      return;
    }
    const status = response.statusCode ?? 0;
    const given = response.headers['mcp-session-id'];
    if (status < 300 && typeof given === 'string') sessionId = given;
    void readAnswer(response, owed).catch((error: unknown) =>
      failOwed(owed, `the answer of the MCP server at ${client.shown} broke off: ${messageOf(error)}`),
    );
    if (status < 300 && outbound.messages.some((message) => message['method'] === 'notifications/initialized')) void listen();
  }

  async function readAnswer(response: IncomingMessage, owed: Owed): Promise<void> {
    const status = response.statusCode ?? 0;
    const type = (response.headers['content-type'] ?? '').toLowerCase();
    if (status >= 200 && status < 300 && type.includes('text/event-stream')) {
      await readStream(response, owed, null);
      return;
    }
    const body = await track(response, client.readBody(response, status < 300 ? MAX_MESSAGE_BYTES : MAX_ERROR_BYTES));
    if (status >= 200 && status < 300) {
      if (body === null) {
        failOwed(owed, `the MCP server at ${client.shown} sent more than ${MAX_MESSAGE_BYTES} bytes; ask it for less at a time`);
        return;
      }
      emit(body, owed);
      failOwed(owed, `the MCP server at ${client.shown} answered HTTP ${status} without an answer to the request`);
      return;
    }
    const why = refusal(status, response, body ?? '');
    if (owed.size === 0) log(`http: ${why}`);
    failOwed(owed, why);
  }

  function refusal(status: number, response: IncomingMessage, body: string): string {
    const said = saidIn(body);
    if (status === 404 && sessionId !== null)
      return `the MCP server at ${client.shown} has ended this session (HTTP 404${said}); restart the server in the client to begin a new one`;
    if (status === 401 || status === 403)
      return `the MCP server at ${client.shown} wants authorization (HTTP ${status}${said}). Callgate cannot sign in with OAuth yet: put a token as an Authorization header into the client's configuration of this server and protect it again, or undo the protection of this server in the editor`;
    if (status >= 300 && status < 400)
      return `the MCP server at ${client.shown} redirects to ${String(response.headers.location ?? 'nowhere').slice(0, 200)}, which is another host or method; if that is right, put that address into the client's configuration`;
    return `the MCP server at ${client.shown} answered HTTP ${status}${said}`;
  }

  /** Reads one event stream to its end and, while answers are owed and the server gave an id, resumes it. */
  async function readStream(first: IncomingMessage, owed: Owed, startId: string | null): Promise<void> {
    let response = first;
    let lastId = startId;
    let retryMs = RETRY_MS.first;
    let tries = 0;
    for (;;) {
      const reader = readEvents(MAX_MESSAGE_BYTES, {
        onEvent: (event) => {
          tries = 0;
          if (event.type === 'message') emit(event.data, owed);
        },
        onId: (id) => (lastId = id),
        onRetry: (ms) => (retryMs = Math.min(Math.max(ms, RETRY_MS.least), RETRY_MS.most)),
        onOverlong: events.onOverlong,
      });
      response.on('data', (chunk: Buffer) => reader.feed(chunk));
      const ended = await track(response, client.ended(response));
      if (closing || owed.size === 0) return;
      if (lastId === null || tries >= RETRY_MS.answerTries) {
        failOwed(owed, `the MCP server at ${client.shown} ended its answer early${ended === '' ? '' : ` (${ended})`}`);
        return;
      }
      tries++;
      await delay(retryMs);
      const next = await get(lastId);
      if (next === null) {
        failOwed(owed, `the MCP server at ${client.shown} broke off its answer and does not let it be resumed`);
        return;
      }
      response = next;
    }
  }

  async function get(lastId: string | null): Promise<IncomingMessage | null> {
    if (closing) return null;
    const response = await client.request(
      'GET',
      { accept: 'text/event-stream', ...sessionHeaders(), ...(lastId === null ? {} : { 'last-event-id': lastId }) },
      null,
    );
    if (response.statusCode === 200 && (response.headers['content-type'] ?? '').toLowerCase().includes('text/event-stream'))
      return response;
    response.resume();
    return null;
  }

  /** The stream for what the server says unasked. Servers need not offer one. */
  async function listen(): Promise<void> {
    const mine = sessionId;
    let lastId: string | null = null;
    let wait: number = RETRY_MS.first;
    for (;;) {
      if (closing || mine !== sessionId) return;
      try {
        const response = await get(lastId);
        if (response === null) return;
        let asked = RETRY_MS.first;
        const reader = readEvents(MAX_MESSAGE_BYTES, {
          onEvent: (event) => {
            asked = Math.min(asked, RETRY_MS.first);
            if (event.type === 'message') emit(event.data, new Map());
          },
          onId: (id) => (lastId = id),
          onRetry: (ms) => (asked = Math.min(ms, RETRY_MS.most)),
          onOverlong: events.onOverlong,
        });
        const since = Date.now();
        response.on('data', (chunk: Buffer) => reader.feed(chunk));
        await track(response, client.ended(response));
        wait = Date.now() - since > RETRY_MS.most ? asked : Math.min(Math.max(asked, wait * 2), RETRY_MS.most);
      } catch (error) {
        if (!closing) log(`http: the stream of server messages failed: ${messageOf(error)}`);
        wait = Math.min(wait * 2, RETRY_MS.most);
      }
      await delay(wait);
    }
  }

  async function track<T>(response: IncomingMessage, work: Promise<T>): Promise<T> {
    streams.add(response);
    if (paused) response.pause();
    try {
      return await work;
    } finally {
      streams.delete(response);
    }
  }

  let farewell: Promise<void> | null = null;
  async function close(patienceMs: number): Promise<void> {
    if (posting > 0 && patienceMs > 0)
      await Promise.race([new Promise<void>((resolve) => (idle = resolve)), delay(Math.min(patienceMs, 500))]);
    closing = true;
    for (const stream of streams) stream.destroy();
    if (sessionId !== null) {
      const goodbye = client.request('DELETE', sessionHeaders(), null).then((response) => void response.resume());
      // 405 and errors alike: the server forgets the session in its own time.
      await Promise.race([
        goodbye.catch((error: unknown) => log(`http: could not end the session: ${messageOf(error)}`)),
        delay(Math.max(patienceMs, 200)),
      ]);
    }
    client.destroy();
  }

  return {
    send(outbound) {
      if (closing) return true;
      const holdsOthers = !outbound.messages.some(
        (message) => typeof message['method'] === 'string' && message['id'] !== undefined && message['method'] !== 'initialize',
      );
      posting++;
      const posted = turn
        .then(() => post(outbound))
        .finally(() => {
          posting--;
          if (posting === 0) idle?.();
        });
      turn = holdsOthers ? Promise.race([posted, delay(ORDER_MS)]) : turn.then(() => undefined);
      return true;
    },
    end: () => undefined,
    close: (patienceMs) => (farewell ??= close(patienceMs)),
    pause() {
      paused = true;
      for (const stream of streams) stream.pause();
    },
    resume() {
      paused = false;
      for (const stream of streams) stream.resume();
    },
  };
}

/** Headers that let gateways route without reading the body, for requests that name their protocol version themselves. */
function statelessHeaders(messages: readonly JsonObject[]): Record<string, string> {
  const message = messages.length === 1 ? messages[0] : undefined;
  if (!message || typeof message['method'] !== 'string') return {};
  const params = memberObject(message, 'params');
  const version = memberObject(params, '_meta')['io.modelcontextprotocol/protocolVersion'];
  if (typeof version !== 'string' || !isHeaderText(version) || !isHeaderText(message['method'])) return {};
  const target = params['name'] ?? params['uri'];
  return {
    'mcp-protocol-version': version,
    'mcp-method': message['method'],
    ...(typeof target === 'string' && isHeaderText(target) ? { 'mcp-name': target } : {}),
  };
}

function isHeaderText(text: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text);
}

function saidIn(body: string): string {
  let said = body.trim();
  try {
    const parsed: unknown = JSON.parse(body);
    const error = isObject(parsed) ? parsed['error'] : undefined;
    if (isObject(error) && typeof error['message'] === 'string') said = error['message'];
  } catch {
    // Not JSON: the text itself is what the server said.
    said = said.replace(/<[^>]*>/g, ' ');
  }
  said = said.replace(/\s+/g, ' ').trim().slice(0, 300);
  return said === '' ? '' : `: ${said}`;
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
