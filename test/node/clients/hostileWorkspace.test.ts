/** A workspace from a stranger: looking at it must end soon, and must not be taken in. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { applyPlan } from '#node/clients/applyPlan.ts';
import { discover } from '#node/clients/discover.ts';
import { planProtect } from '#node/clients/planChange.ts';
import { clientHome, SHIM } from './clientHome.ts';

const LOOK = fileURLToPath(new URL('./lookAt.ts', import.meta.url));

it.each([
  ['a pipe nobody writes to', (file: string) => execFileSync('mkfifo', [file])],
  ['a link to an endless device', (file: string) => symlinkSync('/dev/zero', file)],
  ['a link to itself', (file: string) => symlinkSync(file, file)],
  ['a folder', (file: string) => mkdirSync(file)],
  [
    'three gigabytes of nothing',
    (file: string) => {
      writeFileSync(file, '');
      truncateSync(file, 3 * 1024 ** 3);
    },
  ],
])('settings that are %s', (_name, make) => {
  const home = clientHome();
  home.write('.claude/settings.json', '{}');
  home.write('.codex/config.toml', '');
  for (const path of ['.claude/settings.json', '.claude/settings.local.json', '.codex/config.toml', '.mcp.json', '.vscode/mcp.json']) {
    const file = join(home.workspace, path);
    mkdirSync(dirname(file), { recursive: true });
    make(file);
  }
  const seen = execFileSync(process.execPath, ['--max-old-space-size=256', LOOK, home.home, home.workspace], {
    encoding: 'utf8',
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  expect(JSON.parse(seen)).toMatchObject({ claude: 'unprotected', codex: 'unprotected' });
});

it.each(['/evil/.callgate/bin/callgate-mcp', './.callgate/bin/callgate-mcp', `${SHIM}.sh`])(
  'a server that only looks as if it ran through the shim is not protected, and protecting mends it: %s',
  (command) => {
    const home = clientHome();
    const file = home.write(
      'project/.mcp.json',
      JSON.stringify({ mcpServers: { fs: { command, args: ['--server', 'fs', '--', 'npx'] } } }),
    );
    const id = `mcp:${file}`;
    const state = (): unknown => discover(home).find((one) => one.id === id)?.state;
    expect(state()).toBe('broken');
    applyPlan(planProtect(id, home), home);
    expect(state()).toBe('protected');
    expect(readFileSync(file, 'utf8')).not.toContain(JSON.stringify(command));
  },
);

it('a launcher that is there but is not ours is not protected either', () => {
  const home = clientHome();
  const command = home.write('project/.callgate/bin/callgate-mcp', '#!/bin/sh\n');
  const file = home.write('project/.mcp.json', JSON.stringify({ mcpServers: { fs: { command, args: ['--server', 'fs', '--', 'npx'] } } }));
  expect(discover(home).find((one) => one.id === `mcp:${file}`)?.state).toBe('unprotected');
});

it('a file that is a link says what would really change', () => {
  const home = clientHome();
  const own = home.write('.cursor/mcp.json', '{"mcpServers":{"a":{"command":"x"}}}');
  const file = join(home.workspace, '.mcp.json');
  symlinkSync(own, file);
  expect(planProtect(`mcp:${file}`, home).warnings).toEqual([expect.stringContaining(own)]);
  expect(planProtect(`mcp:${own}`, home).warnings).toEqual([]);
});

it('a server that starts the shim without a server behind it is not protected', () => {
  const home = clientHome();
  const file = home.write('project/.mcp.json', JSON.stringify({ mcpServers: { fs: { command: SHIM, args: ['--server', 'fs'] } } }));
  expect(discover(home).find((one) => one.id === `mcp:${file}`)).toMatchObject({ state: 'unavailable' });
});
