import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { applyPlan, noteRewritten, revert } from '#node/clients/applyPlan.ts';
import { ConfigError } from '#node/clients/configError.ts';
import { WRITE_STEPS } from '#node/clients/configFile.ts';
import { planProtect, planUnprotect } from '#node/clients/planChange.ts';
import { type ClientHome, clientHome, HOOK, SHIM } from './clientHome.ts';

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.code;
    throw error;
  }
  return 'none';
}

const MCP = '{\n  // servers\n  "servers": { "a": { "command": "npx", "args": ["x"] } }\n}\n';

interface Row {
  readonly name: string;
  readonly id: (home: ClientHome) => string;
  readonly path: string;
  readonly before: string | null;
}

const rows: readonly Row[] = [
  { name: 'Claude', id: () => 'claude', path: '.claude/settings.json', before: '\uFEFF{\r\n\t"model":  "opus"\r\n}' },
  { name: 'Claude, no file and no folder', id: () => 'claude', path: '.claude/settings.json', before: null },
  { name: 'Codex', id: () => 'codex', path: '.codex/config.toml', before: '# mine\r\nmodel = "m"' },
  { name: 'Codex, no file and no folder', id: () => 'codex', path: '.codex/config.toml', before: null },
  {
    name: 'VS Code servers',
    id: (home) => `mcp:${join(home.workspace, '.vscode/mcp.json')}`,
    path: 'project/.vscode/mcp.json',
    before: MCP,
  },
];

describe('applying a plan', () => {
  it.each(rows)('$name: undo gives back every byte', ({ id: idOf, path, before }) => {
    const home = clientHome();
    const id = idOf(home);
    const file = join(home.home, path);
    if (before !== null) chmodSync(home.write(path, before), 0o640);
    const plan = planProtect(id, home);
    expect(plan).toMatchObject({ before, file });
    expect(plan.summary.length).toBeGreaterThan(0);
    expect(applyPlan(plan, home)).toMatchObject({ changed: 'changed' });
    expect(readFileSync(file, 'utf8')).toBe(plan.after);
    if (before !== null) expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(applyPlan(planProtect(id, home), home).changed).toBe('unchanged');
    expect(revert(id, home).changed).toBe('changed');
    expect(existsSync(file) ? readFileSync(file, 'utf8') : null).toBe(before);
    if (before === null) expect(existsSync(dirname(file))).toBe(false);
    expect(code(() => revert(id, home))).toBe('NO_RECORD');
  });

  it('keeps a folder it made when the user has put something there', () => {
    const home = clientHome();
    applyPlan(planProtect('claude', home), home);
    home.write('.claude/mine', 'x');
    revert('claude', home);
    expect(readdirSync(join(home.home, '.claude'))).toEqual(['mine']);
  });

  it('deletes the file it made once only its own parts are left, and keeps it otherwise', () => {
    const home = clientHome();
    const { file, after } = planProtect('claude', home);
    applyPlan(planProtect('claude', home), home);
    writeFileSync(file, ` ${after}`);
    revert('claude', home);
    expect(existsSync(file)).toBe(false);
    applyPlan(planProtect('claude', home), home);
    writeFileSync(file, String(after).replace('{', '{"mine": 1,'));
    revert('claude', home);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ mine: 1 });
  });

  it('writes through a symbolic link', () => {
    const home = clientHome();
    const real = home.write('dotfiles/claude.json', '{}');
    mkdirSync(join(home.home, '.claude'));
    const link = join(home.home, '.claude/settings.json');
    symlinkSync('../dotfiles/claude.json', link);
    applyPlan(planProtect('claude', home), home);
    expect(readlinkSync(link)).toBe('../dotfiles/claude.json');
    expect(readFileSync(real, 'utf8')).toContain(HOOK);
    revert('claude', home);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, 'utf8')).toBe('{}');
  });

  it('goes back to before the first change after an upgrade', () => {
    const home = clientHome();
    const file = home.write('.codex/config.toml', 'model = "m"\n');
    applyPlan(planProtect('codex', home), home);
    const newer = { ...home, launcher: { hookCommand: () => "'/x/.callgate/bin/newer'", mcpCommand: SHIM } };
    applyPlan(planProtect('codex', newer), newer);
    expect(readFileSync(file, 'utf8')).toContain('newer');
    expect(readdirSync(join(home.layout.backups, 'codex'))).toEqual(['0001', '0002']);
    revert('codex', newer);
    expect(readFileSync(file, 'utf8')).toBe('model = "m"\n');
    expect(readFileSync(join(home.layout.backups, 'codex/0001/before'), 'utf8')).toBe('model = "m"\n');
  });

  it('keeps every original when servers are wrapped one after the other', () => {
    const home = clientHome();
    const before = '{"mcpServers":{"a": {"command":"x"},"b": { "command": "y" }}}';
    const file = home.write('project/.mcp.json', before);
    const id = `mcp:${file}`;
    applyPlan(planProtect(id, home, { servers: ['a'] }), home);
    applyPlan(planProtect(id, home, { servers: ['b'] }), home);
    expect(readFileSync(file, 'utf8').match(/callgate-mcp/gu)).toHaveLength(2);
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n`);
    revert(id, { ...home, workspaceFolders: [] });
    expect(readFileSync(file, 'utf8')).toBe(`${before}\n`);
  });

  it('still gives back the bytes after Codex has rewritten the file for trust', () => {
    const home = clientHome();
    const file = home.write('.codex/config.toml', 'model = "m"\r\n');
    applyPlan(planProtect('codex', home), home);
    writeFileSync(file, `${readFileSync(file, 'utf8').replaceAll('\r', '')}[hooks.state."${file}:pre_tool_use:0:0"]\ntrusted_hash = "x"\n`);
    noteRewritten('codex', file, [`${file}:pre_tool_use:0:0`], home);
    revert('codex', home);
    expect(readFileSync(file, 'utf8')).toBe('model = "m"\r\n');
  });
});

describe('the guard of Claude settings', () => {
  const released = (home: ClientHome): boolean => existsSync(join(home.layout.root, 'released-claude'));

  it('lets our own entry go only when it really goes', () => {
    const home = clientHome();
    const file = home.write('.claude/settings.json', '{}');
    applyPlan(planProtect('claude', home), home);
    const plan = planUnprotect('claude', home);
    writeFileSync(file, `${readFileSync(file, 'utf8')} `);
    expect(() => applyPlan(plan, home)).toThrow(/was changed/u);
    expect(released(home)).toBe(false);
    revert('claude', home);
    expect(released(home)).toBe(true);
    applyPlan(planProtect('claude', home), home);
    expect(released(home)).toBe(false);
  });
});

describe('faults', () => {
  it.each([
    ['changed', (file: string) => writeFileSync(file, '{"a":1}'), /was changed/u],
    ['vanished', (file: string) => rmSync(file), /vanished/u],
    [
      'became a link',
      (file: string) => (rmSync(file), writeFileSync(`${file}.2`, '{}'), symlinkSync(`${file}.2`, file)),
      /leads to another/u,
    ],
  ])('the file %s after the plan', (_name, meanwhile, message) => {
    const home = clientHome();
    const file = home.write('.claude/settings.json', '{}');
    const plan = planProtect('claude', home);
    meanwhile(file);
    expect(() => applyPlan(plan, home)).toThrow(message);
    expect(code(() => applyPlan(plan, home))).toBe('CHANGED_MEANWHILE');
    expect(existsSync(file) ? readFileSync(file, 'utf8') : '').not.toContain('callgate');
  });

  it('the file is saved by somebody else while ours is being written', () => {
    const home = clientHome();
    const file = home.write('.claude/settings.json', '{}');
    const plan = planProtect('claude', home);
    const written = (): void => writeFileSync(file, '{"saved":1}');
    expect(code(() => applyPlan(plan, home, { ...WRITE_STEPS, written }))).toBe('CHANGED_MEANWHILE');
    expect(readFileSync(file, 'utf8')).toBe('{"saved":1}');
    expect(readdirSync(dirname(file))).toEqual(['settings.json']);
  });

  it.each([
    ['a directory', (file: string) => mkdirSync(file, { recursive: true }), 'NOT_A_FILE'],
    ['a dangling link', (file: string) => (mkdirSync(dirname(file)), symlinkSync('nowhere', file)), 'NOT_A_FILE'],
    ['UTF-16', (file: string) => (mkdirSync(dirname(file)), writeFileSync(file, Buffer.from('\uFEFF{}', 'utf16le'))), 'INVALID_FILE'],
    ['invalid JSON', (file: string) => (mkdirSync(dirname(file)), writeFileSync(file, '{,}')), 'INVALID_FILE'],
  ])('%s is refused', (_name, make, expected) => {
    const home = clientHome();
    make(join(home.home, '.claude/settings.json'));
    expect(code(() => planProtect('claude', home))).toBe(expected);
  });

  it('names file, line and column of what is invalid', () => {
    const home = clientHome();
    const file = home.write('.claude/settings.json', '{\n  "a": 1,\n}');
    expect(() => planProtect('claude', home)).toThrow(`${file}:3:1: `);
  });

  it('leaves no temporary file and the old content when writing fails', () => {
    const home = clientHome();
    const file = home.write('.claude/settings.json', '{}');
    const plan = planProtect('claude', home);
    const full = (): never => {
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    };
    expect(() => applyPlan(plan, home, { ...WRITE_STEPS, rename: full })).toThrow(/cannot be written \(ENOSPC\); nothing was changed/u);
    expect(readFileSync(file, 'utf8')).toBe('{}');
    expect(readdirSync(dirname(file))).toEqual(['settings.json']);
    // The record of the failed try must not stand in the way.
    expect(code(() => revert('claude', home))).toBe('NO_RECORD');
    expect(applyPlan(planProtect('claude', home), home).changed).toBe('changed');
  });

  it('says so when the folder is read-only', () => {
    const home = clientHome();
    const file = home.write('.claude/settings.json', '{}');
    chmodSync(dirname(file), 0o500);
    // Root writes anywhere; a full folder of another kind stands in: the file's parent is a device.
    const asRoot = process.getuid?.() === 0;
    const plan = {
      ...planProtect('claude', home),
      ...(asRoot
        ? { file: '/proc/callgate/settings.json', target: '/proc/callgate/settings.json', before: null, folders: ['/proc/callgate'] }
        : {}),
    };
    expect(code(() => applyPlan(plan, home))).toBe('NOT_WRITABLE');
    chmodSync(dirname(file), 0o700);
    expect(readFileSync(file, 'utf8')).toBe('{}');
  });

  it('a file that is read-only stays as it is', () => {
    const home = clientHome();
    const file = home.write('project/.mcp.json', '{"mcpServers":{"a":{"command":"x"}}}');
    chmodSync(file, 0o444);
    const plan = planProtect(`mcp:${file}`, home);
    expect(() => applyPlan(plan, home)).toThrow(/is read-only; nothing was changed/u);
    expect(readFileSync(file, 'utf8')).toBe('{"mcpServers":{"a":{"command":"x"}}}');
    expect(code(() => revert(`mcp:${file}`, home))).toBe('NO_RECORD');
    chmodSync(file, 0o644);
    expect(applyPlan(plan, home).changed).toBe('changed');
  });

  it('waits for Claude Code, which holds a lock while it writes its own file', () => {
    const home = clientHome();
    const file = home.write('.claude.json', '{"mcpServers":{"a":{"command":"x"}}}');
    const id = `mcp:${file}`;
    mkdirSync(`${file}.lock`);
    expect(() => applyPlan(planProtect(id, home), home)).toThrow(/being written by its own program/u);
    expect(readFileSync(file, 'utf8')).toContain('"command":"x"');
    // Nobody has renewed it for an hour: whoever took it is gone.
    utimesSync(`${file}.lock`, new Date(Date.now() - 3_600_000), new Date(Date.now() - 3_600_000));
    expect(applyPlan(planProtect(id, home), home).changed).toBe('changed');
    expect(existsSync(`${file}.lock`)).toBe(false);
    revert(id, home);
    expect([readFileSync(file, 'utf8'), existsSync(`${file}.lock`)]).toEqual(['{"mcpServers":{"a":{"command":"x"}}}', false]);
  });

  it('refuses to restore from an altered backup', () => {
    const home = clientHome();
    home.write('.claude/settings.json', '{}');
    const { backup } = applyPlan(planProtect('claude', home), home);
    writeFileSync(join(String(backup), 'restore'), '{"hooks":{}}');
    expect(code(() => planUnprotect('claude', home))).toBe('BROKEN_RECORD');
  });

  it('killed between writing and renaming: the old file is whole, and both ways are open', async () => {
    const home = clientHome();
    const file = home.write('.claude/settings.json', '{"model":"opus"}');
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', fileURLToPath(new URL('./killedBeforeRename.ts', import.meta.url)), home.home],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('exit', () => reject(new Error('the child ended before the rename')));
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    expect(readFileSync(file, 'utf8')).toBe('{"model":"opus"}');
    expect(readdirSync(dirname(file)).filter((name) => name.endsWith('.tmp'))).toHaveLength(1);
    expect(revert('claude', home).changed).toBe('unchanged');
    applyPlan(planProtect('claude', home), home);
    expect(readdirSync(dirname(file))).toEqual(['settings.json']);
    revert('claude', home);
    expect(readFileSync(file, 'utf8')).toBe('{"model":"opus"}');
  });
});
