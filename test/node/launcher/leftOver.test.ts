/** What is left of Callgate when it was uninstalled: nothing where everything could be given back, and a script that says so elsewhere. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { writeSettings } from '#home/settings.ts';
import { uninstall } from '#node/cli/uninstall.ts';
import { applyPlan } from '#node/clients/applyPlan.ts';
import { type ClientContext, planProtect } from '#node/clients/planChange.ts';
import { installLauncher } from '#node/launcher/installLauncher.ts';
import { leaveBehind, leftOverCmd, type LeftOverServers, mcpLauncher } from '#node/launcher/leftOver.ts';
import { sandbox, type Sandbox } from '#kit/sandbox.ts';
import { TEST_RULES } from '../../home/gateBox.ts';

const boxes: Sandbox[] = [];
afterEach(() => boxes.splice(0).forEach((box) => box.remove()));
const newBox = (): Sandbox => (boxes.push(sandbox()), boxes.at(-1) as Sandbox);

const PRINT = `console.log(JSON.stringify([process.argv.slice(1), process.cwd(), process.env.CALLGATE_ENTRY_ENV ?? null, process.env.A]))`;

test.each<readonly [LeftOverServers, string[], number, RegExp, unknown]>([
  [
    'refuse',
    ['--server', 's', '--', process.execPath, '-e', PRINT, 'a b'],
    1,
    /^Callgate was uninstalled: the MCP server "s" is not started/,
    null,
  ],
  ['refuse', ['--server', 's', '--url', 'https://user:pass@h.example?k=v'], 1, /"s" cannot be reached/, null],
  [
    'start-with-warning',
    ['--server', 's', '--', process.execPath, '-e', PRINT, 'a b', "it's $HOME", '--', '--server', ''],
    0,
    /^Callgate was uninstalled: the MCP server "s" now runs without it/,
    ['a b', "it's $HOME", '--', '--server', ''],
  ],
  ['start-with-warning', ['--server', 's', '--url', 'https://h.example', '--transport', 'sse'], 1, /"s" cannot be reached/, null],
  ['start-with-warning', ['--server', 's'], 1, /cannot be reached/, null],
  ['start-with-warning', ['--server'], 1, /cannot be reached/, null],
  ['start-with-warning', ['--server', 's', '--cwd', '/nowhere', '--', 'true'], 1, /nowhere/, null],
])('%s: %j', (policy, args, status, says, seen) => {
  const box = newBox();
  const file = leaveBehind(box.layout, policy);
  expect(statSync(file).mode & 0o777).toBe(0o700);
  const ran = spawnSync(file, args, { encoding: 'utf8', env: { A: '1', CALLGATE_ENTRY_ENV: 'A', PATH: '/usr/bin:/bin' }, cwd: box.work });
  expect([ran.status, ran.stderr]).toEqual([status, expect.stringMatching(says)]);
  expect(ran.stderr).not.toContain('pass');
  expect(ran.stdout === '' ? null : JSON.parse(ran.stdout)).toEqual(seen === null ? null : [seen, box.work, null, '1']);
});

test('on Windows the server is refused, in one line', () => {
  expect(leftOverCmd()).toMatch(/^@echo off\r\necho Callgate was uninstalled[^%!&|<>]*1>&2\r\nexit \/b 1\r\n$/);
});

interface Machine {
  readonly box: Sandbox;
  readonly context: ClientContext;
  readonly run: () => Promise<{ code: number; out: string; err: string }>;
}

async function installed(): Promise<Machine> {
  const box = newBox();
  const dist = join(box.folder, 'dist');
  mkdirSync(dist);
  writeFileSync(join(dist, 'rules.json'), JSON.stringify(TEST_RULES));
  for (const name of [
    'hook.cjs',
    'callgate.cjs',
    'sql-wasm.wasm',
    'rule-compiler.cjs',
    'rules-source.br',
    'mcp-oauth.cjs',
    'hook-program.cjs',
  ])
    writeFileSync(join(dist, name), '//');
  await installLauncher({ layout: box.layout, distFolder: dist, runtime: process.execPath, version: '1.0.0', path: '' });
  const context: ClientContext = {
    layout: box.layout,
    home: box.home,
    platform: process.platform,
    env: {},
    workspaceFolders: [box.work],
    launcher: { hookCommand: () => '', mcpCommand: mcpLauncher(box.layout) },
  };
  const run = async (): Promise<{ code: number; out: string; err: string }> => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const bundleFolder = join(box.layout.lib, '1.0.0');
    const streams = { stdin: new PassThrough(), stdout, stderr };
    const code = await uninstall([], {
      layout: box.layout,
      version: '1.0.0',
      bundleFolder,
      cwd: box.work,
      env: {},
      platform: process.platform,
      ...streams,
    });
    const text = (stream: PassThrough): string => ((stream.read() as Buffer | null) ?? '').toString();
    return { code, out: text(stdout), err: text(stderr) };
  };
  return { box, context, run };
}

const PLAIN = '{"mcpServers": {"a": { "command": "x", "args": ["y"] }}}';

function write(folder: string, path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

test('every file is given back, whichever folder is open, and nothing is left', async () => {
  const { box, context, run } = await installed();
  const files = [
    write(box.work, '.mcp.json', PLAIN),
    write(box.home, '.cursor/mcp.json', PLAIN),
    write(box.home, '.copilot/mcp-config.json', PLAIN),
  ];
  const toml = write(box.home, '.codex/config.toml', '# mine\n[mcp_servers.a]\ncommand = "x"\n');
  for (const file of [...files, toml]) applyPlan(planProtect(`mcp:${file}`, context), context);
  expect(await run()).toMatchObject({ code: 0, err: '' });
  for (const file of files) expect(readFileSync(file, 'utf8')).toBe(PLAIN);
  expect(readFileSync(toml, 'utf8')).toBe('# mine\n[mcp_servers.a]\ncommand = "x"\n');
  expect(readdirSync(box.layout.bin)).toEqual([]);
});

test('a file whose record is lost, and a copy in a project of Claude Code, are given back by their entries', async () => {
  const { box, context, run } = await installed();
  const file = write(box.home, '.cursor/mcp.json', PLAIN);
  applyPlan(planProtect(`mcp:${file}`, context), context);
  const copy = write(box.folder, 'elsewhere/.mcp.json', readFileSync(file, 'utf8'));
  write(box.home, '.claude.json', JSON.stringify({ projects: { [dirname(copy)]: {} } }));
  rmSync(box.layout.backups, { recursive: true });
  expect(await run()).toMatchObject({ code: 0, err: '' });
  for (const one of [file, copy]) expect(JSON.parse(readFileSync(one, 'utf8'))).toEqual(JSON.parse(PLAIN));
  expect(readdirSync(box.layout.bin)).toEqual([]);
});

test.each<readonly [LeftOverServers | null, RegExp, number]>([
  [null, /they are refused until you change it by hand/, 1],
  ['start-with-warning', /they start without Callgate, with a warning, until/, 0],
])('a file that cannot be changed keeps a script in the launcher’s place: %s', async (policy, says, status) => {
  const { box, context, run } = await installed();
  if (policy === 'start-with-warning')
    writeSettings(box.layout, { holdSeconds: 300, onJournalFailure: 'deny', recordConversation: true, leftOverServers: policy });
  const file = write(box.work, '.mcp.json', PLAIN.replace('"x"', '"true"'));
  applyPlan(planProtect(`mcp:${file}`, context), context);
  chmodSync(file, 0o444);
  const ran = await run();
  expect(ran).toMatchObject({ code: 1, err: expect.stringMatching(says) });
  expect(ran.err).toContain(file);
  expect(readdirSync(box.layout.bin)).toEqual(['callgate-mcp']);
  expect(existsSync(box.layout.lib)).toBe(false);
  const { command, args } = (JSON.parse(readFileSync(file, 'utf8')) as { mcpServers: { a: { command: string; args: string[] } } })
    .mcpServers.a;
  expect(spawnSync(command, args, { encoding: 'utf8' }).status).toBe(status);
});

test('a launcher whose program is gone says so', async () => {
  const { box } = await installed();
  rmSync(box.layout.lib, { recursive: true });
  const ran = spawnSync(mcpLauncher(box.layout), ['--server', 's', '--', 'true'], { encoding: 'utf8' });
  expect([ran.status, ran.stderr]).toEqual([
    127,
    expect.stringMatching(/^Callgate's program .*callgate\.cjs is missing\. Open your editor/),
  ]);
});
