/** Proxies, certificates, and signing in. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createTls } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { proxyFor } from '#node/proxy/transports/httpAgent.ts';
import type { Authorize, HttpHead } from '#node/proxy/transports/httpClient.ts';
import { callLine } from '../harness.ts';
import { endAll, ends, initialize, json, result, serve, session } from '../webHarness.ts';
import type { Seen } from '../webHarness.ts';

afterEach(endAll);

const PROXY = 'http://proxy.example:3128';

describe('a proxy', () => {
  const both = { HTTP_PROXY: PROXY, HTTPS_PROXY: 'http://secure.example:1' };
  const rows: readonly (readonly [string, Record<string, string>, string | null])[] = [
    ['http://a.example/', both, 'proxy.example:3128'],
    ['https://a.example/', both, 'secure.example:1'],
    ['wss://a.example/', both, 'secure.example:1'],
    ['http://a.example/', { HTTPS_PROXY: PROXY }, null],
    ['http://a.example/', { HTTP_PROXY: 'proxy.example:3128' }, 'proxy.example:3128'],
    ['http://a.example/', { HTTP_PROXY: 'socks5://x:1' }, null],
    ['http://a.example/', { HTTP_PROXY: PROXY, http_proxy: 'http://lower.example:1' }, 'lower.example:1'],
    ['http://localhost:9/', both, null],
    ['http://127.8.0.1/', both, null],
    ['http://[::1]/', both, null],
    ['http://a.example/', { ...both, NO_PROXY: '*' }, null],
    ['http://a.example/', { ...both, NO_PROXY: 'b.example, A.example' }, null],
    ['http://x.a.example/', { ...both, NO_PROXY: 'a.example' }, 'proxy.example:3128'],
    ['http://x.a.example/', { ...both, NO_PROXY: '.a.example' }, null],
    ['http://x.a.example/', { ...both, no_proxy: '*.a.example' }, null],
    ['http://a.example/', { ...both, NO_PROXY: 'a.example:81' }, 'proxy.example:3128'],
    ['http://a.example:81/', { ...both, NO_PROXY: 'a.example:81' }, null],
    ['http://10.1.2.3/', { ...both, NO_PROXY: '10.0.0.0/8' }, null],
    ['http://10.1.2.3/', { ...both, NO_PROXY: '10.1.2.1-10.1.2.9' }, null],
    ['http://10.1.2.3/', { ...both, NO_PROXY: '10.1.2.9-10.1.2.1 10.1.2.3/99' }, 'proxy.example:3128'],
    ['http://[fd00::1]/', { ...both, NO_PROXY: 'fd00::1' }, null],
  ];
  test.each(rows)('for %s with %j: %s', (url, network, expected) =>
    expect(proxyFor(new URL(url), network, () => undefined)?.host ?? null).toBe(expected),
  );

  /** Forwards to loopback whatever name was asked for. */
  async function forwarding(port: string): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? ''}`);
      const { pathname } = new URL(request.url ?? '');
      const on = httpRequest({ port, host: '127.0.0.1', path: pathname, method: request.method, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      });
      request.pipe(on);
    });
    proxy.on('connect', (request, socket, head: Buffer) => {
      asked.push(`CONNECT ${request.url} ${request.headers['proxy-authorization'] ?? ''}`);
      if (request.url?.startsWith('refused')) {
        socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
        return;
      }
      const on = connect(Number(port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        on.write(head);
        on.pipe(socket).pipe(on);
      });
      for (const end of [on, socket]) end.on('error', () => undefined);
      ends.push(() => on.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    ends.push(() => {
      proxy.closeAllConnections();
      proxy.close();
    });
    return { url: `http://u:p%20w@127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked };
  }
  const account = `Basic ${Buffer.from('u:p w').toString('base64')}`;

  test('gets plain requests with the whole address', async () => {
    const { url, seen } = await serve((one, response) => json(response, 200, result(one, { content: [] })));
    const proxy = await forwarding(new URL(url).port);
    const s = session('http://server.example/mcp', { Authorization: 'Bearer x' }, { network: { HTTP_PROXY: proxy.url } });
    s.send(callLine(1, 'a'));
    expect(await s.answerTo(1)).toHaveProperty('result');
    expect(proxy.asked).toEqual([`POST http://server.example/mcp ${account}`]);
    expect(seen[0]?.headers).toMatchObject({ host: 'server.example', authorization: 'Bearer x' });
  });

  test.each(['ws', 'wss'])('gets a tunnel for %s', async (scheme) => {
    const { ca, port, server } = scheme === 'wss' ? await secure('DNS:server.example') : await plainServer();
    const web = new WebSocketServer({ server });
    web.on('connection', (socket, request) => {
      expect(request.headers.authorization).toBe('Bearer x');
      socket.on('message', (data: Buffer) => socket.send(JSON.stringify(result({ body: data.toString() } as Seen, {}))));
    });
    ends.push(() => web.clients.forEach((socket) => socket.terminate()));
    const proxy = await forwarding(port);
    const network = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: ca };
    const s = session(`${scheme}://server.example/mcp`, { Authorization: 'Bearer x' }, { network, transport: 'websocket' });
    s.send(callLine(1, 'a'));
    expect(await s.answerTo(1)).toHaveProperty('result');
    expect(proxy.asked).toEqual([`CONNECT server.example:${scheme === 'wss' ? 443 : 80} ${account}`]);
  });

  test('gets a tunnel for secure ones and none of their headers; a refusal is told', async () => {
    const { ca, port } = await secure('DNS:server.example');
    const proxy = await forwarding(port);
    const network = { HTTPS_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: ca };
    const s = session('https://server.example/mcp', { Authorization: 'Bearer x' }, { network });
    s.send(callLine(1, 'a'));
    expect(await s.answerTo(1)).toHaveProperty('result');
    expect(proxy.asked).toEqual([`CONNECT server.example:443 ${account}`]);
    const refused = session('https://refused.example/mcp', {}, { network });
    refused.send(callLine(1, 'a'));
    expect(JSON.stringify(await refused.answerTo(1))).toContain('refused to connect to refused.example:443 (HTTP 403)');
  });
});

async function plainServer(): Promise<{ port: string; ca: string; server: Server }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: String((server.address() as AddressInfo).port), ca: '', server };
}

/** A server with a certificate of its own making. */
async function secure(names: string): Promise<{ url: string; port: string; ca: string; folder: string; server: Server }> {
  const folder = mkdtempSync(join(tmpdir(), 'callgate-cert-'));
  ends.push(() => rmSync(folder, { recursive: true }));
  const [ca, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=test'];
  execFileSync('openssl', [...words, '-addext', `subjectAltName=${names}`, '-keyout', key, '-out', ca], { stdio: 'ignore' });
  const server = createTls({ cert: readFileSync(ca), key: readFileSync(key) }, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => json(response, 200, result({ body } as Seen, { content: [] })));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const port = String((server.address() as AddressInfo).port);
  return { url: `https://127.0.0.1:${port}/mcp`, port, ca, folder, server };
}

test('certificates: unknown, known by NODE_EXTRA_CA_CERTS, for another name; a plain server where TLS is expected', async () => {
  const own = await secure('IP:127.0.0.1');
  const other = await secure('DNS:elsewhere.example');
  const plain = await serve((_one, response) => json(response, 200, {}));
  const nonsense = join(own.folder, 'nonsense');
  writeFileSync(nonsense, 'no certificate');
  const rows: readonly (readonly [string, Record<string, string>, RegExp])[] = [
    [own.url, {}, /signed by itself; name its file in NODE_EXTRA_CA_CERTS/],
    [own.url, { NODE_EXTRA_CA_CERTS: own.ca }, /"result"/],
    [own.url, { NODE_EXTRA_CA_CERTS: '/nowhere/ca.pem' }, /signed by itself/],
    [own.url, { NODE_EXTRA_CA_CERTS: nonsense }, /signed by itself/],
    [other.url, { NODE_EXTRA_CA_CERTS: other.ca }, /certificate is for another name/],
    [plain.url.replace('http:', 'https:'), {}, /does not speak TLS/],
    ['http://127.0.0.1:1/mcp', {}, /nothing listens there/],
  ];
  for (const [url, network, expected] of rows) {
    const s = session(url, {}, { network });
    s.send(callLine(1, 'a'));
    expect(JSON.stringify(await s.answerTo(1))).toMatch(expected);
    if (network['NODE_EXTRA_CA_CERTS']?.startsWith('/nowhere')) expect(s.log.join()).toContain('NODE_EXTRA_CA_CERTS cannot be read');
  }
});

test('a password with a bare % is sent as it stands', async () => {
  const { url, seen } = await serve((one, response) => json(response, 200, result(one, {})));
  const basic = `Basic ${Buffer.from('me:100%').toString('base64')}`;
  const direct = session(url.replace('//', '//me:100%@'));
  direct.send(callLine(1, 'a'));
  await direct.answerTo(1);
  const through = session('http://a.example/mcp', {}, { network: { HTTP_PROXY: url.replace('//', '//me:100%@') } });
  through.send(callLine(1, 'a'));
  await through.answerTo(1);
  expect(seen.map(({ headers }) => headers.authorization ?? headers['proxy-authorization'])).toEqual([basic, basic]);
});

test.each([
  ['a pipe nobody writes to', (file: string) => execFileSync('mkfifo', [file])],
  ['a link to an endless device', (file: string) => symlinkSync('/dev/zero', file)],
  ['a file larger than all certificates together', (file: string) => writeFileSync(file, 'x'.repeat(9_000_000))],
])('NODE_EXTRA_CA_CERTS names %s', (_name, make) => {
  const folder = mkdtempSync(join(tmpdir(), 'callgate-ca-'));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'ca.pem');
  make(file);
  const module = new URL('../../../../extension/node/proxy/transports/httpAgent.ts', import.meta.url).href;
  const program = `import { routeTo } from '${module}'; routeTo(new URL('https://h.example'), { NODE_EXTRA_CA_CERTS: '${file}' }, console.log);`;
  const words = ['--max-old-space-size=256', '--input-type=module', '--eval', program];
  const said = execFileSync(process.execPath, words, { encoding: 'utf8', timeout: 10_000, killSignal: 'SIGKILL' });
  expect(said).toMatch(/cannot be read: it is no file of certificates/);
});

describe('signing in', () => {
  /** Takes tokens in turn; `agree` says whether a challenge ends well. */
  function signer(tokens: (string | null)[], agree: boolean): { authorize: Authorize; challenges: HttpHead[] } {
    const challenges: HttpHead[] = [];
    const authorize: Authorize = {
      header: () => Promise.resolve(tokens[Math.min(challenges.length, tokens.length - 1)] ?? null),
      challenged: (head) => {
        challenges.push(head);
        return Promise.resolve(agree);
      },
    };
    return { authorize, challenges };
  }
  const guarded = (good: string, status: number, challenge: string): ReturnType<typeof serve> =>
    serve((one, response) => {
      if (one.headers.authorization === good) json(response, 200, result(one, { content: [] }));
      else response.writeHead(status, { 'www-authenticate': challenge }).end('{"error":"invalid_token"}');
    });

  const rows: readonly (readonly [string, number, string, (string | null)[], boolean, number, RegExp])[] = [
    ['401 leads to a challenge and one more try', 401, 'Bearer', [null, 'Bearer good'], true, 2, /"result"/],
    [
      '403 for want of scope too',
      403,
      'Bearer error="insufficient_scope", scope="write"',
      ['Bearer weak', 'Bearer good'],
      true,
      2,
      /"result"/,
    ],
    ['403 for another reason is told', 403, 'Bearer', ['Bearer weak', 'Bearer good'], true, 1, /wants authorization \(HTTP 403/],
    ['a person who does not sign in', 401, 'Bearer', [null], false, 1, /Signing in did not help or was not finished/],
    ['a token that is refused again is tried once', 401, 'Bearer', ['Bearer bad'], true, 2, /Signing in did not help/],
  ];
  test.each(rows)('%s', async (_name, status, challenge, tokens, agree, tries, expected) => {
    const { url, seen } = await guarded('Bearer good', status, challenge);
    const { authorize, challenges } = signer(tokens, agree);
    const s = session(url, { Authorization: 'Bearer configured' }, { authorize });
    s.send(callLine(1, 'a'));
    expect(JSON.stringify(await s.answerTo(1))).toMatch(expected);
    expect(seen).toHaveLength(tries);
    expect(new Set(seen.map((one) => one.body)).size).toBe(1);
    for (const head of challenges) expect(head).toMatchObject({ status, headers: { 'www-authenticate': challenge } });
  });

  test('nobody is asked to sign in for the end of a session', async () => {
    const { url, seen } = await serve((one, response) => {
      if (one.method === 'DELETE') response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
      else if (one.method === 'GET') response.writeHead(405).end();
      else json(response, 200, result(one, { protocolVersion: '2025-06-18', capabilities: {} }), { 'mcp-session-id': 's' });
    });
    const { authorize, challenges } = signer(['Bearer x'], true);
    const s = session(url, {}, { authorize });
    s.send(initialize);
    await s.answerTo(0);
    await s.end();
    expect(seen.at(-1)?.method).toBe('DELETE');
    expect(challenges).toEqual([]);
  });

  test('without anybody to sign in a 401 is said plainly and the configured header is kept', async () => {
    const { url, seen } = await guarded('Bearer good', 401, 'Bearer');
    const s = session(url, { Authorization: 'Bearer configured' });
    s.send(initialize);
    expect(JSON.stringify(await s.answerTo(0))).toMatch(/HTTP 401.*Callgate cannot sign in here/);
    expect(seen.map((one) => one.headers.authorization)).toEqual(['Bearer configured']);
  });
});
