/** The text of the command that client configs run for every hook event. */
import { join } from 'node:path';
import { REPLY_PASS } from '#contract/hookReply.ts';
import type { Layout } from '#home/layout.ts';
import { askerCommand, type Asker } from '#node/launcher/asker.ts';
import { quoteCmd, quoteShell } from '#node/launcher/quoting.ts';

/** @throws LauncherError UNSUPPORTED_PATH when a path cannot be quoted. */
export function commandText(layout: Layout, client: 'claude' | 'codex', asker: Asker): string {
  if (process.platform === 'win32') return `${quoteCmd(join(layout.bin, 'callgate-hook.cmd'))} ${client}`;
  const command = posixHookCommand(layout, client, asker);
  // Codex runs hooks with the user's login shell, which may be one (fish) that does not read this language.
  return client === 'codex' ? `exec /bin/sh -c ${quoteWhole(command)}` : command;
}

/**
 * The clean path costs one shell and one asker. Whatever else happens ends in the script, and whatever happens to the
 * script ends in status 2 with a line on standard error: the only answer that every client takes for "do not run".
 * `case` rather than `[`: a function of that name in the environment cannot replace it.
 */
export function posixHookCommand(layout: Layout, client: 'claude' | 'codex', asker: Asker): string {
  // Nothing of the caller's environment: where sh is bash, SHELLOPTS=noexec would end the script well and without a word.
  const script = `/usr/bin/env -i ${quoteShell(join(layout.bin, 'callgate-hook'))}`;
  const orRefuse = `|| { r=$?; case $r in 2) ;; *) echo "Callgate could not start ($r); call refused" >&2 ;; esac; exit 2; }`;
  if (asker.kind === 'none') return `${script} ${client} 1 '' ${orRefuse}`;
  const ask = askerCommand(asker, client === 'claude' ? layout.claudeSocket : layout.codexSocket);
  return `r=$(${ourFolder(layout)}${ask} 2>/dev/null); s=$?; case $r in ${REPLY_PASS}) ;; *) ${script} ${client} "$s" "$r" ${orRefuse} ;; esac`;
}

/** A broker that does not answer at once has taken the event all the same, in seconds. */
const RECORD_PATIENCE_SECONDS = 1;

/**
 * The command of the hooks that only record: prints nothing and ends well whatever happens, so that it can neither refuse
 * nor be taken for an answer. Without a broker the event is counted and lost: recording it in a process of its own would
 * cost some ten times as much as the broker takes. Null where no small program can carry it.
 * @throws LauncherError UNSUPPORTED_PATH when a path cannot be quoted.
 */
export function recordCommandText(layout: Layout, client: 'claude' | 'codex', asker: Asker): string | null {
  if (process.platform === 'win32' || asker.kind === 'none') return null;
  const ask = askerCommand(asker, client === 'claude' ? layout.claudeSocket : layout.codexSocket, RECORD_PATIENCE_SECONDS);
  // What nobody took is read to its end: a client may mind a hook that does not.
  const missed = `{ /bin/cat; echo ${client} >>${quoteShell(layout.unrecorded)}; }`;
  const command = `{ ${ourFolder(layout)}${ask} || ${missed}; } >/dev/null 2>&1; exit 0`;
  return client === 'codex' ? `exec /bin/sh -c ${quoteWhole(command)}` : command;
}

/** Under `/tmp` somebody else may have made the folder first, and would then answer in the broker's place. */
function ourFolder({ root, run }: Layout): string {
  if (run.startsWith(root)) return '';
  const folder = quoteShell(run);
  return `[ -O ${folder} ] && [ ! -L ${folder} ] && `;
}

/** A whole command as one word; it holds no backslash except those that end and begin its quotes again. */
function quoteWhole(command: string): string {
  return `'${command.replaceAll("'", `'\\''`)}'`;
}
