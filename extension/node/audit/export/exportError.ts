/** What can go wrong with an export, in words a person can act on. */
export type ExportErrorCode =
  | 'CANCELLED'
  | 'TARGET' // the address or file cannot be used as given
  | 'REJECTED' // the receiver answered that it will never take this
  | 'UNREACHABLE' // tried until the patience was over
  | 'BOOKMARK' // the bookmark is unreadable or of another journal
  | 'IO';

export class ExportError extends Error {
  override readonly name = 'ExportError';
  readonly code: ExportErrorCode;

  constructor(code: ExportErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
