/**
 * A second reading, for calls in which something runs that was not read: a file copied from another, the output of a
 * function, a task file written a moment ago. Whatever text the call itself carries may be what runs then.
 */
import type { Built } from '#core/normalize/shell/job.ts';

/** Programs that run text from places nobody could follow. */
const RUNS_TEXT =
  /^(?:(?:ba|da|z|k|a|mk|fi|c|tc)?sh|eval|source|\.|exec|env|command|python[\d.]*|perl|ruby|node|php|lua|tclsh|bun|deno|g?make|just|ninja|task|rake|npm|pnpm|yarn|pytest|pip3?|tox|nox|uv|cargo|cmake|m4|dc|parallel|xargs|[gm]?awk|mapfile|readarray|compgen|complete|fc|emacs|n?vim?|ex|ssh|sudo|pre-commit|husky|at|batch|crontab|docker|podman)$/u;
/** An index with a substitution in it runs wherever bash takes a text for a number or for the name of a variable. */
const INDEX_RUNS = /\w\[[^\]\n]{0,40}(?:\$\(|`)/u;
/** A substitution somebody kept from running for now. */
const KEPT = /\$\([^)(]|`[^`]/u;
/** Texts of these are looked for or kept as words, not run. */
const ONLY_WORDS: ReadonlySet<string> = new Set('grep egrep fgrep rg ag ack gh glab jq yq'.split(' '));
/** Code of another language: only what it quotes may be shell text. */
const OTHER_CODE =
  /^[ \t]{0,40}(?:import|from|def|const|let|var|function|class|package|using|require|async|export (?:default|const|function))\b/mu;
/** Without one of these, a text does nothing that is worth a second reading. */
const ACTS =
  /\b(?:rm|dd|shred|mkfs|wipefs|curl|wget|nc|ncat|socat|chmod|chown|crontab|find|tee|truncate|rmtree|terraform|dropdb|useradd|usermod)\b|\/dev\/(?:tcp|udp|sd|nvme)|\.ssh\b|\.callgate|\.claude\b|\.codex\b|authorized_keys|sudoers|\.(?:bash|zsh)rc|\.git\/hooks/u;
const QUOTED = /"((?:[^"\\]|\\.){0,2000})"|'([^']{0,2000})'/gu;

const MAX_TEXTS = 64;
const MAX_UNITS = 32 * 1024;

export interface Unread {
  readonly texts: readonly string[];
  /** There was more than is read a second time. */
  readonly cut: boolean;
}

/** Texts of the call to be read as scripts; none when all that runs was read. `printed`: constant output of its commands. */
export function unreadTexts(commands: readonly Built[], printed: readonly string[]): Unread {
  const none: Unread = { texts: [], cut: false };
  if (!commands.some(runsUnread)) return none;
  const seen = new Set<string>();
  let units = 0;
  let cut = false;
  const add = (text: string): void => {
    if (text.length < 6 || seen.has(text) || !ACTS.test(text)) return;
    if (seen.size >= MAX_TEXTS || units + text.length > MAX_UNITS) {
      cut = true;
      return;
    }
    units += text.length;
    seen.add(text);
  };
  const all = (text: string): void => {
    if (text.length > MAX_UNITS) cut = true;
    else if (ACTS.test(text)) {
      if (!OTHER_CODE.test(text)) add(text);
      for (const hit of text.matchAll(QUOTED)) add((hit[1] ?? hit[2] ?? '').replace(/\\(["'\\/])/gu, '$1'));
      for (const hit of text.matchAll(/^[ \t]{0,20}[\w.-]{1,40}[ \t]{0,9}:?=[ \t]{0,9}(\S[^\n]{0,2000})$/gmu)) add(hit[1] ?? '');
    }
  };
  const kept = commands
    .filter(keepsWords)
    .flatMap((command) => command.words)
    .filter((word) => word.length > 12);
  const mayRun = printed.filter((text) => !kept.some((word) => word.includes(text)));
  for (const text of mayRun) all(text);
  if (mayRun.length > 1 && mayRun.length <= 40 && mayRun.every((text) => text.length < 200)) {
    all(mayRun.join(''));
    all(mayRun.join(' '));
  }
  for (const command of commands) {
    if (keepsWords(command)) continue;
    const { words, assigns, stdin } = command;
    for (const text of stdin) all(text);
    for (const assign of assigns) all(assign.slice(assign.indexOf('=') + 1));
    for (const word of words) if (/\s/u.test(word)) all(word);
  }
  return { texts: [...seen], cut };
}

const keepsWords = ({ program, operands }: Built): boolean =>
  ONLY_WORDS.has(program) || (program === 'git' && /^(?:commit|log|grep|tag|notes)$/u.test(operands[0] ?? ''));

function runsUnread({ program, words, assigns }: Built): boolean {
  return (
    RUNS_TEXT.test(program) ||
    (words[0] ?? '').includes('$') ||
    words.some((word) => INDEX_RUNS.test(word)) ||
    assigns.some((assign) => INDEX_RUNS.test(assign) || KEPT.test(assign) || /^(?:BASH_)?ENV=/u.test(assign))
  );
}

/** A name nobody knows with the flags of `rm` and something to delete: `$(f) -rf ~`. */
export function likelyWords(words: readonly string[]): readonly string[] | null {
  const [first = '', ...args] = words;
  if (!/^(?:\$|`)|\$\(\)|^\$UNKNOWN$/u.test(first)) return null;
  const flagged = args.some((arg) => /^-[a-zA-Z]{0,4}(?:[rR][a-zA-Z]{0,3}f|f[a-zA-Z]{0,3}[rR])[a-zA-Z]{0,3}$/u.test(arg));
  const unknown = args.length === 2 && (args[0] ?? '').startsWith('$');
  if (!flagged && !unknown) return null;
  return ['rm', '-rf', ...args.filter((arg) => !arg.startsWith('-') && !arg.startsWith('$'))];
}
