/** The kit itself: without hooks, both real agents run what the scripted model asks for, and the model hears of it. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensureAgents, runClaude, runCodex } from '#kit/agents.ts';
import { startAnthropic } from '#kit/modelAnthropic.ts';
import { startOpenai } from '#kit/modelOpenai.ts';
import { sandbox, tail } from '#kit/sandbox.ts';

test('Claude Code without hooks runs two turns of a scenario', async () => {
  await ensureAgents();
  const box = sandbox();
  const model = await startAnthropic({
    two: [
      [{ tool: 'Bash', input: { command: 'echo first > a', description: 'a' } }],
      [{ tool: 'Bash', input: { command: 'echo second; echo x > b', description: 'b' } }],
    ],
  });
  try {
    const ran = await runClaude(box, { model, scenario: 'two' });
    assert.ok(existsSync(join(box.work, 'a')) && existsSync(join(box.work, 'b')), tail(ran));
    assert.deepEqual(
      model.results.map((result) => [result.turn, result.step, result.isError]),
      [
        [0, 0, false],
        [1, 0, false],
      ],
    );
    assert.match(model.results[1]?.text ?? '', /second/);
  } finally {
    await model.stop();
    box.remove();
  }
});

test('Codex without hooks runs two turns of a scenario', async () => {
  await ensureAgents();
  const box = sandbox();
  const model = await startOpenai({
    two: [
      [{ tool: 'exec_command', input: { cmd: 'echo first > a' } }],
      [{ freeform: 'apply_patch', text: '*** Begin Patch\n*** Add File: b\n+second\n*** End Patch' }],
    ],
  });
  try {
    const ran = await runCodex(box, { model, scenario: 'two' });
    assert.ok(existsSync(join(box.work, 'a')) && existsSync(join(box.work, 'b')), tail(ran));
    assert.deepEqual(
      model.results.map((result) => [result.turn, result.step]),
      [
        [0, 0],
        [1, 0],
      ],
    );
    assert.match(model.results[1]?.text ?? '', /Success|updated/i);
  } finally {
    await model.stop();
    box.remove();
  }
});
