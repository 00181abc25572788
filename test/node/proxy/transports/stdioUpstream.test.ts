import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Judge } from '#contract/judgement.ts';
import { startRelay } from '#node/proxy/relay.ts';
import type { RelayLimits } from '#node/proxy/relay.ts';
import { stdioUpstream } from '#node/proxy/transports/stdioUpstream.ts';
import { callLine, deliver, judgement, line, until, waitingJudge } from '../harness.ts';
import { allGone, isAlive, pidsIn } from '../processes.ts';

const SERVER = new URL('../servers/scripted.mjs', import.meta.url).pathname;
let folder: string;
const stops: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'callgate-relay-'));
});
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
  rmSync(folder, { recursive: true, force: true });
});

interface Session {
  send(text: string): void;
  messages(): Record<string, unknown>[];
  answerTo(id: number, ms?: number): Promise<Record<string, unknown>>;
  readonly input: PassThrough;
  readonly output: PassThrough;
  readonly done: ReturnType<typeof startRelay>['done'];
  readonly log: string[];
  readonly stderr: () => number;
  pids(): Promise<number[]>;
}

function session(
  mode: string,
  {
    judge = deliver,
    command = process.execPath,
    env = {},
    limits = {},
    name = 'pids',
  }: { name?: string; judge?: Judge; command?: string; env?: Record<string, string>; limits?: Partial<RelayLimits> } = {},
): Session {
  const input = new PassThrough();
  const output = new PassThrough();
  const log: string[] = [];
  let received = '';
  let stderrBytes = 0;
  output.on('data', (chunk: Buffer) => (received += chunk.toString()));
  const pidFile = join(folder, name);
  const spec = {
    transport: 'stdio',
    command,
    args: [SERVER, mode, pidFile],
    env: { PATH: process.env['PATH'] ?? '', ...env },
    cwd: folder,
  } as const;
  const relay = startRelay({
    input,
    output,
    judge,
    origin: { server: 'scripted', cwd: folder, session: '' },
    log: (text) => log.push(text),
    limits: { exitMs: 300, drainMs: 1_000, ...limits },
    open: stdioUpstream({ spec, onStderr: (chunk) => (stderrBytes += chunk.length) }),
  });
  stops.push(() => {
    relay.stop(0);
    return relay.done;
  });
  const messages = (): Record<string, unknown>[] =>
    received
      .split('\n')
      .slice(0, -1)
      .map((text) => JSON.parse(text) as Record<string, unknown>);
  return {
    send: (text) => input.write(text),
    messages,
    answerTo: (id, ms) => until(`an answer to ${id}`, () => messages().find((message) => message['id'] === id), ms),
    input,
    output,
    done: relay.done,
    log,
    stderr: () => stderrBytes,
    pids: () => pidsIn(pidFile),
  };
}

const hello = line({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18' } });

describe('a server', () => {
  test('answers, sees the given environment and folder only, and exits when the client ends', async () => {
    const s = session('plain', { env: { CONFIGURED: 'yes' } });
    s.send(hello + callLine(1, 'env'));
    const answer = JSON.stringify(await s.answerTo(1));
    expect(answer).toContain('CONFIGURED');
    expect(answer).not.toContain('VITEST');
    expect(answer).toContain(folder);
    const pids = await s.pids();
    s.input.end();
    expect((await s.done).by).toBe('client');
    expect(await allGone(pids)).toBe(true);
  });

  test.each(['slow', 'noise', 'flood'])('that is %s still answers', async (mode) => {
    const s = session(mode);
    s.send(hello + callLine(1, 'echo', { text: 'yo' }));
    expect(await s.answerTo(1)).toMatchObject({ result: { content: [{ text: 'ECHO:yo' }] } });
    if (mode === 'noise') expect(s.log.filter((text) => text.includes('no message')).length).toBe(2);
    // Two pipes: the answer may come before the flood has.
    if (mode === 'flood') await expect.poll(() => s.stderr(), { timeout: 10_000 }).toBeGreaterThan(2_000_000);
  });

  test('passes 5 MB both ways', async () => {
    const s = session('plain');
    s.send(hello + callLine(1, 'huge', { size: 5_000_000, filler: 'f'.repeat(5_000_000) }));
    const answer = await s.answerTo(1);
    expect(JSON.stringify(answer).length).toBeGreaterThan(5_000_000);
  });
});

describe('when a server', () => {
  const rows: readonly (readonly [string, string, string, RegExp])[] = [
    ['cannot be found', 'plain', '/nowhere/server', /could not be started.*ENOENT/],
    ['dies at once', 'die', process.execPath, /exited with code 3; last lines of its stderr: first line \| module "x" is missing/],
    ['is killed in a call', 'crash', process.execPath, /was ended by SIGKILL/],
  ];
  test.each(rows)('%s, every request is answered and the client sees the end', async (_name, mode, command, why) => {
    const s = session(mode, { command });
    s.send(hello + callLine(1, 'echo') + line({ jsonrpc: '2.0', id: 2, method: 'x' }));
    expect((await s.done).by).toBe('upstream');
    expect(s.output.writableEnded).toBe(true);
    for (const id of mode === 'crash' ? [1, 2] : [0, 1, 2]) {
      const answer = s.messages().find((message) => message['id'] === id);
      expect(answer).toMatchObject({ error: { code: -32000, message: expect.stringMatching(why) as unknown } });
    }
    expect(s.log.join()).toMatch(why);
  });

  test('exits after its answer, the answer still arrives', async () => {
    const s = session('plain');
    s.send(hello + callLine(1, 'exitAfter') + callLine(2, 'echo'));
    expect((await s.done).detail).toContain('exited with code 0');
    expect(JSON.stringify(s.messages())).toContain('last words');
  });

  test('starts others, all of them end with the client, though they ignore the polite signal', async () => {
    const s = session('child');
    const pids = await s.pids();
    expect(pids).toHaveLength(2);
    expect(pids.every(isAlive)).toBe(true);
    s.output.destroy();
    await s.done;
    expect(await allGone(pids, 500)).toBe(true);
  });

  test('starts a process in a session of its own, it ends with the client, and so does its child', async () => {
    const s = session('daemon');
    const pids = await s.pids();
    expect(pids).toHaveLength(3);
    expect(pids.every(isAlive)).toBe(true);
    s.input.end();
    await s.done;
    expect(await allGone(pids, 500)).toBe(true);
  });

  test.each([
    ['halfClosed', 'standard input'],
    ['mute', 'standard output'],
  ])('is %s but lives on, the client hears of it', async (mode, pipe) => {
    const s = session(mode);
    const pids = await s.pids();
    s.send(hello + callLine(1, 'echo'));
    expect((await s.done).detail).toContain(`closed its ${pipe} and goes on running`);
    expect(s.messages().map((message) => message['id'])).toEqual([0, 1]);
    expect(await allGone(pids, 500)).toBe(true);
  });

  test('crashes and leaves a child behind, the child is ended too', async () => {
    const s = session('child');
    const [leader = 0, child = 0] = await s.pids();
    process.kill(leader, 'SIGKILL');
    expect((await s.done).by).toBe('upstream');
    expect(await allGone([leader, child], 500)).toBe(true);
  });

  test.each(['deaf', 'hang', 'halfClosed'])('is %s, it is ended in bounded time', async (mode) => {
    const s = session(mode);
    const pids = await s.pids();
    s.send(hello + callLine(1, 'echo'));
    const since = Date.now();
    s.input.end();
    await s.done;
    expect(Date.now() - since).toBeLessThan(4_000);
    expect(await allGone(pids, 500)).toBe(true);
  });
});

test('fifty at once answer, and nothing of them is left', async () => {
  const sessions = Array.from({ length: 50 }, (_, at) => session('plain', { name: `pids-${at}` }));
  for (const [at, s] of sessions.entries()) s.send(hello + callLine(1, 'echo', { text: `no. ${at}` }));
  const answers = await Promise.all(sessions.map((s) => s.answerTo(1, 60_000)));
  expect(answers.map((answer) => JSON.stringify(answer).includes('ECHO:no. '))).toEqual(sessions.map(() => true));
  const pids = (await Promise.all(sessions.map((s) => s.pids()))).flat();
  for (const s of sessions) s.input.end();
  await Promise.all(sessions.map((s) => s.done));
  expect(await allGone(pids, 2_000)).toBe(true);
  expect(pids.length).toBe(50);
}, 90_000);

test('a client that vanishes while a call is held leaves no hold and no process', async () => {
  const { judge, calls } = waitingJudge();
  const s = session('plain', { judge });
  const pids = await s.pids();
  s.send(hello + callLine(1, 'echo'));
  await until('the call is judged', () => calls.length === 1);
  calls[0]?.options.onHeld?.(0);
  s.output.destroy();
  await s.done;
  expect(calls[0]?.options.signal.aborted).toBe(true);
  expect(await allGone(pids, 500)).toBe(true);
});

test('a client that does not read stops the server, not our memory', async () => {
  const s = session('plain', { judge: (call) => Promise.resolve(judgement(call.tool === 'huge' ? 'delivered' : 'refused')) });
  s.send(hello);
  await s.answerTo(0);
  s.output.removeAllListeners('data');
  s.output.pause();
  for (let id = 1; id <= 20; id++) s.send(callLine(id, 'huge', { size: 1_000_000 }));
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(s.output.writableLength + s.output.readableLength).toBeLessThan(8_000_000);
  s.output.destroy();
  expect((await s.done).by).toBe('client');
});
