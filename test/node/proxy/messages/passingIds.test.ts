import fc from 'fast-check';
import { expect, test } from 'vitest';
import { passingIds } from '#node/proxy/messages/passingIds.ts';

const of = (line: string): ReturnType<typeof passingIds> => passingIds(Buffer.from(`${line}\n`));

test.each([
  ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}', [1], []],
  ['{"method":"tools/call","params":{},"jsonrpc":"2.0","id":"a-1"}', ['a-1'], []],
  ['{"jsonrpc":"2.0","id":7,"result":{"content":[]}}', [], [7]],
  ['{"result":{"content":[]},"jsonrpc":"2.0","id":7}', [], [7]],
  ['{"error":{"code":1,"message":"no"},"jsonrpc":"2.0","id":7}', [], [7]],
  // A notification whose parameters end as a request does.
  ['{"method":"x","params":{"a":1,"jsonrpc":"2.0","id":5}}', [], []],
  [String.raw`{"method":"x","params":",\"jsonrpc\":\"2.0\",\"id\":5}"}`, [], []],
  [String.raw`{"jsonrpc":"2.0","id":"a\"b","method":"x"}`, ['a"b'], []],
  ['{"jsonrpc":"2.0","id":1.5,"method":"x"}', [1.5], []],
  [`{"method":"x","jsonrpc":"2.0","id":${'1'.repeat(15)}}`, [111_111_111_111_111], []],
  ['{"jsonrpc":"2.0","id":null,"error":{}}', [], []],
  ['[{"jsonrpc":"2.0","id":1,"method":"x"},{"jsonrpc":"2.0","id":2,"result":{}}]', [1], [2]],
  ['{"jsonrpc":"2.0","method":"notifications/initialized"}', [], []],
  ['{"jsonrpc":"2.0","id":1', [], []],
  ['no JSON', [], []],
])('%s', (line, requests, answers) => {
  expect(of(line)).toEqual({ requests, answers });
});

const id = fc.oneof(fc.nat(), fc.double({ noNaN: true }), fc.string(), fc.constant('a-1'), fc.constant(null), fc.boolean());
const part = { jsonrpc: fc.constant('2.0'), id, params: fc.jsonValue() };
/** What is a request and an answer at once is refused by the relay. */
const members = fc.oneof(
  fc.record({ ...part, method: fc.string() }, { requiredKeys: [] }),
  fc.record({ ...part, result: fc.jsonValue(), error: fc.jsonValue() }, { requiredKeys: [] }),
);
/** In any order, as objects keep the one they were made in. */
const message = members.chain((made) => fc.shuffledSubarray(Object.entries(made)).map((some) => Object.fromEntries(some)));

test('the ids of any message are those that reading the whole of it gives', () => {
  const isId = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number';
  fc.assert(
    fc.property(message, (made) => {
      const read = JSON.parse(JSON.stringify(made)) as Record<string, unknown>;
      const known = isId(read['id']) ? [read['id']] : [];
      expect(of(JSON.stringify(made))).toEqual({
        requests: typeof read['method'] === 'string' ? known : [],
        answers: 'result' in read || 'error' in read ? known : [],
      });
    }),
    { numRuns: 2000 },
  );
});
