import { type Command, print } from '#node/cli/command.ts';
import { revert } from '#node/clients/applyPlan.ts';
import { liveRecords } from '#node/clients/liveRecords.ts';
import { messageOf } from '#node/clients/configError.ts';
import { dirname, join } from 'node:path';
import { otherInstaller, removeLauncher } from '#node/launcher/installLauncher.ts';

/**
 * Gives back every configuration file and takes the launchers away; journal, keys and grants stay, they are the user's
 * evidence. The editor runs this once the extension is removed; while another editor's extension lives from the same
 * launchers, nothing happens. A file that cannot be given back keeps the launchers:
 * a hook without them would refuse every call of that client.
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
  const problems = [...unreadable];
  // Undo needs no launcher: what it would install is never asked for.
  const launcher = { hookCommand: () => '', mcpCommand: join(layout.bin, 'callgate-mcp') };
  for (const { record } of records) {
    try {
      const applied = revert(record.id, { layout, home: layout.home, platform, env, workspaceFolders: [], launcher }, record.file);
      print(stdout, `${applied.file} is as it was before Callgate.`);
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  if (problems.length > 0) {
    for (const problem of problems) print(stderr, `callgate: ${problem}`);
    print(
      stderr,
      `callgate: the launchers in ${layout.bin} stay until this is mended; then run "${join(layout.bin, 'callgate')}" uninstall again.`,
    );
    return 1;
  }
  removeLauncher(layout);
  print(stdout, `Callgate was uninstalled. The journal and its keys stay in ${layout.root}; delete that folder if you do not want them.`);
  return 0;
};
