/** Which rules are used: the installed ones, checked here or by the build that knows their hash, or the last good copy. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { writeRulePack } from '#core/detect/packFile.ts';
import { layoutFor } from '#home/layout.ts';
import { keepLastGood, lastGoodRules, loadRules } from '#home/ruleFile.ts';
import { TEST_RULES } from './gateBox.ts';

const homes: string[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

const GOOD = writeRulePack(TEST_RULES);
/** Sound JSON that no build would let through. */
const SHAPELESS = GOOD.replace('"title"', '"tittle"');
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const rows: readonly (readonly [
  name: string,
  file: string,
  checked: string,
  copy: string | null,
  rules: number,
  problem: RegExp | null,
])[] = [
  ['checked here', GOOD, '', null, 3, null],
  ['checked by the build', GOOD, hashOf(GOOD), null, 3, null],
  ['not the ones the build checked, and sound', `${GOOD}\n`, hashOf(GOOD), null, 3, null],
  ['not the ones the build checked, and unsound', SHAPELESS, hashOf(GOOD), null, 0, /cannot be used/],
  ['unsound, with nothing to compare with', SHAPELESS, '', null, 0, /cannot be used/],
  ['unsound, with a good copy', SHAPELESS, hashOf(GOOD), GOOD, 3, /last good rules are in use/],
  ['cut short', GOOD.slice(0, -3), hashOf(GOOD), null, 0, /cannot be read/],
  ['an unsound copy, whatever its hash', 'no JSON', hashOf(SHAPELESS), SHAPELESS, 0, /cannot be read/],
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

test('the build that knows the hash has checked them: they are not looked at again', () => {
  const home = mkdtempSync(join(tmpdir(), 'cgr-'));
  homes.push(home);
  const file = join(home, 'rules.json');
  writeFileSync(file, SHAPELESS);
  expect(loadRules(layoutFor(home), file, hashOf(SHAPELESS)).pack?.rule(0)).toHaveProperty('tittle');
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
