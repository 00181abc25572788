/** Splits a command's words into flags and operands, and tells which of them are paths and what happens to those. */
import type { Access } from '#core/detect/rulePack.ts';
import {
  COPIERS,
  DELETERS,
  INTERPRETERS,
  NO_PATHS,
  PATTERN_FIRST,
  SHELLS,
  VALUED,
  WRAPPERS,
  WRITERS,
} from '#core/normalize/shell/programs.ts';
import { interpreterName, programName } from '#core/normalize/shell/programNames.ts';
import { foundNames, HANDLES_FILES } from '#core/normalize/shell/wrapped.ts';

/** Longest word that can be a path; the kernel takes no longer ones. */
const MAX_PATH = 4096;

export interface Arguments {
  readonly flags: ReadonlySet<string>;
  readonly operands: readonly string[];
}

export function splitArguments(program: string, args: readonly string[]): Arguments {
  const flags = new Set<string>();
  const operands: string[] = [];
  const valued = VALUED.get(program) ?? [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (arg === '--') {
      // Not spread: a call has fewer arguments than a command may have words.
      for (const rest of args.slice(index + 1)) operands.push(rest);
      break;
    }
    const long = /^--([^=]+)/u.exec(arg)?.[1];
    if (long !== undefined) flags.add(long);
    else if (/^-[^-\s]/u.test(arg)) {
      const name = arg.slice(1).split('=', 1)[0] ?? '';
      flags.add(name);
      if (name.length <= 12) for (const letter of name) flags.add(letter);
    } else operands.push(arg);
    if (valued.includes(arg)) index++;
  }
  return { flags, operands };
}

export interface PathUse {
  readonly text: string;
  readonly access: Access;
}

const LOOKS_LIKE_PATH = /^(?:~|\.{1,2}(?:\/|$)|\/|\$HOME|\$\{HOME|%USERPROFILE%|[a-z]:[\\/])|[^:]\/(?!\/)|^\.[a-z]/iu;
/** Names without a slash that are worth resolving in the working folder. */
const PLAIN_FILE = /^[\w*?[][\w.@+*?[\]-]{0,120}$/u;
/** Flags whose value is a file that is written. */
const OUTPUT_FLAGS: ReadonlyMap<string, readonly string[]> = new Map([
  ['curl', ['-o', '--output', '-c', '--cookie-jar', '-D']],
  ['wget', ['-O', '--output-document', '-o', '-P']],
  ['sort', ['-o']],
  ['gcc', ['-o']],
  ['tar', []],
  ['dd', []],
  ['openssl', ['-out']],
  ['unzip', ['-d']],
]);
/** Flags that name a key or config file the program uses without showing it. */
const USED_NOT_SHOWN = /^(?:-i|-F|--identity|--kubeconfig|--config|--cacert|--cert|--key|--env-file|-o|-c)$/u;
const USERS_OF_KEYS: ReadonlySet<string> = new Set([
  'ssh',
  'scp',
  'sftp',
  'rsync',
  'ssh-copy-id',
  'kubectl',
  'helm',
  'docker',
  'docker-compose',
  'ansible',
  'ansible-playbook',
  'mosh',
  'autossh',
  'git',
]);

/** Paths among the words of a command. `words` includes the program. */
export function pathUses(program: string, words: readonly string[], operands: readonly string[]): readonly PathUse[] {
  const args = words.slice(1);
  const out: PathUse[] = [];
  const first = words[0] ?? '';
  if (/[\\/]/u.test(first) && !first.includes('$()')) out.push({ text: first, access: 'execute' });
  if (NO_PATHS.has(program)) return out;
  const name = interpreterName(program);
  if (WRAPPERS.has(program)) return out; // the wrapped command has its own
  const outputs = OUTPUT_FLAGS.get(program) ?? [];
  const inPlace =
    (name === 'sed' || name === 'gsed' || name === 'perl' || name === 'yq') &&
    args.some((arg) => /^-[a-z]*i/u.test(arg) || arg === '--in-place');
  const skipValue = new Set<string>();
  for (const [index, arg] of args.entries()) {
    const next = args[index + 1];
    if (next !== undefined && (outputs.includes(arg) || (/^-[A-Za-z]{2,8}$/u.test(arg) && outputs.includes(`-${arg.slice(-1)}`)))) {
      out.push({ text: next, access: 'write' });
      skipValue.add(next);
    } else if (next !== undefined && USERS_OF_KEYS.has(program) && USED_NOT_SHOWN.test(arg)) skipValue.add(next);
    // `@file` (curl), `name=@file`, `--flag=file`, `if=file` and `of=file` (dd).
    const at = /^(?:[^@\s]{0,80}=)?@([^\s]{1,4096})$/u.exec(arg)?.[1];
    if (at !== undefined && at !== '-' && /^(?:curl|http|https|xh|wget|gh|aws)$/u.test(program))
      out.push({ text: at.split(';', 1)[0] ?? at, access: 'read' });
    const value = /^(?:--?[\w-]{1,40}|if|of)=(.{1,4096})$/u.exec(arg)?.[1];
    if (value !== undefined && LOOKS_LIKE_PATH.test(value) && !value.includes('://')) {
      out.push({
        text: value,
        access: arg.startsWith('of=') || /^--(?:output|out|outfile|output-document)=/u.test(arg) ? 'write' : 'read',
      });
    }
    if (value !== undefined && arg.startsWith('of=') && !LOOKS_LIKE_PATH.test(value)) out.push({ text: value, access: 'write' });
    if (/^-[A-Za-z][~/]/u.test(arg)) out.push({ text: arg.slice(2), access: outputs.includes(arg.slice(0, 2)) ? 'write' : 'read' });
    if (
      (arg === '-T' || arg === '--upload-file' || arg === '-K' || arg === '--post-file' || arg === '--body-file') &&
      next !== undefined &&
      (program === 'curl' || program === 'wget')
    ) {
      out.push({ text: next, access: 'read' });
      skipValue.add(next);
    }
  }
  if (name === 'find') return [...out, ...findUses(args)];
  const files = operands.filter((operand) => !skipValue.has(operand));
  const candidates = PATTERN_FIRST.has(name) && !args.some((arg) => arg === '-e' || arg === '-f') ? files.slice(1) : files;
  for (const [index, operand] of candidates.entries()) {
    const access = accessOf(name, index, candidates.length, inPlace);
    if (operand.includes('://') && !operand.startsWith('file:')) continue;
    if (operand.length > MAX_PATH || /[\n]/u.test(operand) || operand.includes('{}') || operand.includes('$()')) continue;
    const known =
      DELETERS.has(name) ||
      WRITERS.has(name) ||
      COPIERS.has(name) ||
      READERS.has(name) ||
      (index === 0 && (SHELLS.has(program) || INTERPRETERS.has(name)));
    if (!LOOKS_LIKE_PATH.test(operand) && !(known && PLAIN_FILE.test(operand))) continue;
    if (!known && /\s/u.test(operand)) continue;
    out.push({ text: operand, access });
    if (name === 'mv' && access === 'read') out.push({ text: operand, access: 'delete' });
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

const READERS: ReadonlySet<string> = new Set([
  'cat',
  'tac',
  'less',
  'more',
  'head',
  'tail',
  'nl',
  'xxd',
  'od',
  'hexdump',
  'strings',
  'base64',
  'base32',
  'cut',
  'sort',
  'uniq',
  'bat',
  'grep',
  'egrep',
  'fgrep',
  'rg',
  'sed',
  'awk',
  'jq',
  'zip',
  'tar',
  'gzip',
  'source',
  '.',
  'cmp',
  'diff',
  'wc',
  'paste',
  'fold',
  'rev',
  'type',
  'get-content',
  'gc',
  'gpg',
  'openssl',
  'curl',
]);

function accessOf(program: string, index: number, count: number, inPlace: boolean): Access {
  if (DELETERS.has(program)) return 'delete';
  if (WRITERS.has(program) || inPlace) return 'write';
  if (COPIERS.has(program)) return index === count - 1 && count > 1 ? 'write' : 'read';
  if (
    (SHELLS.has(program) || (INTERPRETERS.has(program) && !PATTERN_FIRST.has(program)) || program === 'source' || program === '.') &&
    index === 0
  )
    return 'execute';
  return 'read';
}

/** Programs that do no more than read, name or print what they are given; `mkdir` changes nothing that exists. */
const READS_ONLY: ReadonlySet<string> = new Set([
  ...READERS,
  ...[...NO_PATHS].filter((name) => !/^(?:chmod|chown|chgrp|chattr|kill|pkill|killall|crontab|fuser|lsof)$/u.test(name)),
  'ag',
  'ack',
  'zgrep',
  'ugrep',
  'tr',
  'yq',
  'md5sum',
  'sha1sum',
  'sha256sum',
  'shasum',
  'cksum',
  'column',
  'comm',
  'join',
  'look',
  'split',
  'mkdir',
  'cloc',
  'tokei',
  'find',
  'fd',
  'fdfind',
  'watch',
  'export',
  'history',
  'code',
  'open',
  'xdg-open',
  'then',
  'do',
  'eval',
]);
/** Subcommands of git that leave the files of the workspace as they are. */
const GIT_READS: ReadonlySet<string> = new Set([
  'add',
  'diff',
  'log',
  'show',
  'status',
  'blame',
  'commit',
  'ls-files',
  'ls-tree',
  'grep',
  'push',
  'fetch',
  'rev-parse',
  'rev-list',
  'check-ignore',
  'check-attr',
  'cat-file',
  'describe',
  'shortlog',
  'tag',
  'difftool',
  'hash-object',
  'config',
  'remote',
  'branch',
]);
/** Folders and files whose names are worth resolving; resolving everything would ask the file system too often. */
const GUARDED = /callgate|claude|codex|mcp|hooks|cursor|gemini|copilot|[*?[]/iu;

/** Guarded paths among the words of a command that may do anything with them. */
export function guardedWords(program: string, words: readonly string[], operands: readonly string[], folder: string): readonly string[] {
  const name = interpreterName(program);
  if (
    program === '' ||
    READS_ONLY.has(name) ||
    WRAPPERS.has(program) ||
    SHELLS.has(program) ||
    (program === 'git' && GIT_READS.has(operands[0] ?? ''))
  )
    return [];
  const out = new Set<string>();
  const inside = GUARDED.test(folder);
  const script = INTERPRETERS.has(name) && !PATTERN_FIRST.has(name) ? operands[0] : undefined;
  for (const word of words.slice(1)) {
    if (word === script || word.length > MAX_PATH || /[\s$]/u.test(word) || word.includes('://') || !(inside || GUARDED.test(word)))
      continue;
    for (const part of new Set([word, ...word.split(/[=:,]/u)])) {
      if (LOOKS_LIKE_PATH.test(part) || (inside && PLAIN_FILE.test(part))) out.add(part);
    }
  }
  return [...out];
}
