/** The one command that client configs run for every hook event, for what is installed here. */
import type { Layout } from '#home/layout.ts';
import { commandText } from '#node/launcher/commandText.ts';
import { readLauncherRecord } from '#node/launcher/installLauncher.ts';
import { LauncherError } from '#node/launcher/quoting.ts';

/**
 * @throws LauncherError NOT_INSTALLED before `installLauncher` has run, UNSUPPORTED_PATH when a path cannot be quoted.
 */
export function hookCommand(layout: Layout, client: 'claude' | 'codex'): string {
  const record = readLauncherRecord(layout);
  if (record === null)
    throw new LauncherError('NOT_INSTALLED', `no launcher is installed in ${layout.bin}; install it before protecting an agent`);
  return commandText(layout, client, record.asker);
}
