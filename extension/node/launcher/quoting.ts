/** Paths as words of a shell's command line. */

export type LauncherErrorCode = 'UNSUPPORTED_PATH' | 'NOT_INSTALLED' | 'MISSING_BUNDLE';

export class LauncherError extends Error {
  readonly code: LauncherErrorCode;

  constructor(code: LauncherErrorCode, message: string) {
    super(message);
    this.name = 'LauncherError';
    this.code = code;
  }
}

/**
 * One word for sh, bash, zsh and fish alike.
 * @throws LauncherError for control characters, and for a backslash, which fish reads differently between quotes.
 */
export function quoteShell(text: string): string {
  if (/[\u0000-\u001f\u007f\\]/.test(text)) {
    throw new LauncherError(
      'UNSUPPORTED_PATH',
      `${JSON.stringify(text)} holds a control character or a backslash, which a hook command cannot carry safely; use a home directory without it`,
    );
  }
  // A backslash outside the quotes would do in sh, but not when the whole command is quoted once more for fish.
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}

/**
 * One word for cmd.exe.
 * @throws LauncherError for characters that cmd.exe would expand even between quotes.
 */
export function quoteCmd(text: string): string {
  if (/[\u0000-\u001f\u007f"%!^]/.test(text)) {
    throw new LauncherError(
      'UNSUPPORTED_PATH',
      `${JSON.stringify(text)} holds a character that cmd.exe would change; use a home directory without it`,
    );
  }
  return `"${text}"`;
}
