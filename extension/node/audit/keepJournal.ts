/** What the broker does with old segments now and then: seals them, packs them, and drops them by the limits the user has set. */
import type { GateSettings } from '#contract/ipc.ts';
import type { Layout } from '#home/layout.ts';
import { packJournal } from '#node/audit/packing.ts';
import { expire, planExpiry, unsettledCalls } from '#node/audit/retention.ts';
import { sealJournal } from '#node/audit/seals.ts';

/** What was done, for people; empty when nothing was due. @throws JournalError; what was begun the next run finishes */
export async function keepJournal(
  layout: Layout,
  { journalMaxDays, journalMaxMegabytes }: Pick<GateSettings, 'journalMaxDays' | 'journalMaxMegabytes'>,
  held: readonly string[],
  now: () => number = Date.now,
): Promise<string> {
  const { sealed } = await sealJournal(layout, now);
  const packed = await packJournal(layout, now);
  const said = [named('sealed', sealed), named('packed', packed)];
  if (journalMaxDays !== undefined || journalMaxMegabytes !== undefined) {
    const limits = { maxDays: journalMaxDays ?? null, maxMegabytes: journalMaxMegabytes ?? null };
    const unsettled = unsettledCalls(layout, now(), held);
    const plan = await planExpiry(layout, limits, now(), unsettled);
    const dropped = await expire(layout, plan, unsettled, now);
    said.push(
      named(
        'dropped',
        dropped.map(({ segment }) => segment),
      ),
      plan.kept,
    );
  }
  return said.filter((text) => text !== '').join(' ');
}

const named = (what: string, segments: readonly number[]): string =>
  segments.length === 0 ? '' : `${segments.length === 1 ? 'Segment' : 'Segments'} ${segments.join(', ')} ${what}.`;
