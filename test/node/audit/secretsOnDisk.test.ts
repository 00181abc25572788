/** Secrets go through the hook's, the broker's and the relay's way; then nothing under the data folder holds any of them in any spelling. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { decide } from '#core/gate.ts';
import type { ToolCall } from '#core/model/call.ts';
import { stringAt } from '#core/normalize/pointer.ts';
import { answerHook } from '#home/answerHook.ts';
import { openLocalGate } from '#home/localGate.ts';
import { callOf } from '#node/rulepack/examples.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { compiledRules, context } from '../../core/gateKit.ts';
import { corporaFiles, corporaFolder } from '../../eval/samples.ts';
import { gateBox, type GateBox } from '../../home/gateBox.ts';
import { brokerBox } from '../broker/brokerBox.ts';

interface Leak {
  readonly from: string;
  readonly text: string;
  readonly secret: string;
}
/** Shorter ones stand in unrelated words by chance. */
const MIN_SECRET = 8;

const writeOf = (text: string, over: Partial<ToolCall> = {}): ToolCall => ({
  client: 'claude',
  agent: 'main',
  session: 's1',
  useId: null,
  channel: 'write',
  tool: 'Write',
  server: null,
  args: { file_path: '/home/dev/app/.env', content: text },
  cwd: '/home/dev/app',
  ...over,
});

function secretsIn(call: ToolCall): string[] {
  const found: string[] = [];
  for (const { category, span, at, decoded } of decide(call, context).findings) {
    const text = stringAt(call.args, at);
    if (category === 'credential-leak' && span !== null && text !== null && decoded === null) found.push(text.slice(span.start, span.end));
  }
  return found.filter((secret) => secret.length >= MIN_SECRET && !/\p{Surrogate}/u.test(secret));
}

function leaksOfRules(): Leak[] {
  return [...compiledRules.examples].flatMap(([rule, { match }]) =>
    match.flatMap((example) => secretsIn(callOf(example)).map((secret) => ({ from: rule, text: example.text, secret }))),
  );
}

/** Those that the gate finds when they are written to a file: what it does not see is the detection's to count. */
function leaksOfCorpora(): Leak[] {
  return corporaFiles()
    .filter((name) => name.startsWith('secrets_'))
    .flatMap((name) => readFileSync(join(corporaFolder, name), 'utf8').trim().split('\n'))
    .flatMap((line) => {
      const { id, tool_input: input } = JSON.parse(line) as { id: string; tool_input: { content?: unknown } };
      const text = typeof input.content === 'string' ? input.content : '';
      return secretsIn(writeOf(text)).map((secret) => ({ from: id, text, secret }));
    });
}

/** The text as an argument, and its secret wherever else a call has a place for words; those in which the gate finds just that secret. */
function callsWith({ text, secret }: Leak): readonly ToolCall[] {
  const args = { content: text, [secret]: { nested: [`again ${secret}`, `https://x.example/?k=${encodeURIComponent(secret)}`] } };
  const calls = [
    writeOf(text, { args, cwd: `/srv/${secret}/app`, session: `s-${secret}`, useId: `toolu_${secret}` }),
    writeOf(text, { args: { text }, client: 'mcp', channel: 'mcp', tool: `say ${secret}`, server: `srv ${secret}` }),
  ];
  return calls.filter((call) => secretsIn(call).includes(secret));
}

function spellings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('hex'),
  ];
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => join(item.parentPath, item.name));
}

/** Which of them stand in a file under the data folder, and where. */
function found(box: GateBox, leaks: readonly Leak[]): string[] {
  const texts = filesUnder(box.layout.root)
    .filter((file) => !file.startsWith(box.layout.keys))
    .map((file) => [file, readFileSync(file, 'latin1')] as const);
  return leaks.flatMap(({ from, secret }) =>
    spellings(secret).flatMap((spelling) => {
      const bytes = Buffer.from(spelling).toString('latin1');
      return texts
        .filter(([, text]) => text.includes(bytes))
        .map(([file]) => `${from} in ${file.slice(box.layout.root.length)}: ${spelling.slice(0, 60)}`);
    }),
  );
}

function boxWithAllRules(): GateBox {
  const box = gateBox();
  writeFileSync(box.rulesFile, JSON.stringify(compiledRules.json));
  return box;
}

describe('nothing that the gate knows for a secret reaches the disk', () => {
  let leaks: readonly Leak[] = [];
  beforeAll(() => {
    const all = [...leaksOfRules(), ...leaksOfCorpora()];
    // One of a kind: the same secret in another file says nothing new.
    const distinct = [...new Map(all.map((leak) => [leak.secret, leak])).values()];
    // Generators draw the same letters each time: what is a secret in one sample may be a plain digest in another.
    const elsewhere = new Map(distinct.map(({ text }) => [text, secretsIn(writeOf(text))]));
    const plain = (secret: string): boolean =>
      [...elsewhere].some(([text, secrets]) => text.includes(secret) && !secrets.some((known) => known.includes(secret)));
    leaks = distinct.filter(({ secret }) => !plain(secret));
  });

  test('there are hundreds of them, of many rules', () => {
    expect(leaks.length).toBeGreaterThan(100);
    expect(new Set(leaks.map(({ from }) => from)).size).toBeGreaterThan(50);
  });

  test('through a hook without a broker', async () => {
    const box = boxWithAllRules();
    const gate = openLocalGate({ layout: box.layout, rulesFile: box.rulesFile, warn: () => undefined });
    for (const leak of leaks) {
      for (const call of callsWith(leak)) gate.judge(call, 'ask');
      const payload = { session_id: 's', hook_event_name: 'PreToolUse', tool_name: 'Write', permission_mode: 'default', cwd: '/x' };
      const bytes = Buffer.from(JSON.stringify({ ...payload, tool_input: { file_path: 'a', content: leak.text } }));
      const host = { layout: box.layout, judge: gate.judge, record: gate.record };
      await answerHook('claude', bytes, host as never);
      await answerHook('codex', bytes.subarray(0, -3), host as never);
    }
    gate.close();
    expect(found(box, leaks)).toEqual([]);
    expect((await verifyJournal(box.layout)).entries).toBeGreaterThan(leaks.length * 3);
  }, 120_000);

  test("through the broker and the relay's side of it", async () => {
    const box = boxWithAllRules();
    const { broker } = await brokerBox({ rulesFile: box.rulesFile }, {}, box);
    for (const leak of leaks) await Promise.all(callsWith(leak).map((call) => broker.judge(call, { signal: AbortSignal.timeout(50) })));
    await broker.stop();
    expect(found(box, leaks)).toEqual([]);
  }, 120_000);
});

describe('in parts that nobody judges, of calls that are otherwise clean', () => {
  const token = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`;
  const rows: readonly (readonly [string, Partial<ToolCall>])[] = [
    ['the folder', { cwd: `/srv/${token}` }],
    ['the session', { session: token }],
    ["the client's id", { useId: token }],
    ['the tool', { tool: token }],
    ['the server', { server: token }],
    ['the agent', { agent: token }],
  ];
  test.each(rows)('%s', async (_name, over) => {
    const box = boxWithAllRules();
    const gate = openLocalGate({ layout: box.layout, rulesFile: box.rulesFile, warn: () => undefined });
    gate.judge(writeOf('hello', over), 'ask');
    gate.close();
    const leaks = [{ from: 'row', text: '', secret: token }];
    expect(found(box, leaks)).toEqual([]);
    expect((await verifyJournal(box.layout)).entries).toBe(1);
  });

  test("the broker's log, which names a project whose rules are wrong", async () => {
    const box = boxWithAllRules();
    const cwd = join(box.layout.home, token);
    mkdirSync(join(cwd, '.git'), { recursive: true });
    mkdirSync(join(cwd, '.callgate', 'rules'), { recursive: true });
    writeFileSync(join(cwd, '.callgate', 'rules', 'own.yaml'), 'rules: [');
    const lines: string[] = [];
    const { broker } = await brokerBox({ rulesFile: box.rulesFile, log: (line: string) => lines.push(line), watchMs: 10 }, {}, box);
    await broker.judge(writeOf('hello', { cwd }), { signal: AbortSignal.timeout(5000) });
    await expect.poll(() => lines.join('\n')).toContain('own.yaml');
    await broker.stop();
    expect(lines.join('\n')).not.toContain(token);
  });

  test('without rules nothing can be told from a secret: the text stays out', () => {
    const box = boxWithAllRules();
    writeFileSync(box.rulesFile, 'broken');
    const gate = openLocalGate({ layout: box.layout, rulesFile: box.rulesFile, warn: () => undefined });
    gate.judge(writeOf(`token ${token}`, { cwd: `/srv/${token}` }), 'ask');
    gate.close();
    expect(found(box, [{ from: 'row', text: '', secret: token }])).toEqual([]);
  });
});
