/** Servers that flood, lie, trickle and break off: the client hears of it, and nothing else comes of it. */
import { createServer as createTcp } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { callLine, line, until } from '../harness.ts';
import { endAll, ends, initialize, json, result, serve, session } from '../webHarness.ts';
import type { Handler, Seen } from '../webHarness.ts';

afterEach(endAll);

const sse = (response: ServerResponse): ServerResponse => response.writeHead(200, { 'content-type': 'text/event-stream' });
const fine = (one: Seen): string => JSON.stringify(result(one, { content: [{ type: 'text', text: 'fine' }] }));

describe('an answer', () => {
  const rows: readonly (readonly [string, Handler, RegExp])[] = [
    [
      'that is a web page',
      (_one, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in</html>'),
      /web page, not with MCP/,
    ],
    [
      'of the wrong type that is right',
      (one, response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end(fine(one)),
      /fine/,
    ],
    ['without a type', (one, response) => void response.writeHead(200).end(fine(one)), /fine/],
    ['that says events and is JSON', (one, response) => void sse(response).end(fine(one)), /ended its answer early/],
    [
      'that says JSON and is events',
      (one, response) => json(response, 200, `data: ${fine(one)}\n\n`),
      /\(application\/json\) without an answer/,
    ],
    ['for somebody else', (one, response) => json(response, 200, fine(one).replace(/"id":1/, '"id":77')), /without an answer/],
    ['that is half an event', (one, response) => void sse(response).end(`data: ${fine(one)}\n`), /ended its answer early/],
    [
      'with a batch of answers nobody asked for',
      (one, response) => json(response, 200, `[{"jsonrpc":"2.0","id":9,"result":{}},${fine(one)}]`),
      /fine/,
    ],
    [
      'compressed by gzip',
      (one, response) =>
        void response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync(fine(one))),
      /fine/,
    ],
    [
      'compressed by deflate',
      (one, response) =>
        void response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'deflate' }).end(deflateSync(fine(one))),
      /fine/,
    ],
    [
      'of compressed events',
      (one, response) =>
        void response
          .writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'br' })
          .end(brotliCompressSync(`data: ${fine(one)}\n\n`)),
      /fine/,
    ],
    [
      'that says gzip and is none',
      (one, response) => void response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(fine(one)),
      /compressed answer cannot be read/,
    ],
    [
      'that grows without end when unpacked',
      (_one, response) =>
        void response
          .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
          .end(gzipSync(Buffer.alloc(40_000_000))),
      /more than 33554432 bytes/,
    ],
    ['that refuses without an end', (_one, response) => void response.writeHead(500).write('because'), /HTTP 500: because/],
    ['that redirects for ever', (_one, response) => void response.writeHead(307, { location: '/mcp' }).end(), /redirects to \/mcp/],
    [
      'that redirects to another method',
      (_one, response) => void response.writeHead(302, { location: '/other' }).end(),
      /redirects to \/other/,
    ],
    [
      'that redirects to nonsense',
      (_one, response) => void response.writeHead(307, { location: 'http://[' }).end(),
      /redirects to http:\/\/\[/,
    ],
    [
      'with an error of its own',
      (_one, response) => json(response, 429, { jsonrpc: '2.0', error: { code: -32029, message: 'slow down' } }),
      /"code":-32029,"message":"slow down"/,
    ],
    [
      'longer than it says',
      (one, response) => void response.writeHead(200, { 'content-type': 'application/json', 'content-length': 10 }).end(fine(one)),
      /./,
    ],
    [
      'shorter than it says',
      (one, response) => {
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': 10_000 })
          .write(fine(one), () => response.destroy());
      },
      /cut|aborted/,
    ],
  ];
  test.each(rows)('%s', async (_name, handle, expected) => {
    const { url } = await serve(handle);
    const s = session(url);
    s.send(callLine(1, 'a'));
    expect(JSON.stringify(await s.answerTo(1))).toMatch(expected);
    expect(s.messages()).toHaveLength(1);
  });

  test('with events longer than any message fails this request and no other', async () => {
    const { url } = await serve((one, response) => {
      if (one.body.includes('"good"')) {
        json(response, 200, fine(one));
        return;
      }
      sse(response);
      const piece = `data: ${'x'.repeat(1_000_000)}\n`;
      let count = 0;
      const flood = (): void => {
        while (count < 40 && response.write(piece)) count++;
        if (count++ < 40) response.once('drain', flood);
        else response.end('\n');
      };
      flood();
    });
    const s = session(url);
    s.send(callLine(1, 'bad'));
    expect(JSON.stringify(await s.answerTo(1))).toContain('sent a message longer than');
    s.send(callLine(2, 'good'));
    expect(JSON.stringify(await s.answerTo(2))).toContain('fine');
  });

  test('with endless events is stopped by the cancellation of its request', async () => {
    let ended = false;
    const { url } = await serve((_one, response) => {
      sse(response).on('close', () => (ended = true));
      const flood = (): void => {
        if (ended) return;
        response.write('data: {"jsonrpc":"2.0","id":99,"result":{}}\n\n');
        setImmediate(flood);
      };
      flood();
    });
    const s = session(url);
    s.send(callLine(1, 'a', {}, { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }));
    await until('the flood', () => s.log.some((text) => text.includes('not waiting for one')));
    s.send(line({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }));
    await until('the end', () => ended);
    expect(s.messages()).toEqual([]);
  });
});

/** A server below HTTP: each connection gets `talk`. */
async function tcp(talk: (socket: Socket, request: string) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcp((socket) => {
    sockets.add(socket);
    let heard = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
      const [head = '', body] = heard.split('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (body === undefined || Buffer.byteLength(body) < length) return;
      const request = heard;
      heard = '';
      talk(socket, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

describe('a server below HTTP', () => {
  const body = '{"jsonrpc":"2.0","id":1,"result":{"content":[]}}';
  const rows: readonly (readonly [string, (socket: Socket) => void, RegExp])[] = [
    [
      'speaks HTTP/1.0 and closes',
      (socket) => void socket.end(`HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n${body}`),
      /"result"/,
    ],
    [
      'speaks HTTP/1.0 in events',
      (socket) => void socket.end(`HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: ${body}\n\n`),
      /"result"/,
    ],
    ['speaks no HTTP', (socket) => void socket.end('SSH-2.0-OpenSSH_9.6\r\n'), /does not speak HTTP/],
    ['closes at once', (socket) => void socket.destroy(), /cannot be reached, or left/],
    ['closes in its headers', (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Ty'), /cannot be reached, or left/],
    ['has headers without end', (socket) => void socket.write(`HTTP/1.1 200 OK\r\n${'X-A: b\r\n'.repeat(10_000)}`), /headers are too long/],
    [
      'cuts its chunks',
      (socket) =>
        void socket.end(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n30\r\n${body.slice(0, 9)}`),
      /cut|aborted/,
    ],
  ];
  test.each(rows)('%s', async (_name, talk, expected) => {
    const s = session(await tcp(talk));
    s.send(callLine(1, 'a'));
    expect(JSON.stringify(await s.answerTo(1))).toMatch(expected);
  });

  test('that trickles its answer byte by byte is waited for, and let go when the client leaves', async () => {
    let closed = false;
    let trickling = false;
    const url = await tcp((socket) => {
      trickling = true;
      socket.on('close', () => (closed = true));
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Slow: ');
      const timer = setInterval(() => socket.write('x'), 5);
      socket.on('close', () => clearInterval(timer));
    });
    const s = session(url);
    s.send(callLine(1, 'a'));
    await until('the connection', () => trickling);
    await s.end();
    await until('the end', () => closed);
    expect(s.messages()).toEqual([]);
  });
});

test('a session id that fits no header is not used, and an address with an account does not show it', async () => {
  const { url, seen } = await serve((one, response) => {
    if (one.body.includes('initialize'))
      json(response, 200, result(one, { protocolVersion: '2025-06-18', capabilities: {} }), { 'mcp-session-id': 'a b\u00e9' });
    else response.writeHead(500).end('oops');
  });
  const s = session(url.replace('//', '//user:p%40ss@'));
  s.send(initialize);
  await s.answerTo(0);
  s.send(callLine(1, 'a'));
  const said = JSON.stringify(await s.answerTo(1));
  expect(said).toContain('HTTP 500: oops');
  expect(said + s.log.join()).not.toContain('p%40ss');
  expect(seen[1]?.headers['mcp-session-id']).toBeUndefined();
  expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`);
});
