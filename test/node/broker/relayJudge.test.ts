/** What the relay asks of the broker's judge, beside the verdict itself. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { JudgeOptions } from '#contract/judgement.ts';
import type { ToolCall } from '#core/model/call.ts';
import { claudePayload, FLAGGED, HELD } from '../../home/gateBox.ts';
import { ask, brokerBox, openWindow, until, type BrokerBox } from './brokerBox.ts';

const boxes: BrokerBox[] = [];
afterEach(async () => {
  for (const box of boxes.splice(0)) {
    await box.broker.stop();
    box.remove();
  }
});
const start = async (): Promise<BrokerBox> => {
  const box = await brokerBox();
  boxes.push(box);
  return box;
};

const journal = (box: BrokerBox): AuditEntry[] =>
  readdirSync(box.layout.journal)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(box.layout.journal, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEntry)
    .filter(({ kind }) => kind !== 'broker');

const relayed = (args: ToolCall['args'], over: Partial<ToolCall> = {}): ToolCall => ({
  client: 'mcp',
  agent: 'main',
  session: '',
  useId: 'toolu_9',
  channel: 'mcp',
  tool: 'say',
  server: 'srv',
  args,
  cwd: '/project',
  ...over,
});
const hooked = (args: ToolCall['args']): string =>
  claudePayload('', { tool_name: 'mcp__srv__say', tool_input: args, tool_use_id: 'toolu_9' });
const options = (more: Partial<JudgeOptions>): JudgeOptions => ({ signal: AbortSignal.timeout(20_000), ...more });

test('where policy wants a hook, a call is refused without its decision, runs with it, and once only', async () => {
  const box = await start();
  const call = relayed({ text: 'hi' });
  expect(await box.broker.judge(call, options({ needsHook: true }))).toMatchObject({ outcome: 'refused', by: 'gate' });
  await ask(box.layout.claudeSocket, hooked({ text: 'hi' })).reply;
  expect(await box.broker.judge(relayed({ text: 'another' }), options({ needsHook: true }))).toMatchObject({ outcome: 'refused' });
  expect(await box.broker.judge(call, options({ needsHook: true }))).toMatchObject({ outcome: 'delivered' });
  expect(await box.broker.judge(call, options({ needsHook: true }))).toMatchObject({ outcome: 'refused' });
  expect(journal(box).map(({ client, outcome, findings }) => [client, outcome, findings[0]?.rule ?? null])).toEqual([
    ['mcp', 'refused', 'engine.no-hook'],
    ['claude', 'delivered', null],
    ['mcp', 'refused', 'engine.no-hook'],
    ['mcp', 'refused', 'engine.no-hook'],
  ]);
});

test('a person is asked once about one call and once about its result, whichever way they come', async () => {
  const box = await start();
  const window = await openWindow(box);
  const asked = ask(box.layout.claudeSocket, hooked({ text: HELD }));
  const hold = await until('the hold', () => window.holds.find(({ state }) => state === 'waiting'));
  await window.request('approve', { id: hold.id, scope: 'once', note: '' });
  await asked.reply;
  const judgement = await box.broker.judge(relayed({ text: HELD }), options({ needsHook: true }));
  expect(judgement).toMatchObject({ outcome: 'delivered', by: 'person', id: hold.id });
  const result = relayed({ content: [{ type: 'text', text: FLAGGED }] }, { channel: 'response' });
  await box.broker.judge(result, options({ resultOf: judgement.id }));
  // What Claude's own hook tells of the same result, whose hook only records.
  await ask(
    box.layout.claudeSocket,
    claudePayload('', {
      hook_event_name: 'PostToolUse',
      tool_name: 'mcp__srv__say',
      tool_input: { text: HELD },
      tool_response: [{ type: 'text', text: FLAGGED }],
      tool_use_id: 'toolu_9',
    }),
  ).text;
  await box.broker.stop();
  expect(journal(box).map(({ kind, outcome, call }) => [kind, outcome, call === hold.id])).toEqual([
    ['call', 'held', true],
    ['hold', 'delivered', true],
    ['response', 'delivered', true],
  ]);
});

test('what nobody is to be asked about is refused at once, and what is clean and quiet leaves no trace', async () => {
  const box = await start();
  const window = await openWindow(box);
  const result = (text: string): ToolCall => relayed({ content: [{ type: 'text', text }] }, { channel: 'response' });
  expect(await box.broker.judge(result(HELD), options({ quarantined: 'refuse', quiet: true }))).toMatchObject({
    outcome: 'refused',
    by: 'gate',
  });
  expect(await box.broker.judge(result('hi'), options({ quiet: true }))).toMatchObject({ outcome: 'delivered' });
  expect(await box.broker.judge(result(FLAGGED), options({ quiet: true }))).toMatchObject({ outcome: 'delivered' });
  expect(await box.broker.judge(relayed({}), options({ refusedBecause: 'It changed.' }))).toMatchObject({
    outcome: 'refused',
    reason: 'It changed.',
  });
  expect(window.holds).toEqual([]);
  expect(journal(box).map(({ kind, verdict, outcome }) => [kind, verdict, outcome])).toEqual([
    ['response', 'quarantine', 'refused'],
    ['response', 'flag', 'delivered'],
    ['call', 'block', 'refused'],
  ]);
});
