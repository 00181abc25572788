/** Puts our bundles and launchers under the data folder, where configs and hooks can name them whatever the editor does. */
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import { removeIfThere, writePrivate } from '#home/privateFile.ts';
import { keepLastGood } from '#home/ruleFile.ts';
import { chooseAsker, isExecutable, knownAskers, PERL_ASKER, type Asker } from '#node/launcher/asker.ts';
import { copyBundles, missingBundle, removeOldVersions } from '#node/launcher/bundles.ts';
import { commandText } from '#node/launcher/commandText.ts';
import {
  launcherPaths,
  readLauncherRecord,
  SCRIPT_ENDING,
  withDist,
  writeLauncherRecord,
  type LauncherPaths,
  type LauncherRecord,
} from '#node/launcher/launcherRecord.ts';
import { hookCmd, hookScript, programCmd, programScript, type ScriptFacts } from '#node/launcher/launcherScripts.ts';
import { absoluteOnly, chooseDeadline, nodesOn } from '#node/launcher/machineFacts.ts';
import { LauncherError } from '#node/launcher/quoting.ts';
import { newerVersion } from '#node/launcher/versionOrder.ts';

export interface InstallOptions {
  readonly layout: Layout;
  /** The extension's `dist`. */
  readonly distFolder: string;
  /** The program that runs our bundles: the editor's own binary (run with ELECTRON_RUN_AS_NODE) or node. Absolute. */
  readonly runtime: string;
  readonly version: string;
  /** Where else to look for node; the installing process's own PATH unless said. */
  readonly path?: string;
}

const KEPT_COMMANDS = 4;

/**
 * @throws LauncherError MISSING_BUNDLE when `distFolder` is not a build, UNSUPPORTED_PATH when the home directory cannot
 * be named in a hook command. Nothing that already worked is changed then.
 */
export async function installLauncher(options: InstallOptions): Promise<LauncherPaths> {
  const { layout, distFolder, runtime, version } = options;
  const missing = missingBundle(distFolder);
  if (missing !== null)
    throw new LauncherError('MISSING_BUNDLE', `${join(distFolder, missing)} is missing; build or reinstall the extension`);
  for (const folder of [layout.root, layout.bin, layout.lib, layout.run]) ensurePrivateFolder(folder);
  const before = readLauncherRecord(layout);
  if (
    before &&
    newerVersion(before.version, version) &&
    missingBundle(join(layout.lib, before.version)) === null &&
    isExecutable(before.runtime)
  ) {
    const dists = withDist(before.dists, distFolder);
    if (!isDeepStrictEqual(dists, before.dists)) writeLauncherRecord(layout, { ...before, dists });
    return launcherPaths(layout, before);
  }

  const path = options.path ?? process.env['PATH'] ?? '';
  const facts: ScriptFacts = {
    layout,
    version,
    runtimes: [...new Set([runtime, ...nodesOn(path)])],
    path: absoluteOnly(path),
    deadline: chooseDeadline(),
  };
  // Written before anything is replaced: an impossible path must not leave half an installation.
  const scripts = scriptTexts(facts);
  copyBundles(layout, distFolder, version);
  keepLastGood(layout, join(layout.lib, version, 'rules.json'));
  const perlScript = join(layout.bin, 'callgate-ask.pl');
  writePrivate(perlScript, PERL_ASKER);
  for (const [name, text] of scripts) {
    const file = join(layout.bin, name + SCRIPT_ENDING);
    writePrivate(`${file}.new`, text);
    chmodSync(`${file}.new`, 0o700);
    renameSync(`${file}.new`, file);
  }
  const asker = before && isStillThere(before.asker) ? before.asker : await chooseAsker(knownAskers(perlScript));
  const claudeCommands = [...new Set([commandText(layout, 'claude', asker), ...(before?.claudeCommands ?? [])])].slice(0, KEPT_COMMANDS);
  const record: LauncherRecord = { version, runtime, asker, claudeCommands, dists: withDist(before?.dists ?? [], distFolder) };
  writeLauncherRecord(layout, record);
  removeOldVersions(layout, version);
  return launcherPaths(layout, record);
}

/** Takes away launchers and bundles; journal, keys and grants stay. */
export function removeLauncher(layout: Layout): void {
  for (const name of ['callgate-hook', 'callgate', 'callgate-mcp']) removeIfThere(join(layout.bin, name + SCRIPT_ENDING));
  for (const name of ['callgate-ask.pl', 'launcher.json']) removeIfThere(join(layout.bin, name));
  rmSync(layout.lib, { recursive: true, force: true });
}

/** Chosen once: another choice would change the command in every config. */
function isStillThere(asker: Asker): boolean {
  return asker.kind !== 'none' && isExecutable(asker.program);
}

function scriptTexts(facts: ScriptFacts): readonly (readonly [string, string])[] {
  if (process.platform === 'win32')
    return [
      ['callgate-hook', hookCmd(facts)],
      ['callgate', programCmd(facts, [])],
      ['callgate-mcp', programCmd(facts, ['mcp'])],
    ];
  return [
    ['callgate-hook', hookScript(facts)],
    ['callgate', programScript(facts, [])],
    ['callgate-mcp', programScript(facts, ['mcp'])],
  ];
}
