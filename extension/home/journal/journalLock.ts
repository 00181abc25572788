/**
 * One writer at a time, over all processes of the user.
 *
 * The lock is a hard link to a small owner file that already holds its owner's identity, so no moment exists in which
 * the lock is there and its owner unknown (an exclusively created file is empty for a moment, and stays so when its
 * maker is killed). A lock whose owner is gone is broken by one process at a time.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, linkSync, lstatSync, openSync, readdirSync, readlinkSync, unlinkSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { JournalError, journalErrorFrom } from '#home/journal/journalError.ts';
import { errorCode, readBounded, removeIfThere } from '#home/privateFile.ts';
import { isRunning, parseIdentity } from '#home/processIdentity.ts';

export interface JournalLock {
  /** @throws JournalError LOCKED after the wait, NOT_WRITABLE, NO_SPACE */
  acquire(): void;
  /** False when somebody took the lock for stale and broke it: nothing may be written any more. */
  held(): boolean;
  release(): void;
  /** Removes this process's owner file. */
  close(): void;
}

/**
 * When an owner's process cannot be looked up (another container or host shares the folder, or the system does not
 * tell when a process began), only the age of its lock speaks. An append takes milliseconds.
 */
const FOREIGN_STALE_MS = 60_000;
const OWNER_PREFIX = 'owner-';
/** `break-<name of the stale lock's owner>-<turn>`: a link to the owner file of who may remove that lock. */
const CLAIM_PREFIX = 'break-';
/** How often a waiting process looks whether the owner still runs; on macOS that starts `ps`. */
const STALE_CHECK_MS = 25;

const sleeper = new Int32Array(new SharedArrayBuffer(4));
function sleep(milliseconds: number): void {
  Atomics.wait(sleeper, 0, 0, milliseconds);
}

/** Where process ids mean the same: this host, and on Linux this pid namespace. */
function processScope(): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    namespace = process.platform; // no namespaces here, or they may not be seen: the host alone tells
  }
  return `${hostname()}/${namespace}`.replaceAll(/\s/g, '');
}

export function createJournalLock(folder: string, identity: string, waitMs: number): JournalLock {
  const lockFile = join(folder, 'lock');
  const scope = processScope();
  const ownerFile = join(folder, `${OWNER_PREFIX}${identity.replaceAll(/[^\w.-]/g, '_')}-${randomBytes(4).toString('hex')}`);
  let prepared = false;
  let ownInode = -1;

  const prepare = (): void => {
    sweepOwnerFiles(folder, scope);
    sweepClaims(folder, scope);
    removeIfThere(ownerFile);
    const handle = openSync(ownerFile, 'wx', 0o600);
    try {
      writeSync(handle, `${identity} ${scope} ${basename(ownerFile)}\n`);
    } finally {
      closeSync(handle);
    }
    ownInode = lstatSync(ownerFile).ino;
    prepared = true;
  };

  const link = (to: string): boolean => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        if (!prepared) prepare();
        linkSync(ownerFile, to);
        return true;
      } catch (error) {
        const code = errorCode(error);
        if (code === 'EEXIST') return false;
        // The owner file can be gone when the journal folder was moved away and made anew: make it again, once.
        if (code === 'ENOENT' && attempt === 0) prepared = false;
        else throw journalErrorFrom(error, to, 'take the lock of the journal');
      }
    }
  };

  /**
   * Only the holder of the last claim may remove a stale lock, and a claim follows another only when that one's holder is gone:
   * so nobody is left who could still be about to remove it, and would then remove the lock of a living process in its place.
   */
  const breakIfStale = (): void => {
    const stale = staleName(lockFile, scope);
    if (stale === null) return;
    let claim = claimFile(folder, stale, 0);
    for (let turn = 1; !link(claim); turn += 1) {
      if (staleName(claim, scope) === null) return;
      claim = claimFile(folder, stale, turn);
    }
    if (staleName(lockFile, scope) === stale) removeIfThere(lockFile);
    removeIfThere(claim);
    sweepClaims(folder, scope);
  };

  return {
    acquire() {
      const start = performance.now();
      let pause = 0.05;
      let nextCheck = 0;
      while (!link(lockFile)) {
        const waited = performance.now() - start;
        if (waited > waitMs) {
          throw new JournalError(
            'LOCKED',
            { file: lockFile, line: 0 },
            `another process has held this lock for ${Math.round(waited)} ms (${ownerText(lockFile)}); ${lockMend(lockFile, scope)}, then try again`,
          );
        }
        if (waited >= nextCheck) {
          breakIfStale();
          nextCheck = waited + STALE_CHECK_MS;
        }
        sleep(pause * (0.5 + Math.random()));
        pause = Math.min(pause * 1.5, 2);
      }
    },
    held() {
      try {
        return lstatSync(lockFile).ino === ownInode;
      } catch (error) {
        if (errorCode(error) === 'ENOENT') return false;
        throw journalErrorFrom(error, lockFile, 'look at the lock of the journal');
      }
    },
    release() {
      try {
        if (lstatSync(lockFile).ino === ownInode) unlinkSync(lockFile);
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') throw journalErrorFrom(error, lockFile, 'give the lock of the journal back');
      }
    },
    close() {
      if (!prepared) return;
      prepared = false;
      try {
        removeIfThere(ownerFile);
      } catch {
        return; // a left-over owner file does no harm: the next opener sweeps it
      }
    },
  };
}

interface Owner {
  readonly identity: string;
  readonly scope: string;
  /** Tells two journals of one process apart. */
  readonly name: string;
}

function readOwner(file: string): Owner | null {
  const bytes = readBounded(file, 1024);
  if (bytes === null) return null;
  const [identity = '', scope = '', name = identity] = bytes.toString('utf8').trim().split(' ');
  return { identity, scope, name: name.replaceAll(/[^\w.-]/g, '_') };
}

function ownerText(file: string): string {
  try {
    return readOwner(file)?.identity ?? 'it was just given back';
  } catch {
    return 'owner unknown'; // only words for a message that is thrown anyway
  }
}

/** Whose process we cannot look up, so that only the age of the lock tells whether it still runs. */
function isForeign({ identity, scope }: Pick<Owner, 'identity' | 'scope'>, ownScope: string): boolean {
  const process = parseIdentity(identity);
  return process === null || process.start === 'unknown' || scope !== ownScope;
}

function lockMend(file: string, scope: string): string {
  try {
    const owner = readOwner(file);
    if (owner !== null && isForeign(owner, scope))
      return `its owner cannot be looked up from here: wait, it breaks by itself after ${FOREIGN_STALE_MS / 1000} s`;
  } catch {
    return 'end that process if it hangs'; // only words for a message that is thrown anyway
  }
  return 'end that process if it hangs';
}

/** The name of the owner of the lock at `file` when that owner is certainly gone; else null. @throws JournalError when no writer can have made it */
function staleName(file: string, scope: string): string | null {
  let owner: Owner | null;
  let age: number;
  try {
    const stat = lstatSync(file);
    // Nobody would ever give it back: a link to nothing reads as no lock at all and still keeps every writer out.
    if (!stat.isFile())
      throw new JournalError(
        'UNSAFE_FOLDER',
        { file, line: 0 },
        'this is no lock of ours but a link or a folder; remove it, then try again',
      );
    owner = readOwner(file);
    // A new link to the owner file renews ctime and leaves mtime alone, so ctime tells since when the lock is held. A
    // clock put back since must not make the lock young for ever.
    age = Math.abs(Date.now() - stat.ctimeMs);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw journalErrorFrom(error, file, 'look at the lock of the journal');
  }
  if (owner === null) return null;
  const process = parseIdentity(owner.identity);
  const gone = process === null || isForeign(owner, scope) ? age > FOREIGN_STALE_MS : !isRunning(process);
  return gone ? owner.name : null;
}

function claimFile(folder: string, stale: string, turn: number): string {
  return join(folder, `${CLAIM_PREFIX}${stale}-${turn}`);
}

/** Removes the claims on locks that are not there any more. */
function sweepClaims(folder: string, scope: string): void {
  const claims = readdirSync(folder).filter((name) => name.startsWith(CLAIM_PREFIX));
  if (claims.length === 0) return;
  const held = readOwner(join(folder, 'lock'))?.name;
  for (const name of claims) {
    if (held !== undefined && name.startsWith(`${CLAIM_PREFIX}${held}-`)) continue;
    // Its holder, when it still runs, does this itself; a claim without a lock decides about nothing.
    if (staleName(join(folder, name), scope) !== null) removeIfThere(join(folder, name));
  }
}

function sweepOwnerFiles(folder: string, scope: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(OWNER_PREFIX)) continue;
    const file = join(folder, name);
    if (staleName(file, scope) !== null) removeIfThere(file);
  }
}
