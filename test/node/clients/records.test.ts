/** Records of our changes: of several files at once, torn, and written by somebody else. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { applyPlan, revert } from '#node/clients/applyPlan.ts';
import { ConfigError } from '#node/clients/configError.ts';
import { sha256 } from '#node/clients/configFile.ts';
import { liveRecords } from '#node/clients/liveRecords.ts';
import { planProtect } from '#node/clients/planChange.ts';
import { clientHome } from './clientHome.ts';

function thrown(run: () => unknown): ConfigError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

it('a client with two configuration folders: each has its own record, and all of them are given back', () => {
  const home = clientHome();
  const [first, second] = [home.write('.claude/settings.json', '{"a": 1}'), home.write('work/settings.json', '{"b": 2}')];
  const elsewhere = { ...home, env: { ...home.env, CLAUDE_CONFIG_DIR: dirname(second) } };
  applyPlan(planProtect('claude', elsewhere), elsewhere);
  applyPlan(planProtect('claude', home), home);
  expect(
    liveRecords(home.layout)
      .records.map(({ record }) => record.file)
      .sort(),
  ).toEqual([first, second].sort());
  // The one that this environment means goes first.
  expect(revert('claude', home).file).toBe(first);
  expect(readFileSync(first, 'utf8')).toBe('{"a": 1}');
  expect(revert('claude', home).file).toBe(second);
  expect(readFileSync(second, 'utf8')).toBe('{"b": 2}');
  expect(liveRecords(home.layout).records).toEqual([]);
});

it('two windows with different plans: the one that came too late leaves no record', () => {
  const home = clientHome();
  const before = '{"mcpServers":{"a":{"type":"http","url":"https://h.example/mcp"},"b":{"command":"x"}}}';
  const file = home.write('project/.mcp.json', before);
  const id = `mcp:${file}`;
  const [one, two] = [planProtect(id, home, { servers: ['a'] }), planProtect(id, home, { servers: ['b'] })];
  applyPlan(one, home);
  expect(thrown(() => applyPlan(two, home)).code).toBe('CHANGED_MEANWHILE');
  revert(id, home);
  expect(readFileSync(file, 'utf8')).toBe(before);
});

it('a disk that is full while the record is written leaves nothing that blocks the next try', () => {
  const home = clientHome();
  // Blocks of 512 bytes: the record needs more, nothing before it does.
  const child = spawnSync(
    '/bin/sh',
    [
      '-c',
      'ulimit -f 1 && exec "$@"',
      'sh',
      process.execPath,
      fileURLToPath(new URL('./killedBeforeRename.ts', import.meta.url)),
      home.home,
    ],
    { encoding: 'utf8' },
  );
  expect(child.stderr).toContain('nothing was changed');
  const file = join(home.home, '.claude/settings.json');
  expect(existsSync(file)).toBe(false);
  expect(applyPlan(planProtect('claude', home), home).changed).toBe('changed');
  revert('claude', home);
  expect(existsSync(file)).toBe(false);
});

it('a record that cannot be read says what to do, and that works', () => {
  const home = clientHome();
  const file = home.write('.claude/settings.json', '{"a": 1}');
  const { backup } = applyPlan(planProtect('claude', home), home);
  writeFileSync(join(String(backup), 'record.json'), '{"version": 1, "id": "cla');
  for (const run of [() => revert('claude', home), () => planProtect('claude', home)]) {
    const error = thrown(run);
    expect(error.code).toBe('BROKEN_RECORD');
    expect(error.message).toContain(`move ${String(backup)} out of ${home.layout.backups}`);
  }
  renameSync(String(backup), join(home.home, 'kept'));
  expect(revert('claude', home).changed).toBe('changed');
  // Without the record nobody knows whether the empty lists were there before.
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ a: 1, hooks: { PreToolUse: [], ConfigChange: [] } });
});

it.each([
  ['a file that is no settings file', { file: 'HOME/.ssh/config', target: 'HOME/.ssh/config' }],
  ['a folder above the file that is not', { createdFolders: ['HOME/empty'] }],
  ['a folder that is not above at all', { createdFolders: ['HOME/.claude/../empty'] }],
  ['another id than its file', { id: 'mcp:HOME/.claude/settings.json' }],
])('a record planted by somebody else is refused: %s', (_name, change) => {
  const home = clientHome();
  const victim = home.write('.ssh/config', 'Host mine\n');
  mkdirSync(join(home.home, 'empty'));
  const { backup } = applyPlan(planProtect('claude', home), home);
  const settings = join(home.home, '.claude/settings.json');
  const path = join(String(backup), 'record.json');
  const record = JSON.parse(readFileSync(path, 'utf8')) as { after: string[] };
  const planted = JSON.parse(
    JSON.stringify({ ...record, after: [...record.after, sha256('Host mine\n')], ...change }).replaceAll('HOME', home.home),
  ) as {
    id: string;
  };
  writeFileSync(path, JSON.stringify(planted));
  if (planted.id !== 'claude') {
    const folder = join(home.layout.backups, 'file-0');
    mkdirSync(folder);
    renameSync(String(backup), join(folder, '0001'));
    expect(liveRecords(home.layout)).toMatchObject({ records: [] });
  } else expect(thrown(() => revert('claude', home)).code).toBe('BROKEN_RECORD');
  expect(readFileSync(victim, 'utf8')).toBe('Host mine\n');
  expect(readdirSync(home.home)).toContain('empty');
  expect(existsSync(settings)).toBe(true);
});

it('a stranger in the backups folder keeps nothing from being given back', () => {
  const home = clientHome();
  applyPlan(planProtect('claude', home), home);
  writeFileSync(join(home.layout.backups, 'claude', 'notes.txt'), 'mine');
  mkdirSync(join(home.layout.backups, 'claude', 'old'));
  expect(liveRecords(home.layout)).toMatchObject({ problems: [] });
  expect(liveRecords(home.layout).records).toHaveLength(1);
});
