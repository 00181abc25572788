/** A journal of five segments: one dropped, one packed, two sealed, the last one open; and ways to change it. */
import { openJournal } from '#home/journal/journal.ts';
import type { Layout } from '#home/layout.ts';
import { packJournal } from '#node/audit/packing.ts';
import { expire, planExpiry } from '#node/audit/retention.ts';
import { sealJournal } from '#node/audit/seals.ts';
import { emptyLayout } from '../../home/journal/journalBox.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';

export const START = 1_700_000_000_000;
const DAY = 24 * 3600 * 1000;

/** `segments` of three entries each, a day apart: `c-1` to `c-3` in the first, and so on. */
export function segmentsOfThree(segments: number, layout: Layout = emptyLayout()): Layout {
  for (let segment = 0; segment < segments; segment += 1) {
    const journal = openJournal(layout, { segmentBytes: segment === 0 ? 1e9 : 1, now: () => START + segment * DAY });
    journal.append([1, 2, 3].map((index) => sampleEvent({ call: `c-${segment * 3 + index}` })));
    journal.close();
  }
  return layout;
}

/** What `expire` drops when everything older than the beginning of segment `before` may go. */
export async function dropBefore(layout: Layout, before: number): Promise<readonly number[]> {
  const now = START + (before - 1) * DAY + DAY - 1;
  const plan = await planExpiry(layout, { maxDays: 1, maxMegabytes: null }, now, new Set());
  return (await expire(layout, plan, new Set(), () => now)).map(({ segment }) => segment);
}

/** Segments 1 (dropped), 2 and 3 (packed), 4 (sealed), 5 (open, with the entries about the record itself). */
export async function sealedJournal(): Promise<Layout> {
  const layout = segmentsOfThree(5);
  await sealJournal(layout, () => START);
  await packJournal(layout, () => START);
  await dropBefore(layout, 2);
  return layout;
}
