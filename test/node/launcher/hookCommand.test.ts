/** The command that configs carry, run by the real shell: whatever breaks, the call does not run and a reason is given. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { formatReply, MAX_PAYLOAD_BYTES, REPLY_PASS } from '#contract/hookReply.ts';
import { ensurePrivateFolder, layoutFor, whyNotOurs, type Layout } from '#home/layout.ts';
import { knownAskers, type Asker } from '#node/launcher/asker.ts';
import { posixHookCommand } from '#node/launcher/commandText.ts';
import { installLauncher } from '#node/launcher/installLauncher.ts';
import { hookScript, type Deadline } from '#node/launcher/launcherScripts.ts';
import { BLOCKED, claudePayload, CLEAN, codexPayload, HELD, refusalIn } from '../../home/gateBox.ts';
import { buildTestDist, copyDist } from './hookBundle.ts';

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly ms: number;
}

const top = mkdtempSync(join(tmpdir(), 'cgh-'));
// Everything a home directory may hold that a shell could trip over.
const home = join(top, `h 'o"m$e`);
const layout = layoutFor(home);
let distFolder = '';

beforeAll(async () => {
  mkdirSync(home);
  distFolder = await buildTestDist(join(top, 'dist'));
  await installLauncher({ layout, distFolder, runtime: process.execPath, version: '1.0.0', path: '/usr/bin:/bin' });
}, 60_000);
afterAll(() => rmSync(top, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));

function runCommand(command: string, input: string | Buffer, environment: Record<string, string> = {}, shell = '/bin/sh'): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(shell, ['-c', command], {
      cwd: top,
      env: { PATH: '/usr/bin:/bin', HOME: '/nowhere', ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.stdin.on('error', () => child.stdin.destroy()); // it may end without reading
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err, ms: performance.now() - began }));
    child.stdin.end(input);
  });
}

function refused(ran: Ran, says: RegExp): void {
  expect({ code: ran.code, out: ran.out, reason: ran.err.trim() !== '' }).toEqual({ code: 2, out: '', reason: true });
  expect(ran.err).toMatch(says);
}

/** A refusal by the engine, which Claude gets in its own form. */
function denied(ran: Ran, says: RegExp): void {
  expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: '' });
  expect(refusalIn({ kind: 'print', json: ran.out })).toMatch(says);
}

/** A broker that does what a test says with a whole payload. */
async function withBroker<T>(at: Layout, act: (socket: Socket, payload: Buffer) => void, use: () => Promise<T>): Promise<T> {
  ensurePrivateFolder(at.run);
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    const chunks: Buffer[] = [];
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => act(socket, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(at.claudeSocket, resolve));
  try {
    return await use();
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

const askers: readonly (readonly [string, Asker])[] = [
  ...knownAskers(join(layout.bin, 'callgate-ask.pl'))
    .filter((asker, index, all) => all.findIndex((other) => other.kind === asker.kind) === index)
    .map((asker) => [asker.kind, asker] as const),
  ['none', { kind: 'none' }],
];
const asking = askers.filter(([kind]) => kind !== 'none');

test('this machine has an asker of each kind to try', () => {
  expect(asking.map(([kind]) => kind)).toEqual(['nc', 'perl']);
});

describe.each(asking)('%s with a broker', (_kind, asker) => {
  const command = posixHookCommand(layout, 'claude', asker);
  const rows: readonly (readonly [string, (socket: Socket) => void, (ran: Ran) => void])[] = [
    ['pass', (socket) => socket.end(REPLY_PASS), (ran) => expect(ran).toMatchObject({ code: 0, out: '', err: '' })],
    [
      'held for longer than the silence limit, then passed',
      (socket) => {
        let beats = 0;
        const timer = setInterval(() => (++beats < 8 ? socket.write(' ') : (clearInterval(timer), socket.end(REPLY_PASS))), 900);
      },
      (ran) => {
        expect(ran).toMatchObject({ code: 0, out: '', err: '' });
        expect(ran.ms).toBeGreaterThan(6000);
      },
    ],
    [
      'print',
      (socket) => socket.end(`  ${formatReply({ kind: 'print', json: String.raw`{"a":"tab\t \\n $HOME %s '"}` })}`),
      (ran) => expect(ran).toMatchObject({ code: 0, out: String.raw`{"a":"tab\t \\n $HOME %s '"}` + '\n', err: '' }),
    ],
    [
      'deny',
      (socket) => socket.end(formatReply({ kind: 'deny', reason: 'No: `$(touch x)` "q" \\n' })),
      (ran) => (expect(ran).toMatchObject({ code: 2, out: '' }), expect(ran.err).toBe('No: `$(touch x)` "q" \\n\n')),
    ],
    ['closes without a word', (socket) => socket.end(), (ran) => refused(ran, /stopped answering/)],
    [
      'dies while holding',
      (socket) => (socket.write('   '), setTimeout(() => socket.destroy(), 200)),
      (ran) => refused(ran, /stopped answering/),
    ],
    ['falls silent', () => undefined, (ran) => refused(ran, /stopped answering/)],
    ['garbage', (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n{}'), (ran) => refused(ran, /stopped answering/)],
    ['a log line before the reply', (socket) => socket.end(`starting\n${REPLY_PASS}`), (ran) => refused(ran, /stopped answering/)],
    ['something after the reply', (socket) => socket.end(`${REPLY_PASS} and more`), (ran) => refused(ran, /stopped answering/)],
    ['a pass cut short', (socket) => socket.end(REPLY_PASS.slice(0, -1)), (ran) => refused(ran, /stopped answering/)],
    ['a print cut short', (socket) => socket.end('callgate:print {"hookSpecificOutput":{}}'), (ran) => refused(ran, /stopped answering/)],
    ['an empty deny', (socket) => socket.end('callgate:deny  callgate:end'), (ran) => refused(ran, /./)],
    [
      'a reply too long for the script',
      (socket) => socket.end(`callgate:deny ${'x'.repeat(300_000)} callgate:end`),
      (ran) => refused(ran, /could not start/),
    ],
  ];
  test.each(rows)('%s', async (_name, act, check) => {
    expect.hasAssertions();
    check(await withBroker(layout, act, () => runCommand(command, claudePayload(CLEAN))));
  });

  test('carries a payload of the largest size whole', async () => {
    const payload = Buffer.alloc(MAX_PAYLOAD_BYTES, 'x');
    let got = 0;
    const ran = await withBroker(
      layout,
      (socket, bytes) => ((got = bytes.length), socket.end(REPLY_PASS)),
      () => runCommand(command, payload),
    );
    expect({ code: ran.code, got }).toEqual({ code: 0, got: MAX_PAYLOAD_BYTES });
  });

  test('nobody may put another program in its place through the environment', async () => {
    const evil = join(top, 'evil');
    mkdirSync(evil, { recursive: true });
    for (const name of ['nc', 'perl', 'node', 'env', 'timeout', 'printf']) {
      writeFileSync(join(evil, name), `#!/bin/sh\necho ${REPLY_PASS}\n`);
      chmodSync(join(evil, name), 0o755);
    }
    writeFileSync(join(evil, 'Evil.pm'), `print "${REPLY_PASS}"; exit 0; 1;`);
    writeFileSync(join(evil, 'evil.cjs'), `process.stdout.write("${REPLY_PASS}"); process.exit(0);`);
    const ran = await runCommand(command, claudePayload(BLOCKED), {
      PATH: `${evil}:/usr/bin:/bin`,
      HOME: evil,
      CALLGATE_HOME: evil,
      PERL5LIB: evil,
      PERL5OPT: '-MEvil',
      NODE_OPTIONS: `--require=${join(evil, 'evil.cjs')}`,
      ENV: join(evil, 'nc'),
      BASH_ENV: join(evil, 'nc'),
    });
    denied(ran, /Says please-block/);
  });
});

describe.each(askers)('%s without a broker', (_kind, asker) => {
  const command = posixHookCommand(layout, 'claude', asker);
  const rows: readonly (readonly [string, string | Buffer, (ran: Ran) => void])[] = [
    ['clean', claudePayload(CLEAN), (ran) => expect(ran).toMatchObject({ code: 0, out: '', err: '' })],
    ['blocked', claudePayload(BLOCKED), (ran) => denied(ran, /Says please-block/)],
    [
      'held',
      claudePayload(HELD),
      (ran) => (
        expect(ran).toMatchObject({ code: 0, err: '' }),
        expect(JSON.parse(ran.out)).toMatchObject({ hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: 'ask' } })
      ),
    ],
    ['empty', '', (ran) => refused(ran, /EMPTY/)],
    ['not JSON', 'rm -rf /', (ran) => refused(ran, /NOT_JSON/)],
    ['cut short', claudePayload(CLEAN).slice(0, -5), (ran) => refused(ran, /NOT_JSON/)],
    ['byte order mark', `\ufeff${claudePayload(CLEAN)}`, (ran) => refused(ran, /BOM/)],
    ['NUL', `${claudePayload(CLEAN)}\0`, (ran) => refused(ran, /NUL/)],
    ['not UTF-8', Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]), (ran) => refused(ran, /NOT_UTF8/)],
    ['unknown shape', '{"hello":"world"}', (ran) => refused(ran, /UNKNOWN_SHAPE/)],
    ['oversize', Buffer.alloc(MAX_PAYLOAD_BYTES + 1, ' '), (ran) => refused(ran, /OVERSIZE/)],
  ];
  test.each(rows)('%s', async (_name, input, check) => {
    expect.hasAssertions();
    check(await runCommand(command, input));
  });
});

test('Codex: a held call is refused with the way to get it approved, from fish-like shells too', async () => {
  const command = `exec /bin/sh -c '${posixHookCommand(layout, 'codex', asking[0]?.[1] ?? { kind: 'none' }).replaceAll("'", `'\\''`)}'`;
  refused(await runCommand(command, codexPayload(HELD)), /open the editor/);
  expect(await runCommand(command, codexPayload(CLEAN))).toMatchObject({ code: 0, out: '', err: '' });
});

describe('a broken installation', () => {
  const broken = layoutFor(join(top, 'b'));
  const facts = {
    layout: broken,
    version: '1.0.0',
    runtimes: [process.execPath],
    path: '/usr/bin:/bin',
    deadline: { kind: 'timeout', program: '/usr/bin/timeout' } as Deadline,
  };
  const command = posixHookCommand(broken, 'claude', { kind: 'none' });

  function install(over: {
    hook?: string;
    runtimes?: readonly string[];
    deadline?: Deadline;
    path?: string;
    script?: string | null;
  }): void {
    rmSync(broken.root, { recursive: true, force: true });
    for (const folder of [broken.root, broken.bin, broken.lib, join(broken.lib, '1.0.0')]) ensurePrivateFolder(folder);
    if (over.hook !== undefined) writeFileSync(join(broken.lib, '1.0.0', 'hook.cjs'), over.hook);
    const { runtimes = facts.runtimes, deadline = facts.deadline, path = facts.path } = over;
    if (over.script !== null)
      writeFileSync(join(broken.bin, 'callgate-hook'), over.script ?? hookScript({ ...facts, runtimes, deadline, path }), { mode: 0o700 });
  }

  const rows: readonly (readonly [string, Parameters<typeof install>[0], RegExp])[] = [
    ['the program throws', { hook: 'throw new Error("boom")' }, /failed under/],
    ['the program ends with 1', { hook: 'process.exit(1)' }, /failed under/],
    ['the program ends with 0 and no word', { hook: '' + ' ' }, /failed under/],
    ['the program is killed', { hook: 'process.kill(process.pid, "SIGKILL")' }, /was ended/],
    ['garbage', { hook: 'console.log("hello")' }, /failed under/],
    ['a warning before the reply', { hook: `console.log("warning"); console.log("${REPLY_PASS}")` }, /failed under/],
    ['the reply cut short', { hook: `process.stdout.write("${REPLY_PASS.slice(0, -1)}")` }, /failed under/],
    ['the reply, then a failure', { hook: `process.stdout.write("${REPLY_PASS}"); process.exitCode = 7` }, /failed under/],
    ['the program is no program', { hook: '\u0000\u0001' }, /failed under/],
    ['the program is missing', {}, /is missing.*Open your editor/],
    ['the runtime is missing', { hook: '1', runtimes: ['/nowhere/node'], path: '/nowhere' }, /nothing to run with.*Open your editor/],
    ['the runtime is no runtime', { hook: '1', runtimes: ['/bin/true'] }, /failed under/],
    ['the runtime cannot be run at all', { hook: '1', runtimes: [join(top, 'dist', 'hook.cjs')], path: '/nowhere' }, /nothing to run with/],
    ['the script is missing', { script: null }, /could not start \(127\)/],
    ['the script is empty', { script: '' }, /could not start|^$/],
    ['the script does not end well', { script: '#!/bin/sh\nexit 1\n' }, /could not start \(1\)/],
    ['the script is killed', { script: '#!/bin/sh\nkill -9 $$\n' }, /could not start \(137\)/],
    ['the script is no script', { script: '#!/nowhere/sh\n' }, /could not start/],
  ];
  test.each(rows.filter(([name]) => name !== 'the script is empty'))('%s', async (_name, over, says) => {
    install(over);
    refused(await runCommand(command, claudePayload(CLEAN)), says);
  });

  test('any other node on the recorded path, and any other version of the program, will do', async () => {
    const bin = join(top, 'nodes');
    mkdirSync(bin);
    symlinkSync(process.execPath, join(bin, 'node'));
    install({ runtimes: ['/nowhere/node'], path: `${bin}:/usr/bin:/bin` });
    copyDist(distFolder, join(broken.lib, '0.9.0'));
    expect(await runCommand(command, claudePayload(CLEAN))).toMatchObject({ code: 0, out: '', err: '' });
  });

  const hanging = `process.on("SIGTERM", () => {}); for (;;);`;
  const deadlines: readonly (readonly [string, Deadline])[] = [
    ['timeout', { kind: 'timeout', program: '/usr/bin/timeout' }],
    ['perl', { kind: 'perl', program: '/usr/bin/perl' }],
    ['shell', { kind: 'shell' }],
  ];
  test.each(deadlines)('the program hangs: %s ends it', async (_name, deadline) => {
    install({ hook: hanging, deadline });
    const script = join(broken.bin, 'callgate-hook');
    writeFileSync(script, readFileSync(script, 'utf8').replaceAll(/\b20\b/g, '2'));
    const ran = await runCommand(command, claudePayload(CLEAN));
    refused(ran, /took longer/);
  });

  test.each(deadlines)('under %s a program that is well answers, its input intact', async (_name, deadline) => {
    install({ deadline });
    copyDist(distFolder, join(broken.lib, '1.0.0'));
    expect(await runCommand(command, claudePayload(CLEAN))).toMatchObject({ code: 0, out: '', err: '' });
    denied(await runCommand(command, claudePayload(BLOCKED)), /Says please-block/);
  });
});

describe('a home whose sockets lie under /tmp', () => {
  const long = layoutFor(join(top, 'x'.repeat(100)));
  const own = asking[0]?.[1] ?? ({ kind: 'none' } as const);
  const command = posixHookCommand(long, 'claude', own);
  afterEach(() => rmSync(long.run, { recursive: true, force: true }));
  beforeAll(() => {
    mkdirSync(long.home);
    return installLauncher({ layout: long, distFolder, runtime: process.execPath, version: '1.0.0', path: '/usr/bin:/bin' });
  });
  const passing = (): Promise<Ran> =>
    withBroker(
      long,
      (socket) => socket.end(REPLY_PASS),
      () => runCommand(command, claudePayload(BLOCKED)),
    );

  test('our own broker there is asked', async () => {
    expect(await passing()).toMatchObject({ code: 0, out: '', err: '' });
  });

  test("somebody else's folder there is not asked", async () => {
    ensurePrivateFolder(long.run);
    // Only root can give a folder away; anybody else takes one that is not theirs, with the socket beside it.
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(long.run, 65534, 65534);
    const theirs = { ...long, run: isRoot ? long.run : '/usr' };
    expect(whyNotOurs(theirs.run)).toMatch(/belongs to user/);
    const server = createServer((socket) => socket.end(REPLY_PASS));
    await new Promise<void>((resolve) => server.listen(theirs.claudeSocket, resolve));
    denied(await runCommand(posixHookCommand(theirs, 'claude', own), claudePayload(BLOCKED)), /Says please-block/);
    server.close();
  });

  test('a link there is not followed', async () => {
    rmSync(long.run, { recursive: true, force: true });
    mkdirSync(join(top, 'elsewhere'), { mode: 0o700 });
    symlinkSync(join(top, 'elsewhere'), long.run);
    expect(whyNotOurs(long.run)).toMatch(/not a directory/);
    const server = createServer((socket) => socket.end(REPLY_PASS));
    await new Promise<void>((resolve) => server.listen(long.claudeSocket, resolve));
    denied(await runCommand(command, claudePayload(BLOCKED)), /Says please-block/);
    server.close();
  });
});

test('options in the environment of a shell that reads them do not reach the script', async () => {
  const elsewhere = layoutFor(join(top, 'noexec'));
  for (const folder of [elsewhere.root, elsewhere.bin]) ensurePrivateFolder(folder);
  const script = readFileSync(join(layout.bin, 'callgate-hook'), 'utf8').replace('#!/bin/sh', '#!/bin/bash');
  writeFileSync(join(elsewhere.bin, 'callgate-hook'), script, { mode: 0o700 });
  const command = posixHookCommand(elsewhere, 'claude', { kind: 'none' });
  for (const environment of [
    { SHELLOPTS: 'noexec' },
    { BASH_ENV: join(top, 'evil.sh') },
    { 'BASH_FUNC_exit%%': '() { :; }' },
    { 'BASH_FUNC_unset%%': '() { :; }' },
  ]) {
    writeFileSync(join(top, 'evil.sh'), 'exit 0\n');
    denied(await runCommand(command, claudePayload(BLOCKED), environment, '/bin/dash'), /Says please-block/);
  }
});

test('bash and dash agree on the command', () => {
  const command = posixHookCommand(layout, 'claude', asking[0]?.[1] ?? { kind: 'none' });
  for (const shell of ['/bin/dash', '/bin/bash']) expect(spawnSync(shell, ['-n', '-c', command]).status).toBe(0);
});
