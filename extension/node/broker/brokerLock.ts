/** At most one broker per user: a lock file that holds the owner's `pid:start`, made whole by link(2). */
import { linkSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { errorCode, removeIfThere } from '#home/privateFile.ts';
import { isRunning, ownIdentity, parseIdentity, type ProcessIdentity } from '#home/processIdentity.ts';

export type BrokerErrorCode = 'ALREADY_RUNNING' | 'LOCK_LOST' | 'CANNOT_LISTEN';

export class BrokerError extends Error {
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string) {
    super(message);
    this.name = 'BrokerError';
    this.code = code;
  }
}

export interface BrokerLock {
  /** The broker that left its lock behind; null when the last one ended in order. */
  readonly crashed: ProcessIdentity | null;
  readonly isOurs: () => boolean;
  /** Takes the lock again when its file is gone; false when another has it. @throws Error when it cannot be written. */
  readonly retake: () => boolean;
  readonly release: () => void;
}

const TRIES = 20;

/** @throws BrokerError ALREADY_RUNNING, naming the process that holds the lock. */
export function takeBrokerLock(file: string): BrokerLock {
  const identity = ownIdentity();
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, identity, { mode: 0o600 });
  let crashed: ProcessIdentity | null = null;
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        linkSync(mine, file);
        return {
          crashed,
          isOurs: () => readOwner(file) === identity,
          retake: () => retake(file, identity),
          release: () => void (readOwner(file) === identity && removeIfThere(file)),
        };
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') throw error;
      }
      const text = readOwner(file);
      if (text === null) continue; // released meanwhile
      const owner = parseIdentity(text);
      if (owner && isRunning(owner)) throw new BrokerError('ALREADY_RUNNING', `another broker is running (process ${owner.pid})`);
      if (removeStale(file, text)) crashed = owner ?? crashed;
    }
  } finally {
    removeIfThere(mine);
  }
  throw new BrokerError('ALREADY_RUNNING', `the lock ${file} is contended; another broker is starting`);
}

function retake(file: string, identity: string): boolean {
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, identity, { mode: 0o600 });
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    return readOwner(file) === identity;
  } finally {
    removeIfThere(mine);
  }
}

/**
 * Of several starters that see the same dead owner, one may already have put its own lock there. The file is moved
 * aside and looked at again before it is thrown away; a living owner's goes back.
 */
function removeStale(file: string, seen: string): boolean {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
  const stale = readOwner(aside) === seen;
  if (!stale) {
    try {
      linkSync(aside, file);
    } catch (error) {
      // A third starter has the lock now; the one we moved finds out by `isOurs` and ends.
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
  removeIfThere(aside);
  return stale;
}

function readOwner(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').slice(0, 200);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
