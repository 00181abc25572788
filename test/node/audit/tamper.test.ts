/**
 * Every kind of byte of every file of a journal, and every operation on its files: each change is found, and the first bad entry named.
 * The journal has a dropped segment, two packed ones, a sealed one and an open one, and a changed key.
 */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkpointFile } from '#home/journal/checkpoint.ts';
import { openJournal } from '#home/journal/journal.ts';
import { loadSigningKey, publicKeyFile, retiredKeyFile, signingKeyFile } from '#home/journal/keys.ts';
import { packedFile, sealFile, segmentFile, tombstoneFile } from '#home/journal/segments.ts';
import { layoutFor, type Layout } from '#home/layout.ts';
import { rotateKey } from '#node/audit/rotation.ts';
import { parseSeal, knownKeys, signTombstone, statementLine } from '#node/audit/statement.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';
import { sealedJournal } from './sealedJournal.ts';

let base: Layout;
let scratch = '';
let other: Layout;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'callgate-tamper-'));
  const made = await sealedJournal();
  await rotateKey(made);
  append(made, 2);
  base = layoutFor(join(scratch, 'base'));
  cpSync(made.root, base.root, { recursive: true });
  const foreign = await sealedJournal();
  other = layoutFor(join(scratch, 'other'));
  cpSync(foreign.root, other.root, { recursive: true });
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function append(layout: Layout, count: number): void {
  const journal = openJournal(layout);
  for (let index = 0; index < count; index += 1) journal.append([sampleEvent({ call: `later-${index}` })]);
  journal.close();
}

let copies = 0;
function fresh(): Layout {
  copies += 1;
  const layout = layoutFor(join(scratch, `copy-${copies}`));
  cpSync(base.root, layout.root, { recursive: true });
  return layout;
}

/** Byte positions of each kind in a line of canonical JSON: one from the beginning, the middle and the end of the line each. */
function placesByKind(line: string): ReadonlyMap<string, readonly number[]> {
  const kinds = new Map<string, number[]>();
  const add = (kind: string, at: number): void => void kinds.set(kind, [...(kinds.get(kind) ?? []), at]);
  const strings = /"(?:[^"\\]|\\.)*"(:?)/g;
  let from = 0;
  const between = (to: number): void => {
    for (let at = from; at < to; at += 1)
      add(/[\d.eE+-]/.test(line[at] ?? '') ? 'number' : /[a-z]/.test(line[at] ?? '') ? 'word' : 'structure', at);
  };
  let key = '';
  for (const match of line.matchAll(strings)) {
    between(match.index);
    const isKey = match[1] === ':';
    if (isKey) key = match[0].slice(1, -2);
    const special = ['hash', 'prev', 'key', 'sig', 'head', 'root', 'sha256', 'gz', 'verdict', 'kind'].includes(key);
    const length = match[0].length - (isKey ? 1 : 0);
    add('quote', match.index);
    add('quote', match.index + length - 1);
    for (let at = match.index + 1; at < match.index + length - 1; at += 1) add(isKey ? 'name' : special ? `value of ${key}` : 'text', at);
    from = match.index + length;
  }
  between(line.length);
  return new Map(
    [...kinds].map(([kind, all]) => [kind, [...new Set([0, Math.floor(all.length / 2), all.length - 1])].map((at) => all[at] ?? 0)]),
  );
}

interface Mutation {
  readonly name: string;
  readonly bytes: Buffer;
  readonly at: number;
}
/** Changed to a neighbour, to another case, to a control character; removed; doubled. */
function mutationsAt(bytes: Buffer, at: number): readonly Mutation[] {
  const was = bytes[at] ?? 0;
  const changed = [was ^ 1, was ^ 0x20, was === 0 ? 9 : 0].map((byte) => ({
    name: `${was} to ${byte}`,
    bytes: Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at + 1)]),
    at,
  }));
  const removed = { name: 'removed', bytes: Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]), at };
  const doubled = { name: 'doubled', bytes: Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(at)]), at };
  return [...changed, removed, doubled];
}

async function unseen(
  file: (layout: Layout) => string,
  places: readonly number[],
  seqOf: (at: number) => readonly number[],
): Promise<string[]> {
  const layout = fresh();
  const original = readFileSync(file(layout));
  const missed: string[] = [];
  for (const place of places)
    for (const { name, bytes, at } of mutationsAt(original, place)) {
      writeFileSync(file(layout), bytes);
      const { ok, problem } = await verifyJournal(layout);
      if (ok || problem === null || !seqOf(at).includes(problem.seq))
        missed.push(`byte ${at} ${name}: ${problem?.code} at ${problem?.seq}`);
    }
  writeFileSync(file(layout), original);
  expect((await verifyJournal(layout)).problem).toBeNull();
  return missed;
}

describe('every kind of byte', () => {
  test('of an entry in a sealed segment', async () => {
    const lines = readFileSync(segmentFile(base.journal, 4), 'utf8').split('\n');
    const places: number[] = [];
    const kinds = new Set<string>();
    let offset = 0;
    for (const line of lines.slice(0, -1)) {
      for (const [kind, at] of placesByKind(line)) {
        kinds.add(kind);
        places.push(...at.map((one) => offset + one));
      }
      offset += line.length + 1;
      places.push(offset - 1); // the line end
    }
    expect([...kinds].sort()).toEqual(
      [
        'name',
        'number',
        'quote',
        'structure',
        'text',
        'value of hash',
        'value of key',
        'value of kind',
        'value of prev',
        'value of verdict',
        'word',
      ].sort(),
    );
    const lineAt = (at: number): number => lines.join('\n').slice(0, at).split('\n').length - 1;
    // A line end that is gone joins two lines, or leaves the last one torn; a doubled one is an empty line behind.
    expect(
      await unseen(
        (layout) => segmentFile(layout.journal, 4),
        places,
        (at) => [10 + lineAt(at), 11 + lineAt(at)],
      ),
    ).toEqual([]);
  }, 60_000);

  test.each([
    ['seal of a packed segment', (layout: Layout) => sealFile(layout.journal, 2), 4],
    ['seal of a plain segment', (layout: Layout) => sealFile(layout.journal, 4), 10],
    ['tombstone', (layout: Layout) => tombstoneFile(layout.journal, 1), 1],
  ] as const)(
    'of a %s',
    async (_name, file, seq) => {
      const text = readFileSync(file(base), 'utf8');
      const places = [...placesByKind(text.trimEnd()).values()].flat();
      expect(await unseen(file, [...places, text.length - 1], () => [seq, seq + 3])).toEqual([]);
    },
    60_000,
  );

  test('of a packed segment: header, data, checksum, length', async () => {
    const { length } = readFileSync(packedFile(base.journal, 2));
    const places = [0, 1, 2, 3, 4, 8, 9, 10, 11, 60, Math.floor(length / 2), length - 9, length - 8, length - 5, length - 4, length - 1];
    expect(
      await unseen(
        (layout) => packedFile(layout.journal, 2),
        places,
        () => [4, 5, 6, 7],
      ),
    ).toEqual([]);
  }, 60_000);

  test('of the checkpoint', async () => {
    const text = readFileSync(checkpointFile(base), 'latin1');
    const slots = [text.slice(0, 511), text.slice(512, 1023)];
    const places = slots.flatMap((slot, index) =>
      [...placesByKind(slot.trimEnd()).values()]
        .flat()
        .concat([300, 510, 511])
        .map((at) => at + index * 512),
    );
    expect(await unseen(checkpointFile, places, () => [0])).toEqual([]);
  }, 60_000);
});

const lines = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
const write = (file: string, text: readonly string[]): void => writeFileSync(file, text.map((line) => `${line}\n`).join(''));
const swap = (a: string, b: string): void => {
  renameSync(a, `${a}.x`);
  renameSync(b, a);
  renameSync(`${a}.x`, b);
};
const inPacked = (layout: Layout, edit: (text: string) => string): void => {
  const file = packedFile(layout.journal, 2);
  writeFileSync(file, gzipSync(edit(gunzipSync(readFileSync(file)).toString('utf8'))));
};

type Row = readonly [name: string, code: string, seq: number, tamper: (layout: Layout) => void];
const operations: readonly Row[] = [
  [
    'an entry of a packed segment altered',
    'ALTERED',
    5,
    (layout) =>
      inPacked(layout, (text) =>
        text
          .split('\n')
          .map((line) => (line.includes('"call":"c-5"') ? line.replace('ls -la', 'x') : line))
          .join('\n'),
      ),
  ],
  ['an entry of a packed segment removed', 'REMOVED', 4, (layout) => inPacked(layout, (text) => text.slice(text.indexOf('\n') + 1))],
  [
    'a packed segment packed anew',
    'PACKED',
    4,
    (layout) =>
      writeFileSync(packedFile(layout.journal, 2), gzipSync(gunzipSync(readFileSync(packedFile(layout.journal, 2))), { level: 1 })),
  ],
  [
    'a packed segment cut short',
    'UNREADABLE',
    4,
    (layout) => writeFileSync(packedFile(layout.journal, 2), readFileSync(packedFile(layout.journal, 2)).subarray(0, 40)),
  ],
  [
    'bytes behind a packed segment',
    'UNREADABLE',
    7,
    (layout) =>
      writeFileSync(packedFile(layout.journal, 2), Buffer.concat([readFileSync(packedFile(layout.journal, 2)), Buffer.from('x')])),
  ],
  ['two packed segments swapped', 'REORDERED', 7, (layout) => swap(packedFile(layout.journal, 2), packedFile(layout.journal, 3))],
  [
    'two packed segments swapped with their seals',
    'REORDERED',
    7,
    (layout) => (
      swap(packedFile(layout.journal, 2), packedFile(layout.journal, 3)),
      swap(sealFile(layout.journal, 2), sealFile(layout.journal, 3))
    ),
  ],
  ['a packed segment deleted', 'MISSING_SEGMENT', 4, (layout) => unlinkSync(packedFile(layout.journal, 2))],
  [
    'a packed segment and its seal deleted',
    'MISSING_SEGMENT',
    4,
    (layout) => (unlinkSync(packedFile(layout.journal, 2)), unlinkSync(sealFile(layout.journal, 2))),
  ],
  ['the seal of a packed segment deleted', 'SEAL', 4, (layout) => unlinkSync(sealFile(layout.journal, 2))],
  ['the seal of a plain segment deleted', 'SEAL', 10, (layout) => unlinkSync(sealFile(layout.journal, 4))],
  ['two seals swapped', 'SEAL', 4, (layout) => swap(sealFile(layout.journal, 2), sealFile(layout.journal, 3))],
  ['a seal put in place of another', 'SEAL', 10, (layout) => copyFileSync(sealFile(layout.journal, 3), sealFile(layout.journal, 4))],
  ["another journal's seal", 'SEAL', 10, (layout) => copyFileSync(sealFile(other.journal, 4), sealFile(layout.journal, 4))],
  ['a seal for the open segment', 'SEAL', 13, (layout) => copyFileSync(sealFile(layout.journal, 4), sealFile(layout.journal, 5))],
  ['the tombstone deleted', 'MISSING_SEGMENT', 1, (layout) => unlinkSync(tombstoneFile(layout.journal, 1))],
  [
    "another journal's tombstone",
    'TOMBSTONE',
    1,
    (layout) => copyFileSync(tombstoneFile(other.journal, 1), tombstoneFile(layout.journal, 1)),
  ],
  [
    'the tombstone copied over a packed segment',
    'TOMBSTONE',
    4,
    (layout) => (
      unlinkSync(packedFile(layout.journal, 2)),
      copyFileSync(tombstoneFile(layout.journal, 1), tombstoneFile(layout.journal, 2))
    ),
  ],
  [
    'a seal passed off as a tombstone',
    'TOMBSTONE',
    4,
    (layout) => (unlinkSync(packedFile(layout.journal, 2)), copyFileSync(sealFile(layout.journal, 2), tombstoneFile(layout.journal, 2))),
  ],
  ['the sealed segment removed from the middle', 'MISSING_SEGMENT', 10, (layout) => unlinkSync(segmentFile(layout.journal, 4))],
  ['the open segment deleted', 'SEAL', 10, (layout) => unlinkSync(segmentFile(layout.journal, 5))],
  [
    'the open segment deleted and its seal with it',
    'CUT_OFF',
    13,
    (layout) => (unlinkSync(segmentFile(layout.journal, 5)), unlinkSync(sealFile(layout.journal, 4))),
  ],
  [
    'the last entry cut off',
    'CUT_OFF',
    23,
    (layout) => write(segmentFile(layout.journal, 5), lines(segmentFile(layout.journal, 5)).slice(0, -1)),
  ],
  [
    'the entry that changes the key removed',
    'REMOVED',
    21,
    (layout) =>
      write(
        segmentFile(layout.journal, 5),
        lines(segmentFile(layout.journal, 5)).filter((line) => !line.includes('rotate-key')),
      ),
  ],
  [
    'the whole journal replaced by another',
    'TOMBSTONE',
    1,
    (layout) => (rmSync(layout.journal, { recursive: true }), cpSync(other.journal, layout.journal, { recursive: true })),
  ],
  [
    "another journal's open segment",
    'INSERTED',
    10,
    (layout) => copyFileSync(segmentFile(other.journal, 4), segmentFile(layout.journal, 5)),
  ],
  [
    "another journal's keys",
    'WRONG_KEY',
    22,
    (layout) => [signingKeyFile, publicKeyFile].forEach((file) => copyFileSync(file(other), file(layout))),
  ],
  ["another journal's checkpoint", 'CHECKPOINT_DAMAGED', 0, (layout) => copyFileSync(checkpointFile(other), checkpointFile(layout))],
  ['a retired key deleted', 'TOMBSTONE', 1, (layout) => unlinkSync(retiredKeyFile(layout, oldKey()))],
  [
    'a folder in place of a seal',
    'SEAL',
    10,
    (layout) => (unlinkSync(sealFile(layout.journal, 4)), mkdirSync(sealFile(layout.journal, 4))),
  ],
  ['a part under a strange name', 'EXTRA_SEGMENT', 24, (layout) => writeFileSync(join(layout.journal, '6.expired'), '')],
  [
    'a lonely seal behind the end',
    'MISSING_SEGMENT',
    24,
    (layout) => copyFileSync(sealFile(layout.journal, 4), sealFile(layout.journal, 6)),
  ],
];
const oldKey = (): string => (JSON.parse(readFileSync(tombstoneFile(base.journal, 1), 'utf8')) as { key: string }).key;

describe('every operation on files', () => {
  test('untouched, it verifies', async () => {
    expect(await verifyJournal(fresh())).toEqual({ ok: true, entries: 23, unsigned: 0, problem: null });
  });

  test.each(operations)('%s: %s at entry %i', async (_name, code, seq, tamper) => {
    const layout = fresh();
    tamper(layout);
    const { ok, problem } = await verifyJournal(layout);
    expect({ ok, code: problem?.code, seq: problem?.seq, says: problem?.message }).toEqual({
      ok: false,
      code,
      seq,
      says: expect.stringMatching(/\.$/),
    });
    expect(basename(problem?.file ?? '')).not.toBe('');
  });

  test('a segment dropped by one who has the key and says so nowhere', async () => {
    const layout = fresh();
    const seal = parseSeal(readFileSync(sealFile(layout.journal, 2)), knownKeys(layout));
    if (seal.problem !== null) throw new Error(seal.problem);
    const tombstone = signTombstone(seal.statement, { expired: 1, reason: 'forged' }, loadSigningKey(layout));
    writeFileSync(tombstoneFile(layout.journal, 2), statementLine(tombstone));
    unlinkSync(packedFile(layout.journal, 2));
    expect(await verifyJournal(layout)).toMatchObject({ ok: false, problem: { code: 'TOMBSTONE', seq: 4 } });
  });

  test('journal and checkpoint put back together: only a witness outside can tell, and does', async () => {
    const layout = fresh();
    append(layout, 1);
    const { count, head } = JSON.parse(readFileSync(checkpointFile(layout), 'utf8').split('\n').sort().at(-1) ?? '') as {
      count: number;
      head: string;
    };
    rmSync(layout.root, { recursive: true });
    cpSync(base.root, layout.root, { recursive: true });
    expect((await verifyJournal(layout)).ok).toBe(true);
    expect(await verifyJournal(layout, { witness: { count, head } })).toMatchObject({
      ok: false,
      problem: { code: 'ROLLED_BACK', seq: 24 },
    });
    append(layout, 3);
    expect(await verifyJournal(layout, { witness: { count, head } })).toMatchObject({
      ok: false,
      problem: { code: 'ROLLED_BACK', seq: count },
    });
  });
});
