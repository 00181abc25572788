/** What can go wrong with the journal, in words a person can act on. */
import { errorCode, errorText } from '#home/privateFile.ts';

export type JournalErrorCode =
  | 'LOCKED' // another process kept the lock for longer than we wait
  | 'UNSAFE_FOLDER' // a folder of ours is a link, not a folder, or somebody else's
  | 'NOT_WRITABLE' // no permission, or a read-only file system
  | 'NO_SPACE' // disk full, quota or file size limit
  | 'KEY' // a key cannot be read, or is not the one the journal was signed with
  | 'SEGMENTS' // a segment is missing or should not be there
  | 'BROKEN_TAIL' // the last entry is not what a writer wrote
  | 'CUT_OFF' // the signed checkpoint names more entries than there are
  | 'REWRITTEN' // the entries are a chain, but not the one that was signed
  | 'CHECKPOINT_MISSING'
  | 'CHECKPOINT_DAMAGED'
  | 'BAD_EVENT' // the caller's event is not one, or too large
  | 'CLOSED'
  | 'IO'; // any other failure of the file system

/** Where the trouble is; `line` counts from 1, 0 when it is about the whole file. */
export interface JournalPlace {
  readonly file: string;
  readonly line: number;
}

export class JournalError extends Error {
  override readonly name = 'JournalError';
  readonly code: JournalErrorCode;
  readonly file: string;
  readonly line: number;

  constructor(code: JournalErrorCode, place: JournalPlace, what: string, cause?: unknown) {
    super(`${place.file}${place.line > 0 ? `:${place.line}` : ''}: ${what}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.file = place.file;
    this.line = place.line;
  }
}

/** The way out of every state that opening must not repair. */
export const START_ANEW =
  'Nothing was changed. Run `callgate audit verify` to see the first bad entry; ' +
  'to go on, move the journal folder and keys/journal-checkpoint away together (keep them: they are evidence) and a new journal begins';

const CODE_OF: Readonly<Record<string, JournalErrorCode>> = {
  ENOSPC: 'NO_SPACE',
  EDQUOT: 'NO_SPACE',
  EFBIG: 'NO_SPACE',
  EACCES: 'NOT_WRITABLE',
  EPERM: 'NOT_WRITABLE',
  EROFS: 'NOT_WRITABLE',
  ELOOP: 'UNSAFE_FOLDER',
  ENOTDIR: 'UNSAFE_FOLDER',
};

const MEND: Partial<Readonly<Record<JournalErrorCode, string>>> = {
  NO_SPACE: 'free some space on that disk, then try again',
  NOT_WRITABLE: 'make it writable for your user, then try again',
  UNSAFE_FOLDER: 'put a real folder of your own there in place of the link or file',
};

/** A failed system call as a JournalError; a JournalError stays what it is. */
export function journalErrorFrom(error: unknown, file: string, doing: string): JournalError {
  if (error instanceof JournalError) return error;
  const code = CODE_OF[errorCode(error)] ?? 'IO';
  return new JournalError(
    code,
    { file, line: 0 },
    `could not ${doing} (${errorText(error)}); ${MEND[code] ?? 'look at the disk and the permissions, then try again'}`,
    error,
  );
}

export function lockLost(folder: string): JournalError {
  return new JournalError(
    'LOCKED',
    { file: folder, line: 0 },
    'this process stood still for so long that another one took its lock; try again',
  );
}
