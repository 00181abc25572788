import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from '#core/model/json.ts';
import type { JsonValue } from '#core/model/json.ts';

test.each([
  [{ b: 1, a: [true, { d: null, c: 'x' }] }, '{"a":[true,{"c":"x","d":null}],"b":1}'],
  // Names that are numbers stand first in every object, whatever they are compared as.
  [{ 9: 1, 10: 2, a: 3 }, '{"10":2,"9":1,"a":3}'],
  [{ a: undefined, b: Number.NaN, c: [undefined, -0, 1e21] }, '{"b":null,"c":[null,0,1e+21]}'],
  [JSON.parse('{"__proto__":{"b":1,"a":2}}'), '{"__proto__":{"a":2,"b":1}}'],
  [Object.create(null), '{}'],
  ['\ud800', '"\\ud800"'],
])('%j', (value, text) => {
  expect(canonicalJson(value as JsonValue)).toBe(text);
});

test('names in any order give the text with sorted names', () => {
  const sorted = (value: unknown): string => {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    if (Array.isArray(value)) return `[${value.map(sorted).join()}]`;
    const object = value as Record<string, unknown>;
    const names = Object.keys(object).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${sorted(object[name])}`).join()}}`;
  };
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(canonicalJson(value as JsonValue)).toBe(sorted(JSON.parse(JSON.stringify(value))));
    }),
  );
});
