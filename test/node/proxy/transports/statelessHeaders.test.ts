import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { headerValue, parameterHeaders, statelessVersion } from '#node/proxy/transports/statelessHeaders.ts';
import { callLine, line, until } from '../harness.ts';
import { endAll, json, methodOf, result, serve, session } from '../webHarness.ts';
import type { Handler, Seen } from '../webHarness.ts';

afterEach(endAll);

const META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };

describe('a value in a header', () => {
  test.each([
    ['us-west1', 'us-west1'],
    ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
    [' padded ', '=?base64?IHBhZGRlZCA=?='],
    ['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
    ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
    ['', ''],
  ])('%j is sent as %s', (value, sent) => expect(headerValue(value)).toBe(sent));

  test('is read back as it was and fits every header', () => {
    const sign = fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0xe000, max: 0x10ffff }));
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 20 }), (signs) => {
        const value = String.fromCodePoint(...signs);
        const sent = headerValue(value);
        const coded = /^=\?base64\?(.*)\?=$/.exec(sent)?.[1];
        const readBack = coded === undefined ? sent : Buffer.from(coded, 'base64').toString('utf8');
        expect([/^[\x20-\x7e]*$/.test(sent), readBack]).toEqual([true, value]);
      }),
    );
  });
});

describe('arguments that are mirrored', () => {
  const mark = (type: string, name: unknown = 'Region'): unknown => ({ type, 'x-mcp-header': name });
  const learn = (inputSchema: unknown): ReturnType<typeof parameterHeaders> & { faults: ReadonlyMap<string, string> } => {
    const headers = parameterHeaders();
    return { ...headers, faults: headers.learn({ tools: [{ name: 't', inputSchema }] } as never) };
  };
  const rows: readonly (readonly [string, unknown, unknown, Record<string, string>])[] = [
    ['a string', { properties: { r: mark('string') } }, { r: 'eu' }, { 'mcp-param-region': 'eu' }],
    ['an integer', { properties: { r: mark('integer') } }, { r: -7 }, { 'mcp-param-region': '-7' }],
    ['a boolean', { properties: { r: mark('boolean') } }, { r: false }, { 'mcp-param-region': 'false' }],
    [
      'one inside another',
      { properties: { a: { properties: { r: mark('string') } } } },
      { a: { r: 'x\n' } },
      { 'mcp-param-region': '=?base64?eAo=?=' },
    ],
    ['null', { properties: { r: mark('string') } }, { r: null }, {}],
    ['none', { properties: { r: mark('string') } }, {}, {}],
    ['an inherited one', { properties: { toString: mark('string') } }, {}, {}],
    ['a mark that is only an example', { properties: { r: { type: 'object', default: mark('string') } } }, { r: 'x' }, {}],
  ];
  test.each(rows)('%s', (_name, schema, args, expected) => {
    const { faults, of } = learn(schema);
    expect([...faults]).toEqual([]);
    expect(of({ method: 'tools/call', params: { name: 't', arguments: args } } as never)).toEqual(expected);
  });

  test.each([
    ['a number', { properties: { r: mark('number') } }],
    ['an empty name', { properties: { r: mark('string', '') } }],
    ['a name with a line break', { properties: { r: mark('string', 'A\r\nB') } }],
    ['no string', { properties: { r: mark('string', 3) } }],
    ['the same twice', { properties: { r: mark('string', 'A'), s: mark('string', 'a') } }],
    ['in a list', { properties: { r: { type: 'array', items: mark('string') } } }],
    ['in an alternative', { anyOf: [{ properties: { r: mark('string') } }] }],
    ['in a definition', { $defs: { r: mark('string') } }],
    ['at the root', mark('string')],
  ])('%s makes the definition invalid', (_name, schema) => {
    const { faults, of } = learn(schema);
    expect([...faults.keys()]).toEqual(['t']);
    expect(of({ method: 'tools/call', params: { name: 't', arguments: { r: 'x' } } } as never)).toEqual({});
  });
});

test('only requests that name their version are stateless', () => {
  const message = { method: 'x', params: { _meta: META } };
  expect(statelessVersion([message] as never)).toBe('2026-07-28');
  for (const other of [[], [message, message], [{ ...message, method: 'initialize' }], [{ method: 'x' }], [{ params: message.params }]])
    expect(statelessVersion(other as never)).toBeNull();
});

/** Refuses what a server of 2026-07-28 must refuse. */
const strict =
  (handle: Handler): Handler =>
  (one, response) => {
    const { params = {}, id } = JSON.parse(one.body || '{}') as { id?: unknown; params?: Record<string, unknown> };
    const target = params['name'] ?? params['uri'];
    const name = String(one.headers['mcp-name'] ?? '');
    const coded = /^=\?base64\?(.*)\?=$/.exec(name)?.[1];
    const said = coded === undefined ? name : Buffer.from(coded, 'base64').toString('utf8');
    const meta = (params['_meta'] ?? {}) as Record<string, unknown>;
    const fault =
      one.method !== 'POST' ||
      one.headers['mcp-session-id'] !== undefined ||
      one.headers['mcp-protocol-version'] !== meta['io.modelcontextprotocol/protocolVersion'] ||
      one.headers['mcp-method'] !== methodOf(one) ||
      (target !== undefined && said !== target);
    if (fault)
      json(response, 400, { jsonrpc: '2.0', id, error: { code: -32020, message: `Header mismatch in ${one.method} ${methodOf(one)}` } });
    else handle(one, response);
  };

describe('a stateless server', () => {
  const tools = [
    { name: 'sql', inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } } },
    { name: 'odd', inputSchema: { type: 'object', 'x-mcp-header': 'Oops' } },
  ];
  const handle: Handler = (one, response) => {
    if (methodOf(one) === 'tools/list') json(response, 200, result(one, { tools }));
    else if (methodOf(one) === 'nope') json(response, 404, { jsonrpc: '2.0', id: 9, error: { code: -32601, message: 'Method not found' } });
    else if (methodOf(one) === 'subscriptions/listen')
      response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .write('data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n');
    else json(response, 200, result(one, { content: [{ type: 'text', text: 'done' }] }));
  };

  test('gets its headers with every request; a tool with wrong marks is left out of the list', async () => {
    const { url, seen } = await serve(strict(handle));
    const s = session(url);
    s.send(line({ jsonrpc: '2.0', id: 'd', method: 'server/discover', params: { _meta: META } }));
    expect(await s.answerTo('d')).toHaveProperty('result');
    s.send(line({ jsonrpc: '2.0', id: 'l', method: 'tools/list', params: { _meta: META } }));
    expect(await s.answerTo('l')).toMatchObject({ result: { tools: [tools[0]] } });
    expect(s.log.join()).toContain('"odd" is left out of the list');
    s.send(callLine('c', 'sql', { region: 'Zürich' }, META));
    expect(JSON.stringify(await s.answerTo('c'))).toContain('done');
    expect(seen.at(-1)?.headers['mcp-param-region']).toBe('=?base64?WsO8cmljaA==?=');
    s.send(callLine('u', 'größe', {}, META));
    expect(JSON.stringify(await s.answerTo('u'))).toContain('done');
    s.send(line({ jsonrpc: '2.0', id: 9, method: 'nope', params: { _meta: META } }));
    expect(await s.answerTo(9)).toMatchObject({ error: { code: -32601, message: 'Method not found' } });
    await s.end();
    expect(new Set(seen.map((one: Seen) => one.method))).toEqual(new Set(['POST']));
  });

  test('that misses a header is asked for its tools, page by page, and gets the call once more, once', async () => {
    const { url, seen } = await serve(
      strict((one, response) => {
        const { id, params } = JSON.parse(one.body) as { id: unknown; params: { cursor?: string; name?: string } };
        if (methodOf(one) === 'tools/list')
          json(response, 200, result(one, params.cursor === '2' ? { tools } : { tools: [], nextCursor: '2' }));
        else if (params.name === 'sql' && one.headers['mcp-param-region'] === 'eu') handle(one, response);
        else json(response, 400, { jsonrpc: '2.0', id, error: { code: -32020, message: 'Header mismatch' } });
      }),
    );
    const s = session(url);
    s.send(callLine(1, 'sql', { region: 'eu' }, META));
    expect(JSON.stringify(await s.answerTo(1))).toContain('done');
    expect(seen.map(methodOf)).toEqual(['tools/call', 'tools/list', 'tools/list', 'tools/call']);
    s.send(callLine(2, 'other', {}, META));
    expect(await s.answerTo(2)).toMatchObject({ error: { code: -32020 } });
    expect(s.messages()).toHaveLength(2);
    expect(seen).toHaveLength(8);
  });

  test('hears a cancellation as the end of the stream, not as a message', async () => {
    let ended = false;
    const { url, seen } = await serve(
      strict((one, response) => {
        response.on('close', () => (ended = true));
        handle(one, response);
      }),
    );
    const s = session(url);
    s.send(
      line({ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params: { _meta: META, notifications: { toolsListChanged: true } } }),
    );
    await until('a notification', () => s.messages().length > 0);
    s.send(line({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }));
    await until('the end of the stream', () => ended);
    expect(seen).toHaveLength(1);
    expect(s.messages()).toHaveLength(1);
  });

  test('whose stream breaks off is not asked to resume it', async () => {
    const { url, seen } = await serve(
      strict((_one, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: e\nretry: 10\ndata:\n\n')),
    );
    const s = session(url);
    s.send(callLine(1, 'a', {}, META));
    expect(JSON.stringify(await s.answerTo(1))).toContain('ended its answer early');
    expect(seen).toHaveLength(1);
  });

  test('that speaks only other versions says so in its own words', async () => {
    const error = { code: -32022, message: 'Unsupported protocol version', data: { supported: ['2027-01-01'], requested: '2026-07-28' } };
    const { url } = await serve((one, response) =>
      json(response, 400, { jsonrpc: '2.0', id: (JSON.parse(one.body) as { id: unknown }).id, error }),
    );
    const s = session(url);
    s.send(line({ jsonrpc: '2.0', id: 'd', method: 'server/discover', params: { _meta: META } }));
    expect(await s.answerTo('d')).toMatchObject({ error });
  });
});
