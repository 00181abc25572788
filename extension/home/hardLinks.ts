/** Tells the guarded file that a name is another hard link to: no path says so, only the inode does. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Folders, below the home, whose files are looked at one by one, and single files. */
const FOLDERS = [
  '.ssh',
  '.aws',
  '.azure',
  '.kube',
  '.gnupg',
  '.gnupg/private-keys-v1.d',
  '.docker',
  '.claude',
  '.codex',
  '.config/gcloud',
  '.config/gh',
];
const FILES = [
  '.netrc',
  '.git-credentials',
  '.npmrc',
  '.pypirc',
  '.pgpass',
  '.my.cnf',
  '.vault-token',
  '.bashrc',
  '.zshrc',
  '.profile',
  '.gitconfig',
  '.claude.json',
];
const SYSTEM = ['/etc/shadow', '/etc/sudoers', '/etc/passwd', '/etc/gshadow'];
const OWN = ['', 'keys', 'grants', 'journal', 'bin'];
/** Most files of one folder; those beyond keep being judged by their names. */
const MOST = 200;

/** `real` itself, or the guarded file it is one more name of. `dataFolder`: our own. Never throws. */
export function guardedName(real: string | null, home: string, dataFolder: string): string | null {
  if (real === null) return null;
  const wanted = identity(real);
  if (wanted === null) return real;
  const found = (path: string): boolean => identity(path) === wanted;
  for (const path of [...FILES.map((name) => join(home, name)), ...SYSTEM]) if (found(path)) return path;
  for (const folder of [...FOLDERS.map((name) => join(home, name)), ...OWN.map((name) => join(dataFolder, name))])
    for (const name of namesIn(folder)) if (found(join(folder, name))) return join(folder, name);
  return real;
}

/** Device and inode of a regular file that has more than one name; null otherwise. */
function identity(path: string): string | null {
  try {
    const stat = statSync(path, { bigint: true });
    return stat.isFile() && stat.nlink > 1n ? `${stat.dev}:${stat.ino}` : null;
  } catch {
    return null; // not there, or hidden from us: then it is hidden from the agent too
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).slice(0, MOST);
  } catch {
    return []; // not there
  }
}
