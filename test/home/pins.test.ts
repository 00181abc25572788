import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { ApprovedDefinition, PinnedItem, ServerPins } from '#contract/definitions.ts';
import { definitionHash, openPins } from '#home/pins.ts';
import { sandbox } from '#kit/sandbox.ts';

const ID = 'a'.repeat(32);
const item = (name: string): PinnedItem => ({
  kind: 'tool',
  name,
  approved: { hash: definitionHash('tool', { name }), definition: { name }, by: 'first', at: 1, judgedBy: 'r', earlier: [] },
  held: null,
  denied: null,
});
const pinsOf = (...names: string[]): ServerPins => ({
  id: ID,
  server: 'files',
  shown: 'npx files',
  workspaces: ['/w'],
  replaces: '',
  complete: ['tool'],
  askFirst: false,
  items: names.map(item),
});

test('what is written is read by every other, and files are private', () => {
  const { layout } = sandbox();
  const [one, two] = [openPins(layout, () => undefined), openPins(layout, () => undefined)];
  expect(two.read(ID)).toBeNull();
  expect(one.change(ID, () => pinsOf('a'))).toEqual(pinsOf('a'));
  expect(two.read(ID)).toEqual(pinsOf('a'));
  two.change(ID, (now) => (now === null ? null : { ...now, items: [...now.items, item('b')] }));
  expect(one.read(ID)).toEqual(pinsOf('a', 'b'));
  expect(one.list()).toEqual([pinsOf('a', 'b')]);
  const folder = join(layout.root, 'pins');
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => statSync(join(folder, name)).mode & 0o777),
  ).toEqual([0o600]);
  expect(one.forget(ID)).toBe(true);
  expect([one.forget(ID), two.read(ID)]).toEqual([false, null]);
});

test('an edit that changes nothing writes nothing, one that fails neither', () => {
  const { layout } = sandbox();
  const pins = openPins(layout, () => undefined);
  pins.change(ID, () => pinsOf('a'));
  const file = join(layout.root, 'pins', `${ID}.json`);
  const before = statSync(file).ino;
  pins.change(ID, (now) => now);
  expect(() => pins.change(ID, () => { throw new Error('no'); })).toThrow('no'); // prettier-ignore
  expect(statSync(file).ino).toBe(before);
  expect(pins.change(ID, (now) => now)).toEqual(pinsOf('a'));
});

test.each([
  ['no JSON', () => '{'],
  ['another id', (text: string) => text.replace(ID, 'b'.repeat(32))],
  ['another version', (text: string) => text.replace('"v":1', '"v":2')],
  ['an item without a hash', (text: string) => text.replace(/"hash":"[0-9a-f]+"/u, '"hash":""')],
  ['an unknown kind', (text: string) => text.replace('"kind":"tool"', '"kind":"x"')],
  ['nothing', () => ''],
])('a damaged file is put aside and nothing is trusted after it: %s', (_, damage) => {
  const { layout } = sandbox();
  const said: string[] = [];
  const pins = openPins(layout, (line) => said.push(line));
  pins.change(ID, () => pinsOf('a'));
  const file = join(layout.root, 'pins', `${ID}.json`);
  writeFileSync(file, damage(readFileSync(file, 'utf8')));
  expect(() => pins.read(ID)).toThrow(/damaged/);
  expect(pins.list()).toEqual([]);
  expect(pins.change(ID, (now) => now ?? pinsOf())).toMatchObject({ askFirst: true, items: [] });
  expect(said.join('\n')).toMatch(/damaged/);
  expect(readdirSync(join(layout.root, 'pins'))).toContain(`${ID}.json.damaged`);
});

test('ids that are no ids reach no file', () => {
  const pins = openPins(sandbox().layout, () => undefined);
  expect(pins.read('../../etc/passwd')).toBeNull();
  expect(pins.forget('../x')).toBe(false);
  expect(() => pins.change('../x', () => pinsOf())).toThrow(/names no server/);
});

test('large definitions are kept by their hash alone', () => {
  const pins = openPins(sandbox().layout, () => undefined);
  const large = { name: 'x', description: 'y'.repeat(9_000_000) };
  const many = pinsOf('a');
  const kept = pins.change(ID, () => ({
    ...many,
    items: many.items.map((one) => ({ ...one, approved: one.approved && { ...one.approved, definition: large } })),
  }));
  expect(kept?.items[0]?.approved).toMatchObject({ definition: null, hash: item('a').approved?.hash });
});

test('a server whose prompts are never the same keeps a bounded number of them, and of what waits; tools stay', () => {
  const pins = openPins(sandbox().layout, () => undefined);
  const prompts = Array.from({ length: 6000 }, (_, at): PinnedItem => ({
    ...item(`p${at}`),
    kind: 'prompt',
    approved: { ...(item('p').approved as ApprovedDefinition), at },
  }));
  const waiting = Array.from({ length: 6000 }, (_, at): PinnedItem => ({
    ...item(`w${at}`),
    approved: null,
    denied: { hash: '*', at: 1 },
  }));
  const kept = pins.change(ID, () => ({ ...pinsOf('a'), items: [item('a'), ...prompts, ...waiting] }));
  const names = new Set(kept?.items.map(({ name }) => name));
  expect(names.size).toBe(10_001);
  expect(['a', 'p5999', 'w5999', 'p0', 'w0'].map((name) => names.has(name))).toEqual([true, true, true, false, false]);
});

test('processes that pin at once lose nothing of each other', async () => {
  const { layout, folder } = sandbox();
  const script = join(folder, 'pin.ts');
  writeFileSync(
    script,
    `import { openPins } from '${join(process.cwd(), 'extension/home/pins.ts')}';
     import { layoutFor } from '${join(process.cwd(), 'extension/home/layout.ts')}';
     const [home, name] = process.argv.slice(2);
     const pins = openPins(layoutFor(home), console.error);
     const base = ${JSON.stringify(pinsOf())};
     for (let n = 0; n < 25; n++)
       pins.change('${ID}', (now) => ({ ...(now ?? base), items: [...(now ?? base).items, { kind: 'tool', name: name + n, approved: null, held: null, denied: { hash: '*', at: 1 } }] }));`,
  );
  const ended = ['a', 'b', 'c'].map((name) =>
    once(spawn(process.execPath, [script, layout.home, name], { cwd: process.cwd(), stdio: 'inherit' }), 'exit'),
  );
  expect((await Promise.all(ended)).map(([code]) => code as number)).toEqual([0, 0, 0]);
  expect(openPins(layout, () => undefined).read(ID)?.items.length).toBe(75);
}, 30_000);
