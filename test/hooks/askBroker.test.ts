/** The hook program asking by itself, as it does on Windows; here over a Unix socket. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatReply, REPLY_PASS } from '#contract/hookReply.ts';
import { ensurePrivateFolder, layoutFor } from '#home/layout.ts';
import { askBroker } from '#hooks/askBroker.ts';
import { readArguments } from '#hooks/runHook.ts';
import { PROGRAM } from '#hooks/startProgram.ts';
import { BLOCKED, claudePayload, CLEAN, codexPayload, HELD } from '../home/gateBox.ts';
import { buildTestDist, copyDist } from '../node/launcher/hookBundle.ts';

const folder = mkdtempSync(join(tmpdir(), 'cga-'));
beforeAll(() => buildTestDist(join(folder, 'dist')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function served<T>(path: string, act: (socket: Socket, got: string) => void, use: () => Promise<T>): Promise<T> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let got = '';
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
    socket.on('end', () => act(socket, got));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  try {
    return await use();
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

const stopped = { kind: 'deny', reason: expect.stringContaining('stopped answering') as string };
const rows: readonly (readonly [string, (socket: Socket) => void, unknown])[] = [
  ['pass', (socket) => socket.end(`   ${REPLY_PASS}`), { kind: 'pass' }],
  ['print', (socket) => socket.end(formatReply({ kind: 'print', json: '{"a":1}' })), { kind: 'print', json: '{"a":1}' }],
  ['deny', (socket) => socket.end(formatReply({ kind: 'deny', reason: 'no' })), { kind: 'deny', reason: 'no' }],
  [
    'in pieces',
    (socket) => (socket.write(REPLY_PASS.slice(0, 5)), setTimeout(() => socket.end(REPLY_PASS.slice(5)), 100)),
    { kind: 'pass' },
  ],
  ['no word', (socket) => socket.end(), stopped],
  ['cut short', (socket) => socket.end(REPLY_PASS.slice(0, -1)), stopped],
  ['garbage', (socket) => socket.end('{}'), stopped],
  ['silence', () => undefined, stopped],
  ['no end of it', (socket) => socket.write('x'.repeat(100_000)), stopped],
  ['death', (socket) => socket.destroy(), stopped],
];
test.each(rows)('%s', async (_name, act, expected) => {
  const path = join(folder, 's');
  expect(await served(path, act, () => askBroker(path, Buffer.from('payload'), { silenceMs: 400 }))).toEqual(expected);
});

test('heartbeats keep it waiting, and the payload arrives whole', async () => {
  const path = join(folder, 's');
  let bytes = 0;
  const reply = await served(
    path,
    (socket, got) => {
      bytes = got.length;
      let beats = 0;
      const timer = setInterval(() => (++beats < 6 ? socket.write(' ') : (clearInterval(timer), socket.end(REPLY_PASS))), 150);
    },
    () => askBroker(path, Buffer.alloc(1_000_000, 'x'), { silenceMs: 400 }),
  );
  expect({ reply, bytes }).toEqual({ reply: { kind: 'pass' }, bytes: 1_000_000 });
});

test('nobody there is no answer', async () => {
  expect(await askBroker(join(folder, 'nobody'), Buffer.from('x'))).toBeNull();
});

test.each([[[]], [['gemini', '/h']], [['claude']], [['claude', 'relative']], [['claude', '/h', 'loud']]])(
  'arguments %j are refused',
  (argv) => {
    expect(() => readArguments(argv)).toThrow(/expected|must be/);
  },
);

describe('the program acting by itself', () => {
  const home = join(folder, 'h');
  const run = (client: string, payload: string, dist = join(folder, 'dist')): Promise<{ code: number | null; out: string; err: string }> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [join(dist, 'hook.cjs'), client, home, 'ask'], { env: {} });
      let out = '';
      let err = '';
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, out, err }));
      child.stdin.end(payload);
    });

  test.each([
    ['claude', claudePayload(CLEAN), 0, /^$/, /^$/],
    ['claude', claudePayload(BLOCKED), 0, /"permissionDecision":"deny".*Says please-block/, /^$/],
    ['claude', claudePayload(HELD), 0, /"permissionDecision":"ask"/, /^$/],
    ['codex', codexPayload(HELD), 2, /^$/, /open the editor/],
    ['claude', '{', 2, /^$/, /NOT_JSON/],
    ['nobody', claudePayload(CLEAN), 2, /^$/, /unknown client/],
  ] as const)('%s %s', async (client, payload, code, out, err) => {
    mkdirSync(home, { recursive: true });
    const ran = await run(client, payload);
    expect(ran).toEqual({ code, out: expect.stringMatching(out) as string, err: expect.stringMatching(err) as string });
  });

  const harms: readonly (readonly [string, (program: Buffer) => Buffer | null])[] = [
    ['missing', () => null],
    ['empty', () => Buffer.alloc(0)],
    ['cut short', (program) => program.subarray(0, program.length - 9)],
    ['no program', () => Buffer.from('0')],
  ];
  test.each(harms)('a program that is %s refuses, with and without the code kept of a sound one', async (name, harm) => {
    mkdirSync(home, { recursive: true });
    const dist = copyDist(join(folder, 'dist'), join(folder, name));
    const file = join(dist, PROGRAM);
    const sound = readFileSync(file);
    const spoil = (): void => {
      const bytes = harm(sound);
      if (bytes === null) rmSync(file);
      else writeFileSync(file, bytes);
    };
    const refused = { code: 2, out: '', err: expect.stringMatching(/^Callgate's hook failed .*; call refused\n$/u) as string };
    spoil();
    expect(await run('claude', claudePayload(CLEAN), dist)).toEqual(refused);
    writeFileSync(file, sound);
    expect(await run('claude', claudePayload(CLEAN), dist)).toEqual({ code: 0, out: '', err: '' });
    expect(readdirSync(dist).some((kept) => kept.endsWith('.cache'))).toBe(true);
    spoil();
    expect(await run('claude', claudePayload(CLEAN), dist)).toEqual(refused);
  });

  test('the broker, where there is one, decides', async () => {
    const layout = layoutFor(home);
    ensurePrivateFolder(layout.run);
    const ran = await served(
      layout.claudeSocket,
      (socket) => socket.end(formatReply({ kind: 'deny', reason: 'the broker says no' })),
      () => run('claude', claudePayload(CLEAN)),
    );
    expect(ran).toEqual({ code: 2, out: '', err: 'the broker says no\n' });
  });
});
