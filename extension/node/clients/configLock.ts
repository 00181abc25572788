/** Keeping out of the way of a client that reads, changes and writes its own file all the time. */
import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { ConfigError, systemCode } from '#node/clients/configError.ts';

/** A lock that was not renewed for this long belongs to nobody any more: proper-lockfile's own measure, in milliseconds. */
const STALE_MS = 10_000;
const TRIES = 20;
const PAUSE_MS = 50;

/**
 * Runs `work` while we hold `<target>.lock`, a folder, as the client itself does before it writes the file.
 * @throws ConfigError CHANGED_MEANWHILE when the client holds it for longer than a second
 */
export function withLockFolder<T>(target: string, work: () => T): T {
  const lock = `${target}.lock`;
  for (let left = TRIES; !taken(lock); left--) {
    if (left === 0)
      throw new ConfigError(
        'CHANGED_MEANWHILE',
        `${target} is being written by its own program (${lock} is there); nothing was changed. Try again`,
      );
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
  try {
    return work();
  } finally {
    remove(lock);
  }
}

function taken(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    // Where no folder can be made, writing the file says better why.
    if (systemCode(error) !== 'EEXIST') return true;
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > STALE_MS) remove(lock);
    return false;
  }
}

function remove(lock: string): void {
  try {
    rmdirSync(lock);
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'ENOTDIR', 'EACCES', 'EROFS', 'EPERM'].includes(systemCode(error))) throw error;
  }
}
