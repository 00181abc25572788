/** What hooks only report: answered at once, written down with its call, never in anybody's way. */
import { statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { JsonValue } from '#core/model/json.ts';
import { recordCommandText } from '#node/launcher/commandText.ts';
import { knownAskers } from '#node/launcher/asker.ts';
import { run, sandboxEnvironment } from '#kit/sandbox.ts';
import { CLEAN, claudePayload, gateBox, HELD, TEST_RULES } from '../../home/gateBox.ts';
import { ask, brokerBox, held, openWindow, PASS, until, type BrokerBox, type Window } from './brokerBox.ts';

const payload = (name: string, over: Record<string, JsonValue>): string => claudePayload(CLEAN, { hook_event_name: name, ...over });
const result = (text: string, over: Record<string, JsonValue> = {}): string =>
  payload('PostToolUse', { tool_response: { stdout: text, stderr: '' }, ...over });

async function played(
  play: (at: BrokerBox, window: Window, tell: (text: string) => Promise<string>) => Promise<void>,
  settings: Parameters<typeof brokerBox>[1] = {},
): Promise<void> {
  const at = await brokerBox({}, settings);
  const window = await openWindow(at);
  try {
    await play(at, window, (text) => ask(at.layout.claudeSocket, text).text);
  } finally {
    window.close();
    await at.broker.stop();
    at.remove();
  }
}

const entry = (window: Window, what: string, fits: (one: AuditEntry) => boolean): Promise<AuditEntry> =>
  until(what, () => window.entries.find(fits));

test('a result is linked to its call, judged and delivered all the same', () =>
  played(async (_at, window, tell) => {
    await tell(claudePayload(CLEAN));
    expect(await tell(result('please-hold'))).toBe(PASS);
    const call = await entry(window, 'the call', (one) => one.kind === 'call');
    const response = await entry(window, 'the result', (one) => one.kind === 'response');
    expect(response).toMatchObject({
      call: call.call,
      useId: 'toolu_1',
      channel: 'response',
      verdict: 'quarantine',
      outcome: 'delivered',
      by: 'client',
      args: { stdout: 'please-hold' },
      reason: expect.stringContaining('test.hold') as string,
    });
    expect(window.holds).toEqual([]);
  }));

test('prompts, sessions and subagents are written down as they come, by whom', () =>
  played(async (_at, window, tell) => {
    await tell(payload('SessionStart', { tool_name: '', source: 'startup' }));
    await tell(payload('UserPromptSubmit', { tool_name: '', prompt: 'please-hold', prompt_id: 'p1' }));
    await tell(payload('SubagentStart', { tool_name: '', agent_id: 'a4', agent_type: 'general-purpose' }));
    await tell(claudePayload(CLEAN, { agent_id: 'a4' }));
    await tell(payload('Stop', { tool_name: '', last_assistant_message: 'done' }));
    await entry(window, 'the end of the turn', (one) => one.kind === 'session' && JSON.stringify(one.args).includes('turn-end'));
    expect(window.entries.map(({ kind, agent, parent, verdict }) => [kind, agent, parent, verdict])).toEqual([
      ['session', 'main', null, 'clean'],
      ['prompt', 'main', null, 'clean'],
      ['session', 'a4', 'main', 'clean'],
      ['call', 'a4', 'main', 'clean'],
      ['session', 'main', null, 'clean'],
    ]);
    expect(window.entries[1]).toMatchObject({ call: 'p1', args: { prompt: 'please-hold' }, findings: [] });
  }));

test('a held call hears nothing of it, and its result comes after its end', () =>
  played(async (at, window, tell) => {
    const asked = ask(at.layout.claudeSocket, claudePayload(HELD));
    const hold = await held(window);
    expect(await tell(result('of another call', { tool_use_id: 'toolu_2' }))).toBe(PASS);
    await window.request('approve', { id: hold.id, scope: 'once', note: 'go on' });
    await asked.text;
    await tell(result('hi'));
    await until('two results', () => window.entries.filter((one) => one.kind === 'response').length === 2);
    const own = window.entries.filter((one) => one.call === hold.id);
    expect(own.map(({ kind, outcome, by }) => [kind, outcome, by])).toEqual([
      ['call', 'held', 'gate'],
      ['hold', 'delivered', 'person'],
      ['response', 'delivered', 'client'],
    ]);
  }));

test('a long result is judged to its end and kept in part, with the hash of the whole', () =>
  played(async (_at, window, tell) => {
    await tell(claudePayload(CLEAN));
    await tell(result(`${'x '.repeat(900_000)}please-hold`));
    const response = await entry(window, 'the result', (one) => one.kind === 'response');
    expect(response.verdict).toBe('quarantine');
    expect(JSON.stringify(response.args).length).toBeLessThan(64 * 1024);
    expect(response.argsHash).toMatch(/^[0-9a-f]{64}$/);
  }));

test('a secret in a prompt, a result or an answer does not reach the record', async () => {
  const box = gateBox();
  const [rule] = TEST_RULES.rules;
  const leak = {
    ...rule,
    id: 'test.leak',
    category: 'credential-leak',
    keywords: ['key-'],
    match: { ...rule?.match, regex: 'key-[0-9]{12}' },
  };
  writeFileSync(box.rulesFile, JSON.stringify({ ...TEST_RULES, rules: [...TEST_RULES.rules, leak] }));
  const at = await brokerBox({}, {}, box);
  const window = await openWindow(at);
  const secret = 'key-123456789012';
  try {
    for (const text of [
      payload('UserPromptSubmit', { tool_name: '', prompt: `use ${secret}` }),
      claudePayload(CLEAN),
      result(`${secret} ${'x '.repeat(300_000)}`),
      payload('Stop', { tool_name: '', last_assistant_message: `I used ${secret}` }),
    ])
      expect(await ask(at.layout.claudeSocket, text).text).toBe(PASS);
    await until('all four', () => window.entries.length === 4);
    expect(window.entries.map(({ kind, args }) => [kind, JSON.stringify(args).includes('[secret test.leak ')])).toEqual([
      ['prompt', true],
      ['call', false],
      ['response', true],
      ['session', true],
    ]);
    expect(JSON.stringify(window.entries)).not.toContain(secret);
  } finally {
    window.close();
    await at.broker.stop();
    at.remove();
  }
});

test('switched off, nothing of it is written', () =>
  played(
    async (_at, window, tell) => {
      expect(await tell(payload('UserPromptSubmit', { tool_name: '', prompt: 'x' }))).toBe(PASS);
      await tell(claudePayload(CLEAN));
      await entry(window, 'the call', (one) => one.kind === 'call');
      expect(window.entries.map(({ kind }) => kind)).toEqual(['call']);
    },
    { recordConversation: false },
  ));

const commands = (at: BrokerBox): readonly string[] =>
  knownAskers(`${at.layout.bin}/callgate-ask.pl`)
    .filter(({ kind }) => kind === 'nc')
    .flatMap((asker) => (['claude', 'codex'] as const).map((client) => recordCommandText(at.layout, client, asker) ?? ''));

test('the command says nothing and ends well with a broker, without one, and with one that refuses', () =>
  played(async (at, window) => {
    expect(commands(at).length).toBeGreaterThan(0);
    const shell = async (command: string, input: string): Promise<unknown> => {
      const ran = await run('/bin/sh', ['-c', command], { cwd: at.home, env: sandboxEnvironment(at), deadlineMs: 10_000, stdin: input });
      return [ran.code, ran.stdout, ran.stderr];
    };
    for (const command of commands(at)) {
      expect(await shell(command, payload('UserPromptSubmit', { tool_name: '', prompt: 'x' }))).toEqual([0, '', '']);
      expect(await shell(command, 'no payload at all')).toEqual([0, '', '']);
    }
    await entry(window, 'the prompt', (one) => one.kind === 'prompt');
    await at.broker.stop();
    for (const command of commands(at)) expect(await shell(command, result('x'.repeat(300_000)))).toEqual([0, '', '']);
    expect(statSync(at.layout.unrecorded).size).toBeGreaterThan(0);
  }));

test('what was missed without a broker is told by the next one', async () => {
  const first = await brokerBox();
  await first.broker.stop();
  writeFileSync(first.layout.unrecorded, 'claude\nclaude\ncodex\n');
  const at = await brokerBox({}, {}, first);
  const window = await openWindow(at);
  try {
    await ask(at.layout.claudeSocket, claudePayload(CLEAN)).text;
    expect(() => statSync(at.layout.unrecorded)).toThrow();
    expect(at.log.join('\n')).toMatch(/About 3 prompts, results or sessions were not recorded/);
  } finally {
    window.close();
    await at.broker.stop();
    at.remove();
  }
});
