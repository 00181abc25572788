import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { JsonObject } from '#core/model/json.ts';
import { startRelay } from '#node/proxy/relay.ts';
import { restartingUpstream } from '#node/proxy/transports/restartingUpstream.ts';
import type { RestartLimits } from '#node/proxy/transports/restartingUpstream.ts';
import { stdioUpstream } from '#node/proxy/transports/stdioUpstream.ts';
import type { Upstream, UpstreamEvents } from '#node/proxy/transports/upstream.ts';
import { callLine, deliver, line, settle, until } from '../harness.ts';
import { allGone, pidsIn } from '../processes.ts';

type Message = JsonObject;
interface Instance {
  readonly events: UpstreamEvents;
  readonly got: Message[];
  closed: boolean;
  say(message: unknown): void;
}

const LIMITS: RestartLimits = { most: 2, windowMs: 60_000, waitMs: [0], answerMs: 60_000 };

interface Bench {
  readonly instances: Instance[];
  readonly upstream: Upstream;
  /** What reached the client. */
  readonly told: Message[];
  readonly closed: string[];
  drains(): number;
  send(message: Message): boolean;
  /** The nth server, which has answered whatever it was told first. */
  server(at: number): Promise<Instance>;
}

/** @param answer what a server answers to a request; nothing when undefined. */
function bench(answer: (message: Message, at: number) => unknown = agreeable, limits: Partial<RestartLimits> = {}): Bench {
  const instances: Instance[] = [];
  const told: Message[] = [];
  const closed: string[] = [];
  let drains = 0;
  const upstream = restartingUpstream(
    (events) => {
      const at = instances.length;
      const instance: Instance = { events, got: [], closed: false, say: (message) => events.onLine(Buffer.from(line(message))) };
      instances.push(instance);
      return {
        send: ({ line: bytes }) => {
          const message = JSON.parse(bytes.toString()) as Message;
          instance.got.push(message);
          const result = message['id'] === undefined || message['method'] === undefined ? undefined : answer(message, at);
          if (result !== undefined) setImmediate(() => instance.say({ jsonrpc: '2.0', id: message['id'], ...(result as object) }));
          return true;
        },
        end: () => undefined,
        close: () => {
          instance.closed = true;
          return Promise.resolve();
        },
        pause: () => undefined,
        resume: () => undefined,
      };
    },
    () => undefined,
    { ...LIMITS, ...limits },
  )({
    onLine: (bytes) => told.push(JSON.parse(bytes.toString()) as Message),
    onOverlong: () => undefined,
    onDrain: () => drains++,
    onClosed: (detail) => closed.push(detail),
  });
  return {
    instances,
    upstream,
    told,
    closed,
    drains: () => drains,
    send: (message) => upstream.send({ line: Buffer.from(line(message)), messages: [message] }),
    server: async (at) => {
      const instance = await until(`server ${at}`, () => instances[at]);
      await settle();
      return instance;
    },
  };
}

function agreeable(message: Message): unknown {
  if (message['method'] === 'initialize') return { result: { protocolVersion: '2025-06-18', capabilities: { tools: {}, logging: {} } } };
  return message['method'] === 'tools/call' ? undefined : { result: {} };
}

const initialize = { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: { roots: {} } } };
const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
const setLevel = { jsonrpc: '2.0', id: 1, method: 'logging/setLevel', params: { level: 'debug' } };
const call = (id: number): Message => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'a' } });

async function begun(...given: Parameters<typeof bench>): Promise<Bench> {
  const b = bench(...given);
  for (const message of [initialize, initialized, setLevel]) b.send(message);
  await settle();
  return b;
}

test('a crash in a call: the call is answered, the next server is told what the last one knew, the client lists anew', async () => {
  const b = await begun();
  b.send(call(2));
  const first = await b.server(0);
  first.events.onClosed('the server exited with code 3');
  expect(b.told.at(-1)).toMatchObject({
    id: 2,
    error: { message: expect.stringMatching(/code 3.*may or may not have been done/) as unknown },
  });
  const second = await b.server(1);
  expect(first.closed).toBe(true);
  await until('the client is told', () => b.told.some((message) => message['method'] === 'notifications/tools/list_changed'));
  expect(second.got.map((message) => message['method'])).toEqual(['initialize', 'notifications/initialized', 'logging/setLevel']);
  expect(second.got[0]).toEqual({ ...initialize, id: expect.stringMatching(/^callgate-/) as unknown });
  b.send(call(3));
  second.say({ jsonrpc: '2.0', id: 3, result: { content: [] } });
  // The answers to what was repeated stay here; nothing is answered twice.
  expect(b.told.map((message) => message['id'] ?? message['method'])).toEqual([0, 1, 2, 'notifications/tools/list_changed', 3]);
  expect(b.closed).toEqual([]);
});

test('what comes meanwhile waits and arrives in order, and what the old server still says is not heard', async () => {
  const b = await begun();
  const first = await b.server(0);
  first.events.onClosed('gone');
  expect([b.send(call(5)), b.send(call(6))]).toEqual([false, false]);
  const drained = b.drains();
  const second = await b.server(1);
  await until('both arrive', () => second.got.length === 5);
  expect(second.got.slice(3).map((message) => message['id'])).toEqual([5, 6]);
  expect(b.drains()).toBeGreaterThan(drained);
  first.say({ jsonrpc: '2.0', id: 5, result: { content: ['from the grave'] } });
  expect(JSON.stringify(b.told)).not.toContain('grave');
});

test('a server that never answered, one that goes too often, and one that is another afterwards end the connection', async () => {
  const never = bench(() => undefined);
  never.send(initialize);
  (await never.server(0)).events.onClosed('module missing');
  expect([never.closed, never.instances.length]).toEqual([['module missing'], 1]);

  const often = await begun();
  for (let at = 0; at < 3; at++) {
    const server = await often.server(at);
    await until('the handshake is over', () => server.got.length >= 3);
    await settle();
    server.events.onClosed('crashed');
  }
  expect(often.closed).toEqual([expect.stringMatching(/crashed; Callgate restarted it 2 times within 60 s and gives up/)]);
  expect(often.send(call(9))).toBe(true);

  const other = await begun((message, at) =>
    message['method'] === 'initialize' ? { result: { protocolVersion: at === 0 ? '2025-06-18' : '2024-11-05' } } : agreeable(message),
  );
  (await other.server(0)).events.onClosed('crashed');
  await until('the end', () => other.closed.length > 0);
  expect(other.closed[0]).toMatch(/speaks another protocol version now \(2024-11-05, before: 2025-06-18\)/);
});

test('a server that dies or is silent in the repeated handshake is started again', async () => {
  const b = await begun((message, at) => (at === 1 ? undefined : agreeable(message)), { answerMs: 30 });
  (await b.server(0)).events.onClosed('crashed');
  await b.server(1);
  const third = await b.server(2);
  await until('the third is told all', () => third.got.length === 3);
  expect(b.closed).toEqual([]);
  third.events.onClosed('again');
  expect(b.closed).toHaveLength(1);
});

test('what the old server asked is taken back, and a late answer does not reach the new one', async () => {
  const b = await begun();
  const first = await b.server(0);
  first.say({ jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params: {} });
  first.events.onClosed('crashed');
  expect(b.told.at(-1)).toMatchObject({ method: 'notifications/cancelled', params: { requestId: 'q' } });
  const second = await b.server(1);
  await until('the handshake is over', () => second.got.length === 3);
  await settle();
  b.send({ jsonrpc: '2.0', id: 'q', result: { action: 'accept', content: { pin: 1 } } });
  expect(second.got).toHaveLength(3);
  second.say({ jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params: {} });
  b.send({ jsonrpc: '2.0', id: 'q', result: { action: 'decline' } });
  expect(second.got.at(-1)).toMatchObject({ id: 'q', result: { action: 'decline' } });
});

test('a client that leaves while its server is being restarted leaves nothing running', async () => {
  const b = await begun(agreeable, { waitMs: [20] });
  (await b.server(0)).events.onClosed('crashed');
  await b.upstream.close(0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(b.instances).toHaveLength(1);
});

test('a stateless server is simply started again', async () => {
  const b = bench();
  b.send({ jsonrpc: '2.0', id: 's', method: 'server/discover' });
  (await b.server(0)).events.onClosed('crashed');
  const second = await b.server(1);
  await settle();
  b.send(call(7));
  await until('the call arrives', () => second.got.length === 1);
  expect(second.got[0]).toMatchObject({ id: 7 });
});

test('a real server killed in a call is back for the next one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'callgate-restart-'));
  const server = new URL('../servers/scripted.mjs', import.meta.url).pathname;
  const spec = {
    transport: 'stdio',
    command: process.execPath,
    args: [server, 'crash', join(folder, 'pids')],
    env: {},
    cwd: folder,
  } as const;
  const input = new PassThrough();
  const output = new PassThrough();
  const told: Message[] = [];
  let rest = '';
  output.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    told.push(...lines.map((text) => JSON.parse(text) as Message));
  });
  const relay = startRelay({
    input,
    output,
    judge: deliver,
    origin: { server: 's', cwd: folder, session: '' },
    log: () => undefined,
    open: restartingUpstream(stdioUpstream({ spec, onStderr: () => undefined }), () => undefined, LIMITS),
  });
  try {
    input.write(line(initialize) + line(initialized));
    await until('the server is there', () => told.some((message) => message['id'] === 0));
    const [before] = await pidsIn(join(folder, 'pids'));
    input.write(callLine(1, 'echo'));
    expect(await until('an answer', () => told.find((message) => message['id'] === 1))).toMatchObject({
      error: { message: expect.stringMatching(/SIGKILL.*may or may not/) as unknown },
    });
    input.write(line({ jsonrpc: '2.0', id: 2, method: 'tools/list' }));
    expect(await until('a list', () => told.find((message) => message['id'] === 2))).toHaveProperty('result.tools');
    const pids = await pidsIn(join(folder, 'pids'));
    expect(pids[0]).not.toBe(before);
    input.end();
    await relay.done;
    expect(await allGone(pids, 500)).toBe(true);
  } finally {
    relay.stop(0);
    await relay.done;
    rmSync(folder, { recursive: true, force: true });
  }
});
