import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { afterEach, describe, expect, test } from 'vitest';
import { callLine, line, until } from '../harness.ts';
import { endAll, ends, initialize, initialized, json, methodOf, result, serve, session } from '../webHarness.ts';
import type { Handler } from '../webHarness.ts';

afterEach(endAll);

/** A server with a session; `call` handles tools/call. */
const withSession =
  (call: Handler, other: Handler = (_seen, response) => void response.writeHead(405).end()): Handler =>
  (seen, response) => {
    if (seen.method !== 'POST') other(seen, response);
    else if (methodOf(seen) === 'initialize')
      json(response, 200, result(seen, { protocolVersion: '2025-06-18', capabilities: {} }), { 'mcp-session-id': 's-1' });
    else if (methodOf(seen) === 'tools/call') call(seen, response);
    else response.writeHead(202).end();
  };

test('headers, session and version are kept; the body is the client’s very bytes; DELETE ends the session', async () => {
  const { url, seen } = await serve(withSession((one, response) => json(response, 200, result(one, { content: [] }))));
  const s = session(url, { Authorization: 'Bearer x' });
  s.send(initialize);
  await s.answerTo(0);
  const call = '{ "jsonrpc":"2.0","params":{"name":"a"},"method":"tools/call", "id":"x" }\n';
  s.send(initialized + call);
  await s.answerTo('x');
  await s.end();
  expect(seen.map((one) => one.method).filter((method) => method !== 'GET')).toEqual(['POST', 'POST', 'POST', 'DELETE']);
  const post = seen.find((one) => methodOf(one) === 'tools/call');
  expect(post?.body).toBe(call);
  expect(post?.headers).toMatchObject({
    accept: 'application/json, text/event-stream',
    'mcp-session-id': 's-1',
    'mcp-protocol-version': '2025-06-18',
    authorization: 'Bearer x',
  });
  expect(seen[0]?.headers['mcp-session-id']).toBeUndefined();
  expect(seen.find((one) => one.method === 'GET')?.headers['mcp-session-id']).toBe('s-1');
});

describe('answers', () => {
  const sse = (response: ServerResponse): ServerResponse => response.writeHead(200, { 'content-type': 'text/event-stream' });
  const rows: readonly (readonly [string, Handler, (messages: Record<string, unknown>[]) => void])[] = [
    [
      'a pretty-printed JSON body becomes one line',
      (one, response) => json(response, 200, JSON.stringify(result(one, { content: [{ type: 'text', text: 'a\nb' }] }), null, 2)),
      (got) => expect(got.at(-1)).toMatchObject({ result: { content: [{ text: 'a\nb' }] } }),
    ],
    [
      'an event stream with a notification first',
      (one, response) =>
        void sse(response).end(
          `: hi\r\n\r\ndata: {"jsonrpc":"2.0","method":"notifications/x"}\r\n\r\nevent: message\ndata: ${JSON.stringify(result(one, { content: [] }))}\n\n`,
        ),
      (got) => expect(got.slice(-2)).toMatchObject([{ method: 'notifications/x' }, { id: 1, result: {} }]),
    ],
    [
      'data over several lines',
      (_one, response) => void sse(response).end(`data: {"jsonrpc":"2.0",\ndata: "id":1,"result":{"content":[]}}\n\n`),
      (got) => expect(got.at(-1)).toMatchObject({ id: 1, result: {} }),
    ],
    [
      'a stream that ends without the answer',
      (_one, response) => void sse(response).end('data: {"jsonrpc":"2.0","method":"notifications/x"}\n\n'),
      (got) => expect(JSON.stringify(got.at(-1))).toContain('ended its answer early'),
    ],
    [
      'a stream that is cut',
      (_one, response) => void sse(response).write(': \n\n', () => response.destroy()),
      (got) => expect(JSON.stringify(got.at(-1))).toContain('connection was cut'),
    ],
    [
      '202 where an answer is due',
      (_one, response) => void response.writeHead(202).end(),
      (got) => expect(JSON.stringify(got.at(-1))).toContain('without an answer'),
    ],
    [
      'a body that is no JSON',
      (_one, response) => json(response, 200, '<html>'),
      (got) => expect(JSON.stringify(got.at(-1))).toContain('without an answer'),
    ],
    [
      '404 of a session',
      (_one, response) => json(response, 404, { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }),
      (got) =>
        expect(JSON.stringify(got.at(-1))).toMatch(/ended this session \(HTTP 404\) and the one that was begun in its place too; restart/),
    ],
    [
      '401',
      (_one, response) => void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end(),
      (got) => expect(JSON.stringify(got.at(-1))).toMatch(/wants authorization .*cannot sign in here/),
    ],
    [
      '500 with a page',
      (_one, response) => void response.writeHead(500).end('<h1>Oops</h1>'),
      (got) => expect(JSON.stringify(got.at(-1))).toContain('HTTP 500: Oops'),
    ],
    [
      'a dropped connection',
      (_one, response) => void response.destroy(),
      (got) => expect(JSON.stringify(got.at(-1))).toContain('cannot be reached'),
    ],
  ];
  test.each(rows)('%s', async (_name, handle, check) => {
    const { url } = await serve(withSession(handle));
    const s = session(url);
    s.send(initialize);
    await s.answerTo(0);
    s.send(callLine(1, 'a'));
    await s.answerTo(1);
    check(s.messages());
  });

  test('a stream broken off after an event id is resumed with it', async () => {
    let asked = '';
    const { url } = await serve(
      withSession(
        (_one, response) => void sse(response).end('retry: 10\nid: e-1\ndata:\n\n'),
        (one, response) => {
          const last = one.headers['last-event-id'];
          if (last === undefined) {
            response.writeHead(405).end();
            return;
          }
          asked = String(last);
          sse(response).end(
            `id: e-2\ndata: ${JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'resumed' }] } })}\n\n`,
          );
        },
      ),
    );
    const s = session(url);
    s.send(initialize);
    await s.answerTo(0);
    s.send(callLine(1, 'a'));
    expect(JSON.stringify(await s.answerTo(1))).toContain('resumed');
    expect(asked).toBe('e-1');
  });

  test('what the server says unasked arrives over GET, and a listening stream does not keep anything alive', async () => {
    const { url, seen } = await serve(
      withSession(
        () => undefined,
        (one, response) => {
          if (one.method === 'GET') sse(response).write('data: {"jsonrpc":"2.0","id":"srv","method":"roots/list"}\n\n');
          else response.writeHead(200).end();
        },
      ),
    );
    const s = session(url);
    s.send(initialize);
    await s.answerTo(0);
    s.send(initialized);
    await s.answerTo('srv');
    s.send(line({ jsonrpc: '2.0', id: 'srv', result: { roots: [] } }));
    await until('the answer reaches the server', () => seen.some((one) => one.body.includes('"roots"')));
    await s.end();
    expect(seen.at(-1)?.method).toBe('DELETE');
  });
});

describe('redirects', () => {
  test('to another origin are not followed', async () => {
    const other = await serve((_seen, response) => json(response, 200, {}));
    const { url } = await serve((_seen, response) => void response.writeHead(307, { location: other.url }).end());
    const s = session(url, { Authorization: 'Bearer secret' });
    s.send(initialize);
    expect(JSON.stringify(await s.answerTo(0))).toContain('redirects to');
    expect(other.seen).toEqual([]);
  });
  test('on the same origin keep method and body', async () => {
    const { url, seen } = await serve((one, response) => {
      if (one.url === '/mcp') response.writeHead(308, { location: '/mcp/' }).end();
      else json(response, 200, result(one, { capabilities: {} }));
    });
    const s = session(url);
    s.send(initialize);
    await s.answerTo(0);
    expect(seen[1]).toMatchObject({ method: 'POST', url: '/mcp/', body: initialize });
  });
});

test('a request that names its protocol version carries it in headers', async () => {
  const { url, seen } = await serve((one, response) => json(response, 200, result(one, { content: [] })));
  const s = session(url);
  s.send(callLine(1, 'echo', {}, { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }));
  await s.answerTo(1);
  expect(seen[0]?.headers).toMatchObject({ 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' });
});

test('notifications reach the server before what follows them', async () => {
  const order: string[] = [];
  const { url } = await serve((one, response) => {
    if (one.method !== 'POST') {
      response.writeHead(405).end();
      return;
    }
    const slow = methodOf(one) === 'notifications/initialized';
    setTimeout(
      () => {
        order.push(methodOf(one));
        if (slow) response.writeHead(202).end();
        else json(response, 200, result(one, {}));
      },
      slow ? 60 : 0,
    );
  });
  const s = session(url);
  s.send(initialized + line({ jsonrpc: '2.0', id: 5, method: 'tools/list' }));
  await s.answerTo(5);
  expect(order).toEqual(['notifications/initialized', 'tools/list']);
});

test('calls wait for the stream on which the server may ask, but not for ever', async () => {
  const order: string[] = [];
  for (const opens of [true, false]) {
    const { url } = await serve(
      withSession(
        (one, response) => {
          order.push('call');
          json(response, 200, result(one, { content: [] }));
        },
        (one, response) => {
          if (one.method !== 'GET') response.writeHead(405).end();
          else if (opens)
            setTimeout(() => {
              order.push('stream');
              response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
            }, 60);
        },
      ),
    );
    const s = session(url);
    s.send(initialize);
    await s.answerTo(0);
    s.send(initialized + callLine(1, 'a'));
    await s.answerTo(1);
  }
  expect(order).toEqual(['stream', 'call', 'call']);
});

test.each(['JSON', 'event streams'])('the official SDK’s server works, answering in %s', async (form) => {
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => randomUUID(), enableJsonResponse: form === 'JSON' });
  const mcp = new McpServer({ name: 'sdk', version: '1.0.0' });
  mcp.registerTool('greet', { description: 'Greets' }, () => ({ content: [{ type: 'text', text: 'hello there' }] }));
  // The SDK's own classes disagree under exactOptionalPropertyTypes.
  await mcp.connect(transport as unknown as Parameters<McpServer['connect']>[0]);
  const server = createServer((request, response) => void transport.handleRequest(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const s = session(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
  s.send(line({ jsonrpc: '2.0', id: 'probe', method: 'server/discover', params: {} }));
  expect(await s.answerTo('probe')).toHaveProperty('error');
  s.send(initialize);
  expect(await s.answerTo(0)).toHaveProperty('result.serverInfo.name', 'sdk');
  s.send(initialized + callLine(1, 'greet'));
  expect(JSON.stringify(await s.answerTo(1))).toContain('hello there');
  await s.end();
});
