/** A writer in a process of its own: appends batches until it is killed and prints the last entry of each one it was told is safe. */
import { writeSync } from 'node:fs';
import { openJournal } from '#home/journal/journal.ts';
import { layoutFor } from '#home/layout.ts';
import { sampleEvent } from './sampleEvent.ts';

const [home = '', name = '', segmentBytes = '', limit = ''] = process.argv.slice(2);
const journal = openJournal(layoutFor(home), { segmentBytes: Number(segmentBytes), lockWaitMs: 20_000 });
const rounds = limit === '' ? Number.POSITIVE_INFINITY : Number(limit);
for (let round = 1; round <= rounds; round += 1) {
  const entries = journal.append(
    Array.from({ length: 1 + (round % 3) }, (_, index) =>
      sampleEvent({ call: `${name}-${round}-${index}`, reason: 'r'.repeat((round * 37) % 3000) }),
    ),
  );
  for (const entry of entries) writeSync(1, `${entry.seq} ${entry.hash}\n`);
}
journal.close();
