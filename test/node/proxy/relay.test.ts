import { describe, expect, test } from 'vitest';
import type { Judge } from '#contract/judgement.ts';
import type { ToolCall } from '#core/model/call.ts';
import { bench, callLine, deliver, judgement, line, until } from './harness.ts';

const refuseAll: Judge = () => Promise.resolve(judgement('refused', 'not this one'));

describe('lines that pass as the very bytes', () => {
  const rows: readonly (readonly [string, string])[] = [
    [
      'server/discover with a string id',
      '{"jsonrpc":"2.0","id":"server-discover-probe-1","method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}\n',
    ],
    [
      'initialize with white space and odd key order',
      '{ "method" :"initialize",  "params":{"protocolVersion":"2025-11-25"},"jsonrpc":"2.0", "id":0 }\n',
    ],
    ['an unknown method with unknown fields', '{"jsonrpc":"2.0","id":7,"method":"x-vendor/thing","params":{"a":1e2},"extra":true}\n'],
    ['a notification', '{"jsonrpc":"2.0","method":"notifications/initialized"}\n'],
    ['an answer to the server', '{"jsonrpc":"2.0","id":"s-1","result":{"roots":[]}}\n'],
    ['escapes and non-ASCII text', '{"jsonrpc":"2.0","id":8,"method":"x","params":{"t":"\\u00e9 é \u2028 😀"}}\n'],
    ['a line that ends with CR LF', '{"jsonrpc":"2.0","id":9,"method":"ping"}\r\n'],
    ['a number beyond 2^53', '{"jsonrpc":"2.0","id":10,"method":"x","params":{"n":12345678901234567890}}\n'],
    ['a batch without calls', '[{"jsonrpc":"2.0","id":11,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"}]\n'],
    ['a key repeated deep inside something that is no call', '{"jsonrpc":"2.0","id":12,"method":"x","params":{"a":{"b":1,"b":2}}}\n'],
    ['cancelling a request the server has', '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}\n'],
  ];
  test.each(rows)('%s', async (_name, text) => {
    const b = bench(refuseAll);
    await b.send(text);
    expect(b.toServer).toEqual([text]);
    expect(b.clientText()).toBe('');
  });

  test('a delivered call too, however it was cut into chunks', async () => {
    const b = bench(deliver);
    const text = '{"params":{"arguments":{"text":"é"},"name":"echo"},  "method":"tools/call","jsonrpc":"2.0","id":"a"}\n';
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += 7) await b.send(bytes.subarray(at, at + 7));
    expect(b.toServer).toEqual([text]);
  });

  test('what the server sends', async () => {
    const b = bench(deliver);
    await b.send('{"jsonrpc":"2.0","id":"q","method":"tools/list"}\n');
    const lines = [
      '{"id":"q", "jsonrpc":"2.0","result":{"tools":[{"name":"a","x":1}]}}\n',
      '{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{}}\n',
      '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"x"}}\n',
    ];
    for (const text of lines) await b.serve(text);
    expect(b.clientText()).toBe(lines.join(''));
  });
});

describe('lines that never reach the server', () => {
  const call = '"method":"tools/call","params":{"name":"rm","arguments":{}}';
  const rows: readonly (readonly [string, string | Buffer, number, string])[] = [
    ['no JSON', 'hello\n', -32700, 'invalid JSON'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xc0, 0xa2, 0x22, 0x3a, 0x31, 0x7d, 0x0a]), -32700, 'UTF-8'],
    ['a byte order mark', `\ufeff{"jsonrpc":"2.0","id":1,${call}}\n`, -32700, 'invalid JSON'],
    [
      'a call between two carriage returns',
      `{"jsonrpc":"2.0","id":2,"method":"x","params":\r{"jsonrpc":"2.0","id":1,${call}}\r}\n`,
      -32600,
      'carriage return',
    ],
    ['method twice', `{"jsonrpc":"2.0","id":1,"method":"ping",${call}}\n`, -32600, '"method" appears twice'],
    ['method twice, once with an escape', `{"jsonrpc":"2.0","id":1,${call},"m\\u0065thod":"ping"}\n`, -32600, '"method" appears twice'],
    ['name twice', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}\n', -32600, '"name" appears twice'],
    [
      'a key twice deep in the arguments',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":[{"y":1,"y":2}]}}}\n',
      -32600,
      '"y" appears twice',
    ],
    ['method in other case', '{"jsonrpc":"2.0","id":1,"Method":"tools/call","params":{"name":"a"}}\n', -32600, '"Method"'],
    [
      'params with a long s',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"},"param\u017f":{"name":"b"}}\n',
      -32600,
      'read as another',
    ],
    [
      'arguments in other case',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Arguments":{"x":1}}}\n',
      -32600,
      '"Arguments"',
    ],
    ['the method in other case', '{"jsonrpc":"2.0","id":1,"method":"Tools/Call","params":{"name":"a"}}\n', -32600, 'could be read as'],
    ['the method with a NUL', '{"jsonrpc":"2.0","id":1,"method":"tools/call\\u0000x","params":{"name":"a"}}\n', -32600, 'could be read as'],
    ['a method in a list', '{"jsonrpc":"2.0","id":1,"method":["tools/call"],"params":{"name":"a"}}\n', -32600, 'method must be a string'],
    ['a prototype', `{"jsonrpc":"2.0","id":1,"__proto__":{${call}}}\n`, -32600, '__proto__'],
    ['a request that is a response', `{"jsonrpc":"2.0","id":1,"result":{},${call}}\n`, -32600, 'at once'],
    ['a call without an id', `{"jsonrpc":"2.0",${call}}\n`, -32600, 'needs an id'],
    ['a call with a null id', `{"jsonrpc":"2.0","id":null,${call}}\n`, -32600, 'needs an id'],
    ['a call without a name', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}\n', -32600, 'params.name'],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"ping"}\n', -32600, 'an id must be'],
    [
      'arguments nested without end',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":${'['.repeat(501)}${']'.repeat(501)}}}\n`,
      -32600,
      'nested deeper',
    ],
    ['a bare string', '"tools/call"\n', -32600, 'JSON object'],
    ['an empty batch', '[]\n', -32600, 'empty batch'],
    ['a batch in a batch', `[[{"jsonrpc":"2.0","id":1,${call}}]]\n`, -32600, 'JSON object'],
    ['a line beyond the limit', `{"jsonrpc":"2.0","id":1,"method":"x","params":{"t":"${'x'.repeat(5_000)}"}}\n`, -32600, 'longer than'],
  ];
  test.each(rows)('%s', async (_name, text, code, why) => {
    const b = bench(deliver, { messageBytes: 4_000 });
    await b.send(text);
    await b.send('{"jsonrpc":"2.0","id":50,"method":"ping"}\n');
    expect(b.toServer).toEqual(['{"jsonrpc":"2.0","id":50,"method":"ping"}\n']);
    expect(b.clientMessages()).toEqual([expect.objectContaining({ error: { code, message: expect.stringContaining(why) as unknown } })]);
  });
});

describe('calls', () => {
  const rows: readonly (readonly [string, string, Partial<ToolCall>])[] = [
    [
      'Claude',
      callLine(2, 'echo', { text: 'yo' }, { 'claudecode/toolUseId': 'toolu_1', progressToken: 2 }),
      { useId: 'toolu_1', tool: 'echo', args: { text: 'yo' }, session: '' },
    ],
    [
      'Codex',
      callLine(2, 'echo', { text: 'yo' }, { callId: 'call_16', 'x-codex-turn-metadata': { session_id: 's-1' }, threadId: 't-1' }),
      { useId: 'call_16', session: 's-1' },
    ],
    ['Codex without turn metadata', callLine(2, 'echo', {}, { threadId: 't-1' }), { useId: null, session: 't-1' }],
    [
      'a client that says nothing',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}\n',
      { useId: null, session: '', args: {}, cwd: '/project', server: 'files', client: 'mcp', channel: 'mcp' },
    ],
    ['arguments that are no object', callLine(1, 'x', ['a']), { args: ['a'] }],
  ];
  test.each(rows)('are judged as %s sends them', async (_name, text, expected) => {
    const seen: ToolCall[] = [];
    const b = bench((call) => {
      seen.push(call);
      return Promise.resolve(judgement('delivered'));
    });
    await b.send(text);
    expect(seen).toEqual([expect.objectContaining(expected)]);
    expect(b.toServer).toEqual([text]);
  });

  test.each(['refused', 'expired', 'asked'] as const)('%s: the model gets the reason, the server nothing', async (outcome) => {
    const b = bench(() => Promise.resolve(judgement(outcome, 'because of this')));
    await b.send(callLine('id-1', 'rm'));
    expect(b.toServer).toEqual([]);
    expect(b.clientMessages()).toEqual([
      { jsonrpc: '2.0', id: 'id-1', result: { content: [{ type: 'text', text: 'because of this' }], isError: true } },
    ]);
  });

  test.each([
    ['rejects', (() => Promise.reject(new Error('no journal'))) as Judge],
    [
      'throws',
      (() => {
        throw new Error('bug');
      }) as Judge,
    ],
  ])('a judge that %s is a refusal', async (_name, judge) => {
    const b = bench(judge);
    await b.send(callLine(1, 'rm'));
    expect(b.toServer).toEqual([]);
    expect(b.clientMessages()).toEqual([expect.objectContaining({ id: 1, result: expect.objectContaining({ isError: true }) as unknown })]);
  });

  test('a batch with calls is split and every call judged', async () => {
    const b = bench((call) => Promise.resolve(call.tool === 'good' ? judgement('delivered') : judgement('refused', 'no')));
    await b.send(
      `[{"jsonrpc":"2.0","id":1,"method":"ping"}, ${callLine(2, 'good').trim()} ,${callLine(3, 'bad').trim()},{"jsonrpc":"2.0","id":4,"Method":"x"}]\n`,
    );
    expect(b.toServer).toEqual(['{"jsonrpc":"2.0","id":1,"method":"ping"}\n', callLine(2, 'good')]);
    expect(b.clientMessages().map((message) => message['id'])).toEqual([4, 3]);
  });

  test.each([
    [1, 1],
    [1, '1'],
    ['1e0', 1],
  ])('an id in use cannot be used again (%j, %j)', async (first, second) => {
    const b = bench(deliver);
    await b.send(callLine(first, 'a'));
    await b.send(callLine(second, 'b'));
    expect(b.toServer).toEqual([callLine(first, 'a')]);
    expect(b.clientMessages()).toEqual([expect.objectContaining({ id: null })]);
    await b.serve(line({ jsonrpc: '2.0', id: first, result: {} }));
    await b.send(callLine(second, 'b'));
    expect(b.toServer).toEqual([callLine(first, 'a'), callLine(second, 'b')]);
  });

  test('a batch of requests with a taken id forwards the others one by one', async () => {
    const b = bench(deliver);
    await b.send('[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","id":1,"method":"b"},{"jsonrpc":"2.0","id":2,"method":"c"}]\n');
    expect(b.toServer).toEqual(['{"jsonrpc":"2.0","id":1,"method":"a"}\n', '{"jsonrpc":"2.0","id":2,"method":"c"}\n']);
  });
});

describe('results', () => {
  const refuseBad: Judge = (call) =>
    Promise.resolve(
      call.channel === 'response' && JSON.stringify(call.args).includes('BAD') ? judgement('refused', 'withheld') : judgement('delivered'),
    );
  const bad = expect.objectContaining({
    id: 1,
    result: {
      content: [{ type: 'text', text: 'Callgate withheld the result of "read" on "files"; the call itself has run. withheld' }],
      isError: true,
    },
  }) as unknown;
  const text = (value: string): unknown => ({ type: 'text', text: value });
  const rows: readonly (readonly [string, unknown])[] = [
    ['a text block', { result: { content: [text('fine'), text('BAD')] } }],
    ['structured content', { result: { content: [], structuredContent: { deep: ['BAD'] } } }],
    ['an embedded resource', { result: { content: [{ type: 'resource', resource: { uri: 'x:', text: 'BAD' } }] } }],
    ['a resource link', { result: { content: [{ type: 'resource_link', uri: 'BAD' }] } }],
    ['an error message', { error: { code: 1, message: 'BAD' } }],
    ['error data', { error: { code: 1, message: 'x', data: { y: 'BAD' } } }],
    ['content that is no list', { result: { content: 'BAD' } }],
    ['text in the place of a picture', { result: { content: [{ type: 'image', data: 'BAD words' }] } }],
    ['text in the place of a kind', { result: { content: [{ type: 'BAD words' }] } }],
    ['text in a key', { result: { content: [{ type: 'x', 'BAD words': 1 }] } }],
    ['the last words of a long text', { result: { content: [text(`${'x'.repeat(3_000_000)}BAD`)] } }],
    ['words across the border of two pieces', { result: { content: [text(`${'x'.repeat(512 * 1024 - 1)}BAD${'x'.repeat(9)}`)] } }],
    ['the last words of long structured content', { result: { content: [], structuredContent: { deep: ['x'.repeat(600_000), 'BAD'] } } }],
    ['a field of old protocol versions', { result: { toolResult: 'BAD' } }],
    ['a result that is no object', { result: 'BAD' }],
    ['an answer with the id as a string', { id: '1', result: { content: [text('BAD')] } }],
    ['a batch', null],
  ];
  test.each(rows)('%s is withheld', async (_name, part) => {
    const b = bench(refuseBad);
    await b.send(callLine(1, 'read'));
    await b.serve(
      part === null
        ? `[${line({ id: 1, result: { content: [text('BAD')] } }).trim()},{"jsonrpc":"2.0","method":"notifications/x"}]\n`
        : line({ jsonrpc: '2.0', id: 1, ...(part as object) }),
    );
    await until('an answer', () => b.clientText().includes('"id":1'));
    expect(b.clientText()).not.toContain('BAD');
    expect(b.clientMessages()).toContainEqual(bad);
  });

  test('a clean one passes as it came and is judged as the tool’s', async () => {
    const seen: ToolCall[] = [];
    const b = bench((call) => {
      seen.push(call);
      return Promise.resolve(judgement('delivered'));
    });
    await b.send(callLine(1, 'read', { path: '/x' }));
    const answer =
      '{"result":{"content":[{"type":"text","text":"a"},{"text":"b","type":"text"}],"structuredContent":{"k":1} },"id":1,"jsonrpc":"2.0"}\n';
    await b.serve(answer);
    expect(b.clientText()).toBe(answer);
    expect(seen[1]).toMatchObject({
      channel: 'response',
      tool: 'read',
      server: 'files',
      args: {
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
        structuredContent: { k: 1 },
      },
    });
  });

  test('a long one is judged whole and passes as it came', async () => {
    let judged = 0;
    const b = bench((call) => {
      if (call.channel === 'response') judged += String((call.args as { content?: string }).content ?? '').length;
      return Promise.resolve(judgement('delivered'));
    });
    await b.send(callLine(1, 'read'));
    const answer = line({ jsonrpc: '2.0', id: 1, result: { content: [text('y'.repeat(5_000_000))] } });
    await b.serve(answer);
    await until('the result', () => b.clientText().length >= answer.length);
    expect(b.clientText()).toBe(answer);
    expect(judged).toBeGreaterThanOrEqual(5_000_000);
  });

  test.each(['content', 'structuredContent'])('one nested without end in %s is withheld, and the relay lives on', async (field) => {
    const b = bench(deliver);
    await b.send(callLine(1, 'read'));
    const deep = `${'[{"a":'.repeat(20_000)}1${'}]'.repeat(20_000)}`;
    await b.serve(`{"jsonrpc":"2.0","id":1,"result":{"${field}":[{"type":"text","x":${deep}}]}}\n`);
    expect(JSON.stringify(b.clientMessages())).toMatch(/nested deeper than 500 levels/);
    await b.send(callLine(2, 'again'));
    expect(b.toServer).toHaveLength(2);
  });

  test.each([
    ['a key twice', '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"BAD","text":"fine"}]}}\n'],
    ['result and error', '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}\n'],
    ['result in other case', '{"jsonrpc":"2.0","id":1,"Result":{"content":[]}}\n'],
  ])('one with two readings is withheld: %s', async (_name, answer) => {
    const b = bench(deliver);
    await b.send(callLine(1, 'read'));
    await b.serve(answer);
    expect(b.clientMessages()).toHaveLength(1);
    expect(b.clientMessages()[0]?.['id']).toBe(1);
    expect(b.clientText()).not.toContain('BAD');
    expect(JSON.stringify(b.clientMessages())).toMatch(/more than one way|one way only/);
  });

  test.each([
    ['an answer nobody asked for', '{"jsonrpc":"2.0","id":77,"result":{"content":[{"type":"text","text":"BAD"}]}}\n'],
    ['a result without an id', '{"jsonrpc":"2.0","id":null,"result":{"content":[]}}\n'],
    ['noise on stdout', 'Server listening…\n'],
    ['a key twice at the top', '{"jsonrpc":"2.0","id":77,"id":1,"result":{}}\n'],
    ['an empty line', '\n'],
  ])('%s is dropped', async (_name, answer) => {
    const b = bench(deliver);
    await b.send(callLine(1, 'read'));
    await b.serve(answer);
    expect(b.clientText()).toBe('');
    await b.serve('{"jsonrpc":"2.0","id":1,"result":{"content":[]}}\n');
    expect(b.clientMessages()).toHaveLength(1);
  });
});
