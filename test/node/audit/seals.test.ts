/** Seals are made for what the checkpoint vouches for, and for nothing else; single entries are shown by them. */
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkpointFile } from '#home/journal/checkpoint.ts';
import { openJournal } from '#home/journal/journal.ts';
import { listSegments, sealFile, segmentFile } from '#home/journal/segments.ts';
import { leafOf, merkleTree, rootFrom, siblingsOf } from '#node/audit/merkle.ts';
import { sealJournal } from '#node/audit/seals.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';
import { segmentsOfThree, START } from './sealedJournal.ts';

/** The definition in RFC 9162, section 2.1.1, word for word. */
function rootByDefinition(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return createHash('sha256').digest();
  if (leaves.length === 1) return only;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const sides = [rootByDefinition(leaves.slice(0, split)), rootByDefinition(leaves.slice(split))];
  return createHash('sha256')
    .update(Buffer.concat([Buffer.from([1]), ...sides]))
    .digest();
}
const hashes = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => createHash('sha256').update(String(index)).digest('hex'));

test('the tree is the one of RFC 9162, and every leaf has a way up that no other place or entry has', () => {
  for (let count = 1; count <= 33; count += 1) {
    const entries = hashes(count);
    const leaves = entries.map(leafOf);
    const tree = merkleTree();
    for (const entry of entries) tree.add(entry);
    const root = rootByDefinition(leaves).toString('hex');
    expect(tree.root()).toBe(root);
    for (const [index, entry] of entries.entries()) {
      const path = siblingsOf(leaves, index);
      expect(rootFrom(entry, index, count, path)).toBe(root);
      const others = [
        rootFrom(entry, index + 1, count, path),
        rootFrom(entries[(index + 1) % count] ?? '', index, count, path),
        rootFrom(entry, index, count, [...path, root]),
        rootFrom(entry, index, count, path.slice(1)),
      ];
      expect(others.filter((other) => other === root)).toHaveLength(count === 1 ? 2 : 0);
    }
  }
});

test('no garbage is a way up', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.integer(), fc.integer(), (path, index, count) => {
      expect(rootFrom('00'.repeat(32), index, count, path) === null || path.length < 64).toBe(true);
    }),
  );
});

test('closed segments are sealed once, the open one never, and the journal says so', async () => {
  const layout = segmentsOfThree(3);
  expect(await sealJournal(layout, () => START)).toEqual({ sealed: [1, 2] });
  const before = readFileSync(sealFile(layout.journal, 1));
  expect(await sealJournal(layout, () => START + 1)).toEqual({ sealed: [] });
  expect(readFileSync(sealFile(layout.journal, 1))).toEqual(before);
  expect(listSegments(layout.journal).has(3, 'seal')).toBe(false);
  expect(JSON.parse(before.toString())).toMatchObject({ v: 1, segment: 1, first: 1, count: 3, prev: '0'.repeat(64), gz: '', time: START });
  expect(await verifyJournal(layout)).toEqual({ ok: true, entries: 11, unsigned: 0, problem: null });
});

const refusals: readonly (readonly [string, (layout: ReturnType<typeof segmentsOfThree>) => void])[] = [
  [
    'an altered entry',
    (layout) => {
      const file = segmentFile(layout.journal, 2);
      writeFileSync(file, readFileSync(file, 'utf8').replace('ls -la', 'rm -rf'));
    },
  ],
  ['a checkpoint that is gone', (layout) => unlinkSync(checkpointFile(layout))],
  ['a missing segment', (layout) => unlinkSync(segmentFile(layout.journal, 2))],
  ['a cut-off end', (layout) => writeFileSync(segmentFile(layout.journal, 3), '')],
];
test.each(refusals)('nothing is sealed over %s', async (_name, tamper) => {
  const layout = segmentsOfThree(3);
  tamper(layout);
  await expect(sealJournal(layout)).rejects.toThrow(/verify|START|anew|sealed/);
  expect(listSegments(layout.journal).has(1, 'seal')).toBe(false);
});

test('entries that a killed writer has not signed are not sealed before somebody has', async () => {
  const layout = segmentsOfThree(2);
  const behind = readFileSync(checkpointFile(layout));
  segmentsOfThree(1, layout); // entries 7 to 9, in segment 2
  const journal = openJournal(layout, { segmentBytes: 1 });
  writeFileSync(checkpointFile(layout), behind);
  // Segment 3 is begun by a writer that ends before it writes: segment 2 is closed, and its end unsigned.
  writeFileSync(segmentFile(layout.journal, 3), '', { mode: 0o600 });
  expect(await sealJournal(layout)).toEqual({ sealed: [1] });
  journal.append([sampleEvent()]);
  journal.close();
  expect(await sealJournal(layout)).toEqual({ sealed: [2, 3] });
  expect(await verifyJournal(layout)).toMatchObject({ ok: true, unsigned: 0 });
});
