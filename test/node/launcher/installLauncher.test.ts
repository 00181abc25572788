/** What is installed, replaced, kept and taken away. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { refuseConfigChange } from '#home/configGuard.ts';
import { layoutFor } from '#home/layout.ts';
import { lastGoodRules } from '#home/ruleFile.ts';
import { claude } from '#node/clients/claude.ts';
import { hookCommand } from '#node/launcher/hookCommand.ts';
import { installLauncher, removeLauncher } from '#node/launcher/installLauncher.ts';
import { otherInstaller, readLauncherRecord } from '#node/launcher/launcherRecord.ts';
import { hookCmd, programCmd } from '#node/launcher/launcherScripts.ts';
import { quoteCmd, quoteShell } from '#node/launcher/quoting.ts';
import { newerVersion } from '#node/launcher/versionOrder.ts';
import { serverEnvironment } from '#node/proxy/shim/shimCommand.ts';
import { sandbox, type Sandbox } from '#kit/sandbox.ts';
import { TEST_RULES } from '../../home/gateBox.ts';

const boxes: Sandbox[] = [];
afterEach(() => boxes.splice(0).forEach((box) => box.remove()));

function prepared(): { box: Sandbox; dist: string; install: (version: string, mark?: string) => ReturnType<typeof installLauncher> } {
  const box = sandbox();
  boxes.push(box);
  const dist = join(box.folder, 'dist');
  mkdirSync(dist);
  const fill = (mark: string): void => {
    writeFileSync(join(dist, 'rules.json'), JSON.stringify(TEST_RULES));
    for (const name of ['hook.cjs', 'hook-program.cjs', 'callgate.cjs'])
      writeFileSync(join(dist, name), `console.log(${JSON.stringify(mark)}, process.argv.slice(2).join(' '))`);
    for (const name of ['sql-wasm.wasm', 'rule-compiler.cjs', 'mcp-oauth.cjs', 'rules-source.br']) writeFileSync(join(dist, name), mark);
  };
  fill('first');
  return {
    box,
    dist,
    install: (version, mark = version) => (
      fill(mark),
      installLauncher({ layout: box.layout, distFolder: dist, runtime: process.execPath, version, path: '/usr/bin:/bin' })
    ),
  };
}

test('installs once, and the launchers run', async () => {
  const { box, install } = prepared();
  const paths = await install('1.0.0');
  expect(paths).toMatchObject({ version: '1.0.0', runtime: process.execPath, asker: { kind: 'nc' } });
  for (const file of [paths.hookScript, paths.cliScript, paths.mcpScript]) expect(statSync(file).mode & 0o777).toBe(0o700);
  expect(spawnSync(paths.cliScript, ['audit', 'a b'], { encoding: 'utf8', env: { NODE_OPTIONS: '--require=/nowhere' } }).stdout).toBe(
    '1.0.0 audit a b\n',
  );
  expect(spawnSync(paths.mcpScript, ['x'], { encoding: 'utf8', env: {} }).stdout).toBe('1.0.0 mcp x\n');
  expect(readFileSync(lastGoodRules(box.layout), 'utf8')).toBe(JSON.stringify(TEST_RULES));
  expect(hookCommand(box.layout, 'claude')).toContain(box.layout.claudeSocket);
  expect(hookCommand(box.layout, 'codex')).toMatch(/^exec \/bin\/sh -c '/);
});

test('what a client means for its server reaches it, and not our own program', async () => {
  const { box, dist, install } = prepared();
  await install('1.0.0');
  const print = `console.log(JSON.stringify(Object.entries(process.env).filter(([name]) => name.includes('NODE_')).sort()))`;
  writeFileSync(join(dist, 'callgate.cjs'), print);
  const { mcpScript, cliScript } = await installLauncher({
    layout: box.layout,
    distFolder: dist,
    runtime: process.execPath,
    version: '1.0.0',
    path: '',
  });
  const env = { NODE_OPTIONS: '--require "/a b/c"', NODE_PATH: '' };
  const seen = (script: string, variables: Record<string, string>): unknown => {
    const ran = spawnSync(script, [], { encoding: 'utf8', env: variables });
    return (JSON.parse(ran.stdout) as [string, string][]).filter(([name]) => name !== 'ELECTRON_RUN_AS_NODE');
  };
  expect(seen(mcpScript, env)).toEqual([
    ['CALLGATE_KEPT_NODE_OPTIONS', '--require "/a b/c"'],
    ['CALLGATE_KEPT_NODE_PATH', ''],
  ]);
  expect(serverEnvironment({ CALLGATE_KEPT_NODE_OPTIONS: env.NODE_OPTIONS })).toEqual({ NODE_OPTIONS: env.NODE_OPTIONS });
  expect(seen(mcpScript, {})).toEqual([]);
  expect(seen(mcpScript, { CALLGATE_KEPT_NODE_OPTIONS: 'planted' })).toEqual([]);
  expect(seen(cliScript, env)).toEqual([]);
});

test('what protecting Claude writes is what the guard of its settings asks for, from install to install', async () => {
  const { box, install } = prepared();
  await install('1.0.0');
  const planned = claude.plan(null, hookCommand(box.layout, 'claude'));
  expect(planned.kind).toBe('edited');
  const file = join(box.home, '.claude', 'settings.json');
  mkdirSync(join(box.home, '.claude'));
  const text = planned.kind === 'edited' ? planned.text : '';
  for (const version of ['1.0.0', '1.1.0']) {
    await install(version);
    writeFileSync(file, text);
    expect(refuseConfigChange(box.layout, { source: 'user_settings', file })).toBeNull();
    writeFileSync(file, text.replace('"r=$', '"true || r=$'));
    expect(refuseConfigChange(box.layout, { source: 'user_settings', file })).toMatch(/no longer has the PreToolUse hook/);
  }
});

test("an editor's extension is remembered until it is gone, an older one's too", async () => {
  const { box, dist, install } = prepared();
  await install('1.1.0');
  const extension = (editor: string, version: string): string => {
    const folder = join(box.folder, editor, 'extensions', `callgate-${version}`, 'dist');
    cpSync(dist, folder, { recursive: true });
    return folder;
  };
  const [code, codeOld, other] = [extension('.vscode', '1.1.0'), extension('.vscode', '1.0.0'), extension('.other', '1.0.0')];
  const from = (distFolder: string, version: string) =>
    installLauncher({ layout: box.layout, distFolder, runtime: process.execPath, version, path: '' });
  await from(codeOld, '1.0.0');
  await from(code, '1.1.0');
  rmSync(dist, { recursive: true });
  expect(otherInstaller(box.layout, code)).toBeNull();
  await from(other, '1.0.0');
  expect(readLauncherRecord(box.layout)).toMatchObject({ version: '1.1.0', dists: [codeOld, code, other] });
  expect(otherInstaller(box.layout, code)).toBe(other);
  expect([codeOld, code]).toContain(otherInstaller(box.layout, other));
  rmSync(other, { recursive: true });
  expect(otherInstaller(box.layout, code)).toBeNull();
});

test('the command stays the same from install to install', async () => {
  const { box, install } = prepared();
  await install('1.0.0');
  const before = hookCommand(box.layout, 'claude');
  await install('1.1.0');
  expect(hookCommand(box.layout, 'claude')).toBe(before);
});

test('a newer version stays when an older editor starts; two versions are kept', async () => {
  const { box, install } = prepared();
  for (const version of ['1.0.0', '1.2.0', '1.10.0']) await install(version);
  expect(readdirSync(box.layout.lib).sort()).toEqual(['1.10.0', '1.2.0']);
  expect(await install('1.9.0')).toMatchObject({ version: '1.10.0' });
  expect(readLauncherRecord(box.layout)).toMatchObject({ version: '1.10.0' });
});

test('the same version with other bytes is replaced', async () => {
  const { install } = prepared();
  await install('1.0.0', 'a');
  const { wasmFile, lib } = await install('1.0.0', 'b');
  expect(readFileSync(wasmFile, 'utf8')).toBe('b');
  expect(readdirSync(lib).sort()).toEqual([
    'callgate.cjs',
    'hook-program.cjs',
    'hook.cjs',
    'mcp-oauth.cjs',
    'rule-compiler.cjs',
    'rules-source.br',
    'rules.json',
    'sql-wasm.wasm',
  ]);
});

test('a newer version that is damaged does not stay in the way', async () => {
  const { box, install } = prepared();
  const { hookBundle } = await install('2.0.0');
  writeFileSync(join(box.layout.bin, 'launcher.json'), '{"v":1');
  expect(await install('1.0.0')).toMatchObject({ version: '1.0.0' });
  expect(existsSync(hookBundle)).toBe(true);
});

test('what is no build, or a home that cannot be named, is refused before anything changes', async () => {
  const { box, dist } = prepared();
  await expect(
    installLauncher({ layout: box.layout, distFolder: box.work, runtime: process.execPath, version: '1.0.0' }),
  ).rejects.toMatchObject({ code: 'MISSING_BUNDLE' });
  const odd = join(box.folder, 'a\nb');
  mkdirSync(odd);
  await expect(
    installLauncher({ layout: layoutFor(odd), distFolder: dist, runtime: process.execPath, version: '1.0.0', path: '' }),
  ).rejects.toMatchObject({ code: 'UNSUPPORTED_PATH' });
  expect(() => hookCommand(box.layout, 'claude')).toThrow(/no launcher is installed/);
});

test('removal takes launchers and bundles and leaves the record', async () => {
  const { box, install } = prepared();
  const paths = await install('1.0.0');
  mkdirSync(box.layout.journal);
  removeLauncher(box.layout);
  expect([existsSync(paths.hookScript), existsSync(box.layout.lib), existsSync(box.layout.journal)]).toEqual([false, false, true]);
  removeLauncher(box.layout);
  expect(readdirSync(box.layout.bin)).toEqual([]);
});

test.each([
  ['1.0.1', '1.0.0', true],
  ['1.10.0', '1.9.0', true],
  ['2.0.0', '10.0.0', false],
  ['1.0.0', '1.0.0', false],
  ['1.0.0', '1.0.0-beta', true],
  ['1.0.0-beta', '1.0.0', false],
  ['0.0.0', 'garbage', true],
])('%s is newer than %s: %s', (a, b, newer) => {
  expect(newerVersion(a, b)).toBe(newer);
});

test('words are quoted or refused', () => {
  for (const text of ['a b', "it's", '$HOME', '`x`', '"', '*', '!x', '-n', '~'])
    expect(spawnSync('/bin/sh', ['-c', `printf %s ${quoteShell(text)}`], { encoding: 'utf8' }).stdout).toBe(text);
  for (const text of ['a\nb', 'a\\b', 'a\0b']) expect(() => quoteShell(text)).toThrow(/cannot carry safely/);
  expect(quoteCmd('C:\\Users\\A B')).toBe('"C:\\Users\\A B"');
  for (const text of ['100%', 'a"b', 'a!b', 'a^b']) expect(() => quoteCmd(text)).toThrow(/cmd.exe/);
});

test('the scripts for Windows name everything whole and end in 0 or 2', () => {
  const layout = layoutFor('C:\\Users\\A B', 'win32');
  const facts = { layout, version: '1.0.0', runtimes: ['C:\\Program Files\\Code.exe'], path: '', deadline: { kind: 'shell' } } as const;
  const text = hookCmd(facts);
  expect(text).toMatch(/"C:\\Program Files\\Code.exe" "[^"]*hook.cjs" %1 "C:\\Users\\A B" ask\r\n/);
  expect(text.match(/exit \/b \d/g)).toEqual(['exit /b 2', 'exit /b 0', 'exit /b 2']);
  expect(text).not.toMatch(/[^\r]\n/);
  expect(programCmd(facts, ['mcp'])).toMatch(/callgate.cjs" mcp %\*\r\n/);
});
