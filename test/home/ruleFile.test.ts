/** Which rules are used: the installed ones, checked here or by the build that knows their hash, or the last good copy. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { writeRulePack } from '#core/detect/packFile.ts';
import { openEngine } from '#home/engine.ts';
import { layoutFor } from '#home/layout.ts';
import { checkOf, keepLastGood, lastGoodRules, loadRules } from '#home/ruleFile.ts';
import { FLAGGED, shellCall, TEST_RULES } from './gateBox.ts';

const homes: string[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

const GOOD = writeRulePack(TEST_RULES);
/** Of the same length, in the first rule. */
const OTHER = GOOD.replace('"title"', '"titel"');
/** Sound JSON that no build would let through. */
const SHAPELESS = GOOD.replace('"title"', '"tittle"');

const rows: readonly (readonly [
  name: string,
  file: string,
  checked: string,
  copy: string | null,
  rules: number,
  problem: RegExp | null,
])[] = [
  ['checked here', GOOD, '', null, 3, null],
  ['checked by the build', GOOD, checkOf(GOOD), null, 3, null],
  ['not the ones the build checked, and sound', `${GOOD}\n`, checkOf(GOOD), null, 3, null],
  ['not the ones the build checked, and unsound', SHAPELESS, checkOf(GOOD), null, 0, /cannot be used/],
  ['unsound, with nothing to compare with', SHAPELESS, '', null, 0, /cannot be used/],
  ['unsound, with a good copy', SHAPELESS, checkOf(GOOD), GOOD, 3, /last good rules are in use/],
  ['cut short', GOOD.slice(0, -3), checkOf(GOOD), null, 0, /cannot be read/],
  ['an unsound copy, whatever its hash', 'no JSON', checkOf(OTHER), SHAPELESS, 0, /cannot be read/],
];
test.each(rows)('rules that are %s', (_name, text, checked, copy, count, problem) => {
  const home = mkdtempSync(join(tmpdir(), 'cgr-'));
  homes.push(home);
  const layout = layoutFor(home);
  mkdirSync(layout.root);
  const file = join(home, 'rules.json');
  writeFileSync(file, text);
  if (copy !== null) writeFileSync(lastGoodRules(layout), copy);
  const loaded = loadRules(layout, file, checked);
  expect(loaded.pack?.size ?? 0).toBe(count);
  if (problem === null) expect(loaded.problem).toBeNull();
  else expect(loaded.problem).toMatch(problem);
});

test('the build has checked them: their shape is not looked at again', () => {
  const home = mkdtempSync(join(tmpdir(), 'cgr-'));
  homes.push(home);
  const file = join(home, 'rules.json');
  writeFileSync(file, OTHER);
  expect(loadRules(layoutFor(home), file, checkOf(OTHER)).pack?.rule(0)).toHaveProperty('titel');
});

const harms: readonly (readonly [name: string, harm: (text: string) => string, problem: RegExp | null])[] = [
  ['a rule that says something else, and is sound', (text) => text.replace('Says please-flag', 'Says please-fled'), null],
  ['a rule of another shape', () => OTHER, /cannot be used/],
  ['a rule that is no JSON', (text) => text.replace('"title":', '"title"}'), /cannot be read/],
];
test.each(harms)('a file of the same size and head with %s is read whole and checked', (_name, harm, problem) => {
  const home = mkdtempSync(join(tmpdir(), 'cgr-'));
  homes.push(home);
  const layout = layoutFor(home);
  mkdirSync(layout.root);
  const file = join(home, 'rules.json');
  const harmed = harm(GOOD);
  expect({ size: harmed.length, same: harmed === GOOD }).toEqual({ size: GOOD.length, same: false });
  writeFileSync(file, harmed);
  const { pack, damaged } = loadRules(layout, file, checkOf(GOOD));
  expect(damaged()).toBe(false);
  expect(() => Array.from({ length: pack?.size ?? 0 }, (_, number) => pack?.rule(number))).toThrow(/changed on the disk/);
  expect(damaged()).toBe(true);
  const engine = openEngine(layout, file, { checkedHash: checkOf(GOOD) });
  // By the rules as they stand, or by none at all: never by those that are left.
  expect(engine.decide(shellCall(FLAGGED)).verdict).toBe(problem === null ? 'flag' : 'block');
  if (problem === null) expect(engine.problem()).toBeNull();
  else expect(engine.problem()).toMatch(problem);
});

test('only sound rules become the last good copy', () => {
  const home = mkdtempSync(join(tmpdir(), 'cgr-'));
  homes.push(home);
  const layout = layoutFor(home);
  mkdirSync(layout.root);
  const file = join(home, 'rules.json');
  for (const text of [GOOD, SHAPELESS]) {
    writeFileSync(file, text);
    keepLastGood(layout, file);
  }
  expect(loadRules(layout, join(home, 'none.json')).pack?.size).toBe(3);
});
