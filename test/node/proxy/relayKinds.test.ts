/** Every kind of message a server can send, with a payload in it that is held or blocked; and by policy what becomes of a bad result. */
import { afterAll, describe, expect, test } from 'vitest';
import type { ToolCall } from '#core/model/call.ts';
import type { JsonObject } from '#core/model/json.ts';
import type { DefinitionReview, Review } from '#node/proxy/definitions/definitionReview.ts';
import { bench, callLine, deliver, judgement, line, settle, until, waitingJudge, type Bench } from './harness.ts';
import { gateJudge } from './gateJudge.ts';

const gate = gateJudge();
afterAll(gate.remove);

const BAD = 'now please-hold and obey';
const text = (value: string): unknown => ({ type: 'text', text: value });
const request = (method: string, params: unknown = {}): string => line({ jsonrpc: '2.0', id: 1, method, params });
const answer = (result: unknown): string => line({ jsonrpc: '2.0', id: 1, result });
const stateless = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientInfo': { name: 'c' } };

describe('an answer with a payload in it is withheld', () => {
  const rows: readonly (readonly [name: string, asked: string, result: unknown])[] = [
    ['resources/read', request('resources/read', { uri: 'x:a' }), { contents: [{ uri: 'x:a', text: BAD }] }],
    [
      'resources/read, base64 text',
      request('resources/read', { uri: 'x:a' }),
      { contents: [{ uri: 'x:a', mimeType: 'text/plain', blob: Buffer.from(BAD).toString('base64') }] },
    ],
    ['prompts/get', request('prompts/get', { name: 'p' }), { messages: [{ role: 'user', content: text(BAD) }] }],
    ['prompts/get, description', request('prompts/get', { name: 'p' }), { description: BAD, messages: [] }],
    ['completion/complete', request('completion/complete'), { completion: { values: ['a', BAD] } }],
    ['tasks/get', request('tasks/get', { taskId: 't' }), { taskId: 't', status: 'working', statusMessage: BAD }],
    ['tasks/list', request('tasks/list'), { tasks: [{ taskId: 't', status: 'working', statusMessage: BAD }] }],
    ['tasks/cancel', request('tasks/cancel', { taskId: 't' }), { taskId: 't', status: 'cancelled', statusMessage: BAD }],
    ['tasks/result', request('tasks/result', { taskId: 't' }), { content: [text(BAD)] }],
    ['a method nobody knows', request('x-vendor/thing'), { anything: { deep: [BAD] } }],
    ['a ping with words', request('ping'), { words: BAD }],
    ['a key', request('x-vendor/thing'), { [BAD]: 1 }],
    ['tools/call, annotations', callLine(1, 'a'), { content: [{ ...(text('x') as object), annotations: { audience: [BAD] } }] }],
    ['tools/call, _meta', callLine(1, 'a'), { content: [text('x')], _meta: { 'io.modelcontextprotocol/model-immediate-response': BAD } }],
    ['tools/call, split between two blocks', callLine(1, 'a'), { content: [text('now please-h'), text('old it')] }],
    ['tools/call, words where base64 should be', callLine(1, 'a'), { content: [{ type: 'image', mimeType: 'image/png', data: BAD }] }],
    [
      'tools/call, split between two long blocks',
      callLine(1, 'a'),
      { content: [text(`${'x '.repeat(300_000)}please-h`), text(`old ${'y '.repeat(300_000)}`)] },
    ],
    [
      'tools/call, in a picture of a long result',
      callLine(1, 'a'),
      {
        content: [text('x '.repeat(300_000)), { type: 'image', mimeType: 'image/png', data: Buffer.from(BAD).toString('base64') }],
      },
    ],
    [
      'tools/call, a question (2026-07-28)',
      callLine(1, 'a', {}, stateless),
      { resultType: 'input_required', inputRequests: { q: { method: 'elicitation/create', params: { message: BAD } } } },
    ],
    ['tools/call as a task', callLine(1, 'a'), { task: { taskId: 't', status: 'working', statusMessage: BAD } }],
  ];
  test.each(rows)('%s', async (_name, asked, result) => {
    const b = bench(gate.judge, {}, { help: gate.help() });
    await b.send(asked);
    expect(b.toServer).toEqual([asked]);
    await b.serve(answer(result));
    await until('an answer', () => b.clientText() !== '');
    expect(b.clientMessages()).toEqual([expect.objectContaining({ id: 1 })]);
    expect(b.clientText()).toContain('Callgate withheld the');
    expect(b.clientText()).not.toMatch(/now please-|obey|bm93IHBsZWFz/u);
    if (asked.includes('tools/call') || asked.includes('tasks/result')) {
      expect(b.clientMessages()[0]).toMatchObject({ result: { isError: true } });
      expect(b.clientText()).toContain('the call itself has run');
      expect(b.clientText().includes('"resultType":"complete"')).toBe(asked.includes('2026-07-28'));
    } else expect(b.clientMessages()[0]).toMatchObject({ error: { code: -32000 } });
  });

  test('words beside the result too, whoever looks at the result itself', async () => {
    const review = { review: () => Promise.resolve({ kind: 'same' as const }), refusal: () => null, close: () => undefined };
    for (const asked of [callLine(1, 'a'), request('tools/list'), request('ping')]) {
      const b = bench(gate.judge, {}, { makeDefinitions: () => review });
      await b.send(asked);
      await b.serve(line({ jsonrpc: '2.0', id: 1, result: {}, beside: { words: BAD } }));
      await until('an answer', () => b.clientText() !== '');
      expect(b.clientText()).toMatch(/Callgate withheld/u);
      expect(b.clientText()).not.toContain('obey');
    }
  });

  test.each(['tools/list', 'resources/read', 'x-vendor/thing'])('the error of %s too', async (method) => {
    const b = bench(gate.judge);
    await b.send(request(method));
    await b.serve(line({ jsonrpc: '2.0', id: 1, error: { code: -1, message: BAD } }));
    await until('an answer', () => b.clientText() !== '');
    expect(b.clientText()).toMatch(/Callgate withheld/u);
    expect(b.clientText()).not.toContain(BAD);
  });
});

describe('what says nothing, or nothing bad, passes as it came', () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['an empty result', request('ping'), '{"jsonrpc":"2.0", "id":1,"result":{}}\n'],
    ['an unknown method', request('x-y/z'), '{"jsonrpc":"2.0","id":1,"result":{"n":12345678901234567890, "t":"fine"}}\n'],
    [
      'a question',
      callLine(1, 'a'),
      '{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"tok_abcdefghijkl","inputRequests":{"q":{"method":"roots/list"}}}}\n',
    ],
    [
      'a definition without anybody who reviews it',
      request('tools/list'),
      `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a","description":"${BAD}"}]}}\n`,
    ],
  ];
  test.each(rows)('%s', async (_name, asked, came) => {
    const b = bench(gate.judge);
    await b.send(asked);
    await b.serve(came);
    await until('an answer', () => b.clientText() !== '');
    expect(b.clientText()).toBe(came);
  });
});

describe('what a server says unasked', () => {
  const kinds: readonly (readonly [name: string, message: Record<string, unknown>, bad: boolean])[] = [
    ['sampling', { id: 's1', method: 'sampling/createMessage', params: { messages: [{ role: 'user', content: text(BAD) }] } }, true],
    ['sampling, system prompt', { id: 's1', method: 'sampling/createMessage', params: { messages: [], systemPrompt: BAD } }, true],
    ['elicitation', { id: 7, method: 'elicitation/create', params: { message: BAD, requestedSchema: { type: 'object' } } }, true],
    ['a request nobody knows', { id: 7, method: 'x-vendor/ask', params: { q: BAD } }, true],
    ['a call made by a server', { id: 7, method: 'tools/call', params: { name: BAD } }, true],
    [
      'sampling that is fine',
      { id: 's1', method: 'sampling/createMessage', params: { messages: [{ role: 'user', content: text('hi') }] } },
      false,
    ],
    ['ping', { id: 1, method: 'ping' }, false],
    ['roots/list', { id: 1, method: 'roots/list', params: { _meta: { a: BAD } } }, true],
    ['logging', { method: 'notifications/message', params: { level: 'info', data: BAD } }, true],
    ['logging, structured', { method: 'notifications/message', params: { level: 'info', data: { deep: [BAD] } } }, true],
    ['logging that is fine', { method: 'notifications/message', params: { level: 'info', data: 'started' } }, false],
    ['progress with words', { method: 'notifications/progress', params: { progressToken: 1, progress: 1, message: BAD } }, true],
    ['progress', { method: 'notifications/progress', params: { progressToken: 1, progress: 1 } }, false],
    ['the state of a task', { method: 'notifications/tasks/status', params: { taskId: 't', statusMessage: BAD } }, true],
    ['a notification nobody knows', { method: 'notifications/x', params: { words: BAD } }, true],
    ['a changed list', { method: 'notifications/tools/list_changed' }, false],
    ['a changed resource', { method: 'notifications/resources/updated', params: { uri: 'file:///x' } }, false],
    ['an error without an id', { id: null, error: { code: -1, message: BAD } }, true],
    ['a message of no kind', { words: BAD }, true],
    ['words beside the parameters', { method: 'notifications/tools/list_changed', beside: BAD }, true],
  ];
  test.each(kinds)('%s', async (_name, message, bad) => {
    const b = bench(gate.judge);
    const came = line({ jsonrpc: '2.0', ...message });
    await b.serve(came);
    await b.serve('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n');
    await until('what comes after it', () => b.clientText().includes('list_changed'));
    expect(b.clientText().startsWith(came)).toBe(!bad);
    const wantsAnswer = bad && message['method'] !== undefined && message['id'] !== undefined;
    expect(b.toServer.map((sent) => JSON.parse(sent) as unknown)).toEqual(
      wantsAnswer
        ? [{ jsonrpc: '2.0', id: message['id'], error: { code: -32000, message: expect.stringContaining('please-hold') as unknown } }]
        : [],
    );
  });

  test.each([
    ['a notification', '"method":"notifications/x","params"'],
    ['a notification that passes, with more beside it', '"method":"notifications/tools/list_changed","beside"'],
    ['a request', '"id":1,"method":"sampling/createMessage","params"'],
    ['an error', '"id":null,"error"'],
    ['no kind', '"x"'],
  ])('%s nested without end is withheld, and the relay lives on', async (_name, start) => {
    const b = bench(gate.judge);
    await b.serve(`{"jsonrpc":"2.0",${start}:${'[{"a":'.repeat(20_000)}1${'}]'.repeat(20_000)}}\n`);
    await b.serve('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n');
    expect(b.clientText()).toBe('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n');
    expect(b.toServer.length).toBe(start.startsWith('"id":1') ? 1 : 0);
  });

  test('a held question of the server waits for a person, and its order does not stop others', async () => {
    const { judge, calls } = waitingJudge();
    const b = bench(judge);
    const came = line({ jsonrpc: '2.0', id: 's', method: 'sampling/createMessage', params: { systemPrompt: 'x' } });
    await b.serve(came);
    calls[0]?.options.onHeld?.(0);
    const ping = '{"jsonrpc":"2.0","id":2,"method":"ping"}\n';
    await b.serve(ping);
    expect(b.clientText()).toBe(ping);
    calls[0]?.answer(judgement('delivered'));
    await until('the question', () => b.clientText() === ping + came);
    expect(b.toServer).toEqual([]);
  });

  test.each(['cancelled', 'server gone', 'client gone'])('a held question is given up: %s', async (how) => {
    const { judge, calls } = waitingJudge();
    const b = bench(judge);
    await b.serve(line({ jsonrpc: '2.0', id: 's', method: 'sampling/createMessage', params: { systemPrompt: 'x' } }));
    calls[0]?.options.onHeld?.(0);
    if (how === 'cancelled') await b.serve(line({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 's' } }));
    else if (how === 'server gone') b.events.onClosed('gone');
    else b.output.destroy();
    await until('the hold is free', () => calls[0]?.options.signal.aborted);
    if (how !== 'cancelled') await b.done;
    expect(b.clientText()).not.toContain('sampling');
  });
});

describe('a bad result by policy', () => {
  const result = {
    content: [text(`good before ${BAD} and good after`), text('another'), { type: 'image', mimeType: 'image/png', data: 'AAAA' }],
    structuredContent: { n: 1, deep: { say: BAD, and: 'fine' } },
  };
  async function deliverWith(results: 'redact' | 'hold' | 'replace', came: unknown): Promise<Bench> {
    const b = bench(gate.judge, {}, { help: gate.help({ results }) });
    await b.send(callLine(1, 'a'));
    await b.serve(
      `${line({ jsonrpc: '2.0', id: 1, big: 0, result: came }).trimEnd().replace('"big":0', '"big": 12345678901234567890')}\r\n`,
    );
    await until('an answer', () => b.clientText() !== '');
    expect(b.clientText()).not.toContain('please-hold and');
    return b;
  }
  test('redact: only what was found is gone, every other byte is as it came', async () => {
    const b = await deliverWith('redact', result);
    expect(b.clientMessages()[0]).toMatchObject({
      result: {
        content: [
          text('good before now [removed by Callgate: test.hold] and obey and good after'),
          text('another'),
          { type: 'image', mimeType: 'image/png', data: 'AAAA' },
        ],
        structuredContent: { n: 1, deep: { say: 'now [removed by Callgate: test.hold] and obey', and: 'fine' } },
      },
    });
    expect(b.clientText()).toMatch(/"big": 12345678901234567890.*\r\n$/u);
  });
  test('redact: a picture that says something is replaced by a note', async () => {
    const b = await deliverWith('redact', {
      content: [text('fine'), { type: 'image', mimeType: 'image/png', data: Buffer.from(BAD).toString('base64') }],
    });
    expect(b.clientMessages()[0]).toMatchObject({ result: { content: [text('fine'), text('[removed by Callgate: test.hold]')] } });
  });
  test.each([
    ['blocked', { content: [text('please-block'), text('fine')] }],
    ['split between blocks', { content: [text('now please-h'), text('old it')] }],
  ])('redact: what is %s is replaced as a whole', async (_name, came) => {
    const b = await deliverWith('redact', came);
    expect(b.clientMessages()[0]).toMatchObject({ result: { isError: true } });
    expect(b.clientText()).not.toContain('fine');
  });
  test.each(['hold', 'replace'] as const)('%s, with nobody to ask: a note', async (results) => {
    const b = await deliverWith(results, result);
    expect(b.clientText()).toContain('Callgate withheld the result of');
    expect(b.clientText().includes('Nobody is asked')).toBe(results === 'replace');
  });
});

describe('secrets in results', () => {
  const SECRET = 'tok_a"bcdefghijk';
  const seen: ToolCall[] = [];
  const start = (): Bench =>
    bench((call, options) => (seen.push(call), gate.judge(call, options)), {}, { help: gate.help({ maskSecrets: true }) });
  const placeholderIn = (b: Bench): string => /‹callgate-secret-1-[0-9a-f]{12}›/u.exec(b.clientText())?.[0] ?? 'none';

  test('are placeholders for the model, and written out again in calls of the same server only', async () => {
    seen.length = 0;
    const b = start();
    await b.send(callLine(1, 'a'));
    await b.serve(answer({ content: [text(`key ${SECRET} twice ${SECRET}`), text('and more')], structuredContent: { k: SECRET } }));
    await until('an answer', () => b.clientText() !== '');
    const placeholder = placeholderIn(b);
    expect(b.clientMessages()[0]).toMatchObject({
      result: { content: [text(`key ${placeholder} twice ${placeholder}`), text('and more')], structuredContent: { k: placeholder } },
    });
    const sent = `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"b","arguments":{"k":"x ${placeholder}","escaped":"\\u2039${placeholder.slice(1)}","n":12345678901234567890}}}\n`;
    await b.send(sent);
    expect(b.toServer[1]).toBe(sent.replaceAll(/(?:‹|\\u2039)callgate-secret-1-[0-9a-f]+›/gu, () => JSON.stringify(SECRET).slice(1, -1)));
    expect(JSON.stringify(seen)).not.toContain('bcdefghijk');
    expect(JSON.stringify(gate.journal())).not.toContain('bcdefghijk');

    const other = start();
    await other.send(sent);
    expect(other.toServer).toEqual([sent]);
  });

  test('a placeholder made up by somebody stays what it is', async () => {
    const b = start();
    await b.send(callLine(1, 'a'));
    await b.serve(answer({ content: [text(SECRET)] }));
    await until('an answer', () => b.clientText() !== '');
    for (const made of ['‹callgate-secret-1›', '‹callgate-secret-1-000000000000›', placeholderIn(b).replace('-1-', '-2-')]) {
      await b.send(callLine(2, 'b', { made }));
      expect(b.toServer.at(-1)).toBe(callLine(2, 'b', { made }));
      await b.serve(line({ jsonrpc: '2.0', id: 2, result: {} }));
    }
  });

  test('without the policy they are judged like anything else', async () => {
    const b = bench(gate.judge, {}, { help: gate.help() });
    await b.send(callLine(1, 'a'));
    await b.serve(answer({ content: [text(SECRET)] }));
    await until('an answer', () => b.clientText() !== '');
    expect(b.clientText()).toContain('withheld');
  });
});

describe('calls in several rounds', () => {
  const question = answer({ resultType: 'input_required', requestState: 'st', inputRequests: { q: { method: 'roots/list' } } });
  const retry = (id: number, args: unknown, state: string): string =>
    line({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: 'a', arguments: args, inputResponses: { q: {} }, requestState: state },
    });
  test('the next round is the same call: decided once, and once only', async () => {
    const judged: ToolCall[] = [];
    const b = bench((call) => (judged.push(call), Promise.resolve(judgement('delivered'))));
    const calls = (): number => judged.filter(({ channel }) => channel === 'mcp').length;
    await b.send(callLine(1, 'a', { x: 1 }));
    await b.serve(question);
    await b.send(retry(2, { x: 1 }, 'st'));
    expect([calls(), b.toServer.length]).toEqual([1, 2]);
    await b.send(retry(3, { x: 1 }, 'st'));
    await b.send(retry(4, { x: 2 }, 'st'));
    expect(calls()).toBe(3);
  });
  test('a result fetched as a task is the result of its call', async () => {
    const judged: (readonly [ToolCall, string | undefined])[] = [];
    const b = bench((call, { resultOf }) => (judged.push([call, resultOf]), Promise.resolve({ ...judgement('delivered'), id: 'call-7' })));
    await b.send(callLine(1, 'slow'));
    await b.serve(answer({ task: { taskId: 'T', status: 'working' } }));
    await b.send(line({ jsonrpc: '2.0', id: 2, method: 'tasks/result', params: { taskId: 'T' } }));
    await b.serve(line({ jsonrpc: '2.0', id: 2, result: { content: [text('done')] } }));
    expect(judged.at(-1)).toEqual([expect.objectContaining({ tool: 'slow', channel: 'response' }), 'call-7']);
    await b.send(line({ jsonrpc: '2.0', id: 3, method: 'tasks/get', params: { taskId: 'T' } }));
    await b.serve(line({ jsonrpc: '2.0', id: 3, result: { taskId: 'T', status: 'completed', result: { content: [text('done')] } } }));
    expect(judged.at(-1)).toEqual([expect.objectContaining({ tool: 'slow', channel: 'response' }), 'call-7']);
  });
});

describe('definitions', () => {
  const list = '{"jsonrpc":"2.0", "id":1,"result":{"tools":[{"name":"a"},{"name":"b"}]},"x":1}\n';
  const reviewer = (
    review: () => Promise<Review>,
    refusal: string | null = null,
  ): {
    make: (tell: (message: JsonObject) => void) => DefinitionReview;
    asked: unknown[];
    told: ((message: JsonObject) => void)[];
    closed: () => boolean;
  } => {
    const asked: unknown[] = [];
    const told: ((message: JsonObject) => void)[] = [];
    let closed = false;
    return {
      asked,
      told,
      closed: () => closed,
      make: (tell) => {
        told.push(tell);
        return {
          review: (...args) => (asked.push(args), review()),
          refusal: () => refusal,
          close: () => (closed = true),
        };
      },
    };
  };
  test.each([
    ['same', { kind: 'same' }, list],
    [
      'changed',
      { kind: 'changed', result: { tools: [{ name: 'a' }] } },
      '{"jsonrpc":"2.0", "id":1,"result":{"tools":[{"name":"a"}]},"x":1}\n',
    ],
    ['refused', { kind: 'refused', reason: 'poisoned.' }, null],
    ['failing', null, null],
  ] as const)('%s', async (_name, review, delivered) => {
    const r = reviewer(() => (review === null ? Promise.reject(new Error('broken')) : Promise.resolve(review)));
    const b = bench(deliver, {}, { makeDefinitions: r.make });
    await b.send(request('tools/list', { cursor: 'c' }));
    await b.serve(list);
    expect(r.asked).toEqual([['tools/list', { cursor: 'c' }, { tools: [{ name: 'a' }, { name: 'b' }] }]]);
    if (delivered === null)
      expect(b.clientMessages()).toEqual([expect.objectContaining({ id: 1, error: expect.objectContaining({ code: -32000 }) as unknown })]);
    else expect(b.clientText()).toBe(delivered);
    r.told[0]?.({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    await settle();
    expect(b.clientText().endsWith('"notifications/tools/list_changed"}\n')).toBe(true);
    b.output.destroy();
    await b.done;
    expect(r.closed()).toBe(true);
  });
  test('a call of a tool that is not approved is refused and recorded', async () => {
    const b = bench(
      gate.judge,
      {},
      { makeDefinitions: reviewer(() => Promise.resolve({ kind: 'same' }), 'Its description changed.').make },
    );
    await b.send(callLine(1, 'rug'));
    await until('an answer', () => b.clientText() !== '');
    expect(b.toServer).toEqual([]);
    expect(b.clientMessages()[0]).toMatchObject({ result: { isError: true, content: [text('Its description changed.')] } });
    expect(gate.journal().at(-1)).toMatchObject({
      kind: 'call',
      tool: 'rug',
      outcome: 'refused',
      findings: [{ rule: 'engine.definition' }],
    });
  });
});

test('a call that is to become a task is refused by an error', async () => {
  const b = bench(gate.judge);
  await b.send(
    line({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'a', arguments: { x: 'please-block' }, task: { ttl: 1 } } }),
  );
  await until('an answer', () => b.clientText() !== '');
  expect(b.clientMessages()[0]).toMatchObject({
    id: 1,
    error: { code: -32000, message: expect.stringContaining('please-block') as unknown },
  });
});

test('a resource is read only when its address may be', async () => {
  const b = bench(gate.judge);
  await b.send(request('resources/read', { uri: 'file:///please-hold' }));
  await until('an answer', () => b.clientText() !== '');
  expect(b.toServer).toEqual([]);
  expect(b.clientMessages()[0]).toMatchObject({ error: { code: -32000 } });
});

test.each([
  ['file:///a/b', { uri: 'file:///a/b' }],
  ['HTTPS://h/x', { uri: 'HTTPS://h/x' }],
  ['memo://notes/1', { scheme: 'memo', resource: 'notes/1' }],
  ['memo:////etc/passwd', { scheme: 'memo', resource: '//etc/passwd' }],
  ['plain', { uri: 'plain' }],
  [7, { uri: 7 }],
])('the resource %j is judged as %j', async (uri, args) => {
  const judged: ToolCall[] = [];
  const b = bench((call) => (judged.push(call), Promise.resolve(judgement('delivered'))));
  const asked = request('resources/read', { _meta: { 'claudecode/toolUseId': 'u' }, uri });
  await b.send(asked);
  expect(judged).toEqual([expect.objectContaining({ tool: 'resources/read', channel: 'mcp', useId: 'u', args })]);
  expect(b.toServer).toEqual([asked]);
});

test('a call that no hook asked about is refused where policy wants one', async () => {
  const b = bench(gate.judge, {}, { help: gate.help({ requireHook: true, servers: ['files'] }) });
  await b.send(callLine(1, 'a'));
  await until('an answer', () => b.clientText() !== '');
  expect(b.toServer).toEqual([]);
  expect(b.clientText()).toContain('only when the client');
});

test('what a call and its result leave in the record', async () => {
  const before = gate.journal().length;
  const b = bench(gate.judge, {}, { help: gate.help() });
  await b.send(callLine(1, 'a', { x: 1 }));
  await b.serve(answer({ content: [text('fine')] }));
  await b.send(request('completion/complete'));
  await b.serve(answer({ completion: { values: ['fine'] } }));
  await b.serve(line({ jsonrpc: '2.0', method: 'notifications/message', params: { data: 'fine' } }));
  const entries = gate.journal().slice(before);
  expect(entries.map(({ kind, tool, outcome }) => [kind, tool, outcome])).toEqual([
    ['call', 'a', 'delivered'],
    ['response', 'a', 'delivered'],
  ]);
  expect(entries[1]?.call).toBe(entries[0]?.call);
});
