/** Reading and replacing a file that belongs to somebody else's program. */
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ConfigError, messageOf, systemCode } from '#node/clients/configError.ts';

/** Larger files are no hand-written configuration, in bytes. */
const MAX_BYTES = 16 * 1024 * 1024;

export interface ConfigFile {
  /** As the client names it; may be a symbolic link. */
  readonly file: string;
  /** What is really written: the end of the link. */
  readonly target: string;
  /** Null when there is no file yet. A byte order mark is part of the text. */
  readonly text: string | null;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/**
 * @throws ConfigError NOT_A_FILE for directories and dangling links, INVALID_FILE for bytes that are not UTF-8: every
 * byte has to survive the way through a string and back.
 */
export function readConfig(file: string): ConfigFile {
  const target = targetOf(file);
  if (target === null) return { file, target: file, text: null };
  let bytes: Buffer;
  try {
    const stat = statSync(target);
    if (!stat.isFile()) throw new ConfigError('NOT_A_FILE', `${file} is not a file; move it away and try again`);
    if (stat.size > MAX_BYTES)
      throw new ConfigError('INVALID_FILE', `${file} is larger than ${MAX_BYTES} bytes; that is no configuration file`);
    bytes = readFileSync(target);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError('NOT_A_FILE', `${file} cannot be read (${systemCode(error) || messageOf(error)}); check its permissions`, {
      cause: error,
    });
  }
  try {
    return { file, target, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch (error) {
    throw new ConfigError('INVALID_FILE', `${file} is not UTF-8 text; save it as UTF-8 and try again`, { cause: error });
  }
}

/** The end of the link chain; null when there is nothing at `file`. */
function targetOf(file: string): string | null {
  try {
    if (!lstatSync(file).isSymbolicLink()) return file;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw new ConfigError('NOT_A_FILE', `${file} cannot be looked at (${systemCode(error)}); check the folders above it`, { cause: error });
  }
  try {
    return realpathSync(file);
  } catch (error) {
    throw new ConfigError(
      'NOT_A_FILE',
      `${file} is a link that leads nowhere (${systemCode(error)}); mend or remove the link and try again`,
      { cause: error },
    );
  }
}

export interface Replacement {
  readonly file: string;
  readonly target: string;
  /** What has to be there at the last moment; null: nothing. */
  readonly before: string | null;
  /** Null deletes the file. */
  readonly after: string | null;
  /** Folders to make, outermost first. */
  readonly folders: readonly string[];
}

/** The last steps of a replacement, so that a test can stop in front of each. */
export interface WriteSteps {
  /** The new bytes are safe beside the file, which is still the old one. */
  readonly written: () => void;
  /** The step that takes effect. */
  readonly rename: (from: string, to: string) => void;
}

export const WRITE_STEPS: WriteSteps = { written: () => undefined, rename: renameSync };

/**
 * Replaces the file in one step: whoever reads it, and whenever the machine stops, it is the old or the new one.
 * @throws ConfigError CHANGED_MEANWHILE when it is no longer what the plan was made from, NOT_WRITABLE
 */
export function replaceConfig(replacement: Replacement, { written, rename }: WriteSteps = WRITE_STEPS): void {
  const { file, target, after, folders } = replacement;
  requireUnchanged(replacement);
  if (replacement.before !== null) requireWritable(file, target);
  const temporary = join(dirname(target), `.${basename(target)}.callgate-${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
  try {
    for (const folder of folders) mkdirSync(folder, { mode: 0o700 });
    removeLeftOvers(target);
    if (after === null) {
      if (replacement.before !== null) rmSync(target);
    } else {
      writeDurably(temporary, after, replacement.before === null ? null : target);
      written();
      // The last look: what the user or the client saved while we wrote must not be lost.
      requireUnchanged(replacement);
      rename(temporary, target);
    }
    syncFolder(dirname(target));
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(
      'NOT_WRITABLE',
      `${file} cannot be written (${systemCode(error) || messageOf(error)}); nothing was changed. Check the permissions of the file and its folder`,
      { cause: error },
    );
  }
}

/** A new file in its place would be possible, but whoever took the right to write away meant it; often another program makes the file. */
function requireWritable(file: string, target: string): void {
  const stat = statSync(target);
  if (process.platform !== 'win32' && (stat.mode & 0o222) === 0)
    throw new ConfigError(
      'NOT_WRITABLE',
      `${file} is read-only; nothing was changed. Make it writable, or change it where it is made from, and try again`,
    );
}

function requireUnchanged({ file, target, before }: Replacement): void {
  const now = readConfig(file);
  if (now.text === before && now.target === target) return;
  const what = now.text === null ? 'has vanished' : now.target === target ? 'was changed' : 'now leads to another file';
  throw new ConfigError(
    'CHANGED_MEANWHILE',
    `${file} ${what} since the change was planned; nothing was written. Look at the new plan and try again`,
  );
}

function writeDurably(path: string, text: string, like: string | null): void {
  const stat = like === null ? null : statSync(like);
  const handle = openSync(path, 'wx', 0o600);
  try {
    if (stat) {
      fchmodSync(handle, stat.mode & 0o7777);
      const mine = { uid: process.getuid?.() ?? stat.uid, gid: process.getgid?.() ?? stat.gid };
      if (stat.uid !== mine.uid || stat.gid !== mine.gid) {
        fchownSync(handle, stat.uid, stat.gid);
        // A change of owner clears the special bits.
        fchmodSync(handle, stat.mode & 0o7777);
      }
    }
    const bytes = Buffer.from(text, 'utf8');
    for (let done = 0; done < bytes.length;) done += writeSync(handle, bytes, done);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** A file of our own that must not exist yet. */
export function writeNew(path: string, text: string): void {
  writeDurably(path, text, null);
  syncFolder(dirname(path));
}

/** Replaces a file of our own in one step. */
export function rewriteOwn(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  writeDurably(temporary, text, null);
  renameSync(temporary, path);
  chmodSync(path, 0o600);
  syncFolder(dirname(path));
}

function syncFolder(folder: string): void {
  // Windows cannot open a folder, and keeps renames durable by itself.
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Temporary files of processes that were killed before the rename. */
function removeLeftOvers(target: string): void {
  const prefix = `.${basename(target)}.callgate-`;
  for (const name of readdirSync(dirname(target))) {
    const pid = name.startsWith(prefix) && name.endsWith('.tmp') ? Number.parseInt(name.slice(prefix.length), 10) : 0;
    if (pid > 0 && pid !== process.pid && !isRunning(pid)) rmSync(join(dirname(target), name), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return systemCode(error) === 'EPERM';
  }
}

/** The folders that have to be made before `file` can be written, outermost first. */
export function missingFolders(file: string): readonly string[] {
  const missing: string[] = [];
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    try {
      if (!statSync(folder).isDirectory()) throw new ConfigError('NOT_A_FILE', `${folder} is not a folder; move it away and try again`);
      return missing;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      missing.unshift(folder);
    }
  }
}

/** Removes folders we made, innermost first, as far as they are still empty. */
export function removeEmptyFolders(folders: readonly string[]): void {
  for (const folder of [...folders].reverse()) {
    try {
      rmdirSync(folder);
    } catch (error) {
      // Somebody put something into it since, or has removed it: either way it is not ours any more.
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(systemCode(error))) throw error;
      return;
    }
  }
}
