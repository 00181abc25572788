/** Windows and the broker as real processes: started, shared, killed, stopped, replaced. */
import { build } from 'esbuild';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { isRunning, parseIdentity } from '#home/processIdentity.ts';
import { endHungBroker } from '#node/broker/brokerProcess.ts';
import { ensureBroker, type BrokerLink, type BrokerLinkState } from '#node/broker/ensureBroker.ts';
import { connectBroker } from '#node/broker/windowClient.ts';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import { claudePayload, CLEAN, gateBox, type GateBox } from '../../home/gateBox.ts';
import { ask, until } from './brokerBox.ts';

const repository = resolve(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'cge-'));
const bundle = join(folder, 'serve.cjs');
let box: GateBox;
const links: BrokerLink[] = [];

beforeAll(async () => {
  const source = join(folder, 'serve.ts');
  writeFileSync(
    source,
    `import { startBroker } from ${JSON.stringify(join(repository, 'extension/node/broker/broker.ts'))};
     import { layoutFor } from ${JSON.stringify(join(repository, 'extension/home/layout.ts'))};
     const [home, rulesFile, version] = process.argv.slice(2);
     const openIndex = () => { throw new Error('none here'); };
     startBroker({ layout: layoutFor(home), version, rulesFile, openIndex, verify: openIndex, log: console.log, lifetime: 'windows', graceMs: 300 })
       .then((broker) => broker.ended).then(() => process.exit(0), (error) => { console.log(error.message); process.exit(error.code === 'ALREADY_RUNNING' ? 3 : 1); });`,
  );
  await build({
    entryPoints: [source],
    outfile: bundle,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    absWorkingDir: repository,
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  for (const link of links.splice(0)) link.dispose();
  const layout = box.layout;
  await until('the broker to end with its last window', () => owner(layout) === null, 15_000);
  box.remove();
});

function owner(layout: Layout): number | null {
  try {
    const identity = parseIdentity(readFileSync(layout.brokerLock, 'utf8'));
    return identity && isRunning(identity) ? identity.pid : null;
  } catch {
    return null; // no lock, no broker
  }
}

function open(
  version = '1.0.0',
  program = { runtime: process.execPath, args: [bundle, box.home, box.rulesFile, version] },
): { link: BrokerLink; states: BrokerLinkState[] } {
  const states: BrokerLinkState[] = [];
  const link = ensureBroker({
    layout: box.layout,
    version,
    program,
    onEvent: () => undefined,
    onState: (state) => states.push(state),
    log: () => undefined,
    pingMs: 1000,
  });
  links.push(link);
  return { link, states };
}

const pidOf = async (link: BrokerLink): Promise<number> => (await link.request('status', {})).pid;

test('two windows that start at once share one broker, which judges and ends with the last', async () => {
  box = gateBox();
  const [a, b] = [open(), open()];
  const pids = await Promise.all([pidOf(a.link), pidOf(b.link)]);
  expect(pids[0]).toBe(pids[1]);
  expect(await ask(box.layout.claudeSocket, claudePayload(CLEAN)).reply).toEqual({ kind: 'pass' });
  a.link.dispose();
  await until('one window', async () => (await b.link.request('status', {})).windows === 1);
  expect(owner(box.layout)).toBe(pids[0]);
});

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  'a broker that gets %s is replaced',
  async (signal) => {
    box = gateBox();
    const { link, states } = open();
    const first = await pidOf(link);
    process.kill(first, signal);
    await until('another broker', () => states.some((state) => state.state === 'connected' && state.status.pid !== first), 20_000);
    expect(states.map((state) => state.state)).toContain('lost');
    expect(await pidOf(link)).not.toBe(first);
    expect(isRunning({ pid: first, start: 'unknown' })).toBe(false);
  },
  30_000,
);

test('a window that stood still itself does not take the broker for dead', async () => {
  box = gateBox();
  const first = await pidOf(open().link);
  const connection = await connectBroker(box.layout, {
    version: '1.0.0',
    onEvent: () => undefined,
    onClose: () => undefined,
    timeoutMs: 300,
  });
  const answer = connection.request('status', {});
  // As a busy extension host does: nothing of this process runs, and the answer waits in the socket.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  expect(await answer).toMatchObject({ pid: first });
  connection.close();
});

test('only the broker that hung is ended, not the one that has its lock by now', async () => {
  box = gateBox();
  const { link } = open();
  const first = await pidOf(link);
  expect(endHungBroker(box.layout, first + 1)).toBe(false);
  expect(await pidOf(link)).toBe(first);
});

test('a stopped broker that a new window meets is replaced', async () => {
  box = gateBox();
  const { link } = open();
  const first = await pidOf(link);
  link.dispose();
  process.kill(first, 'SIGSTOP');
  const next = open();
  expect(await pidOf(next.link)).not.toBe(first);
}, 30_000);

test('a newer window replaces an older broker, an older one joins it', async () => {
  box = gateBox();
  const old = open('1.0.0');
  const first = await pidOf(old.link);
  const fresh = open('1.1.0');
  await until(
    'the newer broker',
    () => fresh.states.some((state) => state.state === 'connected' && state.status.version === '1.1.0'),
    15_000,
  );
  const second = await pidOf(fresh.link);
  expect(second).not.toBe(first);
  await until('the older window to join', async () => (await pidOf(old.link).catch(() => 0)) === second, 15_000);
}, 40_000);

test('a broker that cannot be started is told with the place of its log', async () => {
  box = gateBox();
  ensurePrivateFolder(box.layout.root);
  const states: BrokerLinkState[] = [];
  const link = ensureBroker({
    layout: box.layout,
    version: '1.0.0',
    program: { runtime: '/nowhere/node', args: [] },
    onEvent: () => undefined,
    onState: (state) => states.push(state),
    log: () => undefined,
    startMs: 500,
  });
  links.push(link);
  await until('the report', () => states.some((state) => state.state === 'lost' && state.message.includes('broker.log')));
  await expect(link.request('status', {})).rejects.toMatchObject({ code: 'NO_BROKER' });
});
