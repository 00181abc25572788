/** The documents against the tree: what they point at exists, and no folder of the source goes unmentioned. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const architecture = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
/** Paths may be written from the top, or for short from `extension/`. */
const PATH = /^(?:extension|hooks|webview|rules|docs|test|core|contract|home|node|vscode)\/[\w./{},-]*$/;

const folders = (parent: string): readonly string[] =>
  readdirSync(join(root, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);

/** `a/{b,c}.ts` is two paths. */
function spelt(path: string): readonly string[] {
  const [whole, before = '', names = '', after = ''] = /^(.*)\{(.*)\}(.*)$/.exec(path) ?? [];
  return whole === undefined ? [path] : names.split(',').map((name) => before + name + after);
}

const isThere = (path: string): boolean =>
  [path, join('extension', path)].some((from) => ['', '.ts', '.test.ts'].some((ending) => existsSync(join(root, from + ending))));

test.each(['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'docs/audit-format.md', 'docs/rules.md'])(
  'links of %s lead somewhere',
  (file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const targets = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] ?? '');
    expect(targets.filter((target) => !existsSync(join(root, dirname(file), target)))).toEqual([]);
  },
);

test('every path in ARCHITECTURE.md exists', () => {
  const named = [...architecture.matchAll(/`([^`\s]+)`/g)].map((match) => match[1] ?? '').filter((text) => PATH.test(text));
  expect(named.length).toBeGreaterThan(40);
  expect(named.flatMap(spelt).filter((path) => !isThere(path))).toEqual([]);
});

test('every folder of the source is in the map', () => {
  const rooms = ['core', 'contract', 'home', 'node', 'vscode'];
  expect([...folders('extension')].sort()).toEqual([...rooms].sort());
  const inner = rooms.flatMap((room) => folders(join('extension', room)));
  const tests = folders('test').filter((name) => ![...rooms, 'hooks', 'webview', 'rules', 'fixtures'].includes(name));
  expect(inner.length).toBeGreaterThan(10);
  expect([...inner, ...tests].filter((name) => !architecture.includes(`${name}/\``))).toEqual([]);
});
