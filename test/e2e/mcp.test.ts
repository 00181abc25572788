/** Real MCP servers from npm behind the relay, called by the real Claude Code through the entry the installer rewrote. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { ensureAgents, mcpServerScript } from '#kit/agents.ts';
import { claudeAgent } from '#kit/agentsBoth.ts';
import { callEntries, insistOnWholeJournal, installGate, protect, serve } from '#kit/agentsGate.ts';
import type { Served } from '#kit/agentsGate.ts';
import type { ModelStep, ToolResult } from '#kit/model.ts';
import { sandbox, tail } from '#kit/sandbox.ts';
import type { Sandbox } from '#kit/sandbox.ts';

interface World {
  readonly box: Sandbox;
  readonly config: string;
  readonly undo: () => Promise<void>;
}

/** Odd spacing and foreign keys: undo gives exactly these bytes back. */
function mcpConfig(box: Sandbox): string {
  const node = JSON.stringify(process.execPath);
  return `{\n\t"mcpServers": {\n   "every": { "command": ${node}, "args": [${JSON.stringify(mcpServerScript('server-everything'))}, "stdio"], "env": {"OWN": "1"} },
      "files": {"type":"stdio", "command": ${node},
        "args": [${JSON.stringify(mcpServerScript('server-filesystem'))}, ${JSON.stringify(box.work)}]}\n  },\n  "somebody": ["else's"]\n}`;
}

async function prepare(): Promise<World> {
  await ensureAgents();
  const box = sandbox();
  const text = mcpConfig(box);
  const config = box.write('.mcp.json', text);
  box.write('.git/hooks/README', '');
  box.write('.claude/README', '');
  await installGate(box);
  const { undo } = await protect(box, 'mcp');
  assert.match(readFileSync(config, 'utf8'), /\.callgate/, 'the entries were rewritten');
  return {
    box,
    config,
    undo: async () => {
      await undo();
      assert.equal(readFileSync(config, 'utf8'), text, 'undo must restore the bytes');
    },
  };
}

/** One conversation, one call a turn; what the model saw of each. */
async function play(box: Sandbox, calls: readonly ModelStep[]): Promise<readonly ToolResult[]> {
  const model = await claudeAgent.startModel({ mcp: calls.map((call) => [call]) });
  try {
    const ran = await claudeAgent.launch(box, { model, scenario: 'mcp' }).done;
    assert.equal(model.results.length, calls.length, tail(ran));
    return model.results;
  } finally {
    await model.stop();
  }
}

function echo(message: string): ModelStep {
  return claudeAgent.mcp('every', 'echo', { message });
}

/** Written by the real filesystem server: what it writes is there for anyone to see. */
function write(box: Sandbox, path: string): ModelStep {
  return claudeAgent.mcp('files', 'write_file', { path: join(box.work, path), content: CONTENT });
}

const CONTENT = 'exit 1 # from the server';
/** Git runs what lies there: writing it is held. */
const HOOK = '.git/hooks/pre-commit';
const OTHER_HOOK = '.git/hooks/pre-push';
/** Our own data folder: writing there is blocked. */
const ours = (box: Sandbox): string => relative(box.work, join(box.layout.root, 'planted'));

test('without a broker the shim relays and judges by itself', async () => {
  const { box, undo } = await prepare();
  try {
    const results = await play(box, [echo('hello relay'), write(box, 'clean.txt'), write(box, HOOK), write(box, ours(box))]);
    assert.deepEqual(
      results.map((result) => result.isError),
      [false, false, true, true],
      results.map((result) => result.text).join('\n'),
    );
    assert.match(results[0]?.text ?? '', /hello relay/);
    assert.ok(existsSync(join(box.work, 'clean.txt')));
    assert.match(results[2]?.text ?? '', /callgate holds this call/i);
    assert.match(results[3]?.text ?? '', /callgate blocked this call/i);
    for (const name of [HOOK, ours(box)]) assert.ok(!existsSync(join(box.work, name)), `${name} was written`);
    assert.deepEqual(
      callEntries(box).map((entry) => `${entry.client} ${entry.server ?? ''} ${entry.tool} ${entry.outcome}`),
      ['mcp every echo delivered', 'mcp files write_file delivered', 'mcp files write_file refused', 'mcp files write_file refused'],
    );
    await insistOnWholeJournal(box);
    await undo();
  } finally {
    box.remove();
  }
});

/** Approves the first hold, rejects the second. */
function person(broker: Served): void {
  let seen = 0;
  broker.window.onHold((hold) => {
    if (hold.state !== 'waiting') return;
    seen += 1;
    if (seen === 1) void broker.window.request('approve', { id: hold.id, scope: 'once', note: '' });
    else void broker.window.request('reject', { id: hold.id, note: 'write a plain script instead' });
  });
}

test('with a broker a held call is approved or rejected by a person', async () => {
  const { box, undo } = await prepare();
  const broker = await serve(box, { holdSeconds: 30 });
  try {
    person(broker);
    const results = await play(box, [echo('hello broker'), write(box, HOOK), write(box, OTHER_HOOK), write(box, ours(box))]);
    assert.deepEqual(
      results.map((result) => result.isError),
      [false, false, true, true],
      results.map((result) => result.text).join('\n'),
    );
    assert.equal(readFileSync(join(box.work, HOOK), 'utf8'), CONTENT, 'the approved call ran unchanged');
    assert.match(results[2]?.text ?? '', /rejected.*write a plain script instead/is);
    for (const name of [OTHER_HOOK, ours(box)]) assert.ok(!existsSync(join(box.work, name)), `${name} was written`);
    assert.ok(
      callEntries(box).every((entry) => entry.writer.startsWith(`${broker.pid}:`)),
      'the relay runs in the broker',
    );
    await insistOnWholeJournal(box);
    await undo();
  } finally {
    await broker.stop();
    box.remove();
  }
});

test('hook and relay together ask a person once', async () => {
  const { box, undo } = await prepare();
  const hooks = await protect(box, 'claude');
  const broker = await serve(box, { holdSeconds: 30 });
  const holds = new Set<string>();
  try {
    broker.window.onHold((hold) => {
      if (hold.state === 'waiting') void broker.window.request('approve', { id: hold.id, scope: 'once', note: '' });
      holds.add(hold.id);
    });
    const results = await play(box, [write(box, HOOK)]);
    assert.equal(results[0]?.isError, false, results[0]?.text);
    assert.ok(existsSync(join(box.work, HOOK)));
    assert.equal(holds.size, 1, 'the relay honours what the hook was told');
    await insistOnWholeJournal(box);
    await hooks.undo();
    await undo();
  } finally {
    await broker.stop();
    box.remove();
  }
});
