/** HTTP+SSE of 2024-11-05: asked for by name, and found when a Streamable HTTP request is refused. */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { afterEach, describe, expect, test } from 'vitest';
import { callLine, line, until } from '../harness.ts';
import { endAll, ends, initialize, initialized, methodOf, serve, session } from '../webHarness.ts';
import type { Handler } from '../webHarness.ts';

afterEach(endAll);

const RESTARTS = { most: 3, windowMs: 60_000, waitMs: [0], answerMs: 5_000 };

/** A server of the old transport; each stream begins with `endpoint`, and messages are answered by `answer`. */
function old(
  endpoint: string,
  answer: (body: string, stream: ServerResponse, taken: ServerResponse) => void,
): { handle: Handler; streams: ServerResponse[] } {
  const streams: ServerResponse[] = [];
  return {
    streams,
    handle: (one, response) => {
      if (one.method === 'GET') {
        streams.push(response);
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`event: endpoint\ndata: ${endpoint}\n\n`);
      } else if (one.method === 'POST' && one.url.startsWith('/messages')) {
        const stream = streams.at(-1);
        if (stream) answer(one.body, stream, response);
      } else response.writeHead(405).end();
    },
  };
}

const says = (stream: ServerResponse, message: unknown): unknown => stream.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
const agreeable = (body: string, stream: ServerResponse, taken: ServerResponse): void => {
  taken.writeHead(202).end('Accepted');
  const { id, method } = JSON.parse(body) as { id?: unknown; method?: string };
  if (id === undefined) return;
  says(stream, {
    jsonrpc: '2.0',
    id,
    result: method === 'initialize' ? { protocolVersion: '2024-11-05', capabilities: { tools: {} } } : { content: [] },
  });
};

describe.each(['sse', 'http'] as const)('configured as %s', (transport) => {
  test('a server of the old transport works, with the user’s headers everywhere', async () => {
    const server = old('/messages?sessionId=1', agreeable);
    const { url, seen } = await serve(server.handle);
    const s = session(url, { Authorization: 'Bearer x' }, { transport });
    s.send(initialize);
    await s.answerTo(0);
    s.send(initialized + callLine(1, 'a') + callLine(2, 'b'));
    await s.answerTo(2);
    expect(new Set(seen.map((one) => one.headers.authorization))).toEqual(new Set(['Bearer x']));
    const messages = seen.filter((one) => one.method === 'POST' && one.url === '/messages?sessionId=1');
    expect(messages.map(methodOf)).toEqual(['initialize', 'notifications/initialized', 'tools/call', 'tools/call']);
    await s.end();
    await until('the stream to be closed', () => server.streams.every((stream) => stream.closed));
  });

  test('the official SDK’s server works', async () => {
    const transports = new Map<string, SSEServerTransport>();
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
      if (pathname === '/sse' && request.method === 'GET') {
        const mcp = new McpServer({ name: 'old', version: '1.0.0' });
        mcp.registerTool('greet', { description: 'Greets' }, () => ({ content: [{ type: 'text', text: 'hello 🐎' }] }));
        const made = new SSEServerTransport('/messages', response);
        transports.set(made.sessionId, made);
        void mcp.connect(made);
      } else if (pathname === '/messages') void transports.get(searchParams.get('sessionId') ?? '')?.handlePostMessage(request, response);
      else response.writeHead(404).end('Cannot POST /sse');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const s = session(`http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`, {}, { transport });
    s.send(initialize);
    expect(await s.answerTo(0)).toHaveProperty('result.serverInfo.name', 'old');
    s.send(initialized + callLine(1, 'greet'));
    expect(JSON.stringify(await s.answerTo(1))).toContain('hello 🐎');
  });

  test('a stream that breaks is opened again and the call on its way is answered', async () => {
    const server = old('/messages', (body, stream, taken) => {
      if (!body.includes('"break"')) agreeable(body, stream, taken);
      else taken.writeHead(202).end(() => stream.destroy());
    });
    const { url } = await serve(server.handle);
    const s = session(url, {}, { transport, restarts: RESTARTS });
    s.send(initialize);
    await s.answerTo(0);
    s.send(initialized + callLine(1, 'break'));
    expect(JSON.stringify(await s.answerTo(1))).toMatch(/ended its stream of events.*may or may not have been done/);
    s.send(callLine(2, 'a'));
    expect(await s.answerTo(2)).toHaveProperty('result');
    expect(server.streams).toHaveLength(2);
  });

  test('an endpoint at another origin gets nothing', async () => {
    const other = await serve((_one, response) => void response.writeHead(202).end());
    const server = old(`${new URL(other.url).origin}/messages`, agreeable);
    const { url } = await serve(server.handle);
    const s = session(url, { Authorization: 'Bearer secret' }, { transport });
    s.send(initialize);
    expect(JSON.stringify(await s.answerTo(0)) + s.log.join()).toContain('wants messages to be sent to another server');
    expect(other.seen).toEqual([]);
  });
});

describe('a server of the old transport', () => {
  const rows: readonly (readonly [string, Handler, RegExp])[] = [
    [
      'that names no endpoint and leaves',
      (_one, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': hi\n\n'),
      /ended its stream of events/,
    ],
    [
      'that answers with a page',
      (_one, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      /opened no stream of events/,
    ],
    ['that is not there', (_one, response) => void response.writeHead(404).end('nothing'), /HTTP 404: nothing/],
    ['that wants somebody to sign in', (_one, response) => void response.writeHead(401).end(), /wants authorization/],
    ['that refuses the message', old('/messages', (_body, _stream, taken) => void taken.writeHead(400).end('bad')).handle, /HTTP 400: bad/],
    ['that drops the message', old('/messages', (_body, _stream, taken) => void taken.destroy()).handle, /did not take the message/],
    ['with a nonsense endpoint', old('http://[', agreeable).handle, /wants messages to be sent to another server/],
  ];
  test.each(rows)('%s', async (_name, handle, expected) => {
    const { url } = await serve(handle);
    const s = session(url, {}, { transport: 'sse' });
    s.send(initialize);
    expect(JSON.stringify(await s.answerTo(0))).toMatch(expected);
  });

  test('that names a second endpoint is not followed there, wherever it is', async () => {
    const other = await serve((_one, response) => void response.writeHead(202).end());
    const server = old('/messages', agreeable);
    const { url, seen } = await serve(server.handle);
    const s = session(url, {}, { transport: 'sse' });
    s.send(initialize);
    await s.answerTo(0);
    server.streams[0]?.write(`event: endpoint\ndata: ${other.url}\n\nevent: endpoint\ndata: /messages/2\n\n`);
    server.streams[0]?.write('data: {"jsonrpc":"2.0","method":"notifications/after"}\n\n');
    await until('the stream to be read', () => s.messages().some((message) => message['method'] === 'notifications/after'));
    s.send(callLine(1, 'a'));
    expect(await s.answerTo(1)).toHaveProperty('result');
    expect(other.seen).toEqual([]);
    expect(seen.at(-1)?.url).toBe('/messages');
  });
});

test('a server of today is not asked for the old transport when it refuses a version', async () => {
  const { url, seen } = await serve((one, response) => {
    const { id } = JSON.parse(one.body) as { id: unknown };
    response.writeHead(400, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        jsonrpc: '2.0',
        id,
        error: { code: -32022, message: 'Unsupported protocol version', data: { supported: ['2026-07-28'] } },
      }),
    );
  });
  const s = session(url);
  s.send(initialize);
  expect(await s.answerTo(0)).toMatchObject({ error: { code: -32022, data: { supported: ['2026-07-28'] } } });
  expect(seen.map((one) => one.method)).toEqual(['POST']);
  s.send(line({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} }));
  await s.answerTo(1);
});
