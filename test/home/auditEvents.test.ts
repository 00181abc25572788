import { expect, test } from 'vitest';
import type { JsonValue } from '#core/model/json.ts';
import { rememberingScrub } from '#home/auditEvents.ts';

const A = { cwd: '/home/me/My Project (2)', tool: 'say=it' };
const long = { cwd: 'x'.repeat(5000) };
const many = Array.from({ length: 500 }, (_, index) => ({ cwd: String(index) }));

test.each<[string, readonly JsonValue[], number]>([
  ['the same again is not looked at again', [A, { ...A }, A], 1],
  ['another value is, and one whose parts have changed places', [A, { ...A, cwd: A.tool, tool: A.cwd }, { cwd: A.cwd }], 3],
  ['a text and a list of it are not the same', ['a', ['a'], 'a'], 2],
  ['a long one is not kept', [long, long], 2],
  ['after many others it is looked at again', [A, ...many, A], 502],
])('%s', (_, values, looks) => {
  let looked = 0;
  const scrub = rememberingScrub((value) => {
    looked += 1;
    return { clean: value };
  });
  for (const value of values) expect(scrub(value)).toEqual({ clean: value });
  expect(looked).toBe(looks);
});
