import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject } from '#core/model/json.ts';
import type { Layout } from '#home/layout.ts';
import { messageOf, systemCode } from '#node/clients/configError.ts';
import { liveRecord, type StoredRecord } from '#node/clients/originals.ts';

export interface LiveRecords {
  readonly records: readonly StoredRecord[];
  /** Backups that cannot be read, one sentence each: what they would restore is still on the disk. */
  readonly problems: readonly string[];
}

/** Every change of ours that is in force, whichever folders are open: what an uninstall has to take back. */
export function liveRecords(layout: Layout): LiveRecords {
  const records: StoredRecord[] = [];
  const problems: string[] = [];
  for (const folder of namesIn(layout.backups)) {
    const parent = join(layout.backups, folder);
    try {
      const id = namesIn(parent)
        .sort()
        .reverse()
        .map((number) => idIn(join(parent, number, 'record.json')))
        .find((found) => found !== null);
      const record = id === undefined || id === null ? null : liveRecord(layout, id);
      if (record !== null) records.push(record);
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

/** Null for a backup without a record: its process died before it changed anything. */
function idIn(file: string): string | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
  const value: unknown = JSON.parse(text);
  return isObject(value) && typeof value['id'] === 'string' ? value['id'] : null;
}
