import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isObject, type JsonValue } from '#core/model/json.ts';
import { escapePointer } from '#core/normalize/pointer.ts';
import { rewriteJson } from '#node/proxy/messages/rewriteJson.ts';

const pointersOf = (value: JsonValue, at = ''): string[] => [
  at,
  ...(Array.isArray(value)
    ? (value as readonly JsonValue[]).flatMap((item, index) => pointersOf(item, `${at}/${index}`))
    : isObject(value)
      ? Object.entries(value).flatMap(([key, member]) => pointersOf(member, `${at}/${escapePointer(key)}`))
      : []),
];

/** The same on the parsed value, written on its own. */
const edited = (value: JsonValue, edits: ReadonlyMap<string, JsonValue>, at = ''): JsonValue => {
  const edit = edits.get(at);
  if (edit !== undefined) return edit;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((item, index) => edited(item, edits, `${at}/${index}`));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, edited(member, edits, `${at}/${escapePointer(key)}`)]));
};

// As JSON has them: it knows no -0.
const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
const written = (value: JsonValue, space: string): string => ` \t${JSON.stringify(value, null, space).replaceAll('/', '\\/')}\r\n`;

test('gives what the same edits give on the parsed value', () => {
  expect.hasAssertions();
  fc.assert(
    fc.property(json, fc.array(fc.tuple(fc.nat(), json), { maxLength: 4 }), fc.constantFrom('', ' ', '\t'), (value, picks, space) => {
      const text = written(value, space);
      // As the relay reads it: a key `__proto__` is a key.
      const parsed = JSON.parse(text) as JsonValue;
      const places = pointersOf(parsed);
      const edits = new Map(picks.map(([pick, edit]) => [places[pick % places.length] ?? '', edit]));
      expect(JSON.parse(rewriteJson(text, edits))).toEqual(edited(parsed, edits));
    }),
    { numRuns: 2_000 },
  );
});

test('leaves every byte alone when nothing is to change, and all outside of what is', () => {
  expect.hasAssertions();
  fc.assert(
    fc.property(json, json, (value, other) => {
      const text = written(value, ' ');
      expect(rewriteJson(text, new Map())).toBe(text);
      expect(rewriteJson(text, new Map([['/no/such/place', 'x']]))).toBe(text);
      const around = `{ "n": 12345678901234567890, "v":${text}, "w" :1e400,"last":[${text}] }`;
      expect(rewriteJson(around, new Map([['/v', other]]))).toBe(
        around.replace(`"v":${text}`, () => `"v":${/^\s*/u.exec(text)?.[0] ?? ''}${JSON.stringify(other)}\r\n`),
      );
    }),
    { numRuns: 500 },
  );
});
