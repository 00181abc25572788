/** What a pin binds to, what may change of it unasked, and how a change is shown. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '#core/model/json.ts';
import { definitionDiff, diffLines } from '#core/policy/definitionDiff.ts';
import { driftBetween } from '#core/policy/definitionDrift.ts';
import { isTooDeep, namelessText, pinnedText } from '#core/policy/pinnedText.ts';

const word = fc.stringMatching(/^[a-z]{1,8}$/u);
const schema = (): fc.Arbitrary<JsonObject> =>
  fc.record({
    type: fc.constant('object'),
    properties: fc.dictionary(word, fc.record({ type: fc.constantFrom('string', 'number'), description: word }), { maxKeys: 4 }),
    required: fc.array(word, { maxLength: 3 }),
  });
const definition = fc.record({
  name: word,
  title: word,
  description: fc.array(word, { maxLength: 8 }).map((words) => words.join(' ')),
  inputSchema: schema(),
  annotations: fc.dictionary(word, fc.boolean(), { maxKeys: 2 }),
});

test('a definition is the same in any order of its keys and of its sets', () => {
  const turned = (value: JsonValue): JsonValue =>
    Array.isArray(value)
      ? [...(value as readonly JsonValue[])].reverse()
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, member]) => [key, turned(member as JsonValue)]),
          )
        : value;
  fc.assert(
    fc.property(definition, (one) => {
      expect(pinnedText(turned(one))).toBe(pinnedText(one));
      expect(driftBetween(one, turned(one))).toBe('same');
    }),
  );
});

test('another word anywhere is a change, and the diff shows it', () => {
  fc.assert(
    fc.property(definition, fc.constantFrom('name', 'title', 'description'), word, (one, key, more) => {
      const now = { ...one, [key]: `${String(one[key])} ${more}`.trim() };
      expect(driftBetween(one, now)).toBe('changed');
      const parts = definitionDiff(one, now);
      expect(parts.map(({ at }) => at)).toEqual([key]);
      expect(parts.flatMap(({ after, come }) => come.map(({ start, end }) => after?.slice(start, end).trim()))).toContain(more);
    }),
  );
});

test('spans of a diff are what differs: without them both texts are the same', () => {
  const text = fc.array(fc.constantFrom('a', 'b', ' ', 'cc', '\n', '.'), { maxLength: 40 }).map((parts) => parts.join(''));
  const without = (whole: string, spans: readonly { start: number; end: number }[]): string =>
    spans.reduceRight((rest, { start, end }) => rest.slice(0, start) + rest.slice(end), whole);
  fc.assert(
    fc.property(text, text, (before, after) => {
      for (const part of definitionDiff(before, after))
        expect(without(part.before ?? '', part.gone)).toBe(without(part.after ?? '', part.come));
    }),
  );
});

test('any two JSON values can be compared, and only equal ones have no diff', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, two) => {
      const [before, after] = [{ v: one as JsonValue }, { v: two as JsonValue }];
      driftBetween(before, after);
      expect(definitionDiff(before, before)).toEqual([]);
      expect(diffLines(definitionDiff(before, after), 80).every((line) => /^[-+] [^\n]*$/u.test(line))).toBe(true);
    }),
  );
});

test('two long texts without a word in common are compared in time and wholly marked', () => {
  const [before, after] = ['x '.repeat(50_000), 'y '.repeat(50_000)];
  const [part] = definitionDiff(before, after);
  expect(part?.gone).toEqual([{ start: 0, end: before.length - 1 }]);
});

test.each([
  ['a number in a sentence', 'Up to 10 files.', 'Up to 20 files.', 'mild'],
  ['a version', 'Version v1.2.', 'Version v1.10.', 'mild'],
  ['an address of four numbers', 'At 10.0.0.1', 'At 10.0.0.2', 'changed'],
  ['a number in a name', 'Use key1', 'Use key2', 'changed'],
  ['a number in a link', 'See http://x.test/1', 'See http://x.test/2', 'changed'],
  ['a phone number', 'Call 5550100111', 'Call 5550100222', 'changed'],
  ['another digit count', 'Up to 9.', 'Up to 10.', 'mild'],
  ['blanks', 'a  b\n c', 'a b c', 'mild'],
  ['a blank that is not seen', 'a b', 'a\u00A0b', 'changed'],
  ['another case', 'Never', 'never', 'changed'],
  ['a point', 'Do not. Stop', 'Do not Stop', 'changed'],
])('text: %s', (_, before, after, drift) => {
  expect(driftBetween({ name: 'n', description: before }, { name: 'n', description: after })).toBe(drift);
  expect(driftBetween(before, after)).toBe(drift);
});

const withSchema = (more: JsonObject): JsonObject => ({
  name: 'n',
  inputSchema: {
    type: 'object',
    properties: { path: { type: 'string', maxLength: 10 }, n: { type: 'integer' } },
    required: ['path'],
    ...more,
  },
});

test.each([
  ['a parameter less', withSchema({ properties: { path: { type: 'string', maxLength: 10 } } }), 'mild'],
  ['another bound', withSchema({ properties: { path: { type: 'string', maxLength: 99 }, n: { type: 'integer' } } }), 'mild'],
  ['another kind', withSchema({ properties: { path: { type: 'object' }, n: { type: 'integer' } } }), 'changed'],
  ['a pattern', withSchema({ properties: { path: { type: 'string', maxLength: 10, pattern: '.*' }, n: { type: 'integer' } } }), 'changed'],
  [
    'a parameter called description',
    withSchema({ properties: { path: { type: 'string', maxLength: 10 }, n: { type: 'integer' }, description: { type: 'string' } } }),
    'mild',
  ],
  [
    'a parameter with a text for its default',
    withSchema({
      properties: { path: { type: 'string', maxLength: 10 }, n: { type: 'integer' }, x: { type: 'string', default: 'do it' } },
    }),
    'changed',
  ],
  [
    'a parameter with a title of its own',
    withSchema({
      properties: {
        path: { type: 'string', maxLength: 10 },
        n: { type: 'integer' },
        x: { type: 'string', title: 'The whole conversation' },
      },
    }),
    'changed',
  ],
  [
    'a parameter of objects',
    withSchema({
      properties: {
        path: { type: 'string', maxLength: 10 },
        n: { type: 'integer' },
        x: { type: 'object', properties: { a: { description: 'do it' } } },
      },
    }),
    'changed',
  ],
  ['more that must be given', withSchema({ required: ['path', 'n'] }), 'changed'],
  ['a dialect that is none', withSchema({ $schema: 'http://json-schema.org.evil.test/x' }), 'changed'],
  ['a comment', withSchema({ $comment: 'do it' }), 'changed'],
  ['a schema for what more may come', withSchema({ additionalProperties: { description: 'do it' } }), 'changed'],
])('schema: %s', (_, after, drift) => {
  expect(driftBetween(withSchema({}), after)).toBe(drift);
});

test('nesting beyond reason is told without following it', () => {
  let deep: JsonValue = 'x';
  for (let level = 0; level < 200_000; level++) deep = [deep];
  expect([isTooDeep(deep), isTooDeep({ a: [{ b: 1 }] })]).toEqual([true, false]);
});

test('a renamed definition keeps what it says', () => {
  expect(namelessText({ name: 'a', description: 'd' })).toBe(namelessText({ name: 'b', description: 'd' }));
  expect(namelessText({ name: 'a', description: 'd' })).not.toBe(namelessText({ name: 'a', description: 'e' }));
});
