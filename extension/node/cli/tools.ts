/** `callgate tools …`: what MCP servers say of their tools, what waits of it, and deciding about it without an editor. */
import { openPins, type PinStore } from '#home/pins.ts';
import { type Command, type CommandHost, print } from '#node/cli/command.ts';
import { errorText } from '#home/privateFile.ts';
import { approveTools } from '#node/cli/toolsApprove.ts';
import { denyTools } from '#node/cli/toolsDeny.ts';
import { forgetTools } from '#node/cli/toolsForget.ts';
import { listTools } from '#node/cli/toolsList.ts';
import { showTools } from '#node/cli/toolsShow.ts';

export type ToolsAction = (args: readonly string[], host: CommandHost, pins: PinStore) => number;

const ACTIONS: Readonly<Record<string, { readonly run: ToolsAction; readonly help: string }>> = {
  list: { run: listTools, help: '[SERVER]: servers seen, how many of their tools are approved, wait or are denied' },
  show: { run: showTools, help: 'SERVER [NAME]: what waits, with what changed; with NAME: one definition whole' },
  approve: { run: approveTools, help: 'SERVER NAME… | --all: pin what waits as it is now; give back what was denied' },
  deny: { run: denyTools, help: 'SERVER NAME…: hide from every agent, whatever becomes of it' },
  forget: { run: forgetTools, help: 'SERVER: as if the server had never been seen' },
};

export const tools: Command = async (args, host) => {
  const [name = 'list', ...rest] = args;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) {
    const asked = ['help', '--help', '-h'].includes(name);
    const lines = Object.entries(ACTIONS).map(([word, { help }]) => `  ${word.padEnd(8)} ${help}`);
    print(asked ? host.stdout : host.stderr, ['usage: callgate tools COMMAND', ...lines].join('\n'));
    return asked ? 0 : 2;
  }
  const pins = openPins(host.layout, (message) => print(host.stderr, `callgate: ${message}`));
  try {
    return action.run(rest, host, pins);
  } catch (error) {
    print(host.stderr, `callgate: ${errorText(error)}`);
    return 1;
  } finally {
    pins.close();
  }
};
