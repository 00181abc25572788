/** Appends that are flushed and signed a moment later, several at once, as the broker's are. */
import { fdatasyncSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openJournal, type JournalOptions } from '#home/journal/journal.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { emptyLayout, entriesOf, thrownBy } from './journalBox.ts';
import { sampleEvent } from './sampleEvent.ts';

const HOUR = 3_600_000;
const append = (journal: ReturnType<typeof openJournal>, count: number): void => {
  for (let at = 0; at < count; at += 1) journal.append([sampleEvent()]);
};

/** Each way to make it settle, after ten entries that are not settled yet. */
const ways: readonly (readonly [string, (journal: ReturnType<typeof openJournal>, layout: ReturnType<typeof emptyLayout>) => void])[] = [
  ['closing', (journal) => journal.close()],
  ['looking', (journal) => journal.check()],
  ['another journal of this process', (_journal, layout) => openJournal(layout).check()],
  ['an append with work under the lock', (journal) => journal.appendAndThen(sampleEvent(), () => undefined)],
];
test.each(ways)('in the file at once; flushed and signed by %s', async (_what, settle) => {
  const layout = emptyLayout();
  const journal = openJournal(layout, { settleMs: HOUR });
  append(journal, 11);
  // The first entry begins the segment, which is done the slow way.
  expect(await verifyJournal(layout)).toEqual({ ok: true, entries: 11, unsigned: 10, problem: null });
  settle(journal, layout);
  expect(await verifyJournal(layout)).toMatchObject({ ok: true, unsigned: 0, problem: null });
  journal.close();
});

test('by time, without anybody asking; and on it goes', async () => {
  const layout = emptyLayout();
  const journal = openJournal(layout, { settleMs: 1 });
  for (let round = 1; round <= 3; round += 1) {
    append(journal, 5);
    await vi.waitFor(async () => expect(await verifyJournal(layout)).toEqual({ ok: true, entries: 5 * round, unsigned: 0, problem: null }));
  }
  // Whoever opens it now finds nothing to tell.
  const next = openJournal(layout);
  next.append([sampleEvent()]);
  expect(next.takeNotices()).toEqual([]);
  for (const one of [journal, next]) one.close();
});

test('across the end of a segment', async () => {
  const layout = emptyLayout();
  const journal = openJournal(layout, { settleMs: HOUR, segmentBytes: 4000 });
  append(journal, 40);
  journal.close();
  expect(await verifyJournal(layout)).toEqual({ ok: true, entries: 40, unsigned: 0, problem: null });
  expect(entriesOf(layout).map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
});

/** A disk that fails when the flush comes: what had been acknowledged is in the file, and that it is not safe is said. */
test('a flush that fails is told, and the next append works again', async () => {
  const layout = emptyLayout();
  let failing = false;
  const told: string[] = [];
  const options: JournalOptions = {
    settleMs: HOUR,
    sync: (handle) => {
      if (failing) throw Object.assign(new Error('input/output error'), { code: 'EIO' });
      fdatasyncSync(handle);
    },
    onUnsettled: (error) => told.push(error.message),
  };
  const journal = openJournal(layout, options);
  append(journal, 3);
  failing = true;
  journal.check();
  expect(told).toHaveLength(1);
  expect(told[0]).toContain('input/output error');
  failing = false;
  append(journal, 1);
  journal.close();
  expect(await verifyJournal(layout)).toEqual({ ok: true, entries: 4, unsigned: 0, problem: null });
});

test('a disk that takes bytes and never flushes them refuses, whoever opens the journal; nothing is acknowledged on its word', async () => {
  const layout = emptyLayout();
  let failing = false;
  const options: JournalOptions = {
    settleMs: HOUR,
    sync: (handle) => {
      if (failing) throw Object.assign(new Error('input/output error'), { code: 'EIO' });
      fdatasyncSync(handle);
    },
  };
  const journal = openJournal(layout, options);
  append(journal, 2);
  failing = true;
  journal.check();
  for (const one of [journal, journal, openJournal(layout, options)])
    expect(thrownBy(() => one.append([sampleEvent()]))).toMatchObject({ message: expect.stringContaining('input/output error') });
  failing = false;
  append(journal, 1);
  journal.close();
  expect(await verifyJournal(layout)).toEqual({ ok: true, entries: 3, unsigned: 0, problem: null });
});

test('a lock that was taken away meanwhile: nothing is signed over what its new owner signed', async () => {
  const layout = emptyLayout();
  const told: string[] = [];
  const journal = openJournal(layout, { settleMs: HOUR, onUnsettled: (error) => told.push(error.message) });
  append(journal, 2);
  rmSync(join(layout.journal, 'lock'));
  journal.close();
  expect(told).toEqual([expect.stringContaining('another one took its lock')]);
  const next = openJournal(layout);
  next.append([sampleEvent()]);
  next.close();
  expect(await verifyJournal(layout)).toEqual({ ok: true, entries: 3, unsigned: 0, problem: null });
});

test('a disk that is full in the middle of a line: not acknowledged, not left behind, what came before stays', async () => {
  const layout = emptyLayout();
  let full = false;
  const journal = openJournal(layout, {
    settleMs: HOUR,
    write: (handle, bytes) => {
      if (full) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      return writeSync(handle, bytes);
    },
  });
  append(journal, 3);
  full = true;
  expect(thrownBy(() => journal.append([sampleEvent()]))).toMatchObject({ code: 'NO_SPACE' });
  expect(await verifyJournal(layout)).toEqual({ ok: true, entries: 3, unsigned: 0, problem: null });
  full = false;
  append(journal, 1);
  journal.close();
  expect(await verifyJournal(layout)).toEqual({ ok: true, entries: 4, unsigned: 0, problem: null });
});
