import { type CommandHost, print } from '#node/cli/command.ts';
import type { ToolsAction } from '#node/cli/tools.ts';
import { changeItems } from '#node/cli/toolsChange.ts';

export const denyTools: ToolsAction = (args, host: CommandHost, pins) => {
  const [server, ...names] = args;
  if (server === undefined || names.length === 0) {
    print(host.stderr, 'usage: callgate tools deny SERVER NAME…');
    return 2;
  }
  return changeItems({
    host,
    pins,
    server,
    names,
    answer: 'rejected',
    why: ({ denied }) => (denied?.hash === '*' ? 'is denied already' : null),
    change: (item) => ({ ...item, denied: { hash: '*', at: Date.now() } }),
  });
};
