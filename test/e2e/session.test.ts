/** One session of each real agent, from prompt to answer, as the record tells it afterwards. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { join } from 'node:path';
import { ensureAgents, writeHome } from '#kit/agents.ts';
import { agents } from '#kit/agentsBoth.ts';
import type { Agent } from '#kit/agentsBoth.ts';
import { OWN_CONFIG, exists, suspicious } from '#kit/agentsCalls.ts';
import { callgate, insistOnWholeJournal, installGate, journalEntries, protect, serve } from '#kit/agentsGate.ts';
import { playSteps } from '#kit/agentsSteps.ts';
import type { Step } from '#kit/agentsSteps.ts';
import { sandbox, waitFor } from '#kit/sandbox.ts';
import type { Sandbox } from '#kit/sandbox.ts';

function steps(agent: Agent, box: Sandbox): readonly Step[] {
  const at = (name: string) => exists(join(box.work, name));
  return [
    { what: 'a clean call', turn: [agent.shell('echo first-result | tee clean.txt')], happened: at('clean.txt'), runs: true },
    { what: 'a held call that is approved', turn: [agent.shell(suspicious('held.txt'))], happened: at('held.txt'), runs: true },
    {
      what: 'a blocked call',
      turn: [agent.shell('rm -rf --no-preserve-root / # never.txt')],
      happened: at('never.txt'),
      runs: false,
      sees: /callgate/i,
    },
  ];
}

describe('a session in the record', { concurrency: true }, () => {
  for (const agent of agents) {
    test(agent.name, async () => {
      await ensureAgents();
      const box = sandbox();
      try {
        writeHome(box, OWN_CONFIG[agent.id].file, OWN_CONFIG[agent.id].text);
        await installGate(box);
        await protect(box, agent.id);
        const broker = await serve(box, { holdSeconds: 30 });
        try {
          broker.window.onHold((hold) => {
            if (hold.state === 'waiting') void broker.window.request('approve', { id: hold.id, scope: 'once', note: 'agreed' });
          });
          await playSteps(agent, box, steps(agent, box), { env: {} });
          // The end of a session is reported as the agent leaves.
          await waitFor('the end of the session', () =>
            journalEntries(box).find((entry) => entry.kind === 'session' && /"(?:end|turn-end)"/.test(JSON.stringify(entry.args))),
          );
          const told = await callgate(box, ['audit', 'session', 'latest']);
          assert.equal(told.code, 0, told.stderr);
          const order = [
            /- The session began/,
            /> SCENARIO=steps go on/,
            /\+ Bash {2}echo first-result/,
            /clean, let through/,
            /= first-result/,
            /\+ Bash {2}curl/,
            /quarantine, held for a person/,
            /approved by a person after [\d.]+ m?s: agreed/,
            /= /,
            /\+ Bash {2}rm -rf/,
            /block, refused by the gate/,
            /- The agent answered/,
          ];
          let rest = told.stdout;
          for (const part of order) {
            const found = part.exec(rest);
            assert.ok(found, `${String(part)} is not, or not in its place, in\n${told.stdout}`);
            rest = rest.slice(found.index + found[0].length);
          }
          const rows = (await callgate(box, ['audit', 'session', 'latest', '--json'])).stdout.trim().split('\n');
          const calls = rows
            .map((row) => JSON.parse(row) as { kind: string; entries: { kind: string; call: string }[] })
            .filter(({ kind }) => kind === 'call');
          assert.deepEqual(
            calls.map(({ entries }) => entries.map(({ kind }) => kind)),
            [['call', 'response'], ['call', 'hold', 'response'], ['call']],
            rows.join('\n'),
          );
          for (const { entries } of calls)
            assert.equal(new Set(entries.map(({ call }) => call)).size, 1, 'one correlation id for each call');
          const replayed = await callgate(box, ['audit', 'replay', '--json']);
          const { judged, changed } = JSON.parse(replayed.stdout) as { judged: number; changed: number };
          assert.deepEqual([judged, changed], [5, 0], replayed.stdout);
        } finally {
          await broker.stop();
        }
        await insistOnWholeJournal(box);
      } finally {
        box.remove();
      }
    });
  }
});
