/** A relay before a server on the network: a scripted client on one side, HTTP handlers on the other. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import type { WebUpstreamSpec } from '#contract/mcpLink.ts';
import { startRelay } from '#node/proxy/relay.ts';
import type { RelayEnd } from '#node/proxy/relay.ts';
import type { Authorize } from '#node/proxy/transports/httpClient.ts';
import { httpUpstream } from '#node/proxy/transports/httpUpstream.ts';
import { restartingUpstream } from '#node/proxy/transports/restartingUpstream.ts';
import type { RestartLimits } from '#node/proxy/transports/restartingUpstream.ts';
import { sseUpstream } from '#node/proxy/transports/sseUpstream.ts';
import { webSocketUpstream } from '#node/proxy/transports/webSocketUpstream.ts';
import { deliver, line, until } from './harness.ts';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
export type Handler = (seen: Seen, response: ServerResponse) => void;

/** What a test started; the last first. */
export const ends: (() => unknown)[] = [];
export async function endAll(): Promise<void> {
  for (const end of ends.splice(0)) await end();
}

export async function serve(handle: Handler): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      seen.push(one);
      handle(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, seen };
}

export interface WebSessionOptions {
  readonly transport?: WebUpstreamSpec['transport'];
  readonly network?: Record<string, string>;
  readonly authorize?: Authorize;
  readonly restarts?: RestartLimits;
}

export interface WebSession {
  send(text: string): void;
  text(): string;
  messages(): Record<string, unknown>[];
  answerTo(id: unknown): Promise<Record<string, unknown>>;
  end(): Promise<unknown>;
  readonly done: Promise<RelayEnd>;
  readonly output: PassThrough;
  readonly log: string[];
}

export function session(
  url: string,
  headers: Record<string, string> = {},
  { transport = 'http', network = {}, authorize, restarts }: WebSessionOptions = {},
): WebSession {
  const input = new PassThrough();
  const output = new PassThrough();
  const log: string[] = [];
  let received = '';
  const kinds = { http: httpUpstream, sse: sseUpstream, websocket: webSocketUpstream };
  const open = kinds[transport]({ spec: { transport, url, headers, cwd: '/', network }, log: (text) => log.push(text), authorize });
  output.on('data', (chunk: Buffer) => (received += chunk.toString()));
  const relay = startRelay({
    input,
    output,
    judge: deliver,
    origin: { server: 'web', cwd: '/', session: '' },
    log: (text) => log.push(text),
    limits: { exitMs: 300, drainMs: 1_000 },
    open: restarts === undefined ? open : restartingUpstream(open, (text) => log.push(text), restarts),
  });
  ends.unshift(() => {
    relay.stop(0);
    return relay.done;
  });
  const messages = (): Record<string, unknown>[] =>
    received
      .split('\n')
      .filter((text) => text !== '')
      .map((text) => JSON.parse(text) as Record<string, unknown>);
  return {
    send: (text) => input.write(text),
    text: () => received,
    messages,
    answerTo: (id) => until(`an answer to ${String(id)}`, () => messages().find((message) => message['id'] === id)),
    end: () => {
      input.end();
      return relay.done;
    },
    done: relay.done,
    output,
    log,
  };
}

export const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void => {
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(typeof body === 'string' ? body : JSON.stringify(body));
};
export const result = (seen: Seen, value: unknown): unknown => ({
  jsonrpc: '2.0',
  id: (JSON.parse(seen.body) as { id: unknown }).id,
  result: value,
});
export const methodOf = (seen: Seen): string => (seen.body === '' ? '' : (JSON.parse(seen.body) as { method: string }).method);

export const initialize = line({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } },
});
export const initialized = line({ jsonrpc: '2.0', method: 'notifications/initialized' });
