// The rooms may only import what ARCHITECTURE.md says. One violation per room is planted in a copy of the
// sources, and the tools that guard the rooms must turn red for each, and be green without them.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
// @ts-expect-error plain JavaScript without types
import { BUNDLES, bundleProblems } from '../../esbuild.mjs';

const root = join(import.meta.dirname, '..', '..');
let copy = '';

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'callgate-boundaries-'));
  for (const name of [
    'extension',
    'hooks',
    'webview',
    'rules',
    'test',
    'package.json',
    'esbuild.mjs',
    '.oxlintrc.json',
    'tsconfig.json',
    'tsconfig.base.json',
    'vitest.config.ts',
  ]) {
    cpSync(join(root, name), join(copy, name), {
      recursive: true,
      filter: (from) => !/[\\/](node_modules|\.cache)([\\/]|$)/.test(from.slice(root.length)),
    });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}, 60_000);
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const lintRows: readonly [file: string, source: string][] = [
  ['extension/core/planted01.ts', "import { readFileSync } from 'node:fs';\nexport const x = readFileSync;\n"],
  ['extension/core/planted02.ts', "import { parse } from 'yaml';\nexport const x = parse;\n"],
  ['extension/core/planted03.ts', 'export const now = (): number => Date.now();\n'],
  ['extension/core/planted04.ts', "import { formatReply } from '#contract/hookReply.ts';\nexport const x = formatReply;\n"],
  ['extension/contract/planted05.ts', "import { layoutFor } from '#home/layout.ts';\nexport const x = layoutFor;\n"],
  ['extension/home/planted06.ts', "import { parse } from 'yaml';\nexport const x = parse;\n"],
  ['extension/home/planted07.ts', "import type { ExtensionContext } from 'vscode';\nexport type X = ExtensionContext;\n"],
  ['extension/node/planted08.ts', "import type { ExtensionContext } from 'vscode';\nexport type X = ExtensionContext;\n"],
  ['hooks/planted09.ts', "import { parse } from 'smol-toml';\nexport const x = parse;\n"],
  ['hooks/planted10.ts', "import * as broker from '#node/broker/broker.ts';\nexport const x = broker;\n"],
  ['webview/planted11.ts', "import { join } from 'node:path';\nexport const x = join;\n"],
  ['webview/planted12.ts', "import { layoutFor } from '#home/layout.ts';\nexport const x = layoutFor;\n"],
  ['extension/vscode/planted13.ts', "import * as hook from '#hooks/main.ts';\nexport const x = hook;\n"],
  ['extension/node/planted14.ts', "import { y } from './planted15.ts';\nexport const x = (): unknown => y;\n"],
  ['extension/node/planted15.ts', "import { x } from './planted14.ts';\nexport const y = (): unknown => x;\n"],
];

test('lint is green as it stands and red for every planted violation', () => {
  const lint = (): string => {
    const run = spawnSync(join(root, 'node_modules', '.bin', 'oxlint'), ['--format', 'unix'], { cwd: copy, encoding: 'utf8' });
    return run.stdout + run.stderr;
  };
  expect(
    lint()
      .split('\n')
      .filter((line) => line.includes('planted') || /no-restricted|no-cycle/.test(line)),
  ).toEqual([]);
  for (const [file, source] of lintRows) writeFileSync(join(copy, file), source);
  try {
    const report = lint();
    expect(
      lintRows
        .filter(([file]) => !new RegExp(`${file.replaceAll('.', '\\.')}:.*(no-restricted|no-cycle)`).test(report))
        .map(([file]) => file),
    ).toEqual([]);
  } finally {
    for (const [file] of lintRows) rmSync(join(copy, file));
  }
}, 60_000);

const typeRows: readonly [file: string, source: string][] = [
  ['extension/core/planted16.ts', 'export const x = process.pid;\n'],
  ['extension/contract/planted17.ts', 'export const x = document.title;\n'],
  ['extension/home/planted18.ts', 'export const x = document.title;\n'],
  ['webview/planted19.ts', 'export const x = process.pid;\n'],
];

test('the type check is red for globals a room does not have', () => {
  for (const [file, source] of typeRows) writeFileSync(join(copy, file), source);
  try {
    const report = typeRows
      .map(
        ([file]) =>
          spawnSync(
            join(root, 'node_modules', '.bin', 'tsc'),
            ['-p', file.slice(0, file.lastIndexOf('/')), '--composite', 'false', '--noEmit'],
            { cwd: copy, encoding: 'utf8' },
          ).stdout,
      )
      .join('\n');
    expect(
      typeRows
        .filter(([file]) => !new RegExp(`${file.split('/').at(-1)?.replaceAll('.', '\\.')}.*Cannot find name`).test(report))
        .map(([file]) => file),
    ).toEqual([]);
  } finally {
    for (const [file] of typeRows) rmSync(join(copy, file));
  }
}, 120_000);

const bundleRows: readonly [bundle: string, input: string, allowed: boolean][] = [
  ['hook.cjs', 'extension/home/layout.ts', true],
  ['hook.cjs', 'extension/node/broker/broker.ts', false],
  ['hook.cjs', 'node_modules/yaml/dist/index.js', false],
  ['extension.cjs', 'node_modules/jsonc-parser/lib/esm/main.js', true],
  ['extension.cjs', 'node_modules/sql.js/dist/sql-wasm.js', false],
  ['extension.cjs', 'webview/main.ts', false],
  ['callgate.cjs', 'node_modules/sql.js/dist/sql-wasm.js', true],
  ['callgate.cjs', 'extension/vscode/main.ts', false],
  ['callgate.cjs', 'node_modules/@modelcontextprotocol/sdk/dist/index.js', false],
  ['panel.js', 'extension/core/model/json.ts', true],
  ['panel.js', 'extension/home/layout.ts', false],
  ['panel.js', 'node_modules/yaml/dist/index.js', false],
];

test.for(bundleRows)('%s with %s: allowed %s', ([name, input, allowed]) => {
  const bundle = (BUNDLES as { out: string; budget: number }[]).find(({ out }) => out === name);
  expect(bundleProblems(bundle, [input], 1)).toHaveLength(allowed ? 0 : 1);
  expect(bundleProblems(bundle, [], (bundle?.budget ?? 0) + 1)).toHaveLength(1);
});
