/** The real agents with the hooks the real installer wrote, first with nothing else running, then with a broker and a person. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Hold } from '#contract/ipc.ts';
import { ensureAgents, mcpServerScript, writeHome } from '#kit/agents.ts';
import { agents, claudeAgent, codexAgent } from '#kit/agentsBoth.ts';
import type { Agent } from '#kit/agentsBoth.ts';
import { OWN_CONFIG, cleanSteps, exists, harmfulSteps, heldSteps, suspicious } from '#kit/agentsCalls.ts';
import type { World } from '#kit/agentsCalls.ts';
import { callEntries, insistOnWholeJournal, installGate, protect, serve } from '#kit/agentsGate.ts';
import type { Served } from '#kit/agentsGate.ts';
import { startPage } from '#kit/agentsPage.ts';
import { playSteps } from '#kit/agentsSteps.ts';
import type { Step } from '#kit/agentsSteps.ts';
import { sandbox, waitFor } from '#kit/sandbox.ts';
import type { Sandbox } from '#kit/sandbox.ts';

function ownSetup(box: Sandbox, agent: Agent): string {
  const { file, text } = OWN_CONFIG[agent.id];
  return writeHome(box, file, text);
}

async function prepare(
  agent: Agent,
): Promise<{ readonly box: Sandbox; readonly undo: () => Promise<void>; readonly insistRestored: () => void }> {
  await ensureAgents();
  const box = sandbox();
  const script = mcpServerScript('server-everything');
  if (agent.id === 'claude')
    box.write('.mcp.json', JSON.stringify({ mcpServers: { every: { command: process.execPath, args: [script, 'stdio'] } } }));
  const file = ownSetup(box, agent);
  if (agent.id === 'codex')
    writeHome(
      box,
      OWN_CONFIG.codex.file,
      `${OWN_CONFIG.codex.text}\n[mcp_servers.every]\ncommand = ${JSON.stringify(process.execPath)}\nargs = [${JSON.stringify(script)}, "stdio"]\n`,
    );
  const original = readFileSync(file);
  await installGate(box);
  const { undo } = await protect(box, agent.id);
  assert.notDeepEqual(readFileSync(file), original, 'the installer changed nothing');
  const insistRestored = (): void => assert.equal(readFileSync(file, 'utf8'), original.toString('utf8'), 'undo must restore the bytes');
  return { box, undo, insistRestored };
}

async function withWorld(
  agent: Agent,
  play: (world: World, env: Readonly<Record<string, string>>, finish: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { box, undo, insistRestored } = await prepare(agent);
  const page = await startPage('<html><body><h1>A page</h1></body></html>');
  try {
    await play({ box, page }, { NODE_EXTRA_CA_CERTS: box.write('page.pem', page.certificate) }, async () => {
      await insistOnWholeJournal(box);
      await undo();
      insistRestored();
    });
  } finally {
    await page.stop();
    box.remove();
  }
}

/** How a suspicious call ends when no editor is there to approve it. */
interface Alone {
  readonly name: string;
  readonly agent: Agent;
  readonly args: readonly string[];
  readonly outcome: 'asked' | 'refused';
  readonly sees: RegExp;
}

const NEEDS_EDITOR = /callgate holds this call[^]*open the editor/i;
const ALL_TOOLS = 'Bash,Read,Edit,Write,WebFetch,mcp__every__echo';

const alone: readonly Alone[] = [
  // It asks its user; there is none in -p, so it refuses. For files it guards itself it asks in its own words.
  {
    name: 'Claude Code',
    agent: claudeAgent,
    args: ['--permission-mode', 'default', '--allowedTools', ALL_TOOLS],
    outcome: 'asked',
    sees: /callgate holds this call|requested permissions/i,
  },
  // There it would run some calls although the hook asks (its own question replaces ours and is then bypassed).
  { name: 'Claude Code with bypassed permissions', agent: claudeAgent, args: [], outcome: 'refused', sees: NEEDS_EDITOR },
  { name: 'Codex', agent: codexAgent, args: [], outcome: 'refused', sees: NEEDS_EDITOR },
];

describe('agents with hooks and nothing else running', { concurrency: true }, () => {
  for (const { name, agent, args, outcome, sees } of alone) {
    test(name, () =>
      withWorld(agent, async (world, env, finish) => {
        const clean = cleanSteps(agent, world);
        const harmful = harmfulSteps(agent, world);
        const held = heldSteps(agent, world, { runs: false, sees });
        await playSteps(agent, world.box, [...clean, ...harmful, ...held], { env, args });

        const entries = callEntries(world.box);
        const outcomes = entries.map((entry) => `${entry.tool} ${entry.verdict} ${entry.outcome}`);
        assert.equal(entries.length, clean.length + harmful.length + held.length, outcomes.join('\n'));
        assert.equal(
          entries.filter((entry) => entry.verdict === 'block' && entry.outcome === 'refused').length,
          harmful.length,
          outcomes.join('\n'),
        );
        const left = entries.filter((entry) => entry.verdict === 'quarantine').map((entry) => entry.outcome);
        assert.deepEqual(new Set(left), new Set([outcome]), outcomes.join('\n'));
        await finish();
      }),
    );
  }
});

/** Answers each hold as `answerFor` says; keeps what became of it. */
function person(broker: Served, answerFor: (text: string) => 'approve' | 'reject' | 'nothing', settled: Hold[]): void {
  broker.window.onHold((hold) => {
    if (hold.state !== 'waiting') {
      settled.push(hold);
      return;
    }
    const answer = answerFor(JSON.stringify(hold.call.args));
    if (answer === 'approve') void broker.window.request('approve', { id: hold.id, scope: 'once', note: '' });
    if (answer === 'reject') void broker.window.request('reject', { id: hold.id, note: 'use the package manager instead' });
  });
}

describe('agents with a broker and a person', { concurrency: true }, () => {
  for (const agent of agents) {
    test(agent.name, () =>
      withWorld(agent, async (world, env, finish) => {
        const { box } = world;
        const broker = await serve(box, { holdSeconds: 10 });
        try {
          const settled: Hold[] = [];
          let lateTries = 0;
          const answerFor = (text: string): 'approve' | 'reject' | 'nothing' => {
            if (text.includes('rejected.txt')) return 'reject';
            if (!text.includes('late.txt')) return 'approve';
            lateTries += 1;
            return lateTries === 1 ? 'nothing' : 'reject';
          };
          person(broker, answerFor, settled);
          const at = (name: string): string => join(box.work, name);
          const late = [agent.shell(suspicious('late.txt'))];
          const approveLate = async (): Promise<void> => {
            const hold = await waitFor('the expired hold', () => settled.find((candidate) => candidate.state === 'expired'));
            await broker.window.request('approve', { id: hold.id, scope: 'once', note: '' });
          };
          const sees = /rejected this call[^]*use the package manager instead/i;
          const steps: Step[] = [
            ...cleanSteps(agent, world),
            ...harmfulSteps(agent, world),
            ...heldSteps(agent, world, { runs: true, sees: /[^]*/ }),
            {
              what: 'held and rejected',
              turn: [agent.shell(suspicious('rejected.txt'))],
              happened: exists(at('rejected.txt')),
              runs: false,
              sees,
            },
            {
              what: 'held and nobody answers',
              turn: late,
              happened: exists(at('late.txt')),
              runs: false,
              sees: /held for 10 seconds and nobody answered/i,
            },
            {
              what: 'the same after a late approval',
              turn: late,
              happened: exists(at('late.txt')),
              runs: true,
              before: approveLate,
              sees: /[^]*/,
            },
            {
              what: 'the same once more',
              turn: late,
              happened: exists(at('late.txt')),
              runs: false,
              before: () => rmSync(at('late.txt')),
              sees,
            },
          ];
          await playSteps(agent, box, steps, { env });
          assert.deepEqual(
            settled.map((hold) => hold.state).filter((state) => state !== 'approved'),
            ['rejected', 'expired', 'rejected'],
          );

          const entries = callEntries(box);
          assert.ok(
            entries.every((entry) => entry.writer.startsWith(`${broker.pid}:`)),
            'the broker judged every call',
          );
          assert.deepEqual(
            entries.filter((entry) => entry.by === 'grant').map((entry) => entry.outcome),
            ['delivered'],
            'the late approval served one call',
          );
          await finish();
        } finally {
          await broker.stop();
        }
      }),
    );
  }
});
