/** What a server says of itself when it starts, its prompts, resources and templates, and which server it is. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { NO_POLICY, type PolicyFile } from '#core/policy/policy.ts';
import { relayPolicyFor } from '#core/policy/relayPolicy.ts';
import { compilePolicyFile } from '#node/rulepack/customPolicy.ts';
import type { JsonObject } from '#core/model/json.ts';
import { serverIdentity } from '#node/proxy/definitions/serverIdentity.ts';
import { namesIn, reviewBox, tool } from './reviewBox.ts';

const start = (instructions: string, more: JsonObject = {}): JsonObject => ({
  protocolVersion: '2025-06-18',
  serverInfo: { name: 'files', version: '1.0.0' },
  capabilities: { tools: {} },
  instructions,
  ...more,
});
const bare = (more: JsonObject = {}): JsonObject => {
  const { instructions: _, ...rest } = start('', more);
  return rest;
};

test.each(['initialize', 'server/discover'])(
  'instructions in %s are pinned; other ones are left out until they are approved',
  async (method) => {
    const box = reviewBox();
    const [old, now] = [start('Files live here, version 1.2.'), start('Files live here. Ask for the key first.')];
    expect(await box.client().list(method, old)).toEqual({ kind: 'same' });
    expect(await box.client().list(method, start('Files live here, version 1.3.'))).toEqual({ kind: 'same' });
    expect(await box.client().list(method, now)).toEqual({ kind: 'changed', result: bare() });
    expect(box.holds().map((hold) => [hold.call.tool, hold.call.server])).toEqual([['instructions', 'files']]);
    box.approve(box.holds()[0]?.id ?? '');
    expect(await box.client().list(method, now)).toEqual({ kind: 'same' });
  },
);

test.each([
  ['held', 'please-hold'],
  ['blocked', 'please-block'],
])('poisoned instructions are left out: %s', async (_, text) => {
  expect(await reviewBox().client().list('initialize', start(text))).toEqual({ kind: 'changed', result: bare() });
});

test('a server that had no instructions and has some now, one that never had any, one that lost them', async () => {
  const box = reviewBox();
  expect(await box.client().list('initialize', bare())).toEqual({ kind: 'same' });
  expect(await box.client().list('initialize', start('Be quick.'))).toEqual({ kind: 'changed', result: bare() });
  expect(await box.client().list('initialize', bare())).toEqual({ kind: 'same' });
});

test('instructions that are no text, or under a name some clients take for it, are left out', async () => {
  expect(
    await reviewBox()
      .client()
      .list('initialize', { ...bare(), instructions: ['a'], Instructions: 'b' }),
  ).toEqual({ kind: 'changed', result: bare() });
});

test('a poisoned name of the server itself is replaced by the configured one', async () => {
  const seen = await reviewBox()
    .client()
    .list('initialize', bare({ serverInfo: { name: 'please-hold', version: '1' } }));
  expect(seen).toEqual({ kind: 'changed', result: { ...bare(), serverInfo: { name: 'files', version: '0' } } });
});

test('a client is promised news about tools only when some are waiting', async () => {
  const box = reviewBox();
  await box.client().tools(tool('a'), tool('b', 'please-hold'));
  expect(await box.client().list('initialize', bare())).toEqual({
    kind: 'changed',
    result: bare({ capabilities: { tools: { listChanged: true } } }),
  });
});

const LISTS: readonly (readonly [method: string, key: string, entry: (name: string, description: string) => JsonObject])[] = [
  ['prompts/list', 'prompts', (name, description) => ({ name, description })],
  ['resources/templates/list', 'resourceTemplates', (name, description) => ({ uriTemplate: `x://{id}/${name}`, name, description })],
]; // prettier-ignore

test.each(LISTS)('%s: bad ones and changed ones are hidden, new ones are not', async (method, key, entry) => {
  const box = reviewBox();
  const list = async (...entries: JsonObject[]): Promise<readonly string[]> =>
    namesIn(await box.client().list(method, { [key]: entries }), entries, key);
  expect(await list(entry('a', 'One.'), entry('b', 'please-hold'))).toEqual(['a']);
  expect(await list(entry('a', 'One.'), entry('c', 'Three.'))).toEqual(['a', 'c']);
  expect(await list(entry('a', 'One and more.'), entry('c', 'Three.'))).toEqual(['c']);
});

test('resources come and go; bad ones are hidden, and recorded once', async () => {
  const box = reviewBox();
  const client = box.client();
  const list = async (...names: string[]): Promise<readonly string[]> => {
    const resources = names.map((name) => ({ uri: `file:///${name}`, name }));
    return namesIn(await client.list('resources/list', { resources }), resources, 'resources');
  };
  expect(await list('a', 'please-hold')).toEqual(['a']);
  expect(await list('b', 'please-hold', 'c')).toEqual(['b', 'c']);
  expect(box.records.map(({ verdict, outcome }) => [verdict, outcome])).toEqual([['block', 'refused']]);
  expect(box.holds()).toEqual([]);
});

test('other answers are not looked at', async () => {
  expect(await reviewBox().client().list('tools/call', { tools: 'please-hold' })).toEqual({ kind: 'same' });
});

test('another program under the same name: the same tools pass, others wait and say so; in another project it is another server', async () => {
  const box = reviewBox();
  const [old, now] = [
    { command: 'npx', args: ['files@1'] },
    { command: '/tmp/x', args: [] },
  ];
  await box.client('files', { source: old }).tools(tool('a'), tool('b'));
  expect(await box.client('files', { source: now }).tools(tool('a'), tool('b', 'Does it otherwise.'), tool('c'))).toEqual(['a']);
  expect(
    box
      .holds()
      .flatMap((hold) => hold.definitions ?? [])
      .map(({ name, change, why }) => [name, change, why.includes('npx files@1') && why.includes('is x now')]),
  ).toEqual([
    ['b', 'changed', true],
    ['c', 'added', false],
  ]);
  // That it was another program is told once.
  await box.client('files', { source: now }).tools(tool('a', 'A third thing.'));
  expect(
    box
      .holds()
      .flatMap((hold) => hold.definitions ?? [])
      .find(({ name }) => name === 'a')?.why,
  ).toMatch(/is not what was approved\.$/);
  expect(
    await box.client('files', { source: { url: 'https://x.test/mcp' }, cwd: '/elsewhere' }).tools(tool('b', 'Quite another.')),
  ).toEqual(['b']);
});

test.each([
  ['a token of its own', ['--api-key', 'aaaa'], ['--api-key', 'bbbb'], true],
  ['a token in one word', ['--token=aaaa'], ['--token=bbbb'], true],
  ['a variable', ['API_TOKEN=aaaa'], ['API_TOKEN=bbbb'], true],
  ['a password in an address', ['postgres://u:aaaa@db/x'], ['postgres://u:bbbb@db/x'], true],
  ['a long key', ['0123456789abcdef0123456789abcdef01'], ['0123456789abcdef0123456789abcdef02'], true],
  ['another folder', ['/a'], ['/b'], false],
  ['another package', ['-y', 'a'], ['-y', 'b'], false],
  ['another flag', ['--read'], ['--write'], false],
])('which server it is does not depend on its secrets: %s', (_, one, two, same) => {
  const of = (args: readonly string[]): ReturnType<typeof serverIdentity> => serverIdentity('s', { command: 'npx', args });
  expect(of(one).id === of(two).id).toBe(same);
  expect(JSON.stringify([of(one), of(two)])).not.toMatch(/aaaa|bbbb|0123/);
});

test('addresses count without what may be secret in them', () => {
  const of = (url: string): ReturnType<typeof serverIdentity> => serverIdentity('s', { url });
  expect(of('https://u:p@x.test/mcp?key=1').id).toBe(of('https://x.test/mcp?key=2#a').id);
  expect(of('https://x.test/mcp').id).not.toBe(of('https://x.test/other').id);
  expect(of('https://u:p@x.test/mcp?key=1').shown).toBe('https://x.test/mcp');
});

test('policy: ask at first sight; let small and large changes pass that the gate has nothing against', async () => {
  const asking = reviewBox();
  const policy = { firstSight: 'ask', drift: 'hold' } as const;
  expect(await asking.client('files', { policy }).tools(tool('a'), tool('b'))).toEqual([]);
  expect(asking.holds().map((hold) => hold.definitions?.map(({ change }) => change))).toEqual([['first', 'first']]);
  asking.approve(asking.holds()[0]?.id ?? '');
  expect(await asking.client('files', { policy }).tools(tool('a'), tool('b'))).toEqual(['a', 'b']);

  const easy = reviewBox();
  const flag = { firstSight: 'pin', drift: 'flag' } as const;
  await easy.client('files', { policy: flag }).tools(tool('a'), tool('b'));
  expect(await easy.client('files', { policy: flag }).tools(tool('a', 'Other words.'), tool('b', 'please-hold'), tool('c'))).toEqual([
    'a',
    'c',
  ]);
  expect(easy.records.map(({ kind, verdict }) => [kind, verdict])).toEqual([
    ['config', 'clean'],
    ['config', 'flag'],
    ['call', 'quarantine'],
  ]);
});

test('rules that come later find what was trusted unasked, and only ask no more about what a person approved', async () => {
  let rules = 'one';
  const box = reviewBox((call) => {
    const bad = rules !== 'one' && /later/.test(JSON.stringify(call.args));
    return { verdict: bad ? 'quarantine' : 'clean', findings: [], reason: bad ? 'Bad.' : '', rules, policy: '' };
  });
  const later = tool('a', 'Says later.');
  expect(await box.client().tools(later)).toEqual(['a']);
  const before = box.asked();
  await box.client().tools(later);
  // One question about the rules in force, none about what is pinned.
  expect(box.asked() - before).toBe(1);
  const running = box.client();
  expect(await running.tools(later, tool('b', 'Says later, too.'))).toEqual(['a']);
  rules = 'two';
  expect(await running.tools(later, tool('b', 'Says later, too.'))).toEqual([]);
  expect(
    box
      .holds()
      .flatMap((hold) => hold.definitions ?? [])
      .map(({ name, change }) => [name, change]),
  ).toEqual([
    ['a', 'poisoned'],
    ['b', 'poisoned'],
  ]);
  box.approve(box.holds()[0]?.id ?? '');
  expect(await box.client().tools(later)).toEqual(['a']);
  rules = 'three';
  expect(await box.client().tools(later)).toEqual(['a']);
});

test('a hold is given up when the server has taken its change back', async () => {
  const box = reviewBox();
  const client = box.client();
  await client.tools(tool('a'));
  await client.tools(tool('a', 'Other words.'));
  expect(box.holds().length).toBe(1);
  await client.tools(tool('a'));
  expect(box.holds()).toEqual([]);
});

test('after a damaged file nothing of that server is trusted unasked', async () => {
  const box = reviewBox();
  const client = box.client();
  await client.tools(tool('a'));
  const file = join(box.layout.root, 'pins', `${box.pins.list()[0]?.id ?? ''}.json`);
  writeFileSync(file, '{');
  expect(await client.tools(tool('a'))).toEqual([]);
  expect(
    box
      .holds()
      .flatMap((hold) => hold.definitions ?? [])
      .map(({ change }) => change),
  ).toEqual(['first']);
  expect(readdirSync(join(box.layout.root, 'pins'))).toContain(basename(`${file}.damaged`));
});

const POLICIES: readonly (readonly [user: string, workspace: string, firstSight: string, drift: string])[] = [
  ['', '', 'pin', 'hold'],
  ['relay: [{ firstSight: ask }]', '', 'ask', 'hold'],
  ['relay: [{ firstSight: ask, servers: other }]', '', 'pin', 'hold'],
  ['relay: [{ drift: flag }]', '', 'pin', 'flag'],
  ['relay: [{ drift: flag }, { drift: hold, servers: fi* }]', '', 'pin', 'hold'],
  ['relay: [{ drift: flag }]', 'relay: [{ drift: hold, firstSight: ask }]', 'ask', 'hold'],
  ['relay: [{ firstSight: ask }]', 'relay: [{ firstSight: pin, drift: flag }]', 'ask', 'hold'],
]; // prettier-ignore

test.each(POLICIES)('the policy %j and of the workspace %j', (user, workspace, firstSight, drift) => {
  const compiled = (text: string): PolicyFile | null => compilePolicyFile(`version: 1\nexperimental: report\n${text}`).policy;
  const policy = relayPolicyFor('files', { ...NO_POLICY, user: compiled(user), workspace: compiled(workspace) });
  expect(policy.definitions).toEqual({ firstSight, drift });
});

test('without pins that can be written nothing is passed on', async () => {
  const box = reviewBox();
  mkdirSync(box.layout.root, { recursive: true });
  writeFileSync(`${box.layout.root}/pins`, 'in the way');
  expect(await box.client().list('tools/list', { tools: [tool('a')] })).toMatchObject({ kind: 'refused' });
});

test('names of object members do no harm', async () => {
  const box = reviewBox();
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  expect(await box.client().tools(...names.map((name) => tool(name)))).toEqual(names);
  const evil = JSON.parse(
    '{"name":"x","description":"d","inputSchema":{"type":"object","properties":{"__proto__":{"type":"string","description":"more"}}}}',
  ) as JsonObject;
  await box.client('two').tools(tool('x', 'd', { inputSchema: { type: 'object', properties: {} } }));
  expect(await box.client('two').tools(evil)).toEqual([]);
});
