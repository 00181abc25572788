/** Plain HTTP requests to one MCP server: no time limit on answers, no redirect to another origin. */
import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { basicAccount, routeTo } from '#node/proxy/transports/httpAgent.ts';

const MAX_REDIRECTS = 3;
const CONNECT_MS = 30_000;

/** Whoever can sign in. Without one, 401 and 403 are told as they are. */
export interface Authorize {
  /** The Authorization header's value for the next request; null when nobody has signed in. Wins over a configured one. */
  header(): Promise<string | null>;
  /**
   * The server answered 401, or 403 for want of scope, to a request with the header `sent`. True: a new header is there, try the same
   * message once more.
   */
  challenged(head: HttpHead, sent: string | null): Promise<boolean>;
}

export interface HttpHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

export interface HttpAnswer extends HttpHead {
  /** Decoded if the server compressed it. */
  readonly body: Readable;
  /** Resolves when the answer is over: empty when it ended well, else why it did not. */
  readonly over: Promise<string>;
  /** Nobody reads on; the connection is closed. */
  drop(): void;
}

export interface HttpRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Another address of the same origin than the configured one. */
  readonly url?: URL;
  readonly signal?: AbortSignal;
  /** How long the head of the answer may take; none when a tool may be running. */
  readonly headMs?: number;
}

export interface HttpClient {
  readonly endpoint: URL;
  /** The endpoint without credentials and query, for messages. */
  readonly shown: string;
  /** Somebody could sign in. */
  readonly canSignIn: boolean;
  /** Resolves with the head of the answer, whatever its status; rejects when the server cannot be reached. */
  request(request: HttpRequest): Promise<HttpAnswer>;
  destroy(): void;
}

export interface HttpClientOptions {
  readonly url: string;
  /** Of the user's configuration; those the protocol needs win over them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly network: Readonly<Record<string, string>>;
  readonly authorize?: Authorize | undefined;
  readonly log: (line: string) => void;
  /** Finds addresses where no proxy does. */
  readonly lookup?: LookupFunction;
}

export function httpClient({ url, headers, network, authorize, log, lookup }: HttpClientOptions): HttpClient {
  const endpoint = new URL(url);
  const route = routeTo(endpoint, network, log);
  const fixed = configuredHeaders(endpoint, headers);
  // The account is in a header of its own now; an address that shows up somewhere must not carry it.
  endpoint.username = '';
  endpoint.password = '';

  async function exchange(asked: HttpRequest): Promise<HttpAnswer> {
    const sent = (await authorize?.header()) ?? null;
    const first = await authorized(asked, sent);
    // Nobody signs in to take leave.
    if (authorize === undefined || asked.method === 'DELETE' || !wantsSignIn(first)) return first;
    if (!(await authorize.challenged({ status: first.status, headers: first.headers }, sent))) return first;
    first.drop();
    return authorized(asked, await authorize.header());
  }

  function authorized(asked: HttpRequest, token: string | null): Promise<HttpAnswer> {
    const all = { ...fixed, ...asked.headers, ...(token === null ? {} : { authorization: token }), 'accept-encoding': 'identity' };
    return send(asked.url ?? endpoint, asked, all, 0);
  }

  function send(target: URL, asked: HttpRequest, headers: Readonly<Record<string, string>>, redirects: number): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const sent = start(target, asked, headers);
      sent.on('error', reject);
      const timer = asked.headMs === undefined ? undefined : setTimeout(() => sent.destroy(new Error('no answer in time')), asked.headMs);
      sent.on('close', () => clearTimeout(timer));
      sent.on('response', (response) => {
        clearTimeout(timer);
        const next = redirects < MAX_REDIRECTS ? sameOriginTarget(target, response) : null;
        if (next === null) {
          resolve(answerOf(response));
          return;
        }
        response.resume();
        send(next, asked, headers, redirects + 1).then(resolve, reject);
      });
      sent.end(asked.body);
    });
  }

  function start(target: URL, { method, body, signal }: HttpRequest, headers: Readonly<Record<string, string>>): ClientRequest {
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const common = { method, agent: route.agent, ...(signal && { signal }), ...(lookup && route.forward === null && { lookup }) };
    const secure = (route.forward?.proxy ?? target).protocol === 'https:';
    const open = secure ? httpsRequest : httpRequest;
    const request =
      route.forward === null
        ? open(target, { ...common, headers: { ...headers, ...length } })
        : open(route.forward.proxy, {
            ...common,
            path: target.href,
            headers: { ...headers, ...length, ...route.forward.headers, host: target.host },
          });
    // Only until there is a connection: how long an answer takes is the tool's business.
    const timer = setTimeout(() => request.destroy(new Error(`no connection within ${CONNECT_MS / 1000} s`)), CONNECT_MS);
    request.on('close', () => clearTimeout(timer));
    request.on('socket', (socket) => {
      if (!socket.connecting) clearTimeout(timer);
      else socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(timer));
    });
    return request;
  }

  return {
    endpoint,
    shown: `${endpoint.origin}${endpoint.pathname}`,
    canSignIn: authorize !== undefined,
    request: exchange,
    destroy: () => route.agent.destroy(),
  };
}

/** In lower case, so that ours replace them; an account in the address is one of them. */
export function configuredHeaders(endpoint: URL, headers: Readonly<Record<string, string>>): Record<string, string> {
  const all: Record<string, string> = {};
  const account = basicAccount(endpoint);
  if (account !== null) all['authorization'] = account;
  for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = value;
  return all;
}

/** Null when the body is longer than `limit` bytes. */
export async function readBody(answer: HttpAnswer, limit: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) {
      answer.drop();
      return null;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const REFUSAL = { bytes: 64 * 1024, ms: 3_000 };

/** What a refusal says, as far as it came: its end is not worth waiting for. */
export async function readRefusal({ body, drop }: Pick<HttpAnswer, 'body' | 'drop'>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(drop, REFUSAL.ms);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > REFUSAL.bytes) break;
    }
  } catch {
    // Cut short: its status says enough.
  } finally {
    clearTimeout(timer);
    drop();
  }
  return Buffer.concat(chunks).toString('utf8', 0, REFUSAL.bytes);
}

/** 401, and 403 when it says that a wider token would do (RFC 6750). */
export function wantsSignIn({ status, headers }: HttpHead): boolean {
  return status === 401 || (status === 403 && /\binsufficient_scope\b/.test(headers['www-authenticate'] ?? ''));
}

function answerOf(response: IncomingMessage): HttpAnswer {
  const decoder = decoderOf(response.headers['content-encoding']);
  let broken = '';
  decoder?.on('error', (error: Error) => (broken = `its compressed answer cannot be read (${error.message})`));
  const body: Readable = decoder === null ? response : response.pipe(decoder);
  // Every way of breaking off shows in `complete`; Node's own word for it is just "aborted".
  response.on('error', () => undefined);
  response.on('close', () => {
    if (!response.complete) decoder?.destroy();
  });
  const over = new Promise<string>((resolve) => {
    body.on('close', () => resolve(broken !== '' ? broken : response.complete ? '' : 'the connection was cut'));
  });
  const drop = (): void => {
    response.destroy();
    decoder?.destroy();
  };
  return { status: response.statusCode ?? 0, headers: response.headers, body, over, drop };
}

/** We ask for none, and some servers and gateways compress all the same. Flushed as it comes: events must not wait for more. */
function decoderOf(
  encoding: string | undefined,
): ReturnType<typeof createGunzip | typeof createBrotliDecompress | typeof createInflate> | null {
  switch ((encoding ?? 'identity').trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip({ flush: constants.Z_SYNC_FLUSH });
    case 'deflate':
      return createInflate({ flush: constants.Z_SYNC_FLUSH });
    case 'br':
      return createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH });
    default:
      return null;
  }
}

/** 307 and 308 keep method and body. Another origin would get our headers, which are the user's secrets. */
function sameOriginTarget(url: URL, response: IncomingMessage): URL | null {
  const location = response.headers.location;
  if ((response.statusCode !== 307 && response.statusCode !== 308) || location === undefined || !URL.canParse(location, url.href))
    return null;
  const target = new URL(location, url);
  return target.origin === url.origin ? target : null;
}
