/** Plain HTTP requests to one MCP endpoint: no time limit on answers, no redirect to another origin. */
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

const MAX_REDIRECTS = 3;

export interface HttpClient {
  /** The endpoint without credentials and query, for messages. */
  readonly shown: string;
  /** Resolves with the head of the answer, whatever its status; rejects when the server cannot be reached. */
  request(method: 'POST' | 'GET' | 'DELETE', headers: Readonly<Record<string, string>>, body: Buffer | null): Promise<IncomingMessage>;
  /** Null when the body is longer than `limit` bytes. */
  readBody(response: IncomingMessage, limit: number): Promise<string | null>;
  /** Resolves when the answer is over: empty when it ended well, else why it did not. */
  ended(response: IncomingMessage): Promise<string>;
  destroy(): void;
}

/** @param configured headers of the user's configuration; those the protocol needs win over them. */
export function httpClient(address: string, configured: Readonly<Record<string, string>>): HttpClient {
  const endpoint = new URL(address);
  const secure = endpoint.protocol === 'https:';
  const agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const fixed: Record<string, string> = {};
  for (const [name, value] of Object.entries(configured)) fixed[name.toLowerCase()] = value;

  function send(
    url: URL,
    method: string,
    headers: Readonly<Record<string, string>>,
    body: Buffer | null,
    redirects: number,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const all = { ...fixed, ...headers, ...(body === null ? {} : { 'content-length': String(body.length) }) };
      const request = (secure ? httpsRequest : httpRequest)(url, { method, agent, headers: all });
      request.on('error', reject);
      request.on('response', (response) => {
        const next = redirects < MAX_REDIRECTS ? sameOriginTarget(url, response) : null;
        if (next === null) {
          resolve(response);
          return;
        }
        response.resume();
        send(next, method, headers, body, redirects + 1).then(resolve, reject);
      });
      request.end(body ?? undefined);
    });
  }

  return {
    shown: `${endpoint.origin}${endpoint.pathname}`,
    request: (method, headers, body) => send(endpoint, method, headers, body, 0),
    async readBody(response, limit) {
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > limit) {
          response.destroy();
          return null;
        }
        chunks.push(chunk);
      }
      return Buffer.concat(chunks).toString('utf8');
    },
    ended: (response) =>
      new Promise((resolve) => {
        // Every way of breaking off shows in `complete`; Node's own word for it is just "aborted".
        response.on('error', () => undefined);
        response.on('close', () => resolve(response.complete ? '' : 'the connection was cut'));
      }),
    destroy: () => agent.destroy(),
  };
}

/** 307 and 308 keep method and body. Another origin would get our headers, which are the user's secrets. */
function sameOriginTarget(url: URL, response: IncomingMessage): URL | null {
  const location = response.headers.location;
  if ((response.statusCode !== 307 && response.statusCode !== 308) || location === undefined || !URL.canParse(location, url.href))
    return null;
  const target = new URL(location, url);
  return target.origin === url.origin ? target : null;
}
