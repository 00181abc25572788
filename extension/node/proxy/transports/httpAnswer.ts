/** One answer of a Streamable HTTP server: a JSON body, a stream of events that may break off and go on, or a refusal. */
import { isObject } from '#core/model/json.ts';
import type { JsonObject } from '#core/model/json.ts';
import { errorLine } from '#node/proxy/messages/answers.ts';
import { asRequestId, idKey } from '#node/proxy/messages/sortMessage.ts';
import type { RequestId } from '#node/proxy/messages/sortMessage.ts';
import { readBody, readRefusal } from '#node/proxy/transports/httpClient.ts';
import type { HttpAnswer, HttpClient } from '#node/proxy/transports/httpClient.ts';
import { failureText, refusalText } from '#node/proxy/transports/httpFailure.ts';
import { errorIn } from '#node/proxy/transports/httpRefusal.ts';
import { readEvents } from '#node/proxy/transports/serverSentEvents.ts';
import { MAX_MESSAGE_BYTES } from '#node/proxy/transports/upstream.ts';

/** The requests of one POST that have no answer yet. */
export type Owed = Map<string, RequestId>;

export const RETRY_MS = { least: 10, first: 1_000, most: 30_000, answerTries: 5 } as const;

export interface AnswerReader {
  readonly client: HttpClient;
  /** One message, or a batch, as the server wrote it. */
  emit(text: string, owed: Owed): void;
  failOwed(owed: Owed, why: string): void;
  /** Keeps the answer paused while the client does not read; resolves with why it ended, empty when it ended well. */
  track(answer: HttpAnswer): Promise<string>;
  /** The stream that goes on after this event; null when the server does not offer it. */
  resume(lastId: string): Promise<HttpAnswer | null>;
  onOverlong(): void;
  readonly closing: () => boolean;
  readonly log: (line: string) => void;
}

export interface Posted {
  readonly owed: Owed;
  /** Streams of stateless requests are not resumed: the server took the end of one for a cancellation. */
  readonly resumable: boolean;
}

export async function readAnswer(answer: HttpAnswer, posted: Posted, reader: AnswerReader): Promise<void> {
  const { client, emit, failOwed, log } = reader;
  const { owed } = posted;
  const type = contentType(answer);
  const fine = answer.status >= 200 && answer.status < 300;
  if (fine && type === 'text/event-stream') {
    await readStream(answer, posted, reader);
    return;
  }
  const tracked = reader.track(answer);
  if (!fine) {
    refuse(answer, await readRefusal(answer), owed, reader);
    return;
  }
  const body = await readBody(answer, MAX_MESSAGE_BYTES).catch((error: unknown) => error as Error);
  const broke = await tracked;
  if (body instanceof Error) throw new Error(broke === '' ? failureText(body) : broke);
  if (body === null) {
    failOwed(owed, `the MCP server at ${client.shown} sent more than ${MAX_MESSAGE_BYTES} bytes; ask it for less at a time`);
    return;
  }
  if (owed.size === 0 && body.trim() === '') return;
  if (type === 'text/html') {
    if (owed.size === 0) log(`http: the MCP server at ${client.shown} answered with a web page`);
    failOwed(owed, `the MCP server at ${client.shown} answered with a web page, not with MCP; is the address right?`);
    return;
  }
  emit(body, owed);
  if (owed.size > 0)
    failOwed(
      owed,
      `the MCP server at ${client.shown} answered HTTP ${answer.status}${type === '' ? '' : ` (${type.slice(0, 80)})`} without an answer to the request`,
    );
}

/** An error in JSON-RPC says more than its status: clients find out by it which protocol a server speaks. */
export function refuse(answer: HttpAnswer, body: string, owed: Owed, reader: AnswerReader): void {
  const { client, emit, failOwed, log } = reader;
  const error = answer.status === 401 || answer.status === 403 ? null : errorIn(body);
  const [only] = owed.size === 1 ? owed.values() : [];
  if (error !== null && only !== undefined && (error['id'] === undefined || error['id'] === null)) {
    emit(JSON.stringify({ ...error, jsonrpc: '2.0', id: only }), owed);
    return;
  }
  if (error !== null && owed.size > 0) emit(body, owed);
  const why = refusalText({
    shown: client.shown,
    status: answer.status,
    location: answer.headers.location,
    body,
    triedToSignIn: client.canSignIn,
  });
  if (owed.size === 0) {
    if (error === null) log(`http: ${why}`);
    return;
  }
  failOwed(owed, why);
}

/** Reads one event stream to its end and, while answers are owed and the server gave an id, resumes it. */
async function readStream(first: HttpAnswer, { owed, resumable }: Posted, reader: AnswerReader): Promise<void> {
  const { client, failOwed } = reader;
  let answer = first;
  let lastId = '';
  let retryMs: number = RETRY_MS.first;
  let tries = 0;
  for (;;) {
    const events = readEvents(MAX_MESSAGE_BYTES, {
      onEvent: (event) => {
        tries = 0;
        if (event.type === 'message') reader.emit(event.data, owed);
      },
      onId: (id) => (lastId = id),
      onRetry: (ms) => (retryMs = Math.min(Math.max(ms, RETRY_MS.least), RETRY_MS.most)),
      onOverlong: () => {
        if (owed.size === 0) reader.onOverlong();
        failOwed(
          owed,
          `the MCP server at ${client.shown} sent a message longer than ${MAX_MESSAGE_BYTES} bytes; ask it for less at a time`,
        );
      },
    });
    answer.body.on('data', (chunk: Buffer) => events.feed(chunk));
    const ended = await reader.track(answer);
    if (reader.closing() || owed.size === 0) return;
    const why = ended === '' ? '' : ` (${ended})`;
    if (!resumable || lastId === '' || tries >= RETRY_MS.answerTries) {
      failOwed(owed, `the MCP server at ${client.shown} ended its answer early${why}`);
      return;
    }
    const next = await tryToResume();
    if (next === null) {
      if (owed.size > 0) failOwed(owed, `the MCP server at ${client.shown} broke off its answer${why} and does not let it be resumed`);
      return;
    }
    answer = next;
  }

  async function tryToResume(): Promise<HttpAnswer | null> {
    for (; tries < RETRY_MS.answerTries;) {
      tries++;
      await delay(retryMs);
      if (reader.closing() || owed.size === 0) return null;
      try {
        return await reader.resume(lastId);
      } catch (error) {
        // Not reachable just now: a server that restarts is back in a moment.
        reader.log(`http: an answer could not be resumed: ${failureText(error)}`);
      }
    }
    return null;
  }
}

export function contentType(answer: HttpAnswer): string {
  return (answer.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The answers in what a server sent. */
export function answersIn(value: unknown): readonly { readonly key: string; readonly message: JsonObject }[] {
  return (Array.isArray(value) ? (value as unknown[]) : [value]).flatMap((message) => {
    if (!isObject(message) || !('result' in message || 'error' in message)) return [];
    const id = asRequestId(message['id']);
    return id === null ? [] : [{ key: idKey(id), message }];
  });
}

export function errorLines(owed: Owed, why: string): readonly Buffer[] {
  return [...owed.values()].map((id) => errorLine(id, -32000, why));
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
