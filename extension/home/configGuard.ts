/**
 * Claude Code reloads its settings while it runs, so an agent that edits them can unhook itself in mid-session.
 * Its ConfigChange hook may refuse such a change: this is what is refused.
 */
import { isAbsolute, join, resolve } from 'node:path';
import { isObject } from '#core/model/json.ts';
import type { Layout } from '#home/layout.ts';
import { errorText, readBounded, removeIfThere, writePrivate } from '#home/privateFile.ts';
import { HOOK_TIMEOUT_SECONDS } from '#home/settings.ts';

/**
 * Variables by which a project's settings can make the shell of a hook, or Claude itself, do nothing or something else
 * and still end well. In the user's own file they are the user's.
 */
const BLINDS_HOOKS =
  /^(?:BASH_ENV|ENV|SHELLOPTS|BASHOPTS|BASH_FUNC_.*|ZDOTDIR|SHELL|LD_PRELOAD|LD_AUDIT|DYLD_INSERT_LIBRARIES|CLAUDE_CONFIG_DIR|CLAUDE_CODE_(?:SIMPLE|SAFE_MODE|SHELL|SHELL_PREFIX))$/i;
const MAX_LAUNCHER_BYTES = 64 * 1024;
const MAX_CLIENT_SETTINGS_BYTES = 4 * 1024 * 1024;

const releaseFile = (layout: Layout, client: string): string => join(layout.root, `released-${client}`);

/** Called before Callgate itself takes its entry out of a client's settings; the guard then lets the change through. */
export function markReleased(layout: Layout, client: 'claude' | 'codex'): void {
  writePrivate(releaseFile(layout, client), 'Callgate was asked to let go of this client.\n');
}

export function clearReleased(layout: Layout, client: 'claude' | 'codex'): void {
  removeIfThere(releaseFile(layout, client));
}

/** Why the change must not take effect; null when it may. */
export function refuseConfigChange(layout: Layout, change: { readonly source: string; readonly file: string }): string | null {
  if (readBounded(releaseFile(layout, 'claude'), 1024) !== null) return null;
  const userFile = join(layout.home, '.claude', 'settings.json');
  const file = change.file !== '' && isAbsolute(change.file) ? resolve(change.file) : userFile;
  const isUserFile = file === userFile || change.source === 'user_settings';
  // Skills and other folders are no settings.
  if (!file.endsWith('.json')) return null;
  let value: unknown;
  try {
    const bytes = readBounded(file, MAX_CLIENT_SETTINGS_BYTES);
    if (bytes === null) return isUserFile ? refuse(file, 'is gone, and with it the hook that asks Callgate') : null;
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    return refuse(file, `cannot be read as JSON (${errorText(error)}), and an invalid file switches every hook off`);
  }
  if (!isObject(value)) return refuse(file, 'is not a JSON object, and an invalid file switches every hook off');
  // Whatever is not plainly off counts as on: Claude may read "true" or 1 as it likes.
  if (value['disableAllHooks'] !== undefined && value['disableAllHooks'] !== false)
    return refuse(file, 'sets `disableAllHooks`, which switches Callgate off');
  const env = value['env'];
  const blinding = !isUserFile && isObject(env) ? Object.keys(env).find((name) => BLINDS_HOOKS.test(name)) : undefined;
  if (blinding !== undefined) return refuse(file, `sets ${blinding} in \`env\`, which can keep hooks from running`);
  if (isUserFile && !hasOurHook(value, layout)) return refuse(file, 'no longer has the PreToolUse hook that asks Callgate');
  return null;
}

const refuse = (file: string, what: string): string =>
  `Callgate refused a settings change: ${file} ${what}. Put the file back as it was; to stop using Callgate, choose "Undo" beside Claude Code in its panel.`;

/** Exactly as we write it: with a condition, a short timeout or a word in front of the command it would ask nobody. */
function hasOurHook(settings: { readonly [key: string]: unknown }, layout: Layout): boolean {
  const commands = ourCommands(layout);
  const script = join(layout.bin, 'callgate-hook');
  const isOurs = (command: unknown): boolean =>
    typeof command === 'string' && (commands.length > 0 ? commands.includes(command) : command.includes(script));
  const hooks = settings['hooks'];
  const groups = isObject(hooks) ? hooks['PreToolUse'] : undefined;
  if (!Array.isArray(groups)) return false;
  return groups.some(
    (group: unknown) =>
      isObject(group) &&
      onlyHas(group, ['matcher', 'hooks']) &&
      (group['matcher'] === undefined || group['matcher'] === '*' || group['matcher'] === '') &&
      Array.isArray(group['hooks']) &&
      group['hooks'].some(
        (hook: unknown) =>
          isObject(hook) &&
          onlyHas(hook, ['type', 'command', 'timeout', 'onFailure']) &&
          hook['type'] === 'command' &&
          Number(hook['timeout']) >= HOOK_TIMEOUT_SECONDS &&
          hook['onFailure'] === 'block' &&
          isOurs(hook['command']),
      ),
  );
}

const onlyHas = (value: object, names: readonly string[]): boolean => Object.keys(value).every((name) => names.includes(name));

/** What the launcher's installation wrote down; none when that cannot be read, and then naming our script has to do. */
function ourCommands(layout: Layout): readonly unknown[] {
  try {
    const bytes = readBounded(join(layout.bin, 'launcher.json'), MAX_LAUNCHER_BYTES);
    const record: unknown = bytes && JSON.parse(bytes.toString('utf8'));
    const commands = isObject(record) ? record['claudeCommands'] : undefined;
    return Array.isArray(commands) ? commands : [];
  } catch {
    return []; // being installed anew, or damaged: neither is a reason to refuse every change of the user's settings
  }
}
