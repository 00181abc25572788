/**
 * A process of the durability test: says `ready`, waits for a byte, then appends, or sees to old segments, until it is killed. A writer
 * prints `seq hash` of each entry after it was told that it is safe.
 */
import { readSync, writeSync } from 'node:fs';
import { openJournal } from '#home/journal/journal.ts';
import { layoutFor } from '#home/layout.ts';
import { packJournal } from '#node/audit/packing.ts';
import { expire, planExpiry } from '#node/audit/retention.ts';
import { rotateKey } from '#node/audit/rotation.ts';
import { sealJournal } from '#node/audit/seals.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';

const [home = '', job = '', segmentBytes = ''] = process.argv.slice(2);
const layout = layoutFor(home);
const DAY = 24 * 3600 * 1000;

writeSync(1, 'ready\n');
// Nothing to read: whoever started it is gone.
if (readSync(0, Buffer.alloc(1)) === 0) process.exit(0);
if (job.startsWith('append')) {
  // As the broker does, or as everybody else.
  const settleMs = job === 'append soon' ? 5 : 0;
  const journal = openJournal(layout, { segmentBytes: Number(segmentBytes), lockWaitMs: 20_000, settleMs });
  for (let round = 0; ; round += 1) {
    if (settleMs > 0 && round % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 10 * Math.random()));
    const events = Array.from({ length: 1 + (round % 3) }, () => sampleEvent({ reason: 'r'.repeat((round * 37) % 900) }));
    for (const { seq, hash } of journal.append(events)) writeSync(1, `${seq} ${hash}\n`);
  }
}
for (;;) {
  if (job === 'rotate') await rotateKey(layout);
  await sealJournal(layout);
  await packJournal(layout);
  if (job === 'expire') {
    const now = Date.now() + 2 * DAY;
    await expire(layout, await planExpiry(layout, { maxDays: 1, maxMegabytes: null }, now, new Set()), new Set());
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
}
