/**
 * The journal: every decision as one line in a chain of hashes, appended by any process of the user.
 * The format is in docs/audit-format.md. Nothing here repairs a broken journal: it is reported and left as it is.
 */
import { createHmac } from 'node:crypto';
import { fdatasyncSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEntry, AuditEvent } from '#contract/auditRecord.ts';
import {
  checkpointFile,
  createCheckpoint,
  readCheckpointBytes,
  SLOT_BYTES,
  writeCheckpoint,
  type Checkpoint,
} from '#home/journal/checkpoint.ts';
import { sealEntry } from '#home/journal/entryLine.ts';
import { JournalError, journalErrorFrom, lockLost } from '#home/journal/journalError.ts';
import { createJournalLock, type JournalLock } from '#home/journal/journalLock.ts';
import { loadRedactionSecret, loadSigningKey, signingKeyFile, type SigningKey } from '#home/journal/keys.ts';
import { lastSegment, markOf, type FileMark } from '#home/journal/lastSegment.ts';
import { SEGMENT_BYTES } from '#home/journal/segments.ts';
import { checkAgainstCheckpoint, readTail, signedCheckpoint, type JournalNotice, type Tail } from '#home/journal/tail.ts';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import { errorCode, errorText } from '#home/privateFile.ts';
import { ownIdentity } from '#home/processIdentity.ts';

export interface Journal {
  /**
   * Puts the events into the chain and returns when they are on the disk; with `settleMs`, when they are in the file. At most 4,096 at once.
   * @throws JournalError; then none of them is acknowledged, and as a rule none is there.
   */
  append(events: readonly AuditEvent[]): readonly AuditEntry[];
  /**
   * Appends one event; then, while no other process can append, `work`. What this journal knows of the keys it then reads anew.
   * @throws as `append`, or what `work` throws: the entry stays
   */
  appendAndThen(event: AuditEvent, work: (at: { readonly entry: AuditEntry; readonly checkpoint: Checkpoint }) => void): void;
  /** Does all that `append` does before it writes. @throws JournalError that `append` would throw */
  check(): void;
  /** What was found and set aside since the last call, for people: a torn line, entries a killed writer left unsigned. */
  takeNotices(): readonly JournalNotice[];
  close(): void;
}

/** Replaceable so that tests can fill the disk and move the clock. */
export interface JournalOptions {
  readonly segmentBytes?: number;
  readonly lockWaitMs?: number;
  readonly now?: () => number;
  readonly write?: (handle: number, bytes: Buffer, from: number) => number;
  readonly sync?: (handle: number) => void;
  /**
   * Milliseconds after which entries are flushed to the disk and signed, several appends at once; the lock is kept until then. What was
   * appended is in the file at once and outlives this process however it ends; a power cut may take that much of the end with it.
   * 0 unless said: each append is flushed and signed before it returns.
   */
  readonly settleMs?: number;
  /** Entries that had been acknowledged could not be flushed or signed. */
  readonly onUnsettled?: (error: JournalError) => void;
}

const LOCK_WAIT_MS = 3000;
const MAX_EVENTS = 4096;
/** Other processes wait for the lock: a stream of entries that never ends must not keep it. */
const LONGEST_HOLD_MS = 500;

interface State {
  readonly signer: SigningKey;
  readonly tail: Tail;
  readonly checkpoint: Checkpoint;
  /** The checkpoint's file, so that signatures this process made or checked are not checked for every append. */
  readonly mirrorBytes: Buffer;
}

/** Entries in the file that are neither flushed nor signed, up to `tail`. The lock is held while there are any. */
interface Unsettled {
  readonly held: JournalLock;
  readonly since: number;
  /** As signed. */
  state: State;
  tail: Tail;
  timer: NodeJS.Timeout | null;
}

/** By folder: settles what a journal of this process has not yet, so that another one of the same process does not wait for it in vain. */
const settleHere = new Map<string, () => void>();

/** Touches no file until the first `append` or `check`. */
export function openJournal(layout: Layout, options: JournalOptions = {}): Journal {
  const { segmentBytes = SEGMENT_BYTES, lockWaitMs = LOCK_WAIT_MS, now = Date.now, write = writeSync, sync = fdatasyncSync } = options;
  const settleMs = options.settleMs ?? 0;
  const mirror = checkpointFile(layout);
  const notices: JournalNotice[] = [];
  let writer = '';
  let key: { readonly signing: SigningKey; readonly file: FileMark } | null = null;
  let lock: JournalLock | null = null;
  /** The state this process left behind; believed as long as the files still look the same. */
  let known: State | null = null;
  const last = lastSegment({ folder: layout.journal, segmentBytes, write, sync, report: (notice) => notices.push(notice) });
  let closed = false;
  let unsettled: Unsettled | null = null;
  /** The last flush and signature worked. Until one has, nothing is acknowledged before it is flushed: a disk that takes bytes and loses them must refuse. */
  let trusted = false;

  /** Read anew when its file is another one: the key was changed by another process. */
  const signingKey = (): SigningKey => {
    const file = markOf(signingKeyFile(layout));
    if (key !== null && file !== null && key.file.ino === file.ino && key.file.mtimeMs === file.mtimeMs) return key.signing;
    const signing = loadSigningKey(layout);
    // The mark from before the reading: one from after it could be that of a key which took this one's place in between, and
    // this process would hold the old key for the new one until its end.
    key = { signing, file: file ?? { ino: 0, size: 0, mtimeMs: 0 } };
    return signing;
  };

  const acquireLock = (): JournalLock => {
    if (closed)
      throw new JournalError('CLOSED', { file: layout.journal, line: 0 }, 'this journal was closed by its own program; open it again');
    for (const folder of [layout.root, layout.journal]) {
      try {
        ensurePrivateFolder(folder);
      } catch (error) {
        throw unsafeFolder(error, folder);
      }
    }
    // Before the lock: what is wrong with a key is said at once, and a first use makes it.
    if (key === null) signingKey();
    if (writer === '') writer = ownIdentity();
    lock ??= createJournalLock(layout.journal, writer, lockWaitMs);
    settleHere.get(layout.journal)?.();
    lock.acquire();
    return lock;
  };

  const withLock = <T>(work: (lock: JournalLock) => T): T => {
    settleNow();
    const held = acquireLock();
    try {
      return work(held);
    } catch (error) {
      known = null;
      throw journalErrorFrom(error, layout.journal, 'write the journal');
    } finally {
      held.release();
    }
  };

  /** The last entry and the checkpoint, fresh from disk unless nobody else wrote since. */
  const current = (): State => {
    const mirrorBytes = readMirror();
    // A changed key always goes with a changed checkpoint.
    if (known !== null && mirrorBytes?.equals(known.mirrorBytes) === true && last.isUnchanged(known.tail)) return known;
    last.close();
    const { signer, signed } = signedNow(mirrorBytes);
    const tail = readTail(layout.journal, now(), (notice) => notices.push(notice));
    const checked = checkAgainstCheckpoint(layout.journal, mirror, tail, signed?.checkpoint ?? null, signer.id, (notice) =>
      notices.push(notice),
    );
    if (checked !== null && signed !== null) return { tail, signer, checkpoint: checked, mirrorBytes: signed.bytes };
    // Made before the first entry, so that entries without a checkpoint always mean that somebody took it away.
    return { tail, signer, ...createCheckpoint(mirror, signer, now()) };
  };

  /** The key in force and the checkpoint it signed, looked at twice: a key that changes between the two reads is no damage. */
  const signedNow = (mirrorBytes: Buffer | null): { readonly signer: SigningKey; readonly signed: ReturnType<typeof signedCheckpoint> } => {
    const signer = signingKey();
    try {
      return { signer, signed: signedCheckpoint(mirror, mirrorBytes, signer) };
    } catch (error) {
      if (!(error instanceof JournalError && error.code === 'CHECKPOINT_DAMAGED')) throw error;
      const again = signingKey();
      return { signer: again, signed: signedCheckpoint(mirror, readMirror(), again) };
    }
  };

  const readMirror = (): Buffer | null => {
    try {
      return readCheckpointBytes(mirror);
    } catch (error) {
      throw journalErrorFrom(error, mirror, 'read the checkpoint');
    }
  };

  const signing = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw journalErrorFrom(error, mirror, 'write the checkpoint');
    }
  };

  /** A statement by whoever lost the lock would go over a newer one. */
  const insistOnLock = (held: JournalLock): void => {
    if (!held.held()) throw lockLost(layout.journal);
  };

  interface Written {
    readonly entries: readonly AuditEntry[];
    readonly tail: Tail;
    readonly begun: 'new' | 'existing';
  }

  const writeEntries = (held: JournalLock, from: Tail, signer: SigningKey, events: readonly AuditEvent[], flush: boolean): Written => {
    const entries: AuditEntry[] = [];
    let text = '';
    let prev = from.hash;
    for (const event of events) {
      const seq = from.seq + entries.length + 1;
      const sealed = sealEntry(event, { seq, time: Math.max(0, Math.trunc(now())), writer, prev, key: signer.id });
      if (sealed.problem !== null)
        throw new JournalError(
          'BAD_EVENT',
          { file: layout.journal, line: 0 },
          `the event for entry ${seq} cannot be recorded: ${sealed.problem}; this is a fault in Callgate, please report it`,
        );
      entries.push(sealed.entry);
      text += `${sealed.line}\n`;
      prev = sealed.entry.hash;
    }
    const { segment, size, begun } = last.append(held, from, Buffer.from(text), flush);
    return { entries, begun, tail: { segment, size, seq: from.seq + entries.length, hash: prev } };
  };

  /** The state with everything up to `tail` signed; that is on the disk already. */
  const signUpTo = ({ signer, checkpoint, mirrorBytes }: State, tail: Tail, begun: 'new' | 'existing'): State => {
    const next: Checkpoint = {
      v: 1,
      turn: checkpoint.turn + 1,
      count: tail.seq,
      head: tail.hash,
      time: Math.max(0, Math.trunc(now())),
      key: signer.id,
    };
    const slot = signing(() => writeCheckpoint(mirror, next, signer, begun === 'new' ? 'now' : 'later'));
    const written = Buffer.from(mirrorBytes);
    slot.copy(written, (next.turn % 2) * SLOT_BYTES);
    return { signer, tail, checkpoint: next, mirrorBytes: written };
  };

  const appendLocked = (held: JournalLock, events: readonly AuditEvent[]): readonly AuditEntry[] => {
    const state = current();
    const { entries, tail, begun } = writeEntries(held, state.tail, state.signer, events, true);
    // When this fails the lines stay: the statement may have reached the file, and then cutting them off would read as tampering.
    known = signUpTo(state, tail, begun);
    trusted = true;
    return entries;
  };

  const appendSoon = (events: readonly AuditEvent[]): readonly AuditEntry[] => {
    // The checkpoint is on the disk before the first entry of a segment that follows it.
    if (unsettled !== null && unsettled.tail.size >= segmentBytes) settleNow();
    if (unsettled === null) {
      const held = acquireLock();
      try {
        const state = current();
        // A segment of its own begins with a checkpoint that is on the disk: the slow way, once.
        if (!trusted || state.tail.segment === 0 || state.tail.size >= segmentBytes) {
          const entries = appendLocked(held, events);
          held.release();
          return entries;
        }
        unsettled = { held, since: performance.now(), state, tail: state.tail, timer: null };
        settleHere.set(layout.journal, settleNow);
      } catch (error) {
        known = null;
        held.release();
        throw journalErrorFrom(error, layout.journal, 'write the journal');
      }
    }
    try {
      const { entries, tail } = writeEntries(unsettled.held, unsettled.tail, unsettled.state.signer, events, false);
      unsettled.tail = tail;
      unsettled.timer ??= setTimeout(settleSoon, settleMs);
      return entries;
    } catch (error) {
      settleNow();
      throw journalErrorFrom(error, layout.journal, 'write the journal');
    }
  };

  /** Flushes without keeping this process waiting, then signs; the lock goes when nothing has come in meanwhile, or after a while. */
  const settleSoon = (): void => {
    const mine = unsettled;
    if (mine === null) return;
    const target = mine.tail;
    const flushed = (error: Error | null): void => {
      // Settled in between by somebody who could not wait.
      if (unsettled !== mine) return;
      if (error !== null) {
        notSettled(error);
        return;
      }
      if (mine.tail !== target && performance.now() - mine.since > LONGEST_HOLD_MS) {
        settleNow();
        return;
      }
      try {
        insistOnLock(mine.held);
        mine.state = signUpTo(mine.state, target, 'existing');
      } catch (failure) {
        notSettled(failure);
        return;
      }
      // Not at once: a file that is being flushed all the time keeps whoever writes to it waiting.
      if (mine.tail === target) letGo(mine.state);
      else mine.timer = setTimeout(settleSoon, settleMs);
    };
    if (options.sync === undefined) last.flushSoon(flushed);
    else settleNow();
  };

  /** Nothing is unsettled after it. A failure is told, not thrown: what failed had been acknowledged before. */
  const settleNow = (): void => {
    const mine = unsettled;
    if (mine === null) return;
    try {
      if (mine.tail === mine.state.tail) {
        letGo(mine.state);
        return;
      }
      last.flush();
      insistOnLock(mine.held);
      letGo(signUpTo(mine.state, mine.tail, 'existing'));
    } catch (error) {
      notSettled(error);
    }
  };

  const letGo = (state: State | null): void => {
    const mine = unsettled;
    if (mine === null) return;
    clearTimeout(mine.timer ?? undefined);
    unsettled = null;
    settleHere.delete(layout.journal);
    known = state;
    try {
      mine.held.release();
    } catch (error) {
      // In a timer nobody would catch it. The next append meets the same and throws it.
      trusted = false;
      options.onUnsettled?.(journalErrorFrom(error, layout.journal, 'give the lock of the journal back'));
    }
  };

  const notSettled = (error: unknown): void => {
    trusted = false;
    letGo(null);
    options.onUnsettled?.(journalErrorFrom(error, layout.journal, 'flush and sign the journal'));
  };

  return {
    append(events) {
      if (events.length === 0) return [];
      if (events.length > MAX_EVENTS)
        throw new JournalError(
          'BAD_EVENT',
          { file: layout.journal, line: 0 },
          `${events.length} events at once; append at most ${MAX_EVENTS}`,
        );
      return settleMs > 0 ? appendSoon(events) : withLock((held) => appendLocked(held, events));
    },
    appendAndThen(event, work) {
      withLock((held) => {
        const [entry] = appendLocked(held, [event]);
        const checkpoint = known?.checkpoint;
        known = null;
        key = null;
        if (entry !== undefined && checkpoint !== undefined) work({ entry, checkpoint });
      });
    },
    check() {
      withLock(() => current());
    },
    takeNotices: () => notices.splice(0),
    close() {
      settleNow();
      closed = true;
      last.close();
      lock?.close();
    },
  };
}

/**
 * HMAC-SHA256 (hex) with the install's own secret: equal texts can be matched in the record, and nobody without the
 * secret can try guesses against it. The secret is made on first use.
 * @throws JournalError KEY, UNSAFE_FOLDER, NOT_WRITABLE, NO_SPACE
 */
export function keyedHash(layout: Layout): (text: string) => string {
  const secret = loadRedactionSecret(layout);
  return (text) => createHmac('sha256', secret).update(text).digest('hex');
}

function unsafeFolder(error: unknown, folder: string): JournalError {
  const code = errorCode(error);
  // ensurePrivateFolder's own refusals carry no system code; EEXIST and ENOTDIR mean that something else has the name.
  if (code === '' || code === 'EEXIST' || code === 'ENOTDIR') {
    return new JournalError(
      'UNSAFE_FOLDER',
      { file: join(folder), line: 0 },
      `the journal cannot be kept here (${errorText(error)})`,
      error,
    );
  }
  return journalErrorFrom(error, folder, 'make or open this folder');
}
