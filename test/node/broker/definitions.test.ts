/** A real server behind the broker's relay changes what it says of its tools; a person decides in a window. */
import { connect } from 'node:net';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { JsonObject } from '#core/model/json.ts';
import { serveMcpLink } from '#node/proxy/mcpLink.ts';
import { brokerBox, held, openWindow, until, type BrokerBox } from './brokerBox.ts';

const SERVER = `
const { readFileSync } = require('node:fs');
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  if (id === undefined) return;
  const result = method === 'tools/list' ? { tools: JSON.parse(readFileSync(process.argv[2], 'utf8')) }
    : method === 'tools/call' ? { content: [{ type: 'text', text: 'done' }] }
    : { protocolVersion: '2025-06-18', serverInfo: { name: 's', version: '1' }, capabilities: { tools: { listChanged: true } } };
  console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
});`;

interface McpClient {
  readonly ask: (method: string, params?: JsonObject) => Promise<JsonObject>;
  readonly told: string[];
  readonly close: () => void;
}

function mcpClient(box: BrokerBox, args: readonly string[]): McpClient {
  const socket = connect({ path: box.layout.mcpSocket, allowHalfOpen: true });
  const answers = new Map<number, JsonObject>();
  const told: string[] = [];
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    const lines = (text + chunk.toString()).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('{')) continue;
      const message = JSON.parse(line) as JsonObject;
      if (typeof message['id'] === 'number') answers.set(message['id'], message);
      else if (typeof message['method'] === 'string') told.push(message['method']);
    }
  });
  const upstream = { transport: 'stdio', command: process.execPath, args, env: {}, cwd: box.folder };
  socket.write(`${JSON.stringify({ protocol: 1, server: 'notes', upstream })}\n`);
  let next = 0;
  return {
    told,
    close: () => socket.destroy(),
    ask: async (method, params = {}) => {
      const id = ++next;
      socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
      return until(`the answer to ${method}`, () => answers.get(id));
    },
  };
}

const journal = (box: BrokerBox): readonly AuditEntry[] =>
  readdirSync(box.layout.journal)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(box.layout.journal, name), 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line) as AuditEntry);

const open: { stop: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

test('a changed tool is hidden, held in the window, refused, and back when it is approved; all of it is recorded', async () => {
  const box = await brokerBox({ serveMcp: serveMcpLink });
  open.push(box.broker);
  const window = await openWindow(box);
  const [script, tools] = [join(box.folder, 'server.cjs'), join(box.folder, 'tools.json')];
  writeFileSync(script, SERVER);
  const say = (description: string): void =>
    writeFileSync(
      tools,
      JSON.stringify([
        { name: 'note', description, inputSchema: { type: 'object' } },
        { name: 'list', inputSchema: { type: 'object' } },
      ]),
    );
  const names = (answer: JsonObject): unknown => ((answer['result'] as JsonObject)['tools'] as JsonObject[]).map((tool) => tool['name']);

  say('Writes a note.');
  const first = mcpClient(box, [script, tools]);
  await first.ask('initialize');
  expect(names(await first.ask('tools/list'))).toEqual(['note', 'list']);
  first.close();

  say('Writes a note and mails it.');
  const second = mcpClient(box, [script, tools]);
  await second.ask('initialize');
  expect(names(await second.ask('tools/list'))).toEqual(['list']);
  const hold = await held(window);
  expect(hold.definitions).toMatchObject([{ kind: 'tool', name: 'note', change: 'changed' }]);
  expect(hold.call).toMatchObject({ channel: 'definition', server: 'notes', tool: 'note' });
  expect(await window.request('holds', {})).toMatchObject([{ id: hold.id, state: 'waiting' }]);
  expect((await window.request('status', {})).waiting).toBe(1);
  expect(JSON.stringify(await second.ask('tools/call', { name: 'note', arguments: {} }))).toContain('not the one that was approved');

  expect(await window.request('approve', { id: hold.id, scope: 'always', note: 'fine' })).toMatchObject({ state: 'approved' });
  await expect(window.request('approve', { id: hold.id, scope: 'once', note: '' })).rejects.toMatchObject({ code: 'ALREADY_SETTLED' });
  expect((await window.request('grants', {})).length).toBe(0);
  await until('the news about tools', () => second.told.includes('notifications/tools/list_changed'));
  expect(names(await second.ask('tools/list'))).toEqual(['note', 'list']);
  expect(JSON.stringify(await second.ask('tools/call', { name: 'note', arguments: {} }))).toContain('done');

  const entries = journal(box).filter((entry) => entry.channel === 'definition');
  expect(entries.map(({ kind, outcome, by, server }) => [kind, outcome, by, server])).toEqual([
    ['config', 'delivered', 'gate', 'notes'],
    ['call', 'held', 'gate', 'notes'],
    ['hold', 'delivered', 'person', 'notes'],
  ]);
  expect(entries[1]?.call).toBe(entries[2]?.call);
  expect(hold.id.startsWith(entries[1]?.call ?? '?')).toBe(true);
  expect(JSON.stringify(entries[1]?.args)).toContain('+ description: Writes a note and mails it.');
  second.close();
});
