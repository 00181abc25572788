import { type Command, print } from '#node/cli/command.ts';
import { revert } from '#node/clients/applyPlan.ts';
import { leftOvers, projectFolders } from '#node/clients/leftOvers.ts';
import { liveRecords } from '#node/clients/liveRecords.ts';
import { messageOf } from '#node/clients/configError.ts';
import type { ClientContext } from '#node/clients/planChange.ts';
import { readSettings } from '#home/settings.ts';
import { dirname, join } from 'node:path';
import { removeLauncher } from '#node/launcher/installLauncher.ts';
import { otherInstaller } from '#node/launcher/launcherRecord.ts';
import { leaveBehind, mcpLauncher } from '#node/launcher/leftOver.ts';

/**
 * Gives back every configuration file and takes the launchers away; journal, keys and grants stay, they are the user's
 * evidence. The editor runs this once the extension is removed; while another editor's extension lives from the same
 * launchers, nothing happens. A hook that cannot be given back keeps the launchers: without them it would refuse every
 * call of that client. For an MCP server that cannot be given back a script stays in the launcher's place (leftOver).
 */
export const uninstall: Command = async (args, { layout, bundleFolder, platform, env, stdout, stderr }) => {
  if (args.length > 0) {
    print(stderr, 'usage: callgate uninstall');
    return 2;
  }
  // Called from the folder of an editor's extension, not as the installed command: another editor may still need us.
  const other = dirname(bundleFolder) === layout.lib ? null : otherInstaller(layout, bundleFolder);
  if (other !== null) {
    print(
      stdout,
      `Nothing was changed: the Callgate extension in ${other} still uses it. To remove it all the same, run "${join(layout.bin, 'callgate')}" uninstall.`,
    );
    return 0;
  }
  const { records, problems: unreadable } = liveRecords(layout);
  const hookProblems = [...unreadable];
  const serverProblems: string[] = [];
  // Undo needs no launcher: what it would install is never asked for.
  const launcher = { hookCommand: () => '', mcpCommand: mcpLauncher(layout) };
  const context: ClientContext = {
    layout,
    home: layout.home,
    platform,
    env,
    workspaceFolders: projectFolders(
      { home: layout.home, env },
      records.map(({ record }) => record.file),
    ),
    launcher,
  };
  const giveBack = (id: string, file: string): void => {
    try {
      print(stdout, `${revert(id, context, file).file} is as it was before Callgate.`);
    } catch (error) {
      (id.startsWith('mcp:') ? serverProblems : hookProblems).push(messageOf(error));
    }
  };
  for (const { record } of records) giveBack(record.id, record.file);
  const tried = new Set(records.map(({ record }) => record.id));
  for (const left of leftOvers(context)) if (!tried.has(left.id) && left.how === 'wrapped') giveBack(left.id, left.file);
  for (const problem of [...hookProblems, ...serverProblems]) print(stderr, `callgate: ${problem}`);
  if (hookProblems.length > 0) {
    print(
      stderr,
      `callgate: the launchers in ${layout.bin} stay until this is mended; then run "${join(layout.bin, 'callgate')}" uninstall again.`,
    );
    return 1;
  }
  const still = leftOvers(context);
  removeLauncher(layout);
  if (still.length > 0) {
    const policy = readSettings(layout).settings.leftOverServers ?? 'refuse';
    const file = leaveBehind(layout, policy);
    const what = policy === 'refuse' || platform === 'win32' ? 'are refused' : 'start without Callgate, with a warning,';
    for (const left of still)
      print(stderr, `callgate: ${left.file} still starts servers through ${file}; they ${what} until you change it by hand.`);
  }
  print(stdout, `Callgate was uninstalled. The journal and its keys stay in ${layout.root}; delete that folder if you do not want them.`);
  return serverProblems.length + still.length > 0 ? 1 : 0;
};
