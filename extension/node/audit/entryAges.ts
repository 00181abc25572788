/** From when the ages of entries count, although clocks jump. */
import { parseEntryLine } from '#home/journal/entryLine.ts';
import { listSegments, packedFile, segmentFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { segmentLines } from '#node/audit/segmentLines.ts';

export const DAY_MS = 24 * 3600 * 1000;

/** Between two entries, or the last one and now: more than this is as likely a clock gone wrong as a machine that was off. */
const JUMP_MS = 7 * DAY_MS;
/** So long must entries have come by a clock that had jumped before it is believed. */
const SETTLED_MS = DAY_MS;

/**
 * The time from which ages are counted: now, unless the newest entries say that the clock may have jumped ahead; then that of the
 * last entry before the jump. A clock that is wrong must not make all of the record old at once; after a real pause it is believed again
 * once entries have come for a day.
 */
export async function ageFrom(layout: Layout, newest: readonly number[], now: number): Promise<number> {
  let last: number | null = null;
  let jump: { readonly before: number; readonly after: number } | null = null;
  for (const number of newest) {
    const { has } = listSegments(layout.journal);
    if (!has(number, 'jsonl') && !has(number, 'jsonl.gz')) continue;
    const file = (has(number, 'jsonl') ? segmentFile : packedFile)(layout.journal, number);
    for await (const read of segmentLines(file)) {
      const parsed = read.kind === 'line' ? parseEntryLine(read.bytes) : null;
      if (parsed?.code !== null) continue;
      const { time } = parsed.entry;
      if (jump !== null && (time < jump.after || time - jump.after > SETTLED_MS)) jump = null;
      else if (jump === null && last !== null && time - last > JUMP_MS) jump = { before: last, after: time };
      last = time;
    }
  }
  if (jump !== null) return Math.min(now, jump.before);
  return last !== null && now - last > JUMP_MS ? last : now;
}

/** For people: why what is old by the clock stays. */
export function mayHaveJumped(now: number, from: number): string {
  return `The clock says ${dateOf(now)}, and by the entries it is ${dateOf(from)}: until entries have come for a day, ages count from there.`;
}

const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10);
