/** The files people write: found, told apart from what is not theirs, and read within bounds. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '#home/privateFile.ts';

/** Where rules and a policy of people's own may lie. */
export interface CustomPlace {
  /** Looked at first; nothing there: nothing below it is looked for. Null: always looked for. */
  readonly holder: string | null;
  /** A folder of `*.yaml`. */
  readonly rules: string;
  /** A file. */
  readonly policy: string;
  /** `ours`: symbolic links and files of other users are refused · `anybody`: came with a checkout. */
  readonly owner: 'ours' | 'anybody';
}

export const MAX_FILE_BYTES = 1024 * 1024;
const MAX_FILES = 100;

export interface CustomFile {
  readonly file: string;
  /** Without its folder. */
  readonly name: string;
}

export interface CustomFiles {
  readonly rules: readonly CustomFile[];
  readonly policy: CustomFile | null;
  /** Whole sentences; the files they speak of are not among the rest. */
  readonly problems: readonly { readonly file: string; readonly message: string }[];
  /** Changes whenever one of the files does; empty: there are none. */
  readonly signature: string;
}

const NOTHING: CustomFiles = { rules: [], policy: null, problems: [], signature: '' };

/** Never fails. Without any files it costs two or three calls that find nothing. */
export function findCustomFiles(place: CustomPlace): CustomFiles {
  if (place.holder !== null && look(place.holder) === null) return NOTHING;
  const folder = look(place.rules);
  const policy = look(place.policy);
  if (folder === null && policy === null) return NOTHING;
  const problems: { file: string; message: string }[] = [];
  const marks: string[] = [];
  const take = (file: string, stat: Stats | string, kind: 'folder' | 'file'): boolean => {
    const problem = typeof stat === 'string' ? stat : whyNot(stat, kind, place.owner);
    marks.push(
      typeof stat === 'string'
        ? `${file} ${stat}`
        : `${file} ${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}:${stat.uid}`,
    );
    if (problem !== null) problems.push({ file, message: problem });
    return problem === null;
  };
  const rules: CustomFile[] = [];
  if (folder !== null && take(place.rules, folder, 'folder')) {
    const names = list(place.rules);
    if (typeof names === 'string') problems.push({ file: place.rules, message: names });
    else {
      if (names.length > MAX_FILES)
        problems.push({
          file: place.rules,
          message: `it holds ${names.length} rule files; at most ${MAX_FILES} are read, so put several rules into one`,
        });
      for (const name of names.slice(0, MAX_FILES)) {
        const file = join(place.rules, name);
        const stat = look(file);
        if (stat !== null && take(file, stat, 'file')) rules.push({ file, name });
      }
    }
  }
  const usable = policy !== null && take(place.policy, policy, 'file');
  return { rules, policy: usable ? { file: place.policy, name: 'policy.yaml' } : null, problems, signature: marks.join('\n') };
}

function list(folder: string): string[] | string {
  try {
    return readdirSync(folder)
      .filter((name) => /^[^.].{0,200}\.ya?ml$/u.test(name))
      .sort();
  } catch (error) {
    return `it cannot be read (${errorText(error)}); make it readable`;
  }
}

/** Null: not there. A text: why it cannot be looked at. */
function look(path: string): Stats | string | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return null;
    return `it cannot be looked at (${errorText(error)}); make it readable`;
  }
}

function whyNot(stat: Stats, kind: 'folder' | 'file', owner: CustomPlace['owner']): string | null {
  if (stat.isSymbolicLink()) return `it is a symbolic link, which is not followed; put the ${kind} itself there`;
  if (kind === 'folder' ? !stat.isDirectory() : !stat.isFile()) return `it is not a plain ${kind}; move it away`;
  if (owner === 'ours' && process.getuid && stat.uid !== process.getuid())
    return `it belongs to user ${stat.uid}, not to you; make it yours`;
  if (kind === 'file' && stat.size > MAX_FILE_BYTES) return `it has ${stat.size} bytes; at most ${MAX_FILE_BYTES} are read, so split it`;
  return null;
}

/** One file as it is at one moment: what replaces it meanwhile is another. */
export function readCustomFile(file: string, owner: CustomPlace['owner']): { readonly text: string } | { readonly message: string } {
  let handle: number;
  try {
    // Not on Windows, which lacks both flags.
    const flags = ((constants.O_NOFOLLOW as number | undefined) ?? 0) | ((constants.O_NONBLOCK as number | undefined) ?? 0);
    handle = openSync(file, constants.O_RDONLY | flags);
  } catch (error) {
    return { message: `it cannot be read (${errorText(error)}); make it readable` };
  }
  try {
    const problem = whyNot(fstatSync(handle), 'file', owner);
    if (problem !== null) return { message: problem };
    const bytes = Buffer.allocUnsafe(MAX_FILE_BYTES + 1);
    let total = 0;
    for (let got = -1; got !== 0 && total < bytes.length; total += got) got = readSync(handle, bytes, total, bytes.length - total, null);
    if (total > MAX_FILE_BYTES) return { message: `it has more than ${MAX_FILE_BYTES} bytes; split it` };
    return { text: bytes.toString('utf8', 0, total) };
  } catch (error) {
    return { message: `it cannot be read (${errorText(error)}); make it readable` };
  } finally {
    closeSync(handle);
  }
}
