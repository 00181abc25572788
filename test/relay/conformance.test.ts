/**
 * The official conformance suite: every scenario gives the same checks with the same outcome through the relay as without it. Scenarios for
 * servers meet a server behind HTTP, once started directly and once by the relay; scenarios for clients meet a client that reaches the
 * suite's own servers by itself, and once through the relay.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, tail } from '#kit/sandbox.ts';
import { httpFront } from './httpFront.ts';
import { relayWorld } from './kit.ts';
import type { RelayWorld } from './kit.ts';

const suite = join(import.meta.dirname, '../../.cache/servers/node_modules/@modelcontextprotocol/conformance/dist/index.js');
const here = (name: string): string => join(import.meta.dirname, name);
const DEADLINE_MS = 180_000;

let world: RelayWorld;
let folder = '';
before(async () => {
  world = await relayWorld();
  folder = mkdtempSync(join(tmpdir(), 'callgate-conformance-'));
});
after(async () => {
  await world.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Of each scenario the ids of its checks with their outcome, in order; how often a check was made may vary with timing. */
type Outcome = Readonly<Record<string, readonly string[]>>;

async function runSuite(name: string, args: readonly string[], env: Readonly<Record<string, string>>, least = 20): Promise<Outcome> {
  const output = join(folder, name);
  mkdirSync(output);
  const ran = await launch(process.execPath, [suite, ...args, '-o', output], {
    cwd: folder,
    env,
    deadlineMs: DEADLINE_MS,
  }).done;
  const found: Record<string, readonly string[]> = {};
  for (const file of readdirSync(output, { recursive: true, encoding: 'utf8' }).sort()) {
    const scenario = /^(.*)-\d{4}-\d\d-\d\dT[\d-]+Z[/\\]checks\.json$/.exec(file)?.[1];
    if (scenario === undefined) continue;
    const checks = JSON.parse(readFileSync(join(output, file), 'utf8')) as readonly { readonly id: string; readonly status: string }[];
    found[scenario] = [...new Set(checks.filter(({ status }) => status !== 'INFO').map(({ id, status }) => `${id} ${status}`))].sort();
  }
  assert.ok(Object.keys(found).length >= least, `the suite ran: ${tail(ran)}`);
  return found;
}

const failures = (outcome: Outcome): readonly string[] =>
  Object.entries(outcome).flatMap(([scenario, checks]) =>
    checks.filter((line) => line.endsWith('FAILURE')).map((line) => `${scenario}: ${line}`),
  );

test('servers', async () => {
  const server = { command: process.execPath, args: [here('conformanceServer.ts')], env: world.env };
  const relayed = { ...server, command: world.relay, args: ['--server', 'conformance', '--', server.command, ...server.args] };
  const outcomes: Outcome[] = [];
  for (const [name, way] of Object.entries({ direct: server, relayed })) {
    const front = await httpFront(way);
    outcomes.push(await runSuite(`server-${name}`, ['server', '--url', front.url, '--suite', 'all'], world.env));
    await front.close();
  }
  const [direct = {}, through = {}] = outcomes;
  assert.deepEqual(failures(direct), []);
  assert.deepEqual(through, direct);
});

/** Measured in milliseconds between two requests: nothing else may run beside it. */
const TIMED = 'sse-retry';

test('clients', async () => {
  const client = `${process.execPath} ${here('conformanceClient.ts')}`;
  const ways = { direct: client, relayed: `${client} --relay ${world.relay}` };
  const outcomes: Record<string, readonly string[]>[] = [];
  for (const [name, command] of Object.entries(ways)) {
    const args = ['client', '--timeout', '120000', '--command', command];
    const { [TIMED]: _, ...all } = await runSuite(`client-${name}`, [...args, '--suite', 'all'], world.env);
    const timed = await runSuite(`client-${name}-timed`, [...args, '--scenario', TIMED], world.env, 1);
    assert.deepEqual(failures(timed), []);
    outcomes.push(all);
  }
  const [direct = {}, through = {}] = outcomes;
  assert.deepEqual(through, direct);
  assert.deepEqual(
    world.opened.filter((page) => !page.startsWith('http')),
    [],
  );
});
