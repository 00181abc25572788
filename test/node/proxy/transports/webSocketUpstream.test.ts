import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { Authorize } from '#node/proxy/transports/httpClient.ts';
import { callLine, line, until } from '../harness.ts';
import { endAll, ends, initialize, initialized, session } from '../webHarness.ts';
import type { WebSessionOptions } from '../webHarness.ts';

afterEach(endAll);

const RESTARTS = { most: 3, windowMs: 60_000, waitMs: [0], answerMs: 5_000 };
interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly name?: string };
}

async function serve(
  talk: (socket: WebSocket, message: Message, text: string) => void = agreeable,
  accept: (request: IncomingMessage) => number = () => 101,
): Promise<{ url: string; heads: IncomingMessage[]; sockets: WebSocket[] }> {
  const heads: IncomingMessage[] = [];
  const sockets: WebSocket[] = [];
  const server = createServer();
  const web = new WebSocketServer({ noServer: true, handleProtocols: (protocols) => protocols.has('mcp') && 'mcp' });
  server.on('upgrade', (request, socket, head: Buffer) => {
    heads.push(request);
    const status = accept(request);
    if (status !== 101) {
      socket.end(
        `HTTP/1.1 ${status} No\r\nWWW-Authenticate: Bearer\r\nLocation: http://elsewhere.example/\r\nConnection: close\r\n\r\nnot you`,
      );
      return;
    }
    web.handleUpgrade(request, socket, head, (made) => {
      sockets.push(made);
      made.on('error', () => undefined);
      made.on('message', (data: Buffer) => talk(made, JSON.parse(data.toString()) as Message, data.toString()));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    for (const socket of sockets) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, heads, sockets };
}

function agreeable(socket: WebSocket, { id, method }: Message): void {
  if (id === undefined) return;
  const result = method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: { tools: {} } } : { content: [] };
  socket.send(JSON.stringify({ jsonrpc: '2.0', id, result }));
}

const open = (url: string, headers: Record<string, string> = {}, options: WebSessionOptions = {}): ReturnType<typeof session> =>
  session(url, headers, { transport: 'websocket', ...options });

test('messages go as frames, with the subprotocol and the user’s headers; the end is a clean one', async () => {
  const texts: string[] = [];
  const { url, heads, sockets } = await serve((socket, message, text) => {
    texts.push(text);
    agreeable(socket, message);
  });
  const s = open(url, { Authorization: 'Bearer x' });
  s.send(initialize);
  await s.answerTo(0);
  const call = '{ "jsonrpc":"2.0", "params":{"name":"ž"},"method":"tools/call","id":1 }';
  s.send(`${initialized}${call}\n`);
  await s.answerTo(1);
  expect(texts).toEqual([initialize.trim(), initialized.trim(), call]);
  expect(heads[0]?.headers).toMatchObject({ authorization: 'Bearer x', 'sec-websocket-protocol': 'mcp' });
  expect(heads[0]?.headers['sec-websocket-extensions']).toBeUndefined();
  const code = new Promise((resolve) => sockets[0]?.on('close', resolve));
  await s.end();
  expect(await code).toBe(1000);
});

describe('a server', () => {
  const rows: readonly (readonly [string, (socket: WebSocket, id: unknown) => void, RegExp])[] = [
    [
      'that answers over several lines',
      (socket, id) => socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: { a: 1 } }, null, 2)),
      /"a": 1/,
    ],
    ['that answers in bytes', (socket, id) => socket.send(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result: {} }))), /"result"/],
    [
      'that answers in fragments',
      (socket, id) => {
        const bytes = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result: { horse: '🐎' } }));
        for (let at = 0; at < bytes.length; at++) socket.send(bytes.subarray(at, at + 1), { fin: at === bytes.length - 1, binary: false });
      },
      /🐎/,
    ],
    [
      'that says nonsense first',
      (socket, id) => {
        for (const text of ['', '{', '[]', 'null', '{"jsonrpc":"2.0","id":77,"result":{}}']) socket.send(text);
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: {} }));
      },
      /"result"/,
    ],
    ['that closes with a reason', (socket) => socket.close(1011, 'out of memory'), /closed the connection \(code 1011: out of memory\)/],
    ['that is cut', (socket) => socket.terminate(), /closed the connection/],
    ['that sends more than any message may have', (socket) => socket.send('x'.repeat(34_000_000)), /longer than 33554432 bytes/],
    [
      'that breaks the protocol',
      (socket) => (socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(Buffer.from([0xff, 0xff, 0xff])),
      /closed the connection|Invalid WebSocket frame/,
    ],
  ];
  test.each(rows)('%s', async (_name, talk, expected) => {
    const { url } = await serve((socket, { id, method }) => {
      if (method === 'tools/call') talk(socket, id);
    });
    const s = open(url);
    s.send(callLine(1, 'a'));
    await until('an answer', () => s.messages().some((message) => message['id'] === 1));
    expect(s.text()).toMatch(expected);
  });

  test.each([
    [302, /redirects to http:\/\/elsewhere/],
    [404, /HTTP 404: not you/],
    [401, /wants authorization/],
  ])('that answers the handshake with %i', async (status, expected) => {
    const { url, heads } = await serve(agreeable, () => status);
    const s = open(url, { Authorization: 'Bearer x' });
    s.send(initialize);
    expect(JSON.stringify(await s.answerTo(0))).toMatch(expected);
    expect(heads).toHaveLength(1);
  });

  test.each(['.', '.'.repeat(100_000)])('that refuses the handshake without an end', async (text) => {
    const server = createServer((_request, response) => {
      const timer = setInterval(() => response.write(text), 10);
      response.writeHead(404).on('close', () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const s = open(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    s.send(initialize);
    expect(JSON.stringify(await s.answerTo(0))).toMatch(/HTTP 404: \.\./);
  });

  test('that is not there', async () => {
    const s = open('ws://127.0.0.1:1/');
    s.send(initialize);
    expect(JSON.stringify(await s.answerTo(0))).toMatch(/cannot be reached: nothing listens there/);
  });
});

test('after signing in the handshake is tried once more', async () => {
  const { url, heads } = await serve(agreeable, (request) => (request.headers.authorization === 'Bearer good' ? 101 : 401));
  let signedIn = false;
  const authorize: Authorize = {
    header: () => Promise.resolve(signedIn ? 'Bearer good' : null),
    challenged: ({ headers }) => Promise.resolve((signedIn = headers['www-authenticate'] === 'Bearer')),
  };
  const s = open(url, {}, { authorize });
  s.send(initialize);
  expect(await s.answerTo(0)).toHaveProperty('result');
  expect(heads).toHaveLength(2);
});

test('a connection that breaks is made again, and the handshake repeated', async () => {
  const methods: (string | undefined)[] = [];
  const { url, sockets } = await serve((socket, message) => {
    methods.push(message.method);
    if (message.params?.name === 'break') socket.terminate();
    else agreeable(socket, message);
  });
  const s = open(url, {}, { restarts: RESTARTS });
  s.send(initialize);
  await s.answerTo(0);
  s.send(initialized + callLine(1, 'break'));
  expect(JSON.stringify(await s.answerTo(1))).toContain('may or may not have been done');
  s.send(callLine(2, 'a'));
  expect(await s.answerTo(2)).toHaveProperty('result');
  expect(sockets).toHaveLength(2);
  expect(methods).toEqual([
    'initialize',
    'notifications/initialized',
    'tools/call',
    'initialize',
    'notifications/initialized',
    'tools/call',
  ]);
  expect(
    s
      .messages()
      .map((message) => message['method'])
      .filter(Boolean),
  ).toEqual(['notifications/tools/list_changed']);
});

test('a client that does not read stops the server, not our memory', async () => {
  const { url, sockets } = await serve((socket, { id }) => {
    for (let count = 0; count < 30; count++)
      socket.send(line({ jsonrpc: '2.0', method: 'notifications/x', params: { id, fill: 'f'.repeat(1_000_000) } }));
  });
  const s = open(url);
  s.output.removeAllListeners('data');
  s.output.pause();
  s.send(initialize);
  const server = await until('a connection', () => sockets[0]);
  // The server has everything to send at once; it is held up when nothing goes out any more.
  let [waiting, unchanged] = [-1, 0];
  await until('the server to be held up', () => {
    unchanged = server.bufferedAmount === waiting ? unchanged + 1 : 0;
    waiting = server.bufferedAmount;
    return unchanged > 20;
  });
  expect(waiting).toBeGreaterThan(5_000_000);
  expect(s.output.writableLength + s.output.readableLength).toBeLessThan(10_000_000);
});
