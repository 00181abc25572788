/** Grants: exactly one call, exactly as long as given, exactly one winner. */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { GrantScope } from '#contract/ipc.ts';
import type { ToolCall } from '#core/model/call.ts';
import { grantKey, ONCE_GRANT_MS, openGrants, SESSION_GRANT_MS, type GrantStore } from '#home/grants.ts';
import { sandbox, type Sandbox } from '#kit/sandbox.ts';
import { shellCall } from './gateBox.ts';

const boxes: Sandbox[] = [];
afterEach(() => boxes.splice(0).forEach((box) => box.remove()));

function store(): { grants: GrantStore; box: Sandbox; warnings: string[]; clock: { now: number } } {
  const box = sandbox();
  boxes.push(box);
  const warnings: string[] = [];
  const clock = { now: 1_000_000 };
  return {
    grants: openGrants(
      box.layout,
      () => clock.now,
      (text) => warnings.push(text),
    ),
    box,
    warnings,
    clock,
  };
}

function give(grants: GrantStore, call: ToolCall, scope: GrantScope): string {
  const { tool, server, cwd, session } = call;
  return grants.add({ key: grantKey(call), scope, tool, server, cwd, session, summary: 'rm -r build' }).id;
}

const call = shellCall('rm -r build');
const rows: readonly (readonly [string, GrantScope, Partial<ToolCall>, boolean])[] = [
  ['the same call', 'once', {}, true],
  ['the same from another client', 'once', { client: 'codex', useId: 'x', agent: 'sub' }, true],
  ['the same, described otherwise', 'once', { args: { command: 'rm -r build', description: 'clean up' } }, true],
  ['another command', 'once', { args: { command: 'rm -r build ' } }, false],
  ['another folder', 'always', { cwd: '/project/sub' }, false],
  ['another tool', 'always', { tool: 'x', channel: 'mcp', server: 'x' }, false],
  ['the same session', 'session', {}, true],
  ['another session', 'session', { session: 's2' }, false],
  ['no session', 'session', { session: '' }, false],
  ['another session', 'always', { session: 's2' }, true],
];
test.each(rows)('%s under a grant for %s', (_name, scope, over, covered) => {
  const { grants } = store();
  give(grants, call, scope);
  expect(grants.take({ ...call, ...over }) !== null).toBe(covered);
  // Only a once-grant is used up.
  expect(grants.list()).toHaveLength(scope === 'once' && covered ? 0 : 1);
});

test.each([
  ['once', ONCE_GRANT_MS],
  ['session', SESSION_GRANT_MS],
] as const)('%s runs out', (scope, lasts) => {
  const { grants, clock } = store();
  give(grants, call, scope);
  clock.now += lasts - 1;
  expect(grants.list()).toHaveLength(1);
  clock.now += 1;
  expect(grants.take(call)).toBeNull();
  expect(grants.list()).toEqual([]);
});

test('a clock that is set back ends what is bounded in time, a little or nothing does not', () => {
  const { grants, clock } = store();
  for (const scope of ['once', 'session', 'always'] as const) give(grants, call, scope);
  clock.now -= 30_000;
  expect(grants.list()).toHaveLength(3);
  clock.now -= 3_600_000;
  expect(grants.list().map((grant) => grant.scope)).toEqual(['always']);
});

test.each([
  ['once', ONCE_GRANT_MS],
  ['session', SESSION_GRANT_MS],
  ['always', 1],
] as const)('a grant for %s that claims to last longer than such a grant does is none', (scope, lasts) => {
  const { grants, box, clock, warnings } = store();
  const id = give(grants, call, scope);
  const file = join(box.layout.grants, `${id}.json`);
  const grant = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...grant, expires: clock.now + lasts + 1 }));
  expect(grants.take(call)).toBeNull();
  expect(warnings.join()).toContain(file);
});

test('a file is for this user alone and holds neither the command nor a way to another', () => {
  const { grants, box } = store();
  const id = give(grants, shellCall('echo hunter2-secret'), 'always');
  const file = join(box.layout.grants, `${id}.json`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(box.layout.grants).mode & 0o777).toBe(0o700);
  for (const evil of ['../settings', '..', '', `${'0'.repeat(64)}.always/../x`]) expect(grants.revoke(evil)).toBe(false);
});

test('a corrupt grant approves nothing and is named', () => {
  const { grants, box, warnings } = store();
  const id = give(grants, call, 'always');
  const file = join(box.layout.grants, `${id}.json`);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc
          .record({ v: fc.constant(1), id: fc.constant(id), scope: fc.constantFrom('once', 'session'), expires: fc.constant(null) })
          .map((value) => JSON.stringify(value)),
      ),
      (text) => {
        writeFileSync(file, text);
        warnings.length = 0;
        expect(grants.take(call)).toBeNull();
        expect(warnings.join()).toContain(file);
      },
    ),
    { numRuns: 100 },
  );
});

test('of processes that race for one grant exactly one wins', async () => {
  const { grants, box } = store();
  const module = resolve(import.meta.dirname, '../../extension/home/grants.ts');
  const layoutModule = resolve(import.meta.dirname, '../../extension/home/layout.ts');
  const script = join(box.folder, 'take.mjs');
  mkdirSync(join(box.folder, 'won'));
  writeFileSync(
    script,
    `import { writeFileSync, existsSync } from 'node:fs';
     import { openGrants } from ${JSON.stringify(module)};
     import { layoutFor } from ${JSON.stringify(layoutModule)};
     const [home, go, won, callText] = process.argv.slice(2);
     const grants = openGrants(layoutFor(home), Date.now, () => {});
     process.stdout.write('ready');
     while (!existsSync(go)) {}
     if (grants.take(JSON.parse(callText))) writeFileSync(won + '/' + process.pid, '');`,
  );
  const real = openGrants(box.layout, Date.now, () => undefined);
  const { tool, server, cwd, session } = call;
  real.add({ key: grantKey(call), scope: 'once', tool, server, cwd, session, summary: '' });
  const go = join(box.folder, 'go');
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, [script, box.home, go, join(box.folder, 'won'), JSON.stringify(call)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  await Promise.all(children.map((child) => new Promise((ready) => child.stdout.once('data', ready))));
  const ends = Promise.all(children.map((child) => new Promise((done) => child.once('exit', done))));
  writeFileSync(go, '');
  expect(await ends).toEqual([0, 0, 0, 0]);
  expect(readdirSync(join(box.folder, 'won'))).toHaveLength(1);
  expect(grants.list()).toEqual([]);
});
