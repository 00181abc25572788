import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canaryCommand, runCanary } from '#node/clients/canary.ts';
import type { AgentId } from '#node/clients/adapter.ts';
import { clientHome } from './clientHome.ts';

/** Stands in for a client: asks the model once, reports `answer` for the call it gets, asks again. */
const CLAUDE = `
const answer = process.env.FAKE_ANSWER;
const post = async (messages) => (await fetch(process.env.ANTHROPIC_BASE_URL + '/v1/messages', { method: 'POST', body: JSON.stringify({ model: 'm', stream: process.env.FAKE_STREAM === '1', tools: [{ name: 'Bash' }], messages }) })).text();
const first = await post([{ role: 'user', content: 'x' }]);
const call = /callgate-canary-[0-9a-f]{16}/.exec(first)?.[0];
if (answer) await post([{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_callgate_canary', content: answer.replace('MARKER', call), is_error: process.env.FAKE_FAILED === '1' }] }]);
`;
const CODEX = `
const provider = process.argv.find((one) => one.startsWith('model_providers.'));
const base = /base_url="([^"]+)"/.exec(provider)[1];
const post = async (input) => (await fetch(base + '/responses', { method: 'POST', body: JSON.stringify({ tools: [{ name: process.env.FAKE_TOOL ?? 'exec_command' }], input }) })).text();
await post([]);
if (process.env.FAKE_ANSWER) await post([{ type: 'function_call_output', call_id: 'toolu_callgate_canary', output: process.env.FAKE_ANSWER }]);
`;

interface Row {
  readonly name: string;
  readonly client: AgentId;
  readonly env: Readonly<Record<string, string>>;
  readonly ok: boolean;
  readonly seen: RegExp;
}

const ours = "Callgate blocked this call: Callgate's own canary (canary.refused)";
const rows: readonly Row[] = [
  {
    name: 'Claude refuses in our words',
    client: 'claude',
    env: { FAKE_ANSWER: `hook error: ${ours}`, FAKE_FAILED: '1' },
    ok: true,
    seen: /gate refused/u,
  },
  {
    name: 'Claude refuses in our words, streamed',
    client: 'claude',
    env: { FAKE_ANSWER: ours, FAKE_FAILED: '1', FAKE_STREAM: '1' },
    ok: true,
    seen: /gate refused/u,
  },
  {
    name: 'Claude refuses in its own words and quotes the command',
    client: 'claude',
    env: { FAKE_ANSWER: 'no permission for : MARKER', FAKE_FAILED: '1' },
    ok: false,
    seen: /not because of Callgate/u,
  },
  {
    name: 'the hook could not start',
    client: 'claude',
    env: { FAKE_ANSWER: 'hook error: [/h/.callgate/bin/callgate-hook]: not found', FAKE_FAILED: '1' },
    ok: false,
    seen: /not because of Callgate/u,
  },
  { name: 'Claude runs the call', client: 'claude', env: { FAKE_ANSWER: ours }, ok: false, seen: /without asking/u },
  { name: 'Claude never reports back', client: 'claude', env: {}, ok: false, seen: /did not carry out/u },
  {
    name: 'Codex refuses in our words',
    client: 'codex',
    env: { FAKE_ANSWER: `Command blocked: ${ours}` },
    ok: true,
    seen: /gate refused/u,
  },
  { name: 'Codex runs the call', client: 'codex', env: { FAKE_ANSWER: 'Process exited with code 0' }, ok: false, seen: /without asking/u },
  { name: 'Codex offers no shell', client: 'codex', env: { FAKE_TOOL: 'web_search' }, ok: false, seen: /web_search/u },
];

function program(home: ReturnType<typeof clientHome>, source: string): string {
  home.write('client.mjs', source);
  const path = home.write('bin/client', `#!/bin/sh\nexec '${process.execPath}' '${join(home.home, 'client.mjs')}' "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A killed process without a parent to collect it stays listed as a zombie; that one runs no more either. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

describe('canary', () => {
  it.each(rows)('$name', async ({ client, env, ok, seen }) => {
    const home = clientHome();
    const report = await runCanary(client, {
      program: program(home, client === 'claude' ? CLAUDE : CODEX),
      home: home.home,
      platform: 'linux',
      env: { PATH: process.env['PATH'], ...env },
      cwd: home.workspace,
      deadlineMs: 15_000,
    });
    expect(report).toMatchObject({ ok, seen: expect.stringMatching(seen) });
    expect(report.toDo === '').toBe(ok);
  });

  it('ends a client that hangs, and what it has started', async () => {
    const home = clientHome();
    const note = join(home.home, 'pid');
    const report = await runCanary('claude', {
      program: program(
        home,
        `import { spawn } from 'node:child_process'; spawn('/bin/sh', ['-c', 'echo $$ > ${note}; sleep 60'], { stdio: 'inherit' }); setInterval(() => {}, 1000);`,
      ),
      home: home.home,
      platform: 'linux',
      env: { PATH: process.env['PATH'] },
      cwd: home.workspace,
      deadlineMs: 2500,
    });
    expect(report).toMatchObject({ ok: false, seen: expect.stringContaining('did not finish') });
    const pid = Number(readFileSync(note, 'utf8'));
    expect(pid).toBeGreaterThan(1);
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
  });

  it('says when the program is not there', async () => {
    const home = clientHome();
    const report = await runCanary('codex', {
      program: '/nowhere/codex',
      home: home.home,
      platform: 'linux',
      env: {},
      cwd: home.workspace,
      deadlineMs: 5000,
    });
    expect(report).toMatchObject({ ok: false, seen: expect.stringContaining('could not be started') });
  });

  it('uses a marker of its own each time', () => {
    expect(canaryCommand()).toMatch(/^: callgate-canary-[0-9a-f]{16}$/u);
    expect(canaryCommand()).not.toBe(canaryCommand());
  });
});
