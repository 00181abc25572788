import { type CommandHost, print } from '#node/cli/command.ts';
import type { ToolsAction } from '#node/cli/tools.ts';
import { findServer, itemName, safe, stateOf } from '#node/cli/toolsServer.ts';

export const listTools: ToolsAction = (args, { stdout, stderr }: CommandHost, pins) => {
  const [name, ...more] = args;
  if (more.length > 0) {
    print(stderr, 'usage: callgate tools list [SERVER]');
    return 2;
  }
  if (name === undefined) {
    const all = [...pins.list()].sort((a, b) => (a.server < b.server ? -1 : 1));
    if (all.length === 0) print(stdout, 'No MCP server has been seen yet.');
    for (const { id, server, shown, items } of all) {
      const count = (word: string, is: (state: string) => boolean): string => {
        const number = items.filter((item) => is(stateOf(item))).length;
        return number === 0 ? '' : `, ${number} ${word}`;
      };
      const approved = items.filter((item) => stateOf(item).startsWith('approved')).length;
      print(
        stdout,
        `${id.slice(0, 8)}  ${safe(server, 40)}: ${approved} approved${count('waiting', (state) => state.startsWith('waits'))}${count('denied', (state) => state === 'denied')}${count('blocked', (state) => state === 'blocked')}  (${safe(shown, 80)})`,
      );
    }
    return 0;
  }
  const found = findServer(pins, name);
  if (typeof found === 'string') {
    print(stderr, `callgate: ${found}`);
    return 1;
  }
  for (const item of found.items) print(stdout, `${safe(itemName(item), 60).padEnd(32)} ${stateOf(item)}`);
  return 0;
};
