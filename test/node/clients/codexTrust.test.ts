import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyPlan, revert } from '#node/clients/applyPlan.ts';
import { trustHash } from '#node/clients/codexHooks.ts';
import { trustCodex } from '#node/clients/codexTrust.ts';
import { discover } from '#node/clients/discover.ts';
import { planProtect } from '#node/clients/planChange.ts';
import { clientHome, HOOK } from './clientHome.ts';

/** As much of `codex app-server` as we use: lists the hook, and writes what it is told to trust. */
const SERVER = `
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
const mode = process.env.FAKE_MODE ?? '';
const file = process.env.HOME + '/.codex/config.toml';
const key = file + ':pre_tool_use:0:0';
const send = (message) => process.stdout.write(JSON.stringify(message) + '\\n');
process.stdout.write('a log line\\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (mode === 'dies' && method === 'hooks/list') { process.stderr.write('broken'); process.exit(3); }
  if (mode === 'hangs' && method === 'hooks/list') continue;
  if (mode === 'refuses' && method === 'config/batchWrite') send({ id, error: { message: 'managed' } });
  else if (method === 'hooks/list') {
    const trusted = readFileSync(file, 'utf8').includes('trusted_hash') && mode !== 'ignores';
    const hook = { key, command: mode === 'blind' ? 'other' : process.env.FAKE_COMMAND, source: 'user', eventName: 'preToolUse', currentHash: process.env.FAKE_HASH, trustStatus: trusted ? 'trusted' : 'untrusted' };
    send({ method: 'note', params: {} });
    send({ id, result: { data: [{ hooks: [hook] }] } });
  } else if (method === 'config/batchWrite') {
    writeFileSync(file, '\\n# Codex moves comments\\n' + readFileSync(file, 'utf8').replaceAll('\\r', ''));
    for (const [name, state] of Object.entries(params.edits[0].value)) appendFileSync(file, '\\n[hooks.state."' + name + '"]\\ntrusted_hash = "' + state.trusted_hash + '"\\n');
    send({ id, result: { status: 'ok' } });
  } else if (id !== undefined) send({ id, result: {} });
}
`;

function protectedHome(mode: string): { home: ReturnType<typeof clientHome>; program: string; file: string } {
  const base = clientHome();
  const file = base.write('.codex/config.toml', 'model = "m"\r\n');
  base.write('server.mjs', SERVER);
  const program = base.write('bin/codex', `#!/bin/sh\nexec '${process.execPath}' '${join(base.home, 'server.mjs')}' "$@"\n`);
  chmodSync(program, 0o755);
  const home = { ...base, env: { PATH: process.env['PATH'], FAKE_MODE: mode, FAKE_COMMAND: HOOK, FAKE_HASH: trustHash(HOOK) } };
  applyPlan(planProtect('codex', home), home);
  return { home, program, file };
}

describe('trust in Codex', () => {
  it('is recorded through Codex and taken back with the rest', async () => {
    const { home, program, file } = protectedHome('');
    expect(planProtect('codex', home).needsConsent).toContain('consent');
    await trustCodex(home, { program, cwd: home.workspace, deadlineMs: 15_000 });
    expect(discover(home).find((one) => one.id === 'codex')?.state).toBe('protected');
    expect(planProtect('codex', home).needsConsent).toBeNull();
    revert('codex', home);
    expect(readFileSync(file, 'utf8')).toBe('model = "m"\r\n');
  });

  it.each([
    ['dies', /ended early: broken/u],
    ['hangs', /did not answer/u],
    ['refuses', /Codex refused: managed/u],
    ['blind', /does not see/u],
    ['ignores', /does not honour/u],
  ])('a server that %s is an error', async (mode, message) => {
    const { home, program } = protectedHome(mode);
    await expect(trustCodex(home, { program, cwd: home.workspace, deadlineMs: mode === 'hangs' ? 1000 : 15_000 })).rejects.toThrow(message);
  });

  it('a missing program is an error', async () => {
    const { home } = protectedHome('');
    await expect(trustCodex(home, { program: '/nowhere/codex', cwd: home.workspace, deadlineMs: 5000 })).rejects.toMatchObject({
      code: 'CLIENT_FAILED',
    });
  });
});
