/** Tells which words of a command are paths, and what happens to those. */
import type { Access } from '#core/detect/rulePack.ts';
import { archivePaths, below } from '#core/normalize/shell/archivePaths.ts';
import { flagFiles } from '#core/normalize/shell/fileFlags.ts';
import { COPIERS, DELETERS, NO_PATHS, PATTERN_FIRST, READERS, WRITERS } from '#core/normalize/shell/fileRoles.ts';
import { interpreterName, programName } from '#core/normalize/shell/programNames.ts';
import { INTERPRETERS, SHELLS, WRAPPERS } from '#core/normalize/shell/programs.ts';
import { toolPaths } from '#core/normalize/shell/toolPaths.ts';
import { isRemote, transferPaths } from '#core/normalize/shell/transferPaths.ts';
import { foundNames, HANDLES_FILES } from '#core/normalize/shell/finders.ts';

/** Longest word that can be a path; the kernel takes no longer ones. */
export const MAX_PATH = 4096;

export interface PathUse {
  readonly text: string;
  readonly access: Access;
}

export const LOOKS_LIKE_PATH = /^(?:~|\.{1,2}(?:\/|$)|\/|\$HOME|\$\{HOME|%USERPROFILE%|[a-z]:[\\/])|[^:]\/(?!\/)|^\.[a-z]/iu;
/** Names without a slash that are worth resolving in the working folder. */
export const PLAIN_FILE = /^[\w*?[][\w.@+*?[\]-]{0,120}$/u;
/** Flags that name a key or config file the program uses without showing it. */
const USED_NOT_SHOWN = /^(?:-i|-F|--identity|--kubeconfig|--config|--cacert|--cert|--key|--env-file|-o|-c)$/u;
const USERS_OF_KEYS: ReadonlySet<string> = new Set(
  'ssh scp sftp rsync ssh-copy-id kubectl helm docker docker-compose ansible ansible-playbook mosh autossh git'.split(' '),
);
/** Subcommands of git that show nothing of the files they are given. */
const GIT_NAMES_ONLY = /^(?:add|rm|mv|restore|checkout|switch|reset|stash|ls-files|check-ignore|status|clean)$/u;
/** Programs whose `@file` is a file they send. */
const SENDS_AT = /^(?:curl|http|https|xh|wget|gh|aws)$/u;

/** Paths among the words of a command. `words` includes the program, `stdin` is what is known to arrive there. */
export function pathUses(
  program: string,
  words: readonly string[],
  operands: readonly string[],
  stdin: readonly string[],
): readonly PathUse[] {
  const first = words[0] ?? '';
  const out: PathUse[] = [];
  if (/[\\/]/u.test(first) && !first.includes('$()')) out.push({ text: first, access: 'execute' });
  if (words.length < 2 && stdin.length === 0) return out;
  // A wrapped command has its own paths.
  if (NO_PATHS.has(program) || WRAPPERS.has(program)) return out;
  const args = words.slice(1);
  const name = interpreterName(program);
  if (name === 'find') return [...out, ...findUses(args)];
  // A module, with words of its own: the module's command has them.
  if (name === 'python' && args[0] === '-m') return [...out, ...toolPaths(name, args, operands, stdin)];
  const skipped = new Set<string>();
  out.push(...fromFlags(program, args, skipped));
  const special = archivePaths(name, args, operands) ?? transferPaths(name, args, operands);
  if (special !== null) return [...out, ...special];
  out.push(...toolPaths(name, args, operands, stdin));
  if (name === 'git' && GIT_NAMES_ONLY.test(operands[0] ?? '')) return out;
  const files = operands.filter((operand) => !skipped.has(operand));
  if (COPIERS.has(name)) return [...out, ...copyUses(name, args, files)];
  const inPlace = /^(?:g?sed|perl|yq|ruby)$/u.test(name) && args.some((arg) => /^-[a-z]*i/u.test(arg) || arg.startsWith('--in-place'));
  const candidates = PATTERN_FIRST.has(name) && !args.some((arg) => arg === '-e' || arg === '-f') ? files.slice(1) : files;
  for (const [index, operand] of candidates.entries()) {
    const access = accessOf(name, index, inPlace);
    const known =
      DELETERS.has(name) || WRITERS.has(name) || READERS.has(name) || (index === 0 && (SHELLS.has(program) || INTERPRETERS.has(name)));
    if (isFile(operand, known)) out.push({ text: operand, access });
  }
  return out;
}

function isFile(operand: string, known: boolean): boolean {
  if (operand.includes('://') && !operand.startsWith('file:')) return false;
  if (operand.length > MAX_PATH || operand.includes('\n') || operand.includes('{}') || operand.includes('$()')) return false;
  if (!LOOKS_LIKE_PATH.test(operand) && !(known && PLAIN_FILE.test(operand))) return false;
  return known || !/\s/u.test(operand);
}

/** Files that flags and `name=value` words name; `skipped` takes those that are no operands. */
function fromFlags(program: string, args: readonly string[], skipped: Set<string>): readonly PathUse[] {
  const out: PathUse[] = [];
  for (const file of flagFiles(program, args)) {
    out.push({ text: file.access === 'tree' ? below(file.text) : file.text, access: file.access === 'tree' ? 'write' : file.access });
    if (file.access === 'tree') out.push({ text: file.text, access: 'write' });
    if (file.apart) skipped.add(file.text);
  }
  const usesKeys = USERS_OF_KEYS.has(program);
  for (const [index, arg] of args.entries()) {
    const next = args[index + 1];
    if (next !== undefined && usesKeys && USED_NOT_SHOWN.test(arg)) skipped.add(next);
    if (arg.includes('@') && SENDS_AT.test(program)) {
      const at = /^(?:-[dFT]|--[\w-]{1,30}=)?(?:[^@\s]{0,80}=)?[@<]([^\s]{1,4096})$/u.exec(arg)?.[1];
      if (at !== undefined && at !== '-') out.push({ text: at.split(';', 1)[0] ?? at, access: 'read' });
    }
    if (!arg.includes('=')) {
      if (/^-[A-Za-z][~/]/u.test(arg) && !out.some((use) => use.text === arg.slice(2))) out.push({ text: arg.slice(2), access: 'read' });
      continue;
    }
    // `--flag=file`, `if=file` and `of=file` (dd).
    const value = /^(?:--?[\w-]{1,40}|if|of)=(.{1,4096})$/u.exec(arg)?.[1];
    if (value === undefined) continue;
    if (arg.startsWith('of=')) out.push({ text: value, access: 'write' });
    else if (LOOKS_LIKE_PATH.test(value) && !value.includes('://') && !out.some((use) => use.text === value))
      out.push({ text: value, access: /^--(?:output|out|outfile|output-document)=/u.test(arg) ? 'write' : 'read' });
  }
  return out;
}

/** The last operand, or the folder after `-t`, is written; the others are read, and by `mv` removed. */
function copyUses(name: string, args: readonly string[], operands: readonly string[]): readonly PathUse[] {
  const at = args.findIndex((arg) => /^-[a-zA-Z]{0,6}t$/u.test(arg) || arg === '--target-directory');
  const into = at >= 0 && name !== 'rsync' ? args[at + 1] : args.find((arg) => arg.startsWith('--target-directory='))?.slice(19);
  const files = operands.filter((operand) => isFile(operand, true) && operand !== into);
  if (name === 'install' && args.some((arg) => /^-[a-zA-Z]{0,6}d$|^--directory$/u.test(arg))) return [];
  const target = into ?? (files.length > 1 || operands.length > 1 ? operands.at(-1) : undefined);
  const sources = into === undefined && target !== undefined && files.at(-1) === target ? files.slice(0, -1) : files;
  const out: PathUse[] = [];
  for (const source of sources) {
    if (isRemote(source)) continue;
    out.push({ text: source, access: 'read' });
    if (/^g?mv$|^move/u.test(name)) out.push({ text: source, access: 'delete' });
  }
  if (target === undefined || !isFile(target, true) || isRemote(target)) return out;
  out.push({ text: target, access: 'write' });
  const folder =
    into !== undefined || sources.length > 1 || /\/$|^\.{0,2}$|^~$|^\/(?:root|home\/[^/]{1,60}|Users\/[^/]{1,60})$/u.test(target);
  if (folder && /^g?(?:cp|mv|install|ln)$|^(?:copy|move|copy-item|move-item|ditto)$/u.test(name)) {
    // What is copied keeps its name there; of a whole folder, or of what a pattern matches, nothing is known but where it goes.
    for (const source of sources.slice(0, 32)) {
      const last = source.replace(/\/+$/u, '').split('/').at(-1) ?? '';
      const whole = /^(?:|\.{1,2})$|[*?[]/u.test(last) || (source.endsWith('/') && args.some((arg) => /^-[a-zA-Z]*[rRa]/u.test(arg)));
      out.push({ text: whole ? below(target) : `${target.replace(/\/+$/u, '')}/${last}`, access: 'write' });
    }
  }
  return out;
}

/** `find` only names files unless told to do more. */
function findUses(args: readonly string[]): readonly PathUse[] {
  if (!args.some((arg) => HANDLES_FILES.test(arg))) return [];
  const deletes =
    args.includes('-delete') || args.some((arg, index) => /^-(?:exec|ok)/u.test(arg) && DELETERS.has(programName(args[index + 1] ?? '')));
  const out = foundNames(args).map((text): PathUse => ({ text, access: deletes ? 'delete' : 'read' }));
  for (const [index, arg] of args.entries())
    if (/^-(?:fprint|fls)/u.test(arg) && args[index + 1] !== undefined) out.push({ text: args[index + 1] ?? '', access: 'write' });
  return out;
}

function accessOf(program: string, index: number, inPlace: boolean): Access {
  // What it makes was not there to be read, and what is there it leaves as it is.
  if (program === 'mkdir') return 'use';
  if (DELETERS.has(program)) return 'delete';
  if (WRITERS.has(program) || inPlace) return 'write';
  const runs = SHELLS.has(program) || (INTERPRETERS.has(program) && !PATTERN_FIRST.has(program)) || program === 'source' || program === '.';
  return runs && index === 0 ? 'execute' : 'read';
}
