/** A changed key: the journal goes on, verifies, and does so from every state that a killed process leaves. */
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AuditEntry } from '#contract/auditRecord.ts';
import { checkpointFile, nextCheckpointFile } from '#home/journal/checkpoint.ts';
import { openJournal } from '#home/journal/journal.ts';
import { loadSigningKey, publicKeyFile, retiredKeyFile, signingKeyFile } from '#home/journal/keys.ts';
import { segmentFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { rotateKey } from '#node/audit/rotation.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { emptyLayout, entriesOf } from '../../home/journal/journalBox.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';
import { segmentsOfThree } from './sealedJournal.ts';

function appendOne(layout: Layout): AuditEntry | undefined {
  const journal = openJournal(layout);
  const [entry] = journal.append([sampleEvent()]);
  journal.close();
  return entry;
}

test('entries after it are under the new key; the old public key is kept and the old private one is gone', async () => {
  const layout = segmentsOfThree(2);
  const old = loadSigningKey(layout);
  const oldText = readFileSync(signingKeyFile(layout), 'utf8');
  const { from, to, seq } = await rotateKey(layout);
  expect({ from, seq }).toEqual({ from: old.id, seq: 7 });
  expect(appendOne(layout)?.key).toBe(to);
  expect(entriesOf(layout).map(({ key }) => key)).toEqual([...Array(7).fill(from), to]);
  expect(statSync(signingKeyFile(layout)).mode & 0o777).toBe(0o600);
  expect(readFileSync(signingKeyFile(layout), 'utf8')).not.toBe(oldText);
  expect(existsSync(retiredKeyFile(layout, from))).toBe(true);
  expect(await verifyJournal(layout)).toEqual({ ok: true, entries: 8, unsigned: 0, problem: null });
});

test('a writer at work takes the new key at its next append', async () => {
  const layout = emptyLayout();
  const journal = openJournal(layout);
  const [before] = journal.append([sampleEvent()]);
  const { to } = await rotateKey(layout);
  const [after] = journal.append([sampleEvent()]);
  const [later] = journal.append([sampleEvent()]);
  journal.close();
  expect([before?.key === to, after?.key, later?.key]).toEqual([false, to, to]);
  expect(await verifyJournal(layout)).toMatchObject({ ok: true, entries: 4 });
});

test('several changes in a row, with segments between', async () => {
  const layout = segmentsOfThree(1);
  for (let round = 0; round < 3; round += 1) {
    await rotateKey(layout);
    segmentsOfThree(2, layout);
  }
  expect(await verifyJournal(layout)).toEqual({ ok: true, entries: 24, unsigned: 0, problem: null });
});

/** What stands on the disk when the process ends right after a step; `before` and `after` are whole data folders. */
const moments: readonly (readonly [name: string, files: (layout: Layout, before: Layout, after: Layout) => void, key: 'old' | 'new'])[] = [
  ['the entry was written', (layout, _before, after) => copy(segmentFile(after.journal, 1), segmentFile(layout.journal, 1)), 'old'],
  [
    'and the new key waits with its first statement',
    (layout, _before, after) => {
      copy(segmentFile(after.journal, 1), segmentFile(layout.journal, 1));
      copy(checkpointFile(after), nextCheckpointFile(checkpointFile(layout)));
      copy(signingKeyFile(after), join(layout.keys, 'journal-signing.next.pem'));
      retired(layout, after);
    },
    'old',
  ],
  [
    'the private key was changed',
    (layout, _before, after) => {
      copy(segmentFile(after.journal, 1), segmentFile(layout.journal, 1));
      copy(checkpointFile(after), nextCheckpointFile(checkpointFile(layout)));
      copy(signingKeyFile(after), signingKeyFile(layout));
      retired(layout, after);
    },
    'new',
  ],
  [
    'and the public one',
    (layout, _before, after) => {
      copy(segmentFile(after.journal, 1), segmentFile(layout.journal, 1));
      copy(checkpointFile(after), nextCheckpointFile(checkpointFile(layout)));
      copy(signingKeyFile(after), signingKeyFile(layout));
      copy(publicKeyFile(after), publicKeyFile(layout));
      retired(layout, after);
    },
    'new',
  ],
];
const copy = (from: string, to: string): void => writeFileSync(to, readFileSync(from), { mode: 0o600 });
const retired = (layout: Layout, after: Layout): void => {
  const { key } = entriesOf(layout)[0] ?? { key: '' };
  copy(retiredKeyFile(after, key), retiredKeyFile(layout, key));
};

test.each(moments)('killed when %s: it verifies, goes on under the right key, and can be changed again', async (_name, leave, key) => {
  const before = segmentsOfThree(1);
  const after = emptyLayout();
  cpSync(before.root, after.root, { recursive: true });
  const { to, from } = await rotateKey(after);
  leave(before, before, after);
  expect((await verifyJournal(before)).problem).toBeNull();
  expect(appendOne(before)?.key).toBe(key === 'new' ? to : from);
  expect(await verifyJournal(before)).toEqual({ ok: true, entries: 5, unsigned: 0, problem: null });
  await rotateKey(before);
  expect(appendOne(before)?.key).not.toBe(key === 'new' ? to : from);
  expect(await verifyJournal(before)).toEqual({ ok: true, entries: 7, unsigned: 0, problem: null });
});

test('a key put there by somebody else is no change of keys', async () => {
  const layout = segmentsOfThree(2);
  const other = segmentsOfThree(1);
  for (const file of [signingKeyFile, publicKeyFile]) copy(file(other), file(layout));
  rmSync(nextCheckpointFile(checkpointFile(layout)), { force: true });
  expect(() => appendOne(layout)).toThrow('cannot be trusted');
  expect(await verifyJournal(layout)).toMatchObject({ ok: false, problem: { code: 'WRONG_KEY', seq: 1 } });
});
