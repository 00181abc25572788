/** Which folder each command of a script runs in: follows `cd`, `pushd` and `popd` with operands that are known, within their subshell. */
import { resolvePath } from '#core/normalize/path.ts';
import type { ShellState } from '#core/normalize/shell/syntax.ts';

/** Where a shell is, and where `cd -` and `popd` would take it. */
export interface Here {
  folder: string;
  back: string[];
}

export type Folders = Map<number, Here>;

const MAX_BACK = 32;

/** The folder of a subshell; at its first command that is the folder of the shell around it. */
export function hereOf(scope: number, folders: Folders, state: ShellState): Here {
  const known = folders.get(scope);
  if (known) return known;
  const chain: number[] = [];
  let around: number | undefined = scope;
  // Not recursive: subshells may stand in one another as deep as the parser goes.
  while (around !== undefined && !folders.has(around)) {
    chain.push(around);
    around = state.parents.get(around);
  }
  const outer = around === undefined ? undefined : folders.get(around);
  let here: Here = outer ?? { folder: state.variables.get('PWD') ?? '', back: [] };
  for (const inner of chain.reverse()) {
    here = { folder: here.folder, back: [...here.back] };
    folders.set(inner, here);
  }
  return here;
}

/**
 * Follows one command; an operand that is not known leaves the folder as it was. `searchPath`: the shell's CDPATH, in
 * whose first folder a plain name is taken to be found. Returns how many units of text that took: who goes ever deeper makes much of little.
 */
export function follow(program: string, operands: readonly string[], here: Here, home: string, searchPath = ''): number {
  if (program === 'popd' || (program === 'cd' && operands[0] === '-')) {
    const last = here.back.pop();
    if (last !== undefined) {
      if (program === 'cd') here.back.push(here.folder);
      here.folder = last;
    }
    return 0;
  }
  if (program !== 'cd' && program !== 'pushd' && program !== 'chdir' && program !== 'set-location') return 0;
  const wanted = operands[0] ?? (program === 'pushd' ? here.folder : home);
  if (wanted === '' || /[$*?[]/u.test(wanted)) return 0;
  here.back.push(here.folder);
  if (here.back.length > MAX_BACK) here.back.shift();
  const first = /^[^./~]|^\.[^./]/u.test(wanted) ? searchPath.split(':').find((one) => one !== '' && one !== '.') : undefined;
  here.folder = insideOf(first === undefined ? here.folder : insideOf(here.folder, first, home), wanted, home);
  return here.folder.length;
}

export function insideOf(folder: string, wanted: string, home: string): string {
  return resolvePath(
    wanted.replace(/^~(?=\/|$)/u, () => home),
    folder,
  );
}

/** Flags by which programs run in another folder. */
const CHANGERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['git', ['-C', '--work-tree']],
  ['make', ['-C', '--directory']],
  ['gmake', ['-C', '--directory']],
  ['ninja', ['-C']],
  ['tar', ['-C', '--directory', '--cd']],
  ['bsdtar', ['-C', '--directory']],
  ['env', ['-C', '--chdir']],
  ['sudo', ['-D', '--chdir']],
  ['npm', ['-C', '--prefix']],
  ['pnpm', ['-C', '--dir']],
  ['yarn', ['--cwd']],
  ['cargo', ['-C']],
  ['go', ['-C']],
  ['just', ['-d']],
  ['systemd-run', ['--working-directory']],
  ['patch', ['-d', '--directory']],
]);

/** The folder a command itself works in: `git -C there …`, `tar -C there …`. */
export function ownFolder(program: string, words: readonly string[], folder: string, home: string): string {
  const flags = CHANGERS.get(program);
  if (!flags) return folder;
  let own = folder;
  for (const [index, word] of words.entries()) {
    const next = words[index + 1];
    if (index > 0 && flags.includes(word) && next !== undefined) own = insideOf(own, next, home);
    else {
      const flag = flags.find((name) => word.startsWith(name.startsWith('--') ? `${name}=` : name) && word.length > name.length + 1);
      if (index > 0 && flag !== undefined) own = insideOf(own, word.slice(flag.length + (flag.startsWith('--') ? 1 : 0)), home);
    }
  }
  return own;
}
