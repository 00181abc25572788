/**
 * What stays in the place of `callgate-mcp` when Callgate is uninstalled although a configuration file still names it:
 * a script that needs nothing else of ours. It says so, and starts the server without us only if that was asked for.
 */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import { writePrivate } from '#home/privateFile.ts';

/** refuse: an entry that says "through the gate" never runs without one · start-with-warning: as before Callgate, and said. */
export type LeftOverServers = 'refuse' | 'start-with-warning';

export function leftOverScript(policy: LeftOverServers): string {
  const ending =
    policy === 'refuse'
      ? `say 'is not started: its entry here still runs it through Callgate. Write its own command back, or install Callgate again' "$1"
exit 1`
      : `say 'now runs without it. Write its own command back into this configuration' "$1"
unset CALLGATE_ENTRY_ENV
exec "$@"`;
  return `#!/bin/sh
# Left behind when Callgate was uninstalled, because a configuration file still starts its servers through this path.
# It can be deleted once none does.
say() {
  printf 'Callgate was uninstalled: the MCP server "%s" %s%s.\\n' "$server" "$1" "\${2:+ ($2)}" >&2
}
server= address=
while [ $# -gt 0 ]; do
  case $1 in
    --) shift; break ;;
    --server) server=$2 ;;
    --url) address=yes ;;
    --cwd) cd -- "$2" || exit 1 ;;
  esac
  shift
  [ $# -eq 0 ] || shift
done
if [ -n "$address" ] || [ $# -eq 0 ]; then
  say 'cannot be reached: only Callgate knew how. Write its own address back, or install Callgate again'
  exit 1
fi
${ending}
`;
}

/** cmd.exe cannot hand arguments on unchanged without the words in front of them: there the server is always refused. */
export function leftOverCmd(): string {
  return [
    '@echo off',
    'echo Callgate was uninstalled: this MCP server is not started, as its entry still runs it through Callgate. Write its own command or address back, or install Callgate again. 1>&2',
    'exit /b 1',
    '',
  ].join('\r\n');
}

export const mcpLauncher = (layout: Layout): string => join(layout.bin, process.platform === 'win32' ? 'callgate-mcp.cmd' : 'callgate-mcp');

/** @returns its path. */
export function leaveBehind(layout: Layout, policy: LeftOverServers): string {
  ensurePrivateFolder(layout.bin);
  const file = mcpLauncher(layout);
  writePrivate(file, process.platform === 'win32' ? leftOverCmd() : leftOverScript(policy));
  chmodSync(file, 0o700);
  return file;
}
