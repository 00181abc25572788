import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { layoutFor } from '#home/layout.ts';
import { runShim } from '#node/proxy/shim/shim.ts';
import { callLine, judgement, line, until } from '../harness.ts';
import { allGone, pidsIn } from '../processes.ts';

const here = (name: string): string => new URL(`../servers/${name}`, import.meta.url).pathname;
let home: string;
let pidFile: string;
const children: ChildProcessWithoutNullStreams[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'callgate-shim-'));
  pidFile = join(home, 'pids');
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
  }
  rmSync(home, { recursive: true, force: true });
});

interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly out: () => string;
  readonly err: () => string;
  messages(): Record<string, unknown>[];
  answerTo(id: number): Promise<Record<string, unknown>>;
  readonly status: Promise<number | string | null>;
}

function run(script: string, args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [here(script), ...args], {
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, ...env },
  });
  children.push(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const messages = (): Record<string, unknown>[] =>
    out
      .split('\n')
      .slice(0, -1)
      .map((text) => JSON.parse(text) as Record<string, unknown>);
  return {
    child,
    out: () => out,
    err: () => err,
    messages,
    answerTo: (id) => until(`an answer to ${id}; stderr: ${err}`, () => messages().find((message) => message['id'] === id), 10_000),
    status: new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code))),
  };
}

async function broker(): Promise<Running> {
  const started = run('brokerMain.ts', [home]);
  await until('the broker listens', () => started.out().includes('ready'), 10_000);
  return started;
}

const shim = (mode = 'plain', env: Record<string, string> = {}): Running =>
  run('shimMain.ts', [home, '--server', 'scripted', '--', process.execPath, here('scripted.mjs'), mode, pidFile], env);
const hello = line({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18' } });

describe.each(['with a broker', 'without'])('%s', (setting) => {
  const start = async (): Promise<Running | null> => (setting === 'with a broker' ? broker() : null);

  test('the SDK’s client lists, calls and is refused, and nothing is left afterwards', async () => {
    await start();
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [here('shimMain.ts'), home, '--server', 'scripted', '--', process.execPath, here('scripted.mjs'), 'plain', pidFile],
      env: { PATH: process.env['PATH'] ?? '' },
      stderr: 'ignore',
    });
    const client = new Client({ name: 'test', version: '1.0.0' });
    // The SDK's own classes disagree under exactOptionalPropertyTypes.
    await client.connect(transport as unknown as Transport);
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['echo']);
    expect(await client.callTool({ name: 'echo', arguments: { text: 'yo' } })).toMatchObject({ content: [{ text: 'ECHO:yo' }] });
    expect(await client.callTool({ name: 'echo', arguments: { text: 'danger' } })).toEqual({
      content: [{ type: 'text', text: setting === 'without' ? 'alone: no' : 'broker: no' }],
      isError: true,
    });
    const pids = await pidsIn(pidFile);
    await client.close();
    expect(await allGone(pids)).toBe(true);
  });

  test('the server gets the client’s environment without ours', async () => {
    await start();
    const s = shim('plain', { CONFIGURED: 'yes', CALLGATE_HEADER_1: 'X: secret', ELECTRON_RUN_AS_NODE: '1' });
    s.child.stdin.write(hello + callLine(1, 'env'));
    const text = JSON.stringify(await s.answerTo(1));
    expect(text).toContain('CONFIGURED');
    expect(text).not.toMatch(/CALLGATE_|ELECTRON_RUN_AS_NODE/);
    s.child.stdin.end();
    expect(await s.status).toBe(0);
  });

  const entries: readonly (readonly [string, Record<string, string>, readonly string[]])[] = [
    ['names none', { CALLGATE_ENTRY_ENV: '' }, ['GEMINI_API_KEY', 'OPENAI_API_KEY']],
    ['names one', { CALLGATE_ENTRY_ENV: 'OPENAI_API_KEY CONFIGURED' }, ['GEMINI_API_KEY']],
    ['does not say, and the client has other values', {}, []],
  ];
  test.each(entries)('keys to models that were only inherited are withheld and said so: the entry %s', async (_name, marker, withheld) => {
    await start();
    const keys = { OPENAI_API_KEY: 'key one', GEMINI_API_KEY: 'key two', CONFIGURED: 'yes' };
    const s = shim('plain', { ...keys, ...marker });
    s.child.stdin.write(hello + callLine(1, 'env'));
    const text = JSON.stringify(await s.answerTo(1));
    for (const name of Object.keys(keys)) expect([name, text.includes(name)]).toEqual([name, !withheld.includes(name)]);
    expect(s.err().includes('was started without')).toBe(withheld.length > 0);
    for (const name of withheld) expect(s.err()).toContain(name);
    expect(text + s.err()).not.toContain(withheld.length > 0 ? 'key two' : 'nothing');
    s.child.stdin.end();
    expect(await s.status).toBe(0);
  });

  test('all that was asked before the end of input is answered', async () => {
    await start();
    const s = shim();
    s.child.stdin.end(hello + callLine(1, 'echo', { text: 'last' }));
    expect(await s.status).toBe(0);
    expect(s.messages().map((message) => message['id'])).toEqual([0, 1]);
    expect(await allGone(await pidsIn(pidFile))).toBe(true);
  });

  test('a server that crashes in each call: answered, said on stderr, started again three times, then status 1', async () => {
    await start();
    const s = shim('crash');
    s.child.stdin.write(hello);
    for (let id = 1; id <= 4; id++) {
      s.child.stdin.write(callLine(id, 'echo'));
      const said = JSON.stringify(await s.answerTo(id));
      expect(said).toContain('SIGKILL');
      expect(said).toContain(id < 4 ? 'starts the server again' : 'Callgate restarted it 3 times');
    }
    expect(await s.status).toBe(1);
    expect(s.err()).toContain('Callgate starts it again');
    expect(s.err()).toContain('scripted');
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)('a shim ended by %s takes the server with it', async (signal) => {
    await start();
    const s = shim('plain');
    s.child.stdin.write(hello);
    await s.answerTo(0);
    const pids = await pidsIn(pidFile);
    s.child.kill(signal);
    await s.status;
    expect(await allGone(pids)).toBe(true);
  });
});

test('a broker that is killed: pending calls are answered, the reason is said, the status is 1, the server ends', async () => {
  const b = await broker();
  const s = shim();
  s.child.stdin.write(hello + callLine(1, 'echo', { text: 'hold' }) + callLine(2, 'echo', { text: 'yo' }));
  await s.answerTo(2);
  const pids = await pidsIn(pidFile);
  b.child.kill('SIGKILL');
  expect(await s.status).toBe(1);
  expect(s.messages().map((message) => message['id'])).toEqual([0, 2, 1]);
  expect(s.messages().at(-1)).toMatchObject({ id: 1, error: { code: -32000 } });
  expect(s.err()).toMatch(/broker/);
  expect(await allGone(pids)).toBe(true);
});

test('a broker that is killed does not leave behind a server that heeds nothing', async () => {
  const b = await broker();
  const s = shim('deaf');
  s.child.stdin.write(hello);
  await s.answerTo(0);
  const pids = await pidsIn(pidFile);
  b.child.kill('SIGKILL');
  expect(await s.status).toBe(1);
  expect(await allGone(pids)).toBe(true);
});

test('a broker that exits without a word takes even a server with it that heeds nothing', async () => {
  const b = await broker();
  const s = shim('deaf');
  s.child.stdin.write(hello);
  await s.answerTo(0);
  const pids = await pidsIn(pidFile);
  b.child.kill('SIGTERM');
  expect(await s.status).toBe(1);
  expect(await allGone(pids)).toBe(true);
});

test('a broker that hangs is not waited for: the call is judged here, and the gate is not skipped', async () => {
  const b = await broker();
  b.child.kill('SIGSTOP');
  try {
    const s = shim();
    s.child.stdin.write(hello + callLine(1, 'echo', { text: 'danger' }));
    expect(JSON.stringify(await s.answerTo(1))).toContain('alone: no');
    expect(s.err()).toMatch(/took no notice .*running without the editor/);
    s.child.stdin.end();
    expect(await s.status).toBe(0);
  } finally {
    b.child.kill('SIGCONT');
  }
});

test('what the server says on stderr reaches the client’s log through the broker, and its stdout cannot pretend to', async () => {
  await broker();
  const s = shim('loud');
  s.child.stdin.write(hello);
  await s.answerTo(0);
  await until('its words', () => s.err().includes('a word on stderr\n'), 10_000);
  expect(s.err()).not.toContain('forged');
  expect(s.out()).not.toMatch(/stderr|\u0002/);
  s.child.stdin.end();
  expect(await s.status).toBe(0);
});

test('a client that is killed while a call is held frees the hold', async () => {
  const b = await broker();
  const s = shim();
  s.child.stdin.write(hello + callLine(1, 'echo', { text: 'hold' }));
  await s.answerTo(0);
  const pids = await pidsIn(pidFile);
  s.child.kill('SIGKILL');
  await until('the hold is freed', () => b.out().includes('freed'));
  expect(await allGone(pids)).toBe(true);
});

test('many shims at once have servers of their own', async () => {
  await broker();
  const shims = Array.from({ length: 4 }, () => shim());
  for (const [at, s] of shims.entries()) s.child.stdin.write(hello + callLine(1, 'echo', { text: `n${at}` }));
  for (const [at, s] of shims.entries()) expect(JSON.stringify(await s.answerTo(1))).toContain(`ECHO:n${at}`);
  for (const s of shims) s.child.stdin.end();
  expect(await Promise.all(shims.map((s) => s.status))).toEqual([0, 0, 0, 0]);
});

describe('in this process', () => {
  const inProcess = (argv: readonly string[]): { status: Promise<number>; err: () => string; stdin: PassThrough } => {
    const stdin = new PassThrough();
    const stderr = new PassThrough();
    let err = '';
    stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    return {
      stdin,
      err: () => err,
      status: runShim({
        argv,
        env: { PATH: process.env['PATH'] },
        cwd: home,
        stdin,
        stdout: new PassThrough(),
        stderr,
        layout: layoutFor(home),
        judgeAlone: () => judgement('delivered'),
      }),
    };
  };
  test('a wrong command line is status 2 with the usage', async () => {
    const s = inProcess(['--server']);
    expect(await s.status).toBe(2);
    expect(s.err()).toContain('usage: callgate mcp');
  });
  test('a socket folder that others may write to is not trusted', async () => {
    mkdirSync(layoutFor(home).run, { recursive: true, mode: 0o700 });
    chmodSync(layoutFor(home).run, 0o777);
    const s = inProcess(['--server', 'x', '--', process.execPath, here('scripted.mjs')]);
    s.stdin.end();
    expect(await s.status).toBe(0);
    expect(s.err()).toContain('others may write to');
  });
  test('a server that cannot be started is status 1', async () => {
    const s = inProcess(['--server', 'x', '--', '/nowhere/at/all']);
    expect(await s.status).toBe(1);
    expect(s.err()).toContain('ENOENT');
  });
});

test.each([
  ['a header that is no JSON', 'GET / HTTP/1.1\n', /refused the connection/],
  ['nothing but an end', '', /closed before its header/],
])('the broker refuses %s', async (_name, text, why) => {
  const b = await broker();
  const socket = connect(layoutFor(home).mcpSocket);
  let got = '';
  socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
  socket.end(text);
  await new Promise((resolve) => socket.on('close', resolve));
  expect(got).toMatch(why);
  expect(b.out()).toContain('mcp link refused');
});
