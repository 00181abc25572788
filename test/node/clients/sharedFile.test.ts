/** Codex keeps hooks and servers in one file: two protections with a record each, taken back in any order. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { applyPlan, revert } from '#node/clients/applyPlan.ts';
import { discover } from '#node/clients/discover.ts';
import { liveRecords } from '#node/clients/liveRecords.ts';
import { planProtect } from '#node/clients/planChange.ts';
import { clientHome } from './clientHome.ts';

const BEFORE =
  '# mine\nmodel = "m"\n\n[mcp_servers.a]\ncommand = "x" # so\nenv = { K = "1" }\n\n[mcp_servers.b]\nurl = "https://h.example/mcp"\n';
const edit = (text: string): string => `# later\n${text}\n[mcp_servers.mine]\ncommand = "y"\n`;

it.each([
  ['codex', 'mcp', 'codex', 'mcp'],
  ['codex', 'mcp', 'mcp', 'codex'],
  ['mcp', 'codex', 'codex', 'mcp'],
  ['mcp', 'codex', 'mcp', 'codex'],
] as const)('protect %s, then %s; undo %s, then %s', (...order) => {
  for (const change of [(text: string) => text, edit]) {
    const home = clientHome();
    const file = home.write('.codex/config.toml', BEFORE);
    const [one, two, three, four] = order.map((name) => (name === 'mcp' ? `mcp:${file}` : name)) as [string, string, string, string];
    for (const id of [one, two]) applyPlan(planProtect(id, home), home);
    writeFileSync(file, change(readFileSync(file, 'utf8')));
    for (const id of [three, four]) revert(id, home);
    expect(readFileSync(file, 'utf8')).toBe(change(BEFORE));
    expect(liveRecords(home.layout)).toEqual({ records: [], problems: [] });
  }
});

it('each is told by itself', () => {
  const home = clientHome();
  const file = home.write('.codex/config.toml', BEFORE);
  applyPlan(planProtect(`mcp:${file}`, home), home);
  const states = Object.fromEntries(discover(home).map(({ id, state }) => [id, state]));
  expect(states).toMatchObject({ codex: 'unprotected', [`mcp:${file}`]: 'protected' });
});

it('every folder of a workspace has its own files, and a home folder that is open is not offered twice', () => {
  const home = clientHome();
  const other = home.write('other/.mcp.json', '{"mcpServers":{"a":{"command":"x"}}}').replace('/.mcp.json', '');
  home.write('project/.mcp.json', '{"mcpServers":{"a":{"command":"x"}}}');
  home.write('.gemini/settings.json', '{"mcpServers":{"a":{"command":"x"}}}');
  const both = { ...home, workspaceFolders: [home.workspace, other, home.home] };
  const ids = discover(both)
    .filter(({ kind }) => kind === 'mcp')
    .map(({ file }) => file.slice(home.home.length));
  expect(ids.toSorted()).toEqual(['/.gemini/settings.json', '/other/.mcp.json', '/project/.mcp.json']);
  const id = `mcp:${other}/.mcp.json`;
  applyPlan(planProtect(id, both), both);
  expect(discover(both).flatMap(({ id: one, state }) => (state === 'protected' ? [one] : []))).toEqual([id]);
});

it('an entry that was synced from another machine is told for what it is', () => {
  const home = clientHome();
  const command = '/home/elsewhere/.callgate/bin/callgate-mcp';
  const file = home.write(
    '.config/Code/User/mcp.json',
    JSON.stringify({ servers: { a: { command, args: ['--server', 'a', '--', 'x'] } } }),
  );
  expect(discover(home).find(({ id }) => id === `mcp:${file}`)).toMatchObject({
    state: 'broken',
    detail: `"a" cannot start: it names a Callgate that is not on this machine (${command}); protect again to mend that.`,
  });
  applyPlan(planProtect(`mcp:${file}`, home), home);
  expect(discover(home).find(({ id }) => id === `mcp:${file}`)?.state).toBe('protected');
  // What was found could not start; what it stood for is given back.
  revert(`mcp:${file}`, home);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ servers: { a: { command: 'x' } } });
});
