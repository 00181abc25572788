/** Sessions that end, streams that break off, and requests that are given up. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { InMemoryEventStore } from '@modelcontextprotocol/sdk/examples/shared/inMemoryEventStore.js';
import { ListRootsResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, describe, expect, test } from 'vitest';
import { callLine, line, until } from '../harness.ts';
import { endAll, ends, initialize, initialized, json, methodOf, result, serve, session } from '../webHarness.ts';
import type { Handler } from '../webHarness.ts';

afterEach(endAll);

const sse = (response: ServerResponse): ServerResponse => response.writeHead(200, { 'content-type': 'text/event-stream' });
const event = (message: unknown, id?: string): string => `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(message)}\n\n`;
const answer = (id: unknown, text: string): unknown => ({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } });

/** Sessions are numbered; `lose` makes the server forget all it has. */
function forgetful(lost: (response: ServerResponse) => void): { handle: Handler; lose(): void; begun(): number } {
  let begun = 0;
  let known = '';
  return {
    begun: () => begun,
    lose: () => (known = ''),
    handle: (one, response) => {
      if (one.method !== 'POST') response.writeHead(405).end();
      else if (methodOf(one) === 'initialize') {
        known = `s-${++begun}`;
        json(response, 200, result(one, { protocolVersion: '2025-06-18', capabilities: { tools: {}, prompts: {} } }), {
          'mcp-session-id': known,
        });
      } else if (one.headers['mcp-session-id'] !== known) lost(response);
      else if (one.body.includes('"id"')) json(response, 200, result(one, { content: [] }));
      else response.writeHead(202).end();
    },
  };
}

describe('a session the server has ended', () => {
  const rows: readonly (readonly [string, (response: ServerResponse) => void])[] = [
    ['404', (response) => void response.writeHead(404).end()],
    [
      '404 with an error',
      (response) => json(response, 404, { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }),
    ],
    [
      '400 as older servers say it',
      (response) =>
        json(response, 400, { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'Bad Request: No valid session ID provided' } }),
    ],
  ];
  test.each(rows)('(%s) is begun anew, once for all that wait, and the client lists anew', async (_name, lost) => {
    const server = forgetful(lost);
    const { url, seen } = await serve(server.handle);
    const s = session(url);
    s.send(initialize);
    await s.answerTo(0);
    s.send(initialized + callLine(1, 'a'));
    await s.answerTo(1);
    server.lose();
    s.send(callLine(2, 'a') + callLine(3, 'a') + callLine(4, 'a'));
    for (const id of [2, 3, 4]) expect(await s.answerTo(id)).toHaveProperty('result');
    expect(server.begun()).toBe(2);
    const again = seen.filter((one) => methodOf(one) === 'initialize')[1];
    expect(again?.headers['mcp-session-id']).toBeUndefined();
    expect(JSON.parse(again?.body ?? '')).toMatchObject({ params: (JSON.parse(initialize) as { params: unknown }).params });
    expect(seen.filter((one) => methodOf(one) === 'notifications/initialized')).toHaveLength(2);
    const methods = s.messages().map((message) => message['method']);
    expect(methods.filter(Boolean)).toEqual(['notifications/tools/list_changed', 'notifications/prompts/list_changed']);
    expect(s.messages().filter((message) => message['id'] !== undefined)).toHaveLength(5);
  });

  test('is not begun anew for ever', async () => {
    const { url, seen } = await serve((one, response) => {
      if (methodOf(one) !== 'initialize') response.writeHead(404).end();
      else json(response, 200, result(one, { protocolVersion: '2025-06-18', capabilities: {} }), { 'mcp-session-id': randomUUID() });
    });
    const s = session(url);
    s.send(initialize);
    await s.answerTo(0);
    for (let id = 1; id <= 8; id++) {
      s.send(callLine(id, 'a'));
      expect(JSON.stringify(await s.answerTo(id))).toContain('has ended this session');
    }
    expect(seen.filter((one) => methodOf(one) === 'initialize').length).toBe(4);
  });

  test('with another protocol version afterwards is not gone on with', async () => {
    let version = '2025-06-18';
    const { url } = await serve((one, response) => {
      if (methodOf(one) !== 'initialize') response.writeHead(404).end();
      else json(response, 200, result(one, { protocolVersion: version, capabilities: {} }), { 'mcp-session-id': randomUUID() });
    });
    const s = session(url);
    s.send(initialize);
    await s.answerTo(0);
    version = '2025-03-26';
    s.send(callLine(1, 'a'));
    expect(JSON.stringify(await s.answerTo(1))).toContain('another protocol version');
  });
});

test('a stream that is cut again and again is resumed after the time the server asks for, also when it is away for a moment', async () => {
  const asked: string[] = [];
  const { url } = await serve((one, response) => {
    const last = one.headers['last-event-id'];
    if (one.method === 'GET' && last === undefined) response.writeHead(405).end();
    else if (one.method === 'GET') {
      asked.push(String(last));
      if (asked.length === 1) response.destroy();
      else if (asked.length === 2) sse(response).end(event({ jsonrpc: '2.0', method: 'notifications/x' }, 'e-2'));
      else sse(response).end(event(answer(1, 'at last'), 'e-3'));
    } else if (methodOf(one) === 'initialize') json(response, 200, result(one, { protocolVersion: '2025-11-25', capabilities: {} }));
    else sse(response).end('retry: 10\nid: e-1\ndata:\n\n');
  });
  const s = session(url);
  s.send(initialize);
  await s.answerTo(0);
  s.send(callLine(1, 'a'));
  expect(JSON.stringify(await s.answerTo(1))).toContain('at last');
  expect(asked).toEqual(['e-1', 'e-1', 'e-2']);
});

test('a cancelled request is not resumed, and the notification is sent on', async () => {
  let open: ServerResponse | null = null;
  const { url, seen } = await serve((one, response) => {
    if (one.method === 'GET') response.writeHead(405).end();
    else if (methodOf(one) === 'initialize') json(response, 200, result(one, { protocolVersion: '2025-11-25', capabilities: {} }));
    else if (methodOf(one) === 'tools/call') (open = sse(response)).write('retry: 10\nid: e-1\ndata:\n\n');
    else response.writeHead(202).end();
  });
  const s = session(url);
  s.send(initialize);
  await s.answerTo(0);
  s.send(callLine(1, 'a'));
  const stream = await until('the call', () => open as ServerResponse | null);
  s.send(line({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }));
  await until('the cancellation', () => seen.some((one) => methodOf(one) === 'notifications/cancelled'));
  stream.end();
  s.send(line({ jsonrpc: '2.0', method: 'notifications/x' }));
  await until('the next message', () => seen.some((one) => methodOf(one) === 'notifications/x'));
  expect(seen.filter((one) => one.method === 'GET')).toEqual([]);
  expect(s.messages().map((message) => message['id'])).toEqual([0]);
});

test('UTF-8 cut anywhere, and many streams at once', async () => {
  const { url } = await serve((one, response) => {
    const { id } = JSON.parse(one.body) as { id: number };
    const bytes = Buffer.from(event(answer(id, `${id}: žluťoučký 🐎`)));
    sse(response);
    let at = 0;
    const step = (): void => {
      if (at < bytes.length) response.write(bytes.subarray(at, (at += 7)), () => setImmediate(step));
      else response.end();
    };
    step();
  });
  const s = session(url);
  for (let id = 1; id <= 40; id++) s.send(callLine(id, 'a'));
  for (let id = 1; id <= 40; id++) expect(JSON.stringify(await s.answerTo(id))).toContain(`${id}: žluťoučký 🐎`);
});

test('with the official SDK: a request of the server on a stream, progress, resuming from its event store, a new session', async () => {
  let transport = make();
  let closeStream: (() => void) | undefined;
  function make(): StreamableHTTPServerTransport {
    const made = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      eventStore: new InMemoryEventStore(),
      retryInterval: 20,
    });
    const mcp = new McpServer({ name: 'sdk', version: '1.0.0' });
    mcp.registerTool('ask', { description: 'Asks for roots' }, async (extra) => {
      closeStream = extra.closeSSEStream;
      const { roots } = await extra.sendRequest({ method: 'roots/list' }, ListRootsResultSchema);
      return { content: [{ type: 'text', text: `roots: ${roots.length}` }] };
    });
    mcp.registerTool('slow', { description: 'Its stream is closed meanwhile' }, async (extra) => {
      extra.closeSSEStream?.();
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { content: [{ type: 'text', text: 'after a break' }] };
    });
    // The SDK's own classes disagree under exactOptionalPropertyTypes.
    void mcp.connect(made as unknown as Parameters<McpServer['connect']>[0]);
    return made;
  }
  const server = createServer((request, response) => void transport.handleRequest(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const s = session(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
  const params = { protocolVersion: '2025-11-25', capabilities: { roots: {} }, clientInfo: { name: 't', version: '1' } };
  s.send(line({ jsonrpc: '2.0', id: 0, method: 'initialize', params }));
  await s.answerTo(0);
  s.send(initialized + callLine('c', 'ask'));
  const question = await until('the question', () => s.messages().find((message) => message['method'] === 'roots/list'));
  s.send(line({ jsonrpc: '2.0', id: question['id'], result: { roots: [{ uri: 'file:///a' }] } }));
  expect(JSON.stringify(await s.answerTo('c'))).toContain('roots: 1');
  expect(closeStream).toBeDefined();
  s.send(callLine('d', 'slow'));
  expect(JSON.stringify(await s.answerTo('d'))).toContain('after a break');
  // The server is restarted and knows nothing of the session.
  transport = make();
  s.send(callLine('e', 'slow'));
  expect(JSON.stringify(await s.answerTo('e'))).toContain('after a break');
  expect(s.messages().filter((message) => message['id'] === 'e')).toHaveLength(1);
});
