import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ToolCall } from '#core/model/call.ts';
import { isObject } from '#core/model/json.ts';
import { bench, judgement, settle } from './harness.ts';

/**
 * Another parser's view of one line: keys without regard to case, repeated keys either way, strings cut at NUL. It
 * reads a superset of what servers' parsers read, and is written on its own so that it shares no mistake with ours.
 */
function lenientRead(text: string, winner: 'first' | 'last'): unknown {
  let at = 0;
  const blank = (): void => {
    while (/[\s\ufeff\0]/.test(text[at] ?? '')) at++;
  };
  const value = (): unknown => {
    blank();
    const start = text[at];
    if (start === '{') {
      at++;
      const object = new Map<string, unknown>();
      for (;;) {
        blank();
        if (text[at] === '}' || at >= text.length) break;
        if (text[at] === ',') {
          at++;
          continue;
        }
        const key = String(value()).split('\0')[0]?.trim().toUpperCase().toLowerCase() ?? '';
        blank();
        if (text[at] === ':') at++;
        const member = value();
        if (winner === 'last' || !object.has(key)) object.set(key, member);
      }
      at++;
      return Object.fromEntries(object);
    }
    if (start === '[') {
      at++;
      const list: unknown[] = [];
      for (;;) {
        blank();
        if (text[at] === ']' || at >= text.length) break;
        if (text[at] === ',') {
          at++;
          continue;
        }
        const before = at;
        list.push(value());
        if (at === before) at++;
      }
      at++;
      return list;
    }
    if (start === '"') {
      let end = at + 1;
      while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
      const raw = text.slice(at, end + 1);
      at = end + 1;
      try {
        return JSON.parse(raw) as unknown;
      } catch {
        return raw;
      }
    }
    const word = /^[^\s,:{}[\]"]*/.exec(text.slice(at))?.[0] ?? '';
    at += Math.max(word.length, 1);
    return word;
  };
  return value();
}

/** The tool names of every call in what the server got, as lenient parsers with universal newlines see it. */
function callsSeen(lines: readonly string[]): string[] {
  const found: string[] = [];
  for (const text of lines.flatMap((line) => line.split(/\r\n|\r|\n/))) {
    for (const winner of ['first', 'last'] as const) {
      const seen = lenientRead(text, winner);
      for (const message of Array.isArray(seen) ? (seen as unknown[]) : [seen]) {
        if (!isObject(message)) continue;
        const method = message['method'];
        const plain = typeof method === 'string' || Array.isArray(method) ? String(method).split('\0')[0]?.trim().toLowerCase() : '';
        if (plain === 'tools/call') found.push(isObject(message['params']) ? String(message['params']['name']) : '?');
      }
    }
  }
  return found;
}

const word = fc.constantFrom(
  '"method"',
  '"tools/call"',
  '"params"',
  '"name"',
  '"arguments"',
  '"id"',
  '"jsonrpc"',
  '"Method"',
  '"m\\u0065thod"',
  '"TOOLS/CALL"',
  '"tools/call\\u0000"',
  '"evil"',
  '"good"',
  '"__proto__"',
  '1',
  '"1"',
  'null',
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '\r',
  '\n',
  ' ',
  '\\',
  '"',
  '\u2028',
  '\ufeff',
);
const soup = fc.array(word, { maxLength: 40 }).map((words) => words.join(''));

const key = fc.constantFrom(
  'method',
  'params',
  'id',
  'jsonrpc',
  'name',
  'arguments',
  'result',
  '_meta',
  'Method',
  'NAME',
  'param\u017f',
  '__proto__',
  'x',
  'method\0',
);
const method = fc.constantFrom(
  '"tools/call"',
  '"Tools/Call"',
  '"ping"',
  '["tools/call"]',
  '"notifications/cancelled"',
  '"tools/call "',
  '"tools\\/call"',
  '7',
);
const call = fc.constant('{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"evil","arguments":{}}}');
const member = fc.oneof(
  fc.tuple(
    key,
    fc.oneof(
      method,
      call,
      fc.constantFrom('1', '"1"', 'null', '{"name":"evil"}', '{"name":"good","name":"evil"}', '{"requestId":1}', '"evil"', '[]'),
    ),
  ),
  fc.tuple(fc.constant('method'), method),
  fc.tuple(
    fc.constant('params'),
    fc.constantFrom('{"name":"evil"}', '{"name":"good","Name":"evil"}', '{"name":"evil","name":"good"}', '{"name":"good"}'),
  ),
  fc.tuple(fc.constant('id'), fc.constantFrom('1', '2', '"1"', '"a"')),
);
const gap = fc.constantFrom('', ' ', '\t', '\r', ' ');
const message = fc
  .tuple(fc.array(member, { maxLength: 6 }), gap)
  .map(([members, space]) => `{${members.map(([name, value]) => `${space}${JSON.stringify(name)}:${space}${value}`).join(',')}}`);
const wire = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: message },
      fc.array(message, { maxLength: 3 }).map((list) => `[${list.join(',')}]`),
      soup,
      call,
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((lines) => Buffer.from(`${lines.join('\n')}\n`));
const cuts = fc.array(fc.nat(2_000), { maxLength: 6 });

async function feed(bytes: Buffer, at: readonly number[]): Promise<{ toServer: string[]; judged: ToolCall[]; approved: number }> {
  const judged: ToolCall[] = [];
  let approved = 0;
  const b = bench((toolCall) => {
    judged.push(toolCall);
    if (toolCall.tool === 'evil') return Promise.resolve(judgement('refused', 'no'));
    approved++;
    return Promise.resolve(judgement('delivered'));
  });
  const places = [...new Set([0, ...at.filter((place) => place < bytes.length), bytes.length])].sort((x, y) => x - y);
  for (let index = 0; index + 1 < places.length; index++) await b.send(bytes.subarray(places[index], places[index + 1]));
  b.output.destroy();
  await b.done;
  return { toServer: b.toServer, judged, approved };
}

function check({ toServer, approved }: Awaited<ReturnType<typeof feed>>): void {
  const seen = callsSeen(toServer);
  expect(seen).not.toContain('evil');
  // Twice, because the lenient parser looks with both rules.
  expect(seen.length).toBe(approved * 2);
}

test('the lenient parser finds the tricks it is there for', () => {
  expect(callsSeen(['{"method":"ping","METHOD":"tools/call","params":{"name":"evil"}}\n'])).toEqual(['evil']);
  expect(callsSeen(['{"x":\r{"method":"tools/call","params":{"name":"a","name":"evil"}}\r}\n'])).toEqual(['a', 'evil']);
  expect(callsSeen(['[{"method":["tools/call"],"params":{"name":"evil"}}]'])).toEqual(['evil', 'evil']);
});

test('no call reaches the server unjudged, whatever the client sends', { timeout: 60_000 }, async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(wire, cuts, async (bytes, at) => check(await feed(bytes, at))),
    { numRuns: 1_500 },
  );
});

test('nor for any bytes at all', async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), cuts, async (bytes, at) => check(await feed(Buffer.from([...bytes, 10]), at))),
    { numRuns: 300 },
  );
});

test('well-formed lines that are no calls arrive byte for byte and in order, calls between them in place', async () => {
  expect.hasAssertions();
  const plain = fc.oneof(
    fc
      .json({ depthSize: 'small' })
      .map((params) => `{"jsonrpc":"2.0","method":"notifications/x","params":{"v":${params.replace(/[\r\n]/g, '')}}}`),
    fc.constant('{"jsonrpc":"2.0","id":"s","result":{}}'),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify({ jsonrpc: '2.0', method: 'notifications/y', params: { text } })),
  );
  const good = fc.constant('good');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(plain, good), { maxLength: 20 }), cuts, async (lines, at) => {
      const sent = lines.map(
        (text, id) => `${text === 'good' ? `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"good"}}` : text}\n`,
      );
      const { toServer } = await feed(Buffer.from(sent.join('')), at);
      expect(toServer).toEqual(sent);
    }),
    { numRuns: 300 },
  );
});

/** Whatever a server writes: what of it reaches the client unjudged is as it came, and what was refused does not reach it. */
test('the client hears a server byte for byte, or not at all, or in our words', { timeout: 60_000 }, async () => {
  expect.hasAssertions();
  const words = fc.constantFrom('fine', 'evil words', 'complete', '', '\u2028', 'evil;x');
  const method = fc.constantFrom('sampling/createMessage', 'notifications/message', 'x/y', 'tools/call', 'roots/list', '');
  const value: fc.Arbitrary<unknown> = fc.oneof(
    words,
    fc.integer(),
    fc.constant(null),
    fc.dictionary(fc.constantFrom('text', 'content', 'evil ways', 'data', 'mimeType', 'resultType', '_meta'), words, { maxKeys: 3 }),
    fc.array(words, { maxLength: 2 }),
  );
  const id = fc.constantFrom<unknown>(1, 2, 's', null, '1', {});
  const shapes: readonly fc.Arbitrary<Record<string, unknown>>[] = [
    fc.record({ jsonrpc: fc.constant('2.0'), id, method, params: value }),
    fc.record({ jsonrpc: fc.constant('2.0'), method, params: value }),
    fc.record({ id, result: value }),
    fc.record({ id, error: value }),
    fc.record({ id, Result: value }),
    fc.record({ id, method, params: value, result: value, error: value }, { requiredKeys: [] }),
  ];
  const said = fc.oneof(...shapes).map((one) => JSON.stringify(one));
  const fromServer = fc.array(
    fc.oneof(
      said,
      fc.array(said, { maxLength: 3 }).map((list) => `[${list.join(' ,')}]`),
      fc.constant('{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"evil","text":"fine"}]}}'),
      fc.constant('{"jsonrpc":"2.0", "id":2 ,"result":{"tools":[{"name":"fine","n":12345678901234567890}]}}'),
    ),
    { minLength: 1, maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(fromServer, async (lines) => {
      const b = bench((call) => Promise.resolve(judgement(JSON.stringify(call.args).includes('evil') ? 'refused' : 'delivered', 'no')));
      await b.send(
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"good"}}\n{"jsonrpc":"2.0","id":2,"method":"tools/list"}\n',
      );
      for (const text of lines) await b.serve(`${text}\n`);
      await settle();
      const sent = lines.flatMap((text) => [text, ...membersOf(text)]);
      for (const heard of b
        .clientText()
        .split('\n')
        .filter((text) => text !== '')) {
        if (heard.includes('Callgate withheld') || heard.includes('cannot be read in one way only')) continue;
        expect(sent).toContain(heard);
        // What only programs read (roots/list), and a list of tools that nobody reviews, may hold the word.
        if (!heard.includes('"id":2') && !heard.includes('roots/list')) expect(heard).not.toContain('evil');
      }
      b.output.destroy();
      await b.done;
    }),
    { numRuns: 600 },
  );
});

/** The members of a batch, as the text they were made from. */
function membersOf(text: string): string[] {
  const parsed = JSON.parse(text) as unknown;
  return Array.isArray(parsed) ? parsed.map((member) => JSON.stringify(member)) : [];
}
