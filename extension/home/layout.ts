/** Where everything lives under the user's data folder (`~/.callgate`), and how safe its folders must be. */
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Layout {
  /** The user's home directory. */
  readonly home: string;
  /** `~/.callgate`, 0700. */
  readonly root: string;
  /** Stable launchers that configs and hooks name. */
  readonly bin: string;
  /** Installed bundles, one folder a version. */
  readonly lib: string;
  /** Sockets, pid file; 0700. Elsewhere when the path would be too long for a socket. */
  readonly run: string;
  readonly claudeSocket: string;
  readonly codexSocket: string;
  readonly windowSocket: string;
  readonly mcpSocket: string;
  /** Lock of the one broker per user; holds `pid:processStart`. */
  readonly brokerLock: string;
  /** 32 random bytes as hex, 0600: windows show it to the broker. */
  readonly windowToken: string;
  readonly journal: string;
  /** Signing key, redaction key; 0700 folder, 0600 files. */
  readonly keys: string;
  readonly grants: string;
  /** Disposable: rebuilt from the journal. */
  readonly index: string;
  /** Originals of the configuration files we changed. */
  readonly backups: string;
  readonly settings: string;
  /** One line for each prompt, result or session that no broker was there to record. */
  readonly unrecorded: string;
}

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, with the closing NUL. */
const MAX_SOCKET_PATH = 103;

/** Pure but for the user id: the same home always gives the same layout, in every process. */
export function layoutFor(home: string, platform: NodeJS.Platform = process.platform): Layout {
  const root = join(home, '.callgate');
  const short = createHash('sha256').update(root).digest('hex').slice(0, 16);
  let run = join(root, 'run');
  if (platform !== 'win32' && Buffer.byteLength(join(run, 'window.sock')) > MAX_SOCKET_PATH)
    run = `/tmp/callgate-${process.getuid?.() ?? 0}-${short}`;
  const socket = (name: string): string => (platform === 'win32' ? `\\\\.\\pipe\\callgate-${short}-${name}` : join(run, `${name}.sock`));
  return {
    home,
    root,
    bin: join(root, 'bin'),
    lib: join(root, 'lib'),
    run,
    claudeSocket: socket('claude'),
    codexSocket: socket('codex'),
    windowSocket: socket('window'),
    mcpSocket: socket('mcp'),
    brokerLock: join(run, 'broker.lock'),
    windowToken: join(root, 'keys', 'window-token'),
    journal: join(root, 'journal'),
    keys: join(root, 'keys'),
    grants: join(root, 'grants'),
    index: join(root, 'index'),
    backups: join(root, 'backups'),
    settings: join(root, 'settings.json'),
    unrecorded: join(root, 'unrecorded'),
  };
}

/** Why nothing in `folder` may be trusted; null when it is ours, or not there. Under `/tmp` anybody can make it first. */
export function whyNotOurs(folder: string): string | null {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (!stat || process.platform === 'win32') return null;
  if (!stat.isDirectory()) return `${folder} is not a directory; remove it and try again`;
  return process.getuid && stat.uid !== process.getuid()
    ? `${folder} belongs to user ${stat.uid}, not to you; remove it and try again`
    : null;
}

/**
 * Makes `folder` (and its parents) if missing and insists that it is a real directory of this user that nobody
 * else can enter.
 * @throws Error naming the folder and what is wrong: somebody else's folder under `/tmp` must never become ours.
 */
export function ensurePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = lstatSync(folder);
  if (!stat.isDirectory()) throw new Error(`${folder} is not a directory; remove it and try again`);
  if (process.getuid && stat.uid !== process.getuid())
    throw new Error(`${folder} belongs to user ${stat.uid}, not to you; remove it and try again`);
  if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) chmodSync(folder, 0o700);
}
