/** One process at a time seals, packs, drops segments or changes the key; appending goes on meanwhile. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createJournalLock } from '#home/journal/journalLock.ts';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import { removeIfThere } from '#home/privateFile.ts';
import { ownIdentity } from '#home/processIdentity.ts';

/** Somebody else's run is short: the broker's is over in seconds, and a second one finds nothing left to do. */
const WAIT_MS = 10_000;
const LEFT_OVER = /\.(?:gz|seal|expired)\.\d+\.[0-9a-f]{12}\.tmp$/;

/** @throws JournalError LOCKED when another process is at it, and system failures */
export async function withUpkeep<T>(layout: Layout, work: () => T | Promise<T>): Promise<T> {
  ensurePrivateFolder(layout.root);
  ensurePrivateFolder(layout.journal);
  const folder = join(layout.journal, 'upkeep');
  ensurePrivateFolder(folder);
  const lock = createJournalLock(folder, ownIdentity(), WAIT_MS);
  lock.acquire();
  try {
    // Half-written files of one that was killed; nobody else writes any while we hold the lock.
    for (const name of readdirSync(layout.journal)) if (LEFT_OVER.test(name)) removeIfThere(join(layout.journal, name));
    return await work();
  } finally {
    lock.release();
    lock.close();
  }
}
