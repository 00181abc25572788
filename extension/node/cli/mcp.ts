import { join } from 'node:path';
import { judgeAlone } from '#home/localGate.ts';
import { type Command, print } from '#node/cli/command.ts';
import { runShim } from '#node/proxy/shim.ts';

/** What a rewritten MCP configuration entry starts. MCP has no way to ask a user, so a quarantined call is refused here. */
export const mcp: Command = (args, { layout, bundleFolder, cwd, env, stdin, stdout, stderr }) =>
  runShim({
    argv: args,
    env,
    cwd,
    stdin,
    stdout,
    stderr,
    layout,
    judgeAlone: (call) => judgeAlone(call, { layout, rulesFile: join(bundleFolder, 'rules.json'), warn: (message) => print(stderr, `callgate: ${message}`), unattended: 'refuse' }),
  });
