/** Words that may name a guarded file, of commands that may do anything with it. */
import { NO_PATHS, PATTERN_FIRST, READERS } from '#core/normalize/shell/fileRoles.ts';
import { LOOKS_LIKE_PATH, MAX_PATH, PLAIN_FILE } from '#core/normalize/shell/operands.ts';
import { interpreterName } from '#core/normalize/shell/programNames.ts';
import { INTERPRETERS, SHELLS, WRAPPERS } from '#core/normalize/shell/programs.ts';

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
