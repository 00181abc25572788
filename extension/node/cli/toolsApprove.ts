import type { CommandHost } from '#node/cli/command.ts';
import { print } from '#node/cli/command.ts';
import { approvedItem } from '#home/pinDecisions.ts';
import type { ToolsAction } from '#node/cli/tools.ts';
import { changeItems } from '#node/cli/toolsChange.ts';

/** What is blocked stays so: only a policy that gives its rule another severity lets it through. */
export const approveTools: ToolsAction = (args, host: CommandHost, pins) => {
  const [server, ...names] = args;
  const all = names.length === 1 && names[0] === '--all';
  if (server === undefined || names.length === 0) {
    print(host.stderr, 'usage: callgate tools approve SERVER NAME… | --all');
    return 2;
  }
  return changeItems({
    host,
    pins,
    server,
    names: all ? ({ held, denied }) => held !== null && denied === null && held.verdict !== 'block' : names,
    answer: 'approved',
    why: ({ held, denied }) =>
      held?.verdict === 'block' ? 'is blocked, and nobody can approve it' : held === null && denied === null ? 'is approved already' : null,
    change: (item) => approvedItem(item, Date.now()),
  });
};
