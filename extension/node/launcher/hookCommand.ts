/** The one command that client configs run for every hook event, for what is installed here. */
import type { Layout } from '#home/layout.ts';
import { readSettings } from '#home/settings.ts';
import { commandText, recordCommandText } from '#node/launcher/commandText.ts';
import { readLauncherRecord } from '#node/launcher/launcherRecord.ts';
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

/**
 * The command of the hooks that only record; null when the user does not want them or this machine cannot run them cheaply.
 * @throws LauncherError as `hookCommand`
 */
export function recordCommand(layout: Layout, client: 'claude' | 'codex'): string | null {
  const record = readLauncherRecord(layout);
  if (record === null || !readSettings(layout).settings.recordConversation) return null;
  return recordCommandText(layout, client, record.asker);
}
