/** `callgate tools`: looking at what servers say, and deciding about it without an editor. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { AuditEntry } from '#contract/auditRecord.ts';
import { tools } from '#node/cli/tools.ts';
import { approveTools } from '#node/cli/toolsApprove.ts';
import { reviewBox, tool, type ReviewBox } from '../proxy/definitions/reviewBox.ts';

async function run(box: ReviewBox, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const host = {
    layout: box.layout,
    version: '1',
    bundleFolder: dirname(box.rulesFile),
    cwd: box.work,
    env: {},
    platform: process.platform,
    stdin: new PassThrough(),
    stdout,
    stderr,
  };
  const code = await tools(args, host);
  const text = (stream: PassThrough): string => ((stream.read() as Buffer | null) ?? '').toString();
  return { code, out: text(stdout), err: text(stderr) };
}

async function withHeld(): Promise<ReviewBox> {
  const box = reviewBox();
  await box.client().tools(tool('read', 'Reads.'), tool('write'));
  await box
    .client()
    .tools(tool('read', 'Reads \u202Eall.'), tool('write'), tool('bad', 'please-hold'), tool('worse', 'please-block'), tool('more'));
  return box;
}

const entries = (box: ReviewBox): readonly AuditEntry[] =>
  readFileSync(join(box.layout.journal, '000001.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEntry);

test('says that nothing was seen, and how it is used', async () => {
  const box = reviewBox();
  expect(await run(box)).toMatchObject({ code: 0, out: 'No MCP server has been seen yet.\n' });
  for (const args of [['show'], ['approve', 'x'], ['deny', 'x'], ['forget'], ['list', 'a', 'b'], ['frob']])
    expect(await run(box, ...args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining('usage') as string });
  for (const args of [
    ['show', 'x'],
    ['approve', 'x', 'y'],
    ['deny', 'x', 'y'],
    ['forget', 'x'],
    ['list', 'x'],
  ])
    expect(await run(box, ...args)).toMatchObject({ code: 1, out: '', err: expect.stringContaining('has been seen') as string });
});

test('lists and shows what waits, with nothing hidden', async () => {
  const box = await withHeld();
  expect((await run(box, 'list')).out).toMatch(/^[0-9a-f]{8} {2}files: 1 approved, 3 waiting, 1 blocked {2}\(npx -y files-server\)\n$/);
  expect(
    (await run(box, 'list', 'files')).out
      .split('\n')
      .map((line) => line.replace(/ +/, ' '))
      .sort(),
  ).toEqual(['', 'bad waits (poisoned)', 'more waits (added)', 'read waits (poisoned)', 'worse blocked', 'write approved at first sight']);
  const shown = await run(box, 'show', 'files');
  expect(shown.code).toBe(1);
  expect(shown.out).toContain('  - description: Reads.\n  + description: Reads \\u{202E}all.');
  expect(shown.out).toContain('test.hold');
  expect(await run(box, 'show', 'files', 'write')).toMatchObject({
    code: 0,
    out: expect.stringContaining('+ inputSchema.properties.path.type: string') as string,
  });
});

test('approving pins, denying hides whatever comes, both are recorded; what is blocked stays', async () => {
  const box = await withHeld();
  expect(await run(box, 'approve', 'files', 'worse')).toMatchObject({
    code: 1,
    err: expect.stringContaining('nobody can approve') as string,
  });
  expect(await run(box, 'approve', 'files', 'read', 'nothing')).toMatchObject({ code: 1 });
  expect(await run(box, 'approve', 'files', 'read', 'bad')).toMatchObject({ code: 0, out: 'Approved: read, bad\n' });
  expect(await run(box, 'deny', 'files', 'write')).toMatchObject({ code: 0 });
  expect(await run(box, 'approve', 'files', 'read')).toMatchObject({ code: 1, err: expect.stringContaining('already') as string });
  const client = box.client();
  expect(
    await client.tools(tool('read', 'Reads \u202Eall.'), tool('write', 'New.'), tool('bad', 'please-hold'), tool('worse', 'please-block')),
  ).toEqual(['read', 'bad']);
  expect(client.refusal('write')).toMatch(/denied/);
  expect(await run(box, 'approve', 'files', 'write')).toMatchObject({ code: 0 });
  expect(await client.tools(tool('write'))).toEqual(['write']);
  expect(await run(box, 'approve', 'files', '--all')).toMatchObject({ code: 0, out: 'Approved: more\n' });
  expect(await run(box, 'approve', 'files', '--all')).toMatchObject({ code: 0, out: 'Nothing waits.\n' });
  expect(entries(box).map(({ kind, outcome, by, server, tool: name }) => [kind, outcome, by, server, name])).toEqual([
    ['hold', 'delivered', 'person', 'files', '2 definitions'],
    ['hold', 'refused', 'person', 'files', 'write'],
    ['hold', 'delivered', 'person', 'files', 'write'],
    ['hold', 'delivered', 'person', 'files', 'more'],
  ]);
});

test('what was rejected can still be approved; a running client is told at once', async () => {
  const box = await withHeld();
  const client = box.client();
  expect(await client.tools(tool('more'))).toEqual([]);
  for (const hold of box.holds()) box.reject(hold.id);
  expect(await run(box, 'approve', 'files', 'more')).toMatchObject({ code: 0 });
  await expect.poll(() => client.told).toEqual(['notifications/tools/list_changed']);
  expect(client.refusal('more')).toBeNull();
  expect(await client.tools(tool('more'))).toEqual(['more']);
  await run(box, 'deny', 'files', 'more');
  expect(client.refusal('more')).toMatch(/denied/);
  await expect.poll(() => client.told.length).toBe(2);
  // Also for a client that never asked for the list; and one that was told is not told again.
  expect(box.client().refusal('more')).toMatch(/denied/);
  const other = box.client();
  expect(await other.tools(tool('write'))).toEqual(['write']);
  await run(box, 'deny', 'files', 'write');
  await expect.poll(() => other.told.length).toBe(1);
  expect(client.told.length).toBe(2);
});

test('what the server changed since it was looked at is not approved', async () => {
  const box = await withHeld();
  const stale = box.pins.list();
  await box.client().tools(tool('read', 'Reads and mails.'));
  const stderr = new PassThrough();
  const host = {
    layout: box.layout,
    version: '1',
    bundleFolder: dirname(box.rulesFile),
    cwd: box.work,
    env: {},
    platform: process.platform,
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr,
  };
  expect(approveTools(['files', 'read'], host, { ...box.pins, list: () => stale })).toBe(1);
  expect(String(stderr.read())).toMatch(/changed it meanwhile/);
  expect(await box.client().tools(tool('read', 'Reads and mails.'))).toEqual([]);
});

test('forgetting makes the next sight the first, and is recorded', async () => {
  const box = await withHeld();
  expect(await run(box, 'forget', 'files')).toMatchObject({ code: 0 });
  expect(await box.client().tools(tool('read', 'Quite another.'))).toEqual(['read']);
  expect(entries(box).map(({ kind, by, server }) => [kind, by, server])).toEqual([['config', 'person', 'files']]);
});

test('two servers of one name are told apart by their ids', async () => {
  const box = reviewBox();
  await box.client('files').tools(tool('a'));
  await box.client('files', { source: { url: 'https://x.test/mcp' }, cwd: '/elsewhere' }).tools(tool('b'));
  const several = await run(box, 'list', 'files');
  expect(several).toMatchObject({ code: 1, err: expect.stringMatching(/are several[^]*https:\/\/x\.test\/mcp/) as string });
  const id = /([0-9a-f]{8}) {2}https/.exec(several.err)?.[1] ?? '';
  expect((await run(box, 'list', id)).out).toMatch(/^b +approved/);
});
