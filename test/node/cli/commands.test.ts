/** The command line's answers to wrong words, to no installation and to an editor that is not the last. */
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { audit } from '#node/cli/audit.ts';
import type { Command } from '#node/cli/command.ts';
import { protect, status, unprotect } from '#node/cli/protect.ts';
import { serve } from '#node/cli/serve.ts';
import { uninstall } from '#node/cli/uninstall.ts';
import { installLauncher } from '#node/launcher/installLauncher.ts';
import { sandbox, type Sandbox } from '#kit/sandbox.ts';
import { TEST_RULES } from '../../home/gateBox.ts';

const boxes: Sandbox[] = [];
afterEach(() => boxes.splice(0).forEach((box) => box.remove()));
const newBox = (): Sandbox => (boxes.push(sandbox()), boxes.at(-1) as Sandbox);

async function run(
  command: Command,
  args: readonly string[],
  box: Sandbox,
  bundleFolder = box.folder,
): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const host = {
    layout: box.layout,
    version: '1.0.0',
    bundleFolder,
    cwd: box.work,
    env: {},
    platform: process.platform,
    stdin: new PassThrough(),
    stdout,
    stderr,
  };
  const code = await command(args, host);
  const text = (stream: PassThrough): string => ((stream.read() as Buffer | null) ?? '').toString();
  return { code, out: text(stdout), err: text(stderr) };
}

const rows: readonly (readonly [string, Command, readonly string[], number, RegExp])[] = [
  ['status', status, [], 1, /^callgate: There is no installation.*open the editor/],
  ['status with a word', status, ['x'], 2, /^usage: callgate status/],
  ['protect', protect, [], 2, /^usage/],
  ['protect with an unknown flag', protect, ['claude', '--force'], 2, /^usage/],
  ['protect claude', protect, ['claude', '--yes'], 1, /^callgate: There is no installation/],
  ['unprotect', unprotect, [], 2, /^usage/],
  ['unprotect with two words', unprotect, ['claude', 'codex'], 2, /^usage/],
  ['unprotect claude', unprotect, ['claude'], 1, /^callgate: There is no installation/],
  ['audit', audit, [], 2, /^usage/],
  ['audit verify with an unknown flag', audit, ['verify', '--all'], 2, /^usage/],
  ['serve with a word', serve, ['now'], 2, /^usage/],
  ['uninstall with a word', uninstall, ['claude'], 2, /^usage/],
];
test.each(rows)('%s, nothing installed: one line that says what to do', async (_name, command, args, code, says) => {
  const ran = await run(command, args, newBox());
  expect({ code: ran.code, out: ran.out }).toEqual({ code, out: '' });
  expect(ran.err).toMatch(says);
  expect(ran.err).not.toMatch(/\n {4}at /);
});

test('a journal that does not exist yet is whole; nothing to uninstall is no error', async () => {
  const box = newBox();
  expect(await run(audit, ['verify'], box)).toMatchObject({ code: 0, out: expect.stringContaining('0 entries') as string });
  expect(await run(uninstall, [], box)).toMatchObject({ code: 0, err: '' });
});

test("an editor's extension that is removed leaves everything while another editor has one; the command itself does not", async () => {
  const box = newBox();
  const [mine, other] = ['.vscode', '.other'].map((editor) => join(box.folder, editor, 'extensions', 'callgate-1.0.0', 'dist')) as [
    string,
    string,
  ];
  mkdirSync(mine, { recursive: true });
  writeFileSync(join(mine, 'rules.json'), JSON.stringify(TEST_RULES));
  for (const name of [
    'hook.cjs',
    'hook-program.cjs',
    'callgate.cjs',
    'sql-wasm.wasm',
    'rule-compiler.cjs',
    'mcp-oauth.cjs',
    'rules-source.br',
  ])
    writeFileSync(join(mine, name), '');
  cpSync(mine, other, { recursive: true });
  for (const distFolder of [mine, other])
    await installLauncher({ layout: box.layout, distFolder, runtime: process.execPath, version: '1.0.0', path: '' });
  const script = join(box.layout.bin, 'callgate-hook');
  expect(await run(uninstall, [], box, mine)).toMatchObject({ code: 0, out: expect.stringContaining(other) as string });
  expect(existsSync(script)).toBe(true);
  expect(await run(uninstall, [], box, join(box.layout.lib, '1.0.0'))).toMatchObject({ code: 0, err: '' });
  expect([existsSync(script), existsSync(dirname(script))]).toEqual([false, true]);
});

test('a backup that cannot be read keeps the launchers, and is named', async () => {
  const box = newBox();
  const record = join(box.layout.backups, 'claude', '1', 'record.json');
  mkdirSync(dirname(record), { recursive: true });
  writeFileSync(record, '{');
  const ran = await run(uninstall, [], box);
  expect(ran).toMatchObject({ code: 1, err: expect.stringContaining(join(box.layout.backups, 'claude')) as string });
  expect(ran.err).toContain('run "');
});
