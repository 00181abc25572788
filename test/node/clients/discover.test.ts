import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyPlan } from '#node/clients/applyPlan.ts';
import { discover } from '#node/clients/discover.ts';
import { otherScopes } from '#node/clients/otherScopes.ts';
import { planProtect } from '#node/clients/planChange.ts';
import { type ClientHome, clientHome } from './clientHome.ts';

const stateOf = (home: ClientHome, id: string): string => discover(home).find((one) => one.id === id)?.state ?? 'not listed';

describe('discovery', () => {
  it('an empty machine has nothing to protect', () => {
    expect(discover(clientHome()).map(({ id, state }) => [id, state])).toEqual([
      ['claude', 'unavailable'],
      ['codex', 'unavailable'],
    ]);
  });

  it.each([
    ['Claude installed, no settings', 'bin/claude', '#!/bin/sh\n', 'claude', 'unprotected'],
    ['Claude settings without the program', '.claude/settings.json', '{}', 'claude', 'unprotected'],
    ['Claude settings that are invalid', '.claude/settings.json', '{,}', 'claude', 'broken'],
    ['Codex config that is invalid', '.codex/config.toml', 'a =', 'codex', 'broken'],
  ])('%s', (_name, path, text, id, state) => {
    const home = clientHome();
    chmodSync(home.write(path, text), 0o755);
    expect(stateOf(home, id)).toBe(state);
    expect(discover(home).find((one) => one.id === id)?.program ?? null).toBe(path.startsWith('bin/') ? join(home.home, path) : null);
  });

  it('finds the MCP files of the open folders and of Cursor', () => {
    const home = clientHome();
    home.write('project/.mcp.json', '{"mcpServers":{"a":{"command":"x"}}}');
    home.write('project/.vscode/mcp.json', '{"servers":{}}');
    home.write('.cursor/mcp.json', '{"mcpServers":{"b":{"url":"https://h.example","oauth":{"clientId":"c"}}}, }');
    const found = discover(home).filter((one) => one.kind === 'mcp');
    expect(found.map(({ name, state }) => [name, state])).toEqual([
      ['.mcp.json', 'unprotected'],
      ['.vscode/mcp.json', 'unavailable'],
      ['.cursor/mcp.json', 'unavailable'],
    ]);
    expect(found[0]?.servers).toEqual([{ name: 'a', state: 'plain', detail: 'x', foreign: null }]);
    const id = `mcp:${join(home.workspace, '.mcp.json')}`;
    applyPlan(planProtect(id, home), home);
    expect(stateOf(home, id)).toBe('protected');
  });

  it.each([
    [
      'nested without end',
      `{"mcpServers":{"a":{"command":"x","args":${'['.repeat(100_000)}${']'.repeat(100_000)}}}}`,
      'broken',
      /nested deeper than 200/,
    ],
    ['nothing but brackets', '['.repeat(200_000), 'broken', /nested deeper than 200/],
    [
      'an army of servers',
      JSON.stringify({ mcpServers: Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`s${at}`, { command: 'x' }])) }),
      'broken',
      /names 20000 servers/,
    ],
    [
      'a name of a megabyte',
      JSON.stringify({ mcpServers: { ['n'.repeat(1_000_000)]: { command: 'x' } } }),
      'unprotected',
      /^Starts "n{60}…" through/,
    ],
    [
      'many servers',
      JSON.stringify({ mcpServers: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`s${at}`, { command: 'x' }])) }),
      'unprotected',
      /"s7", 12 more through/,
    ],
  ])('a hostile workspace: %s', (_name, text, state, detail) => {
    const home = clientHome();
    home.write('.claude/settings.json', '{}');
    home.write('project/.mcp.json', text);
    const found = discover(home);
    expect(found.find((one) => one.kind === 'mcp')).toMatchObject({ state, detail: expect.stringMatching(detail) });
    expect(found.find((one) => one.id === 'claude')?.state).toBe('unprotected');
  });

  it('protected by its own file, switched off by the project: broken', () => {
    const home = clientHome();
    home.write('.claude/settings.json', '{}');
    applyPlan(planProtect('claude', home), home);
    expect(stateOf(home, 'claude')).toBe('protected');
    home.write('project/.claude/settings.local.json', '{"disableAllHooks":true}');
    expect(discover(home)[0]).toMatchObject({ state: 'broken', detail: expect.stringContaining('settings.local.json') });
  });

  it('works before a launcher is installed', () => {
    const home = clientHome();
    home.write('.claude/settings.json', '{}');
    applyPlan(planProtect('claude', home), home);
    const bare = {
      ...home,
      launcher: {
        ...home.launcher,
        hookCommand: (): string => {
          throw new Error('not installed');
        },
      },
    };
    expect(discover(bare)[0]).toMatchObject({ state: 'broken', detail: expect.stringContaining('not installed') });
    expect(() => planProtect('claude', bare)).toThrow('not installed');
  });

  it.each([
    ['claude', 'etc/claude-code/managed-settings.json', '{"allowManagedHooksOnly":true}', {}, /allowManagedHooksOnly/u],
    ['claude', 'etc/claude-code/managed-settings.json', '{"disableAllHooks":true}', {}, /disableAllHooks/u],
    ['claude', 'x', '', { CLAUDE_CONFIG_DIR: '/c' }, /CLAUDE_CONFIG_DIR/u],
    ['claude', 'x', '', { CLAUDE_CODE_SIMPLE: '1' }, /CLAUDE_CODE_SIMPLE/u],
    ['codex', 'etc/codex/requirements.toml', 'allow_managed_hooks_only = true', {}, /allow_managed_hooks_only/u],
    ['codex', 'project/.codex/config.toml', '[features]\nhooks = false', {}, /features\.hooks/u],
    ['codex', '.codex/hooks.json', '{}', {}, /hooks\.json/u],
    ['codex', 'x', '', { CODEX_HOME: '/c' }, /CODEX_HOME/u],
  ])('%s: warns about %s %s', (id, path, text, env, warning) => {
    const home = clientHome();
    home.write(path, text);
    expect(otherScopes(id, { ...home, env, systemRoot: home.home })).toEqual([expect.stringMatching(warning)]);
  });
});
