/** What is packed, what is dropped, what never is, and that the rest verifies after every step of it. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { canonicalJson } from '#core/model/json.ts';
import { openGrants } from '#home/grants.ts';
import { openJournal } from '#home/journal/journal.ts';
import { listSegments, packedFile, sealFile, segmentFile, tombstoneFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { keepJournal } from '#node/audit/keepJournal.ts';
import { packJournal } from '#node/audit/packing.ts';
import { expire, planExpiry, unsettledCalls } from '#node/audit/retention.ts';
import { sealJournal } from '#node/audit/seals.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { checkWitness } from '#node/audit/witness.ts';
import { emptyLayout } from '../../home/journal/journalBox.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';
import { dropBefore, sealedJournal, segmentsOfThree, START } from './sealedJournal.ts';

/** Far enough for everything to be older than a day, near enough for the clock to be believed. */
const FAR = START + 6 * 24 * 3600 * 1000;
const EVERYTHING = { maxDays: 1, maxMegabytes: null };
const parts = (layout: Layout): string => {
  const { numbers, has } = listSegments(layout.journal);
  return numbers
    .map((number) => `${number}:${(['jsonl', 'jsonl.gz', 'seal', 'expired'] as const).filter((part) => has(number, part)).join('+')}`)
    .join(' ');
};

test('packed, dropped, sealed and open: it verifies and goes on', async () => {
  const layout = await sealedJournal();
  expect(parts(layout)).toBe('1:expired 2:jsonl.gz+seal 3:jsonl.gz+seal 4:jsonl+seal 5:jsonl');
  expect(await verifyJournal(layout)).toEqual({ ok: true, entries: 20, unsigned: 0, problem: null });
  const journal = openJournal(layout);
  expect(journal.append([sampleEvent()])[0]?.seq).toBe(21);
  journal.close();
  expect(await verifyJournal(layout)).toMatchObject({ ok: true, entries: 21 });
});

test('packing keeps every byte', async () => {
  const layout = segmentsOfThree(4);
  const before = readFileSync(segmentFile(layout.journal, 1));
  await sealJournal(layout, () => START);
  expect(await packJournal(layout)).toEqual([1, 2]);
  expect(gunzipSync(readFileSync(packedFile(layout.journal, 1)))).toEqual(before);
  expect(statSync(packedFile(layout.journal, 1)).mode & 0o777).toBe(0o600);
});

test('segments that are closed while others are sealed wait for the next run', async () => {
  const layout = segmentsOfThree(4);
  let [appended, times] = [false, 0];
  const packed = await packJournal(layout, () => {
    times += 1;
    // Asked for an entry of its own too, when nobody else may append.
    if (appended || existsSync(join(layout.journal, 'lock'))) return START;
    appended = true;
    segmentsOfThree(4, layout);
    return START;
  });
  expect([packed, times > 0]).toEqual([[1, 2, 3], true]);
  expect(await packJournal(layout)).toEqual([4, 5]);
  expect(await verifyJournal(layout)).toMatchObject({ ok: true });
});

test('a segment that is not the one that was sealed is not packed', async () => {
  const layout = segmentsOfThree(4);
  await sealJournal(layout, () => START);
  writeFileSync(segmentFile(layout.journal, 1), readFileSync(segmentFile(layout.journal, 1), 'utf8').replace('ls -la', 'ls -lb'));
  expect(await packJournal(layout)).toEqual([2]);
  expect(await verifyJournal(layout)).toMatchObject({ problem: { code: 'ALTERED', seq: 1 } });
});

test('without limits nothing is dropped, and the newest two never', async () => {
  const layout = segmentsOfThree(4);
  expect(await keepJournal(layout, {}, [], () => FAR)).toBe('Segments 1, 2, 3 sealed. Segments 1, 2 packed.');
  expect(await keepJournal(layout, {}, [], () => FAR)).toBe('');
  expect(await keepJournal(layout, { journalMaxDays: 1 }, [], () => FAR)).toBe('Segments 1, 2 dropped.');
  expect(parts(layout)).toBe('1:expired 2:expired 3:jsonl+seal 4:jsonl');
  expect(await verifyJournal(layout)).toMatchObject({ ok: true });
});

test('by size: the oldest go until the rest fits', async () => {
  const layout = segmentsOfThree(6);
  await sealJournal(layout, () => START);
  const { numbers } = listSegments(layout.journal);
  const sizes = numbers.map((number) =>
    [segmentFile, sealFile].reduce((sum, file) => sum + (statSync(file(layout.journal, number), { throwIfNoEntry: false })?.size ?? 0), 0),
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const limit = (total - (sizes[0] ?? 0) - 1) / 1024 / 1024;
  const plan = await planExpiry(layout, { maxDays: null, maxMegabytes: limit }, FAR, new Set());
  expect(plan.expiries.map(({ segment }) => segment)).toEqual([1, 2]);
  expect(plan.expiries[0]).toMatchObject({ first: 1, last: 3, bytes: sizes[0] });
});

test('clocks that jump: the youngest entry of a segment counts, wherever it stands', async () => {
  const layout = emptyLayout();
  for (const times of [[FAR, START], [START], [START], [START]]) {
    const journal = openJournal(layout, { segmentBytes: 1, now: () => times[0] ?? 0 });
    journal.append([sampleEvent()]);
    journal.close();
  }
  await sealJournal(layout, () => START);
  expect(await planExpiry(layout, EVERYTHING, FAR, new Set())).toEqual({ expiries: [], kept: '' });
});

/** Days after the start at which entries come, one a segment; days until now; segments that go when 30 days are kept. */
const clocks: readonly (readonly [name: string, days: readonly number[], now: number, dropped: readonly number[]])[] = [
  ['entries all along', [0, 5, 10, 15, 20, 25, 30, 35, 40], 41, [1, 2, 3]],
  ['a clock that is years ahead, without an entry yet', [0, 5, 10, 15, 20, 25, 30, 35, 40], 4000, [1, 2]],
  ['and with the first entries under it', [0, 5, 10, 15, 20, 25, 30, 35, 40, 4000, 4000.5], 4000.6, [1, 2]],
  ['and when it was put right again', [0, 5, 10, 15, 20, 25, 30, 35, 40, 4000, 41], 41, [1, 2, 3]],
  ['a machine that was off for months, and was used for two days', [0, 5, 200, 201, 202], 202, [1, 2]],
  ['one entry from the future', [0, 5, 10, 15, 20, 25, 30, 35, 40, 4000, 40.1], 41, [1, 2, 3]],
];
test.each(clocks)('what is too old by the clock: %s', async (_name, days, now, dropped) => {
  const layout = emptyLayout();
  const at = (day: number): number => START + day * 24 * 3600 * 1000;
  for (const day of days) {
    const journal = openJournal(layout, { segmentBytes: 1, now: () => at(day) });
    journal.append([sampleEvent()]);
    journal.close();
  }
  await sealJournal(layout, () => at(days.at(-1) ?? 0));
  const plan = await planExpiry(layout, { maxDays: 30, maxMegabytes: null }, at(now), new Set());
  expect(plan.expiries.map(({ segment }) => segment)).toEqual(dropped);
  expect(plan.kept).toMatch(now > 1000 ? /^The clock says 20\d\d-/ : /^$/);
});

const needed: readonly (readonly [string, (layout: Layout) => { readonly held: readonly string[]; readonly call: string }, RegExp])[] = [
  ['a call that is held', () => ({ held: ['c-5'], call: 'c-5' }), /Segment 2 holds entry 5, a call that still waits/],
  [
    'an approval that stands for always',
    (layout) => {
      const grant = openGrants(
        layout,
        () => START,
        () => undefined,
      ).add({
        key: 'ab'.repeat(32),
        scope: 'always',
        tool: 'Bash',
        server: null,
        cwd: '/x',
        session: 's',
        summary: '',
      });
      return { held: [], call: grant.id };
    },
    /Segment 2 holds entry 4, an approval that still stands/,
  ],
];
test.each(needed)('%s keeps its segment and all later ones', async (_name, prepare, said) => {
  const layout = emptyLayout();
  const { held, call } = prepare(layout);
  for (const segment of [1, 2, 3, 4, 5]) {
    const journal = openJournal(layout, { segmentBytes: 1, now: () => START });
    const events = [1, 2, 3].map((index) => sampleEvent({ call: `c-${(segment - 1) * 3 + index}` }));
    if (segment === 2 && held.length === 0) events[0] = sampleEvent({ kind: 'grant', args: { grant: call } });
    journal.append(events);
    journal.close();
  }
  await sealJournal(layout, () => START);
  const unsettled = new Set(held);
  const plan = await planExpiry(layout, EVERYTHING, FAR, unsettled);
  expect(plan.expiries.map(({ segment }) => segment)).toEqual([1]);
  expect(plan.kept).toMatch(said);
  // A plan made before the call was held drops nothing that is needed now.
  const blind = await planExpiry(layout, EVERYTHING, FAR, new Set());
  expect((await expire(layout, blind, unsettled)).map(({ segment }) => segment)).toEqual(held.length > 0 ? [1] : [1]);
  expect(await verifyJournal(layout)).toMatchObject({ ok: true });
});

test('a segment that is not the one that was sealed is not dropped', async () => {
  const layout = segmentsOfThree(5);
  await sealJournal(layout, () => START);
  const before = await planExpiry(layout, EVERYTHING, FAR, new Set());
  writeFileSync(segmentFile(layout.journal, 1), readFileSync(segmentFile(layout.journal, 1), 'utf8').replace('ls -la', 'ls -lb'));
  expect(await planExpiry(layout, EVERYTHING, FAR, new Set())).toMatchObject({
    expiries: [],
    kept: expect.stringMatching(/^Segment 1 holds other entries/),
  });
  expect(await expire(layout, before, new Set())).toEqual([]);
  expect(await verifyJournal(layout)).toMatchObject({ problem: { code: 'ALTERED', seq: 1 } });
});

const notOurs: readonly (readonly [string, (layout: Layout) => Promise<string>])[] = [
  ['any file', () => Promise.resolve('dropped\n')],
  ['a tombstone under another key', async () => readFileSync(tombstoneFile((await sealedJournal()).journal, 1), 'utf8')],
];
test.each(notOurs)('%s in the place of a tombstone makes no segment go that the limits keep', async (_name, text) => {
  const layout = segmentsOfThree(5);
  await sealJournal(layout, () => START);
  writeFileSync(tombstoneFile(layout.journal, 1), await text(layout));
  expect(await planExpiry(layout, { maxDays: 1, maxMegabytes: null }, START, new Set())).toEqual({ expiries: [], kept: '' });
});

test('when it cannot be told what still waits, nothing is dropped', async () => {
  const layout = segmentsOfThree(5);
  mkdirSync(join(layout.root, 'pending'), { mode: 0o700 });
  writeFileSync(join(layout.root, 'pending', `${START}.00000000-0000-4000-8000-000000000000.json`), '{', { mode: 0o600 });
  expect(() => unsettledCalls(layout, START)).toThrow('nothing was dropped');
  await expect(keepJournal(layout, { journalMaxDays: 1 }, [], () => START + 1000)).rejects.toThrow('nothing was dropped');
  expect(parts(layout)).toBe('1:jsonl.gz+seal 2:jsonl.gz+seal 3:jsonl.gz+seal 4:jsonl+seal 5:jsonl');
});

test('a plan for another journal drops nothing', async () => {
  const plan = await planExpiry(await sealedJournal(), EVERYTHING, FAR, new Set());
  const layout = segmentsOfThree(5);
  await sealJournal(layout, () => START);
  expect(await expire(layout, plan, new Set())).toEqual([]);
});

/** Every step of packing and dropping, as a process that is killed after it leaves the folder. */
const interruptions: readonly (readonly [string, (layout: Layout, packed: Layout, dropped: Layout) => void])[] = [
  ['a half-written file', (layout) => writeFileSync(`${packedFile(layout.journal, 1)}.123.${'ab'.repeat(6)}.tmp`, 'half')],
  ['the packed file stands beside the plain one', (layout, packed) => copy(packedFile(packed.journal, 1), packedFile(layout.journal, 1))],
  [
    'and the seal names it',
    (layout, packed) => {
      copy(packedFile(packed.journal, 1), packedFile(layout.journal, 1));
      copy(sealFile(packed.journal, 1), sealFile(layout.journal, 1));
    },
  ],
  [
    'the tombstone stands beside the segment',
    (layout, _packed, dropped) => copy(tombstoneFile(dropped.journal, 1), tombstoneFile(layout.journal, 1)),
  ],
];
const copy = (from: string, to: string): void => cpSync(from, to);

test.each(interruptions)('killed when there is %s: it verifies, and the next run finishes', async (_name, leave) => {
  const layout = segmentsOfThree(5);
  await sealJournal(layout, () => START);
  const [packed, dropped] = [emptyLayout(), emptyLayout()];
  for (const copyOf of [packed, dropped]) cpSync(layout.root, copyOf.root, { recursive: true });
  await packJournal(packed, () => START);
  await dropBefore(dropped, 2);
  leave(layout, packed, dropped);
  expect((await verifyJournal(layout)).problem).toBeNull();
  await keepJournal(layout, { journalMaxDays: 1 }, [], () => FAR);
  expect(parts(layout)).toBe('1:expired 2:expired 3:expired 4:jsonl+seal 5:jsonl');
  expect((await verifyJournal(layout)).problem).toBeNull();
});

test('killed between the entry and the segment: dropped by the next run', async () => {
  const layout = segmentsOfThree(5);
  await sealJournal(layout, () => START);
  const segment = readFileSync(segmentFile(layout.journal, 1));
  const seal = readFileSync(sealFile(layout.journal, 1));
  await dropBefore(layout, 2);
  writeFileSync(segmentFile(layout.journal, 1), segment, { mode: 0o600 });
  writeFileSync(sealFile(layout.journal, 1), seal, { mode: 0o600 });
  expect((await verifyJournal(layout)).problem).toBeNull();
  // Even without limits any more: it was said to be dropped.
  const plan = await planExpiry(layout, { maxDays: null, maxMegabytes: null }, FAR, new Set());
  expect((await expire(layout, plan, new Set())).map(({ reason }) => reason)).toEqual(['dropping it had begun']);
  expect(existsSync(segmentFile(layout.journal, 1))).toBe(false);
  expect((await verifyJournal(layout)).problem).toBeNull();
});

test('a witness of before sees a journal that only lost what was dropped as the same, and one put back as another', async () => {
  const layout = segmentsOfThree(5);
  const seen = [];
  const old = emptyLayout();
  cpSync(layout.root, old.root, { recursive: true });
  for (let round = 0; round < 3; round += 1) {
    segmentsOfThree(1, layout);
    seen.push((await checkWitness(layout, null)).newest);
  }
  await keepJournal(layout, { journalMaxDays: 1 }, [], () => FAR);
  seen.push((await checkWitness(layout, null)).newest);
  for (const statement of seen) expect((await checkWitness(layout, statement)).problem).toBeNull();
  rmSync(layout.root, { recursive: true });
  cpSync(old.root, layout.root, { recursive: true });
  const newest = seen.at(-1);
  expect((await verifyJournal(layout)).ok).toBe(true);
  expect((await checkWitness(layout, newest ?? null)).problem).toContain('put back to an earlier state');
  expect(await verifyJournal(layout, newest ? { witness: newest } : {})).toMatchObject({
    ok: false,
    problem: { code: 'ROLLED_BACK', seq: 16 },
  });
  for (let round = 0; round < 12; round += 1) segmentsOfThree(1, layout);
  expect((await checkWitness(layout, newest ?? null)).problem).toContain('was replaced');
  expect(await verifyJournal(layout, newest ? { witness: newest } : {})).toMatchObject({
    ok: false,
    problem: { code: 'ROLLED_BACK', seq: newest?.count },
  });
  rmSync(layout.root, { recursive: true });
  expect((await checkWitness(layout, newest ?? null)).problem).toContain('is gone');
});

test('statements are canonical JSON', async () => {
  const layout = await sealedJournal();
  for (const file of [sealFile(layout.journal, 2), tombstoneFile(layout.journal, 1)]) {
    const text = readFileSync(file, 'utf8');
    expect(text).toBe(`${canonicalJson(JSON.parse(text) as never)}\n`);
  }
  unlinkSync(sealFile(layout.journal, 4));
  expect(await verifyJournal(layout)).toMatchObject({ ok: false, problem: { code: 'SEAL' } });
});
