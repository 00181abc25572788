/**
 * A server spoken to over HTTP+SSE (MCP 2024-11-05): one stream for all it says, whose first event names the address
 * for what the client says.
 */
import { asRequestId, idKey } from '#node/proxy/messages/sortMessage.ts';
import { errorLines, answersIn, contentType, delay } from '#node/proxy/transports/httpAnswer.ts';
import type { Owed } from '#node/proxy/transports/httpAnswer.ts';
import { httpClient, readRefusal } from '#node/proxy/transports/httpClient.ts';
import type { HttpAnswer, HttpClient } from '#node/proxy/transports/httpClient.ts';
import { failureText, refusalText } from '#node/proxy/transports/httpFailure.ts';
import type { WebOptions } from '#node/proxy/transports/httpUpstream.ts';
import { readEvents } from '#node/proxy/transports/serverSentEvents.ts';
import { MAX_MESSAGE_BYTES } from '#node/proxy/transports/upstream.ts';
import type { OpenUpstream, Outbound, Upstream, UpstreamEvents } from '#node/proxy/transports/upstream.ts';

const ENDPOINT_MS = 15_000;
const ORDER_MS = 2_000;
const POST_MS = 60_000;
/** Messages kept while the stream is being opened. */
const WAITING = 10;

export function sseUpstream({ spec, log, authorize }: WebOptions): OpenUpstream {
  return (events) => {
    const client = httpClient({ url: spec.url, headers: spec.headers, network: spec.network ?? {}, authorize, log });
    const waiting: Outbound[] = [];
    let connected: Upstream | null = null;
    let closing = false;
    const leaving = new AbortController();
    void connectEventStream(client, events, log, leaving.signal).then(async (stream) => {
      if (typeof stream === 'string') {
        if (!closing) events.onClosed(stream);
        return;
      }
      connected = stream;
      if (closing) {
        await stream.close(0);
        return;
      }
      for (const outbound of waiting.splice(0)) stream.send(outbound);
      events.onDrain();
    });
    return {
      send(outbound) {
        if (connected !== null) return connected.send(outbound);
        waiting.push(outbound);
        return waiting.length < WAITING;
      },
      end: () => connected?.end(),
      async close(patienceMs) {
        closing = true;
        leaving.abort();
        await connected?.close(patienceMs);
        client.destroy();
      },
      pause: () => connected?.pause(),
      resume: () => connected?.resume(),
    };
  };
}

/** The stream, ready to send, or why there is none. */
export async function connectEventStream(
  client: HttpClient,
  events: UpstreamEvents,
  log: (line: string) => void,
  leaving?: AbortSignal,
): Promise<Upstream | string> {
  let answer: HttpAnswer;
  try {
    const request = { method: 'GET', headers: { accept: 'text/event-stream' }, headMs: ENDPOINT_MS } as const;
    answer = await client.request({ ...request, ...(leaving && { signal: leaving }) });
  } catch (error) {
    return `the MCP server at ${client.shown} cannot be reached: ${failureText(error)}`;
  }
  if (answer.status !== 200 || contentType(answer) !== 'text/event-stream') {
    const { status, headers } = answer;
    const body = await readRefusal(answer);
    if (status >= 200 && status < 300) return `the MCP server at ${client.shown} opened no stream of events; is the address right?`;
    return refusalText({ shown: client.shown, status, location: headers.location, body, triedToSignIn: client.canSignIn });
  }
  return new Promise((resolve) => speak(client, answer, events, log, resolve));
}

function speak(
  client: HttpClient,
  answer: HttpAnswer,
  events: UpstreamEvents,
  log: (line: string) => void,
  ready: (result: Upstream | string) => void,
): void {
  const owed: Owed = new Map();
  let endpoint: URL | null = null;
  let closing = false;
  let turn: Promise<void> = Promise.resolve();

  const give = (result: Upstream | string): void => {
    clearTimeout(timer);
    if (typeof result === 'string') answer.drop();
    ready(result);
  };
  const timer = setTimeout(() => give(`the MCP server at ${client.shown} did not say where to send messages`), ENDPOINT_MS);

  const stream = readEvents(MAX_MESSAGE_BYTES, {
    onEvent: ({ type, data }) => {
      if (type === 'endpoint') named(data);
      else if (type === 'message') said(data);
    },
    onId: () => undefined,
    onRetry: () => undefined,
    onOverlong: events.onOverlong,
  });
  answer.body.on('data', (chunk: Buffer) => stream.feed(chunk));
  void answer.over.then((why) => {
    if (closing) return;
    const ended = `the MCP server at ${client.shown} ended its stream of events${why === '' ? '' : ` (${why})`}`;
    if (endpoint === null) give(ended);
    else events.onClosed(ended);
  });

  function named(data: string): void {
    // A second one could lead later messages elsewhere; the transport knows only the first.
    if (endpoint !== null) return;
    const target = URL.canParse(data, client.endpoint.href) ? new URL(data, client.endpoint) : null;
    if (target === null || target.origin !== client.endpoint.origin) {
      give(
        `the MCP server at ${client.shown} wants messages to be sent to another server (${data.slice(0, 200)}); they would take the user's headers there`,
      );
      return;
    }
    endpoint = target;
    give(upstream);
  }

  function said(data: string): void {
    const line = data.replace(/[\r\n]+/g, ' ').trim();
    if (line === '') return;
    try {
      for (const { key } of answersIn(JSON.parse(line))) owed.delete(key);
    } catch {
      // The relay drops and logs what is not JSON.
      log('sse: an event is no JSON');
    }
    events.onLine(Buffer.from(`${line}\n`));
  }

  async function post(outbound: Outbound, url: URL): Promise<void> {
    const mine: Owed = new Map();
    for (const message of outbound.messages) {
      const id = asRequestId(message['id']);
      if (typeof message['method'] !== 'string' || id === null) continue;
      owed.set(idKey(id), id);
      mine.set(idKey(id), id);
    }
    let why: string;
    try {
      const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
      const taken = await client.request({ method: 'POST', url, headers, body: outbound.line, headMs: POST_MS });
      const body = await readRefusal(taken);
      if (taken.status >= 200 && taken.status < 300) return;
      const { status } = taken;
      why = refusalText({ shown: client.shown, status, location: taken.headers.location, body, triedToSignIn: client.canSignIn });
    } catch (error) {
      why = `the MCP server at ${client.shown} did not take the message: ${failureText(error)}. A call that had arrived may have run.`;
    }
    if (closing) return;
    if (mine.size === 0) log(`sse: ${why}`);
    for (const key of mine.keys()) if (!owed.delete(key)) mine.delete(key);
    for (const line of errorLines(mine, why)) events.onLine(line);
  }

  const upstream: Upstream = {
    send(outbound) {
      const url = endpoint;
      if (closing || url === null) return true;
      // One after the other, so that the server sees them in order; one that is slow to say 202 does not stop the rest.
      const posted = turn.then(() => post(outbound, url));
      turn = Promise.race([posted, delay(ORDER_MS)]);
      return true;
    },
    end: () => undefined,
    async close(patienceMs) {
      await Promise.race([turn, delay(Math.min(patienceMs, 500))]);
      closing = true;
      clearTimeout(timer);
      answer.drop();
    },
    pause: () => answer.body.pause(),
    resume: () => answer.body.resume(),
  };
}
