import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '#home/layout.ts';
import { messageOf, systemCode } from '#node/clients/configError.ts';
import { liveRecord, liveRecordsIn, type StoredRecord } from '#node/clients/originals.ts';

export interface LiveRecords {
  readonly records: readonly StoredRecord[];
  /** Backups that cannot be read, one sentence each: what they would restore is still on the disk. */
  readonly problems: readonly string[];
}

/** Every change of ours that is in force, whichever folders are open: what an uninstall has to take back. */
export function liveRecords(layout: Layout): LiveRecords {
  const records: StoredRecord[] = [];
  const problems: string[] = [];
  for (const name of namesIn(layout.backups)) {
    const parent = join(layout.backups, name);
    try {
      // Only what an undo by its id finds again: a record in a folder of another id is none of ours.
      records.push(...liveRecordsIn(parent).filter(({ folder, record }) => liveRecord(layout, record.id, record.file)?.folder === folder));
    } catch (error) {
      problems.push(`${parent}: ${messageOf(error)}`);
    }
  }
  return { records, problems };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}
