/** The journal's last segment as its writer holds it: kept open, and believed as long as the file still looks the same. */
import { closeSync, constants, fdatasync, ftruncateSync, lstatSync, openSync } from 'node:fs';
import { journalErrorFrom, lockLost } from '#home/journal/journalError.ts';
import type { JournalLock } from '#home/journal/journalLock.ts';
import { PLAIN_FILE, segmentFile, syncFolder } from '#home/journal/segments.ts';
import type { JournalNotice, Tail } from '#home/journal/tail.ts';
import { errorCode, errorText } from '#home/privateFile.ts';

export interface LastSegment {
  /** Whether the journal still ends where this process left it. */
  readonly isUnchanged: (tail: Tail) => boolean;
  /**
   * Puts whole lines behind `from`, in a segment of their own when that one is full; gives where they end. A segment that began (`new`) must
   * be followed by a checkpoint on the disk.
   * @throws JournalError LOCKED, or the system's error: then nothing of them is there, or a notice says so
   */
  readonly append: (
    held: JournalLock,
    from: Tail,
    lines: Buffer,
    flush: boolean,
  ) => { readonly segment: number; readonly size: number; readonly begun: 'new' | 'existing' };
  readonly flush: () => void;
  /** Without keeping this process waiting. */
  readonly flushSoon: (done: (error: Error | null) => void) => void;
  readonly close: () => void;
}

export interface LastSegmentOptions {
  readonly folder: string;
  readonly segmentBytes: number;
  readonly write: (handle: number, bytes: Buffer, from: number) => number;
  readonly sync: (handle: number) => void;
  readonly report: (notice: JournalNotice) => void;
}

export function lastSegment({ folder, segmentBytes, write, sync, report }: LastSegmentOptions): LastSegment {
  let open: { readonly segment: number; readonly inode: number; readonly handle: number } | null = null;

  const close = (): void => {
    if (open === null) return;
    const { handle } = open;
    open = null;
    closeSync(handle);
  };

  const openFor = (
    tail: Tail,
  ): { readonly segment: number; readonly size: number; readonly handle: number; readonly begun: 'new' | 'existing' } => {
    const begin = tail.segment === 0 || tail.size >= segmentBytes;
    const segment = begin ? tail.segment + 1 : tail.segment;
    if (begin || open === null || open.segment !== segment) {
      close();
      const flags = constants.O_WRONLY | constants.O_APPEND | PLAIN_FILE | (begin ? constants.O_CREAT | constants.O_EXCL : 0);
      const file = segmentFile(folder, segment);
      const handle = openSync(file, flags, 0o600);
      open = { segment, inode: lstatSync(file).ino, handle };
      if (begin) syncFolder(folder);
    }
    return { segment, size: begin ? 0 : tail.size, handle: open.handle, begun: begin ? 'new' : 'existing' };
  };

  /** Cuts off what this very append has just written, so that a full disk does not leave half a line behind. */
  const takeBack = (held: JournalLock, handle: number, size: number): void => {
    try {
      if (held.held()) ftruncateSync(handle, size);
    } catch (error) {
      // The next writer finds the torn line and sets it aside; what matters now is the first error.
      report({
        code: 'NOT_TAKEN_BACK',
        file: folder,
        message: `An append failed and its bytes could not be cut off again (${errorText(error)}).`,
      });
    }
  };

  return {
    isUnchanged: (tail) => {
      if (tail.segment === 0 || open === null || open.segment !== tail.segment) return false;
      const mark = markOf(segmentFile(folder, tail.segment));
      return mark !== null && mark.ino === open.inode && mark.size === tail.size && markOf(segmentFile(folder, tail.segment + 1)) === null;
    },
    append: (held, from, lines, flush) => {
      const { segment, size, handle, begun } = openFor(from);
      if (!held.held()) throw lockLost(folder);
      try {
        for (let at = 0; at < lines.length;) at += write(handle, lines, at);
        if (flush) sync(handle);
      } catch (error) {
        takeBack(held, handle, size);
        throw error;
      }
      return { segment, size: size + lines.length, begun };
    },
    flush: () => {
      if (open !== null) sync(open.handle);
    },
    flushSoon: (done) => {
      if (open === null) done(null);
      else fdatasync(open.handle, done);
    },
    close,
  };
}

/** What tells one version of a file from another. */
export interface FileMark {
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
}

/** Null when there is none. @throws JournalError */
export function markOf(file: string): FileMark | null {
  try {
    return lstatSync(file);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw journalErrorFrom(error, file, 'look at a file');
  }
}
