import { describe, expect, test } from 'vitest';
import { parseMcpLinkHeader } from '#node/proxy/mcpLink.ts';
import { parseShimCommand, serverEnvironment } from '#node/proxy/shim/shimCommand.ts';

describe('the command line', () => {
  const stdio = (command: string, args: string[], cwd = '/here', env = {}): unknown => ({
    protocol: 1,
    server: 'S',
    upstream: { transport: 'stdio', command, args, env, cwd },
  });
  const web = (transport: string, url: string, more = {}): unknown => ({
    protocol: 1,
    server: 'S',
    upstream: { transport, url, headers: {}, cwd: '/here', ...more },
  });
  const rows: readonly (readonly [string[], Record<string, string>, unknown])[] = [
    [['--server', 'S', '--', 'npx', '-y', '@a/b', '--', '--server', 'x'], {}, stdio('npx', ['-y', '@a/b', '--', '--server', 'x'])],
    [
      ['--server', 'S', '--cwd', '/there', '--', 'a'],
      { A: '1', CALLGATE_SET: 'NODE_OPTIONS', NODE_OPTIONS: 'x', ELECTRON_RUN_AS_NODE: '1' },
      stdio('a', [], '/there', { A: '1' }),
    ],
    [
      ['--server', 'S', '--url', 'https://h/mcp'],
      { CALLGATE_HEADER_2: 'B: 2', CALLGATE_HEADER_10: 'C:3', CALLGATE_HEADER_1: 'Authorization: Bearer a:b', OTHER: 'x' },
      {
        protocol: 1,
        server: 'S',
        upstream: { transport: 'http', url: 'https://h/mcp', headers: { Authorization: 'Bearer a:b', B: '2', C: '3' }, cwd: '/here' },
      },
    ],
    [['--', 'a'], {}, '--server is missing'],
    [['--server', 'S'], {}, 'the command of the server is missing after --'],
    [['--server', 'S', '--'], {}, 'the command of the server is missing after --'],
    [['--server'], {}, '--server needs a value'],
    [['--server', '--', 'a'], {}, '--server needs a value'],
    [['--server', 'S', '--url', 'file:///x'], {}, '--url needs an http or https address'],
    [['--server', 'S', '--url', 'nowhere'], {}, '--url is not an address'],
    [['--server', 'S', '--url', 'WSS://h/mcp'], {}, web('websocket', 'WSS://h/mcp')],
    [['--server', 'S', '--url', 'http://h/sse', '--transport', 'sse'], {}, web('sse', 'http://h/sse')],
    [['--server', 'S', '--url', 'http://h/', '--transport', 'websocket'], {}, '--url needs a ws or wss address'],
    [['--server', 'S', '--url', 'ws://h/', '--transport', 'sse'], {}, '--url needs an http or https address'],
    [['--server', 'S', '--url', 'http://h/', '--transport', 'pigeon'], {}, '--transport must be http, sse or websocket'],
    [['--server', 'S', '--transport', 'sse', '--', 'a'], {}, '--transport needs --url'],
    [
      ['--server', 'S', '--url', 'http://h/'],
      { HTTP_PROXY: 'http://p:1', no_proxy: 'x', NODE_EXTRA_CA_CERTS: '/ca.pem', HTTPS_PROXY: '', OTHER: 'y' },
      web('http', 'http://h/', { network: { HTTP_PROXY: 'http://p:1', no_proxy: 'x', NODE_EXTRA_CA_CERTS: '/ca.pem' } }),
    ],
    [['--server', 'S', '--url', 'http://h', '--', 'a'], {}, '--url and a command exclude each other'],
    [['--server', 'S', '--verbose', '--', 'a'], {}, 'callgate mcp does not know "--verbose"'],
    [
      ['--server', 'S', '--url', 'http://h'],
      { CALLGATE_HEADER_1: 'X: a\r\nY: b' },
      'CALLGATE_HEADER_1 must hold one header as "Name: value"',
    ],
  ];
  test.each(rows)('%j with %j', (argv, env, expected) => expect(parseShimCommand(argv, env, '/here')).toEqual(expected));
});

test.each([
  [{ PATH: 'p', CALLGATE_HEADER_1: 's', CALLGATE_X: '1' }, { PATH: 'p' }],
  [{ NODE_OPTIONS: '--mine', ELECTRON_RUN_AS_NODE: '1' }, { NODE_OPTIONS: '--mine' }],
  [{ NODE_OPTIONS: '--ours', CALLGATE_SET: 'ELECTRON_RUN_AS_NODE NODE_OPTIONS' }, {}],
  [
    { CALLGATE_KEPT_NODE_OPTIONS: '--mine', CALLGATE_KEPT_ELECTRON_RUN_AS_NODE: '1', ELECTRON_RUN_AS_NODE: '1', CALLGATE_KEPT_: 'x' },
    { NODE_OPTIONS: '--mine', ELECTRON_RUN_AS_NODE: '1' },
  ],
])('a server sees of %j only %j', (env, expected) => expect(serverEnvironment(env)).toEqual(expected));

describe('the header line', () => {
  const good = { protocol: 1, server: 'S', upstream: { transport: 'stdio', command: 'a', args: ['b'], env: { C: 'd' }, cwd: '/' } };
  const web = { protocol: 1, server: 'S', upstream: { transport: 'http', url: 'http://h/', headers: { A: 'b' }, cwd: '/' } };
  const more = [
    { ...web, upstream: { ...web.upstream, transport: 'sse', network: { HTTP_PROXY: 'p' } } },
    { ...web, upstream: { ...web.upstream, transport: 'websocket', url: 'wss://h/' } },
  ];
  test.each([good, web, ...more, { ...good, entryEnv: ['A'] }, { ...good, watches: true }])('%j is read', (header) =>
    expect(parseMcpLinkHeader(JSON.stringify(header))).toEqual(header),
  );
  test.each([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['another protocol', JSON.stringify({ ...good, protocol: 2 })],
    ['no server', JSON.stringify({ ...good, server: '' })],
    ['no upstream', JSON.stringify({ ...good, upstream: null })],
    ['no command', JSON.stringify({ ...good, upstream: { ...good.upstream, command: 1 } })],
    ['arguments', JSON.stringify({ ...good, upstream: { ...good.upstream, args: [1] } })],
    ['environment', JSON.stringify({ ...good, upstream: { ...good.upstream, env: { a: 1 } } })],
    ['names of variables', JSON.stringify({ ...good, entryEnv: 'A' })],
    ['no folder', JSON.stringify({ ...good, upstream: { ...good.upstream, cwd: null } })],
    ['address', JSON.stringify({ ...web, upstream: { ...web.upstream, url: 'file:///etc' } })],
    ['address for its transport', JSON.stringify({ ...web, upstream: { ...web.upstream, transport: 'websocket' } })],
    ['transport', JSON.stringify({ ...web, upstream: { ...web.upstream, transport: 'pigeon' } })],
    ['network', JSON.stringify({ ...web, upstream: { ...web.upstream, network: { HTTP_PROXY: 1 } } })],
    ['headers', JSON.stringify({ ...web, upstream: { ...web.upstream, headers: [] } })],
    ['transport', JSON.stringify({ ...web, upstream: { ...web.upstream, transport: 'carrier pigeon' } })],
  ])('is refused: %s', (_name, text) => expect(parseMcpLinkHeader(text)).toEqual(expect.any(String)));
});
