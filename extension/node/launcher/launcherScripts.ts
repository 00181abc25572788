/** The texts of what is written into `bin/`. Everything they need is baked in: no variable of the caller's environment moves them. */
import { join } from 'node:path';
import { REPLY_DENY, REPLY_END, REPLY_PASS, REPLY_PRINT } from '#contract/hookReply.ts';
import type { Layout } from '#home/layout.ts';
import { quoteCmd, quoteShell } from '#node/launcher/quoting.ts';

export type Deadline =
  | { readonly kind: 'timeout'; readonly program: string }
  | { readonly kind: 'perl'; readonly program: string }
  | { readonly kind: 'shell' };

export interface ScriptFacts {
  readonly layout: Layout;
  readonly version: string;
  /** Programs that can run our bundles, best first; all absolute. */
  readonly runtimes: readonly string[];
  /** Where a node may be found when none of them is left. */
  readonly path: string;
  readonly deadline: Deadline;
}

/** A hook that decides alone must be done by then, in seconds: far below any client's own timeout. */
export const OFFLINE_DEADLINE_SECONDS = 20;

const MEND = 'Open your editor with the Callgate extension once to mend it, or remove Callgate from this agent with its panel.';

/** `callgate-hook <client> <asker status> <asker output>`: acts on the broker's reply, or has the call judged by hook.cjs. */
export function hookScript(facts: ScriptFacts): string {
  const home = quoteShell(facts.layout.home);
  const program = `"$runtime" "$bundle" "$client" ${home} reply`;
  return `#!/bin/sh
# Callgate's hook. Written by the Callgate extension; changes are lost when it is next installed.
# Ends with 0 (no opinion, or an answer on standard output) or with 2 and the reason on standard error; nothing else.
# The hook command starts this without an environment. These would matter most to a client that still runs an older one.
unset LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES DYLD_LIBRARY_PATH DYLD_FRAMEWORK_PATH
unset NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_V8_COVERAGE NODE_COMPILE_CACHE NODE_ICU_DATA OPENSSL_CONF OPENSSL_MODULES PERL5OPT PERL5LIB
# A function of such a name in the caller's environment would be used instead by shells that import them.
unset -f printf command kill sleep wait
PATH=${quoteShell(facts.path)} HOME=${home} LANG=C.UTF-8 ELECTRON_RUN_AS_NODE=1
export PATH HOME LANG ELECTRON_RUN_AS_NODE
client=$1

deny() {
  printf '%s\\n' "$1" >&2
  exit 2
}

# Acts on exactly one whole reply, heartbeats before it removed; comes back when it is none.
act() {
  reply=\${1#"\${1%%[! ]*}"}
  case $reply in
    '${REPLY_PASS}') exit 0 ;;
    '${REPLY_PRINT}'?*'${REPLY_END}')
      reply=\${reply#'${REPLY_PRINT}'}
      printf '%s\\n' "\${reply%'${REPLY_END}'}" || deny 'Callgate could not write its answer; call refused. Try again.'
      exit 0 ;;
    '${REPLY_DENY}'?*'${REPLY_END}')
      reply=\${reply#'${REPLY_DENY}'}
      deny "\${reply%'${REPLY_END}'}" ;;
  esac
}

act "$3"
# A broker that was reached has taken the input with it: there is nothing left to judge.
case "$2:$3" in
  *:?* | 0:) deny 'The Callgate broker stopped answering, so this call was refused. Try again.' ;;
esac

runtime=
for candidate in ${facts.runtimes.map(quoteShell).join(' ')}; do
  if [ -x "$candidate" ]; then runtime=$candidate; break; fi
done
[ -n "$runtime" ] || runtime=$(command -v node)
[ -n "$runtime" ] || deny ${quoteShell(`Callgate has nothing to run with (${facts.runtimes.join(', ')} is gone, and no node is on its path), so this call was refused. ${MEND}`)}
bundle=
for candidate in ${quoteShell(join(facts.layout.lib, facts.version, 'hook.cjs'))} ${quoteShell(facts.layout.lib)}/*/hook.cjs; do
  if [ -s "$candidate" ]; then bundle=$candidate; break; fi
done
[ -n "$bundle" ] || deny ${quoteShell(`Callgate's program ${join(facts.layout.lib, facts.version, 'hook.cjs')} is missing, so this call was refused. ${MEND}`)}

${bounded(facts.deadline, program)}
status=$?
[ "$status" != 0 ] || act "$answer"
case $status in
  124 | 137 | 142) deny 'Callgate took longer than ${OFFLINE_DEADLINE_SECONDS} seconds to decide or was ended, so this call was refused. Try again.' ;;
esac
deny "Callgate's program $bundle failed under $runtime (status $status), so this call was refused. ${MEND}"
`;
}

/** Runs `command` with a deadline and leaves its output in `answer`. */
function bounded(deadline: Deadline, command: string): string {
  switch (deadline.kind) {
    case 'timeout':
      return `answer=$(${quoteShell(deadline.program)} -k 1 ${OFFLINE_DEADLINE_SECONDS} ${command})`;
    case 'perl':
      // An alarm outlives exec, and nothing in the bundle handles its signal.
      return `answer=$(${quoteShell(deadline.program)} -e 'alarm shift; exec @ARGV; exit 127' ${OFFLINE_DEADLINE_SECONDS} ${command})`;
    case 'shell':
      return `bounded() {
  # A command in the background reads from nowhere unless its input is handed over by another number.
  exec 3<&0
  "$@" <&3 3<&- &
  child=$!
  (
    trap 'kill "$nap"; exit 0' TERM
    sleep ${OFFLINE_DEADLINE_SECONDS} &
    nap=$!
    wait "$nap"
    kill -9 "$child"
  ) >/dev/null 2>&1 3<&- &
  watch=$!
  wait "$child"
  ended=$?
  kill "$watch" 2>/dev/null
  return "$ended"
}
answer=$(bounded ${command})`;
  }
}

/** What changes how a Node starts is not for our program, but the client meant it for the server behind it (see proxy/shimCommand). */
const KEEP_FOR_SERVER = ['NODE_OPTIONS', 'NODE_PATH']
  .map((name) => `unset CALLGATE_KEPT_${name}\n[ -z "\${${name}+x}" ] || export CALLGATE_KEPT_${name}="$${name}"\n`)
  .join('');

/** `callgate …`, or with `words` a fixed subcommand in front. */
export function programScript(facts: ScriptFacts, words: readonly string[]): string {
  return `#!/bin/sh
# Runs Callgate's own program. Written by the Callgate extension; changes are lost when it is next installed.
${words.includes('mcp') ? KEEP_FOR_SERVER : ''}unset NODE_OPTIONS NODE_PATH
bundle=
for candidate in ${quoteShell(join(facts.layout.lib, facts.version, 'callgate.cjs'))} ${quoteShell(facts.layout.lib)}/*/callgate.cjs; do
  if [ -s "$candidate" ]; then bundle=$candidate; break; fi
done
if [ -z "$bundle" ]; then
  echo ${quoteShell(`Callgate's program ${join(facts.layout.lib, facts.version, 'callgate.cjs')} is missing. ${MEND}`)} >&2
  exit 127
fi
for runtime in ${facts.runtimes.map(quoteShell).join(' ')} "$(PATH=${quoteShell(facts.path)} command -v node)"; do
  if [ -x "$runtime" ]; then
    ELECTRON_RUN_AS_NODE=1 exec "$runtime" "$bundle"${words.map((word) => ` ${word}`).join('')} "$@"
  fi
done
echo ${quoteShell(`Callgate has nothing to run with: ${facts.runtimes.join(', ')} is gone, and no node was found. ${MEND}`)} >&2
exit 127
`;
}

/** For cmd.exe: the hook program itself asks the broker over its named pipe, since no small program there can. */
export function hookCmd(facts: ScriptFacts): string {
  return cmdScript(facts, `${quoteCmd(join(facts.layout.lib, facts.version, 'hook.cjs'))} %1 ${quoteCmd(facts.layout.home)} ask`, [
    'if errorlevel 3 goto failed',
    'if errorlevel 2 exit /b 2',
    'if errorlevel 1 goto failed',
    // A crash can leave a negative status, which "errorlevel 1" does not see.
    'if not %errorlevel%==0 goto failed',
    'exit /b 0',
    ':failed',
    `echo Callgate could not run, so this call was refused. ${MEND} 1>&2`,
    'exit /b 2',
  ]);
}

export function programCmd(facts: ScriptFacts, words: readonly string[]): string {
  return cmdScript(facts, [quoteCmd(join(facts.layout.lib, facts.version, 'callgate.cjs')), ...words, '%*'].join(' '), [
    'exit /b %errorlevel%',
  ]);
}

function cmdScript(facts: ScriptFacts, program: string, after: readonly string[]): string {
  const runtime = facts.runtimes[0] ?? 'node.exe';
  return [
    '@echo off',
    'setlocal DisableDelayedExpansion',
    'set NODE_OPTIONS=',
    'set NODE_PATH=',
    'set ELECTRON_RUN_AS_NODE=1',
    `${quoteCmd(runtime)} ${program}`,
    ...after,
    '',
  ].join('\r\n');
}
