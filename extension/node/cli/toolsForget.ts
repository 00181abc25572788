import { randomUUID } from 'node:crypto';
import { plainEvent } from '#home/auditEvents.ts';
import { type CommandHost, print } from '#node/cli/command.ts';
import type { ToolsAction } from '#node/cli/tools.ts';
import { recordOrSay } from '#node/cli/toolsChange.ts';
import { findServer, safe } from '#node/cli/toolsServer.ts';

export const forgetTools: ToolsAction = (args, host: CommandHost, pins) => {
  const [name, ...more] = args;
  if (name === undefined || more.length > 0) {
    print(host.stderr, 'usage: callgate tools forget SERVER');
    return 2;
  }
  const found = findServer(pins, name);
  if (typeof found === 'string') {
    print(host.stderr, `callgate: ${found}`);
    return 1;
  }
  const { id, server, shown } = found;
  const event = plainEvent('config', {
    client: 'cli',
    id: randomUUID(),
    tool: 'definitions',
    args: { server: shown },
    verdict: 'clean',
    outcome: 'delivered',
    by: 'person',
    reason: `Forgot what was approved and denied of the MCP server "${server}": its next sight is the first.`,
  });
  // Written down first: forgetting must not be the way to change a server unseen.
  if (!recordOrSay(host, { ...event, server })) return 1;
  pins.forget(id);
  print(host.stdout, `Forgot "${safe(server)}". What it offers next is new.`);
  return 0;
};
