/** What happened while no broker was there to write it down: the hooks leave one line each, and the next broker tells. */
import { lstatSync } from 'node:fs';
import type { Layout } from '#home/layout.ts';
import { removeIfThere } from '#home/privateFile.ts';

/** A line is `claude` or `codex` and its end. */
const LINE_BYTES = 7;

/** A sentence for the record, or null when nothing was missed. The lines are gone then. */
export function takeUnrecorded({ unrecorded }: Layout): string | null {
  const stat = lstatSync(unrecorded, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile() || stat.size === 0) return null;
  const count = Math.max(1, Math.round(stat.size / LINE_BYTES));
  removeIfThere(unrecorded);
  const until = new Date(stat.mtimeMs).toISOString();
  return `About ${count} prompts, results or sessions were not recorded because no broker ran, the last at ${until}. Calls were judged and recorded all the same.`;
}
