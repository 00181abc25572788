/** The broker from the outside: hooks and windows over its real sockets. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { MAX_PAYLOAD_BYTES } from '#contract/hookReply.ts';
import type { AuditEntry } from '#contract/auditRecord.ts';
import { addPending, listPending } from '#home/pendingCalls.ts';
import { openGrants } from '#home/grants.ts';
import { pendingCall } from '#home/localGate.ts';
import { ensurePrivateFolder } from '#home/layout.ts';
import { createApprovals } from '#node/broker/approvals.ts';
import { createHolds, MAX_WAITING } from '#node/broker/holds.ts';
import {
  BLOCKED,
  claudePayload,
  CLEAN,
  codexPayload,
  FLAGGED,
  gateBox,
  HELD,
  refusalIn,
  shellCall,
  type GateBox,
} from '../../home/gateBox.ts';
import { ask, brokerBox, held, openWindow, PASS, until, type BrokerBox } from './brokerBox.ts';

const boxes: (GateBox & { broker?: BrokerBox['broker'] })[] = [];
const keep = <T extends GateBox>(box: T): T => (boxes.push(box), box);
afterEach(async () => {
  for (const box of boxes.splice(0)) {
    await box.broker?.stop();
    box.remove();
  }
});
const start = async (...args: Parameters<typeof brokerBox>): Promise<BrokerBox> => keep(await brokerBox(...args));

function journal(box: GateBox): AuditEntry[] {
  return readdirSync(box.layout.journal)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .flatMap((name) => readFileSync(join(box.layout.journal, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEntry);
}

describe('without a window', () => {
  const rows = [
    ['claude clean', 'claude', claudePayload(CLEAN), { kind: 'pass' }, 'delivered'],
    ['claude flagged', 'claude', claudePayload(FLAGGED), { kind: 'pass' }, 'delivered'],
    ['claude blocked', 'claude', claudePayload(BLOCKED), { kind: 'print', json: expect.stringContaining('"deny"') as string }, 'refused'],
    ['claude held', 'claude', claudePayload(HELD), { kind: 'print' }, 'asked'],
    ['codex clean', 'codex', codexPayload(CLEAN), { kind: 'pass' }, 'delivered'],
    ['codex held', 'codex', codexPayload(HELD), { kind: 'deny' }, 'refused'],
    [
      'a program that only looks like Claude, held',
      'claude',
      claudePayload(HELD, { timestamp: '2026-01-01' }),
      { kind: 'deny' },
      'refused',
    ],
    ['not JSON', 'claude', 'x', { kind: 'deny' }, 'refused'],
    ['nothing', 'codex', '', { kind: 'deny' }, 'refused'],
  ] as const;
  test.each(rows)('%s', async (_name, client, payload, reply, outcome) => {
    const box = await start();
    expect(await ask(client === 'claude' ? box.layout.claudeSocket : box.layout.codexSocket, payload).reply).toMatchObject(reply);
    const entries = journal(box);
    expect(entries.map((entry) => ({ client: entry.client, outcome: entry.outcome, kind: entry.kind }))).toEqual([
      { client, outcome, kind: 'call' },
    ]);
  });

  test('many at once are all answered and all recorded', async () => {
    const box = await start();
    const replies = await Promise.all(
      Array.from(
        { length: 40 },
        (_, index) => ask(box.layout.claudeSocket, claudePayload(index % 2 ? CLEAN : BLOCKED, { tool_use_id: `t${index}` })).reply,
      ),
    );
    expect(replies.filter((reply) => reply?.kind === 'pass')).toHaveLength(20);
    expect(replies.filter((reply) => refusalIn(reply) !== null)).toHaveLength(20);
    expect(new Set(journal(box).map((entry) => entry.useId)).size).toBe(40);
  });

  test('sockets are for this user alone', async () => {
    const box = await start();
    for (const path of [box.layout.claudeSocket, box.layout.codexSocket, box.layout.windowSocket])
      expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(box.layout.run).mode & 0o777).toBe(0o700);
    expect(statSync(box.layout.windowToken).mode & 0o777).toBe(0o600);
  });

  test('an oversize payload is read to its end and refused', async () => {
    const box = await start();
    expect(await ask(box.layout.claudeSocket, Buffer.alloc(MAX_PAYLOAD_BYTES + 200_000, ' ')).reply).toMatchObject({
      kind: 'deny',
      reason: expect.stringContaining('OVERSIZE') as string,
    });
  });

  test('a client that stops in the middle is refused', async () => {
    const box = await start({ hookLimits: { idleMs: 200, inputMs: 5000 } });
    const socket = connect({ path: box.layout.claudeSocket, allowHalfOpen: true });
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.write('{"hook_event_name":');
    await until('the refusal', () => text.includes('callgate:end'));
    expect(text).toMatch(/^callgate:deny .*stopped before its end/);
    socket.destroy();
  });

  test('random bytes never pass, and the broker lives on', async () => {
    const box = await start();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.json().map((text) => Buffer.from(text)),
        ),
        fc.constantFrom('claude', 'codex'),
        async (bytes, client) => {
          const reply = await ask(client === 'claude' ? box.layout.claudeSocket : box.layout.codexSocket, Buffer.from(bytes)).reply;
          expect(reply?.kind).toBe('deny');
        },
      ),
      { numRuns: 60 },
    );
    expect(await ask(box.layout.claudeSocket, claudePayload(CLEAN)).reply).toEqual({ kind: 'pass' });
  });

  test('a journal that cannot be written refuses what would have run, unless settings say otherwise', async () => {
    const box = await start();
    expect(await ask(box.layout.claudeSocket, claudePayload(CLEAN)).reply).toEqual({ kind: 'pass' });
    rmSync(box.layout.journal, { recursive: true });
    writeFileSync(box.layout.journal, 'in the way');
    expect(refusalIn(await ask(box.layout.claudeSocket, claudePayload(CLEAN)).reply)).toContain('could not record');
    expect(box.broker.status().journalProblem).not.toBeNull();
    const window = await openWindow(box);
    await window.request('configure', { holdSeconds: 60, onJournalFailure: 'warn', recordConversation: true });
    expect(await ask(box.layout.claudeSocket, claudePayload(CLEAN)).reply).toEqual({ kind: 'pass' });
    window.close();
  });
});

describe('with a window', () => {
  test('approve: the very call goes on, with two events under one id', async () => {
    const box = await start();
    const window = await openWindow(box);
    const asked = ask(box.layout.claudeSocket, claudePayload(HELD));
    const hold = await held(window);
    expect(hold).toMatchObject({ state: 'waiting', call: { tool: 'Bash', args: { command: HELD } }, decision: { verdict: 'quarantine' } });
    expect(box.broker.status()).toMatchObject({ waiting: 1, windows: 1 });
    expect(await window.request('approve', { id: hold.id, scope: 'once', note: 'fine' })).toMatchObject({ state: 'approved' });
    const reply = await asked.reply;
    expect(reply?.kind).toBe('print');
    expect(JSON.parse(reply?.kind === 'print' ? reply.json : '{}')).toMatchObject({
      hookSpecificOutput: { permissionDecision: 'allow', permissionDecisionReason: expect.stringContaining('fine') as string },
    });
    expect(journal(box).map((entry) => [entry.kind, entry.call, entry.outcome, entry.by])).toEqual([
      ['call', hold.id, 'held', 'gate'],
      ['hold', hold.id, 'delivered', 'person'],
    ]);
    // Once is once.
    ask(box.layout.claudeSocket, claudePayload(HELD));
    await until('a second hold', () => window.holds.filter((item) => item.state === 'waiting').length === 2);
    window.close();
  });

  test('Codex: approval is a plain pass after heartbeats, rejection carries the note', async () => {
    const box = await start();
    const window = await openWindow(box);
    const first = ask(box.layout.codexSocket, codexPayload(HELD));
    const hold = await held(window);
    await new Promise((resolve) => setTimeout(resolve, 2300));
    await window.request('approve', { id: hold.id, scope: 'once', note: '' });
    expect(await first.text).toBe(`  ${PASS}`);
    const second = ask(box.layout.codexSocket, codexPayload(HELD));
    const next = await until('the next hold', () => window.holds.findLast((item) => item.state === 'waiting' && item.id !== hold.id));
    await window.request('reject', { id: next.id, note: 'use the other host' });
    expect(await second.reply).toMatchObject({ kind: 'deny', reason: expect.stringContaining('use the other host') as string });
    await expect(window.request('approve', { id: next.id, scope: 'once', note: '' })).rejects.toMatchObject({ code: 'ALREADY_SETTLED' });
    await expect(window.request('approve', { id: 'nobody', scope: 'once', note: '' })).rejects.toMatchObject({ code: 'UNKNOWN_HOLD' });
    window.close();
  });

  test.each([
    ['session', 's2', false],
    ['session', 's1', true],
    ['always', 's2', true],
  ] as const)('%s: the same call from session %s passes: %s', async (scope, session, passes) => {
    const box = await start();
    const window = await openWindow(box);
    const asked = ask(box.layout.codexSocket, codexPayload(HELD));
    await window.request('approve', { id: (await held(window)).id, scope, note: '' });
    expect(await asked.reply).toEqual({ kind: 'pass' });
    const again = ask(box.layout.codexSocket, codexPayload(HELD, { session_id: session, tool_use_id: 'call_9' }));
    if (passes) expect(await again.reply).toEqual({ kind: 'pass' });
    else await until('a hold', () => window.holds.filter((item) => item.state === 'waiting').length === 2);
    const [grant] = await window.request('grants', {});
    expect(grant).toMatchObject({ scope, tool: 'Bash' });
    expect(await window.request('revoke', { id: grant?.id ?? '' })).toEqual({ revoked: true });
    expect(await window.request('grants', {})).toEqual([]);
    window.close();
  });

  test('a call whose client has gone is no longer held', async () => {
    const box = await start();
    const window = await openWindow(box);
    const asked = ask(box.layout.claudeSocket, claudePayload(HELD));
    await held(window);
    asked.socket.destroy();
    await until('the cancellation', () => window.holds.some((hold) => hold.state === 'cancelled'));
    await until('its record', () => journal(box).at(-1)?.by === 'client');
    expect(journal(box).at(-1)).toMatchObject({ kind: 'hold', outcome: 'refused', by: 'client' });
    window.close();
  });

  test('a hold survives its window and is approved by another', async () => {
    const box = await start({ lifetime: 'windows', graceMs: 5000 });
    const first = await openWindow(box);
    const asked = ask(box.layout.codexSocket, codexPayload(HELD));
    const { id } = await held(first);
    first.close();
    await until('the window to be gone', () => box.broker.status().windows === 0);
    const second = await openWindow(box);
    expect((await second.request('holds', {})).map((hold) => [hold.id, hold.state])).toEqual([[id, 'waiting']]);
    await second.request('approve', { id, scope: 'once', note: '' });
    expect(await asked.reply).toEqual({ kind: 'pass' });
    second.close();
  });

  test.each([
    ['claude', 'print'],
    ['codex', 'deny'],
  ] as const)('after the last window %s hears what it would hear without one, and the broker ends', async (client, kind) => {
    const box = await start({ lifetime: 'windows', graceMs: 200 });
    const window = await openWindow(box);
    const asked = client === 'claude' ? ask(box.layout.claudeSocket, claudePayload(HELD)) : ask(box.layout.codexSocket, codexPayload(HELD));
    await held(window);
    window.close();
    expect((await asked.reply)?.kind).toBe(kind);
    await box.broker.ended;
    expect(readdirSync(box.layout.run)).toEqual([]);
  });

  test('two windows see the same; the slower answer is told so', async () => {
    const box = await start();
    const [a, b] = [await openWindow(box), await openWindow(box)];
    const asked = ask(box.layout.codexSocket, codexPayload(HELD));
    const { id } = await held(a);
    await held(b);
    const answers = await Promise.allSettled([
      a.request('approve', { id, scope: 'once', note: '' }),
      b.request('reject', { id, note: '' }),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected']);
    expect(await asked.reply).toEqual({ kind: 'pass' });
    await until('both to know', () => a.holds.at(-1)?.state === 'approved' && b.holds.at(-1)?.state === 'approved');
    a.close();
    b.close();
  });

  test('one decision for hook and relay: a person is asked once', async () => {
    const box = await start();
    const window = await openWindow(box);
    const args = { text: HELD };
    const asked = ask(
      box.layout.claudeSocket,
      claudePayload('', { tool_name: 'mcp__files__put', tool_input: args, mcp_server: { name: 'files', source: 'project' } }),
    );
    await window.request('approve', { id: (await held(window)).id, scope: 'once', note: '' });
    expect((await asked.reply)?.kind).toBe('print');
    const relayed = shellCall('', {
      client: 'mcp',
      channel: 'mcp',
      tool: 'put',
      server: 'files',
      args,
      useId: 'toolu_1',
      cwd: '/elsewhere',
    });
    const { signal } = new AbortController();
    const judgeAnew = async (call: typeof relayed, nth: number): Promise<void> => {
      const judged = box.broker.judge(call, { signal });
      await until('a new hold', () => window.holds.filter((hold) => hold.state === 'waiting').length === nth);
      await window.request('reject', { id: window.holds.findLast((hold) => hold.state === 'waiting')?.id ?? '', note: '' });
      expect(await judged).toMatchObject({ outcome: 'refused', by: 'person' });
    };
    // Other arguments under the same id are another call.
    await judgeAnew({ ...relayed, args: { text: `${HELD} more` } }, 2);
    expect(await box.broker.judge(relayed, { signal })).toMatchObject({ outcome: 'delivered', by: 'person' });
    // Used up by then.
    await judgeAnew(relayed, 3);
    window.close();
  });

  test('a late approval grants exactly that call once, also for calls refused while no broker ran', async () => {
    const box = gateBox();
    ensurePrivateFolder(box.layout.root);
    const call = shellCall(HELD, { client: 'codex' });
    const decision = { verdict: 'quarantine', findings: [], reason: 'why', rules: 'r', policy: 'p' } as const;
    addPending(
      box.layout,
      pendingCall({
        id: '00000000-0000-4000-8000-000000000000',
        call,
        decision,
        since: Date.now(),
        asked: false,
        scrub: (value) => value,
        hash: () => 'h',
      }),
    );
    const running = await start({}, {}, box);
    const window = await openWindow(running);
    const [left] = await window.request('holds', {});
    expect(left).toMatchObject({ state: 'expired', call: { tool: 'Bash' } });
    expect(await window.request('approve', { id: left?.id ?? '', scope: 'once', note: '' })).toMatchObject({ state: 'approved' });
    expect(listPending(box.layout, Date.now(), () => undefined)).toEqual([]);
    expect(ask(box.layout.codexSocket, codexPayload(HELD, { cwd: '/other' })).socket).toBeDefined();
    await until('the call in another folder to be held', () => window.holds.some((hold) => hold.state === 'waiting'));
    expect(await ask(box.layout.codexSocket, codexPayload(HELD)).reply).toEqual({ kind: 'pass' });
    ask(box.layout.codexSocket, codexPayload(HELD));
    await until('the second try to be held', () => window.holds.filter((hold) => hold.state === 'waiting').length === 2);
    window.close();
  });
});

describe('its names in the run folder', () => {
  const impostor = async (path: string): Promise<Server> => {
    const server = createServer((socket) => socket.end(PASS));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return server;
  };

  test.each([
    [
      'the sockets are removed',
      (box: BrokerBox) => {
        for (const path of [box.layout.claudeSocket, box.layout.windowSocket]) rmSync(path);
      },
    ],
    ['the whole folder is removed', (box: BrokerBox) => rmSync(box.layout.run, { recursive: true })],
  ])('%s: they come back, what is held stays held, and it is recorded', async (_name, harm) => {
    const box = await start({ watchMs: 50 });
    const window = await openWindow(box);
    const asked = ask(box.layout.codexSocket, codexPayload(HELD));
    const { id } = await held(window);
    harm(box);
    await until('the sockets', () => existsSync(box.layout.claudeSocket) && existsSync(box.layout.windowSocket));
    expect(await until('an answer', () => ask(box.layout.claudeSocket, claudePayload(CLEAN)).reply)).toEqual({ kind: 'pass' });
    expect(statSync(box.layout.claudeSocket).mode & 0o777).toBe(0o600);
    await until('the record', () => journal(box).find((entry) => entry.kind === 'broker' && /removed or replaced/.test(entry.reason)));
    const other = await openWindow(box);
    await other.request('approve', { id, scope: 'once', note: '' });
    expect(await asked.reply).toEqual({ kind: 'pass' });
    await expect(brokerBox({}, {}, box)).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
    window.close();
    other.close();
    await box.broker.stop();
    expect(readdirSync(box.layout.run)).toEqual([]);
  });

  test('a socket of somebody else in the place of ours is put out of the way', async () => {
    const box = await start({ watchMs: 50 });
    rmSync(box.layout.claudeSocket);
    const server = await impostor(box.layout.claudeSocket);
    const blocked = async (): Promise<boolean> => refusalIn(await ask(box.layout.claudeSocket, claudePayload(BLOCKED)).reply) !== null;
    expect(await blocked()).toBe(false);
    expect(await until('our own answer', blocked)).toBe(true);
    server.close();
  });

  test('one that has lost its lock leaves the sockets of whoever has it now', async () => {
    const box = await start({ watchMs: 50 });
    rmSync(box.layout.claudeSocket);
    writeFileSync(box.layout.brokerLock, '1:another');
    const server = await impostor(box.layout.claudeSocket);
    await box.broker.ended;
    expect(await ask(box.layout.claudeSocket, claudePayload(BLOCKED)).reply).toEqual({ kind: 'pass' });
    expect(readFileSync(box.layout.brokerLock, 'utf8')).toBe('1:another');
    server.close();
  });

  test('a folder that can be no folder any more ends the broker, whatever fails on the way', async () => {
    const box = await start({ watchMs: 50 });
    rmSync(box.layout.run, { recursive: true });
    writeFileSync(box.layout.run, '');
    await box.broker.ended;
    expect(box.log.join()).toContain('cannot be reached any more');
  });
});

describe('approvals that meet something else', () => {
  test('an approval for longer and other answers at the same moment: one counts, and it alone', async () => {
    const box = await start();
    const [a, b] = [await openWindow(box), await openWindow(box)];
    const asked = ask(box.layout.codexSocket, codexPayload(HELD));
    const { id } = await held(a);
    const answers = await Promise.allSettled([
      a.request('approve', { id, scope: 'always', note: '' }),
      b.request('reject', { id, note: '' }),
      b.request('approve', { id, scope: 'always', note: '' }),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(await asked.reply).toEqual({ kind: 'pass' });
    expect(await a.request('grants', {})).toHaveLength(1);
    a.close();
    b.close();
  });

  test('the client leaves while an approval for longer is written: the window is told so, and nothing is granted', async () => {
    const box = gateBox();
    const layout = box.layout;
    const holds = createHolds(Date.now, () => undefined);
    const grants = openGrants(layout, Date.now, () => undefined);
    ensurePrivateFolder(layout.root);
    const record = async (): Promise<null> => (holds.end('h', { how: 'cancelled' }), null);
    const approvals = createApprovals({
      layout,
      holds,
      grants,
      record,
      hash: (text) => text,
      now: Date.now,
      warn: () => undefined,
      onChange: () => undefined,
    });
    holds.begin('h', shellCall(HELD), { verdict: 'quarantine', findings: [], reason: '', rules: 'r', policy: 'p' }, 60_000);
    await expect(approvals.approve('h', 'always', '')).rejects.toMatchObject({ code: 'ALREADY_SETTLED' });
    expect(grants.list()).toEqual([]);
    box.remove();
  });

  test.each([
    ['session', { session_id: '' }, [], 'deny'],
    ['always', { cwd: '' }, ['session'], 'pass'],
    ['always', { cwd: '', session_id: '' }, [], 'deny'],
  ] as const)('%s without %j grants %j', async (scope, over, scopes, again) => {
    const box = await start();
    const window = await openWindow(box);
    const asked = ask(box.layout.codexSocket, codexPayload(HELD, over));
    await window.request('approve', { id: (await held(window)).id, scope, note: '' });
    expect(await asked.reply).toEqual({ kind: 'pass' });
    expect((await window.request('grants', {})).map((grant) => grant.scope)).toEqual(scopes);
    const next = ask(box.layout.codexSocket, codexPayload(HELD, over));
    if (again === 'deny') {
      const hold = await until('it to be held again', () => window.holds.filter((item) => item.state === 'waiting')[1]);
      await window.request('reject', { id: hold.id, note: '' });
    }
    expect((await next.reply)?.kind).toBe(again);
    window.close();
  });
});

describe('many holds', () => {
  const decision = { verdict: 'quarantine', findings: [], reason: 'why', rules: 'r', policy: 'p' } as const;

  test('what is over keeps no arguments; of the expired the latest stay to be approved', () => {
    const holds = createHolds(Date.now, () => undefined);
    const ids = Array.from({ length: 40 }, (_, index) => `h${index}`);
    for (const id of ids) holds.begin(id, shellCall(HELD), decision, 60_000);
    holds.end('h0', { how: 'rejected', note: '' });
    expect(holds.find('h0')).toMatchObject({ state: 'rejected', call: { tool: 'Bash', args: null } });
    holds.endAll({ how: 'expired' });
    expect(holds.list().map((hold) => hold.id)).toEqual(ids.slice(-20));
    expect(holds.list()[0]?.call.args).toEqual({ command: HELD });
    expect(holds.end('h39', { how: 'approved', note: '' })).toMatchObject({ state: 'approved', call: { args: { command: HELD } } });
    expect(holds.find('h39')?.call.args).toBeNull();
    expect(holds.find('h0')?.state).toBe('rejected');
  });

  test('a crowd is refused, and there is room again once one is answered', async () => {
    const box = await start();
    const window = await openWindow(box);
    const next = (id: string): ReturnType<typeof ask> => ask(box.layout.codexSocket, codexPayload(HELD, { tool_use_id: id }));
    const first = next('first');
    const { id } = await held(window);
    const rest = Array.from({ length: MAX_WAITING - 1 }, (_, index) => next(`t${index}`));
    await until('them all to wait', () => box.broker.status().waiting === MAX_WAITING);
    expect(await next('more').reply).toMatchObject({ kind: 'deny', reason: expect.stringContaining('100 calls wait') as string });
    await window.request('approve', { id, scope: 'once', note: '' });
    expect(await first.reply).toEqual({ kind: 'pass' });
    const last = next('last');
    await until('it to wait', () => box.broker.status().waiting === MAX_WAITING);
    for (const { socket } of [...rest, last]) socket.destroy();
    await until('nobody to wait', () => box.broker.status().waiting === 0);
    window.close();
  });
});

describe('the window socket', () => {
  function talk(box: GateBox, lines: readonly (string | Uint8Array)[]): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(box.layout.windowSocket);
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.on('error', () => socket.destroy());
      socket.on('close', () => resolve(text));
      for (const line of lines) socket.write(line);
    });
  }
  const hello = (token: string, protocol = 1): string =>
    `${JSON.stringify({ id: 1, request: 'hello', params: { protocol, version: '1', token } })}\n`;

  test.each([
    ['another request first', ['{"id":1,"request":"holds","params":{}}\n'], 'UNAUTHORIZED'],
    ['a wrong token', [hello('0'.repeat(64))], 'UNAUTHORIZED'],
    ['an empty token', [hello('')], 'UNAUTHORIZED'],
    ['another protocol', [hello('x', 99)], 'PROTOCOL'],
    ['no JSON', ['hello\n'], 'BAD_REQUEST'],
    ['an unknown request', ['{"id":1,"request":"constructor"}\n'], 'BAD_REQUEST'],
    ['an endless line', ['x'.repeat(70_000)], 'BAD_REQUEST'],
  ] as const)('%s is refused and the connection closed', async (_name, lines, code) => {
    const box = await start();
    expect(await talk(box, lines)).toContain(`"code":"${code}"`);
  });

  test('random lines never reach anything and never end the broker', async () => {
    const box = await start();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.concat([Buffer.from(bytes), Buffer.from('\n{}\n')])),
          fc.json().map((text) => Buffer.from(`${text}\n{}\n`)),
        ),
        async (line) => {
          const answers = await talk(box, [line]);
          for (const answer of answers.split('\n').filter((part) => part !== '')) expect(JSON.parse(answer)).toHaveProperty('error');
        },
      ),
      { numRuns: 40 },
    );
    const window = await openWindow(box);
    expect(await window.request('ping', {})).toHaveProperty('now');
    window.close();
  });

  test('retire: not while a call is held, then at once', async () => {
    const box = await start();
    const window = await openWindow(box);
    const asked = ask(box.layout.codexSocket, codexPayload(HELD));
    const { id } = await held(window);
    expect(await window.request('retire', {})).toEqual({ retiring: false });
    await window.request('reject', { id, note: '' });
    await asked.reply;
    await until('it to be idle', async () => (await window.request('retire', {})).retiring);
    await box.broker.ended;
    expect(await window.ended).toMatch(/closed/);
  });

  test('a timeline without an index says so and judging goes on', async () => {
    const box = await start({ openIndex: () => Promise.reject(new Error('no wasm')) });
    const window = await openWindow(box);
    await expect(window.request('timeline', { limit: 10 })).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('no wasm') as string,
    });
    expect(await ask(box.layout.claudeSocket, claudePayload(CLEAN)).reply).toEqual({ kind: 'pass' });
    window.close();
  });
});

describe('one broker per user', () => {
  test('a second one is told so', async () => {
    const box = await start();
    await expect(brokerBox({}, {}, box)).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
    expect(await ask(box.layout.claudeSocket, claudePayload(CLEAN)).reply).toEqual({ kind: 'pass' });
  });

  test('what a killed one left behind is cleared and recorded', async () => {
    const box = gateBox();
    ensurePrivateFolder(box.layout.run);
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const { processStart } = await import('#home/processIdentity.ts');
    const identity = await until('the process to be seen', () => (child.pid === undefined ? null : processStart(child.pid)));
    writeFileSync(box.layout.brokerLock, `${child.pid}:${identity}`);
    mkdirSync(join(box.layout.run), { recursive: true });
    writeFileSync(box.layout.claudeSocket, '');
    await expect(brokerBox({}, {}, box)).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    const running = await start({}, {}, box);
    expect(journal(running)[0]).toMatchObject({ kind: 'broker', by: 'failure' });
    expect(await ask(box.layout.claudeSocket, claudePayload(CLEAN)).reply).toEqual({ kind: 'pass' });
  });
});
