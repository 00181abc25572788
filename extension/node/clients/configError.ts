/** Why a client's configuration could not be read, planned, written or restored. */
export type ConfigErrorCode =
  | 'INVALID_FILE' // the client itself could not read the file
  | 'UNSUPPORTED_SHAPE' // valid, but written in a way our textual edit does not handle
  | 'CHANGED_MEANWHILE' // not the bytes the plan was made from
  | 'NOT_A_FILE' // a directory, a broken or circular link
  | 'NOT_WRITABLE' // the file, its folder or our own backups cannot be written
  | 'NO_RECORD' // nothing of ours is recorded or found there
  | 'BROKEN_RECORD' // our own record of the change does not hold together
  | 'CANNOT_UNDO' // our part was changed so much that removing it would be a guess
  | 'UNKNOWN_ID'
  | 'CLIENT_FAILED'; // the client's own program did not do what was asked

/** Always with a message that says what is wrong, where, and what to do. */
export class ConfigError extends Error {
  readonly code: ConfigErrorCode;
  constructor(code: ConfigErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConfigError';
    this.code = code;
  }
}

/** The system's own error code (`ENOENT`, `EACCES`) of a failed file operation; empty if it is something else. */
export function systemCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
