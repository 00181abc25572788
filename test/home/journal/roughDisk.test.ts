/** Disks and clocks as they are: full, slow, jumping; two windows at once. */
import { expect, test } from 'vitest';
import { openJournal } from '#home/journal/journal.ts';
import { sealJournal } from '#node/audit/seals.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { fdatasyncSync, writeSync } from 'node:fs';
import { emptyLayout, entriesOf, thrownBy } from './journalBox.ts';
import { sampleEvent } from './sampleEvent.ts';

const full = (): never => {
  throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
};

test.each([0, 1, 7, 400])('a disk that is full after %i bytes: nothing acknowledged, nothing left, and on it goes', async (room) => {
  const layout = emptyLayout();
  let left = Number.POSITIVE_INFINITY;
  const journal = openJournal(layout, {
    write: (handle, bytes, from) => {
      if (left <= 0) return full();
      const wrote = writeSync(handle, bytes, from, Math.min(bytes.length - from, left));
      left -= wrote;
      return wrote;
    },
  });
  journal.append([sampleEvent()]);
  left = room;
  expect(thrownBy(() => journal.append([sampleEvent()]))).toMatchObject({ code: 'NO_SPACE' });
  expect(await verifyJournal(layout)).toEqual({ ok: true, entries: 1, unsigned: 0, problem: null });
  left = Number.POSITIVE_INFINITY;
  expect(journal.append([sampleEvent()])[0]?.seq).toBe(2);
  expect(journal.takeNotices()).toEqual([]);
  journal.close();
});

test('a sync that fails: not acknowledged, not left behind', async () => {
  const layout = emptyLayout();
  let failing = true;
  const journal = openJournal(layout, { sync: (handle) => (failing ? full() : fdatasyncSync(handle)) });
  expect(thrownBy(() => journal.append([sampleEvent()]))).toMatchObject({ code: 'NO_SPACE' });
  expect(await verifyJournal(layout)).toMatchObject({ ok: true, entries: 0 });
  failing = false;
  expect(journal.append([sampleEvent()])[0]?.seq).toBe(1);
  journal.close();
});

test('a slow disk: acknowledged only when it has answered', () => {
  const layout = emptyLayout();
  const order: string[] = [];
  const journal = openJournal(layout, {
    sync: (handle) => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
      fdatasyncSync(handle);
      order.push('on the disk');
    },
  });
  journal.append([sampleEvent()]);
  order.push('acknowledged');
  journal.close();
  expect(order).toEqual(['on the disk', 'acknowledged']);
});

test('a clock that jumps both ways, over segments and seals', async () => {
  const layout = emptyLayout();
  const times = [1e12, 5, 2e12, 0, 1e12];
  for (const time of times) {
    const journal = openJournal(layout, { segmentBytes: 1, now: () => time });
    journal.append([sampleEvent()]);
    journal.close();
  }
  await sealJournal(layout, () => -5);
  expect(
    entriesOf(layout)
      .slice(0, 5)
      .map(({ seq, time }) => [seq, time]),
  ).toEqual(times.map((time, index) => [index + 1, time]));
  expect(await verifyJournal(layout)).toMatchObject({ ok: true, unsigned: 0 });
});

test('two windows in turn: one chain, and neither trusts what it remembers', async () => {
  const layout = emptyLayout();
  const windows = [openJournal(layout), openJournal(layout)];
  const seqs = Array.from({ length: 10 }, (_, turn) => windows[turn % 2]?.append([sampleEvent()])[0]?.seq);
  for (const window of windows) window.close();
  expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(await verifyJournal(layout)).toMatchObject({ ok: true, entries: 10 });
});
