/** Puts our bundles and launchers under the data folder, where configs and hooks can name them whatever the editor does. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isObject } from '#core/model/json.ts';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import { readBounded, removeIfThere, writePrivate } from '#home/privateFile.ts';
import { keepLastGood } from '#home/ruleFile.ts';
import { chooseAsker, isExecutable, knownAskers, PERL_ASKER, type Asker } from '#node/launcher/asker.ts';
import { commandText } from '#node/launcher/commandText.ts';
import { hookCmd, hookScript, programCmd, programScript, type Deadline, type ScriptFacts } from '#node/launcher/launcherScripts.ts';
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

export interface LauncherPaths {
  /** Of the installed bundles: newer than asked for when a newer one was there already. */
  readonly version: string;
  readonly lib: string;
  readonly hookBundle: string;
  readonly cliBundle: string;
  readonly rulesFile: string;
  readonly wasmFile: string;
  readonly hookScript: string;
  readonly cliScript: string;
  readonly mcpScript: string;
  readonly runtime: string;
  readonly asker: Asker;
}

/** What the last installation chose; `launcher.json` in `bin`. */
export interface LauncherRecord {
  readonly version: string;
  readonly runtime: string;
  readonly asker: Asker;
  /** Claude's hook command, the newest first: what may stand in its settings (see home/configGuard). */
  readonly claudeCommands: readonly string[];
  /** The `dist` of every editor's extension that installed us: the launchers stay until the last of them is gone. */
  readonly dists: readonly string[];
}

/** In the order in which they are replaced: rules and index code first, what reads them last. */
const BUNDLES = [
  'rules.json',
  'rules-source.br',
  'sql-wasm.wasm',
  'rule-compiler.cjs',
  'mcp-oauth.cjs',
  'callgate.cjs',
  'hook-program.cjs',
  'hook.cjs',
] as const;
const KEPT_VERSIONS = 2;
const KEPT_COMMANDS = 4;
const KEPT_DISTS = 20;
const ENDING = process.platform === 'win32' ? '.cmd' : '';

/**
 * @throws LauncherError MISSING_BUNDLE when `distFolder` is not a build, UNSUPPORTED_PATH when the home directory cannot
 * be named in a hook command. Nothing that already worked is changed then.
 */
export async function installLauncher(options: InstallOptions): Promise<LauncherPaths> {
  const { layout, distFolder, runtime, version } = options;
  for (const name of BUNDLES) {
    if (!existsSync(join(distFolder, name)))
      throw new LauncherError('MISSING_BUNDLE', `${join(distFolder, name)} is missing; build or reinstall the extension`);
  }
  for (const folder of [layout.root, layout.bin, layout.lib, layout.run]) ensurePrivateFolder(folder);
  const before = readLauncherRecord(layout);
  if (
    before &&
    newerVersion(before.version, version) &&
    BUNDLES.every((name) => existsSync(join(layout.lib, before.version, name))) &&
    isExecutable(before.runtime)
  ) {
    const dists = withDist(before.dists, distFolder);
    if (!isDeepStrictEqual(dists, before.dists)) writeRecord(layout, { ...before, dists });
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
    const file = join(layout.bin, name + ENDING);
    writePrivate(`${file}.new`, text);
    chmodSync(`${file}.new`, 0o700);
    renameSync(`${file}.new`, file);
  }
  const asker = before && askerStillThere(before.asker) ? before.asker : await chooseAsker(knownAskers(perlScript));
  const claudeCommands = [...new Set([commandText(layout, 'claude', asker), ...(before?.claudeCommands ?? [])])].slice(0, KEPT_COMMANDS);
  const record: LauncherRecord = { version, runtime, asker, claudeCommands, dists: withDist(before?.dists ?? [], distFolder) };
  writeRecord(layout, record);
  removeOldVersions(layout, version);
  return launcherPaths(layout, record);
}

/** Takes away launchers and bundles; journal, keys and grants stay. */
export function removeLauncher(layout: Layout): void {
  for (const name of ['callgate-hook', 'callgate', 'callgate-mcp']) removeIfThere(join(layout.bin, name + ENDING));
  for (const name of ['callgate-ask.pl', 'launcher.json']) removeIfThere(join(layout.bin, name));
  rmSync(layout.lib, { recursive: true, force: true });
}

/** Null when nothing (readable) is installed. */
export function readLauncherRecord(layout: Layout): LauncherRecord | null {
  try {
    const bytes = readBounded(join(layout.bin, 'launcher.json'), 64 * 1024);
    const value: unknown = bytes && JSON.parse(bytes.toString('utf8'));
    if (!isObject(value) || value['v'] !== 1 || typeof value['version'] !== 'string' || typeof value['runtime'] !== 'string') return null;
    return {
      version: value['version'],
      runtime: value['runtime'],
      asker: parseAsker(value['asker']),
      claudeCommands: textsIn(value['claudeCommands']),
      dists: textsIn(value['dists']).filter((folder) => isAbsolute(folder)),
    };
  } catch {
    return null; // unreadable is as good as not there: the next installation writes it anew
  }
}

function writeRecord(layout: Layout, record: LauncherRecord): void {
  writePrivate(join(layout.bin, 'launcher.json'), `${JSON.stringify({ v: 1, ...record })}\n`);
}

const textsIn = (value: unknown): string[] => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []);

/** Those that are gone are forgotten: updates leave one behind each. */
function withDist(dists: readonly string[], dist: string): string[] {
  return [...new Set([...dists.filter(isBuild), dist])].slice(-KEPT_DISTS);
}

const isBuild = (folder: string): boolean => existsSync(join(folder, 'callgate.cjs'));

/**
 * Another editor's extension that still lives from the launchers, for one that is being removed; null when there is
 * none. Folders beside ours are other versions in the same editor, which removes them itself.
 */
export function otherInstaller(layout: Layout, distFolder: string): string | null {
  const extensionsOf = (dist: string): string => dirname(dirname(dist));
  const others = readLauncherRecord(layout)?.dists ?? [];
  return others.find((dist) => dist !== distFolder && extensionsOf(dist) !== extensionsOf(distFolder) && isBuild(dist)) ?? null;
}

export function launcherPaths(layout: Layout, record: LauncherRecord): LauncherPaths {
  const lib = join(layout.lib, record.version);
  return {
    version: record.version,
    lib,
    hookBundle: join(lib, 'hook.cjs'),
    cliBundle: join(lib, 'callgate.cjs'),
    rulesFile: join(lib, 'rules.json'),
    wasmFile: join(lib, 'sql-wasm.wasm'),
    hookScript: join(layout.bin, `callgate-hook${ENDING}`),
    cliScript: join(layout.bin, `callgate${ENDING}`),
    mcpScript: join(layout.bin, `callgate-mcp${ENDING}`),
    runtime: record.runtime,
    asker: record.asker,
  };
}

function parseAsker(value: unknown): Asker {
  if (!isObject(value) || typeof value['program'] !== 'string' || !isAbsolute(value['program'])) return { kind: 'none' };
  if (value['kind'] === 'nc') return { kind: 'nc', program: value['program'] };
  if (value['kind'] === 'perl' && typeof value['script'] === 'string')
    return { kind: 'perl', program: value['program'], script: value['script'] };
  return { kind: 'none' };
}

/** Chosen once: another choice would change the command in every config. */
function askerStillThere(asker: Asker): boolean {
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

function copyBundles(layout: Layout, distFolder: string, version: string): void {
  const folder = join(layout.lib, version);
  const fresh = join(layout.lib, `.${version}.${process.pid}.new`);
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { mode: 0o700 });
  try {
    for (const name of BUNDLES) copyFileSync(join(distFolder, name), join(fresh, name));
    if (!existsSync(folder)) {
      renameSync(fresh, folder);
      return;
    }
    // A broker may be running from there: file by file, so that none is missing for a moment.
    for (const name of BUNDLES) {
      const target = join(folder, name);
      if (!existsSync(target) || !readFileSync(target).equals(readFileSync(join(fresh, name)))) renameSync(join(fresh, name), target);
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function removeOldVersions(layout: Layout, current: string): void {
  const versions = readdirSync(layout.lib).filter((name) => !name.startsWith('.') && name !== current);
  versions.sort((a, b) => (newerVersion(a, b) ? -1 : 1));
  for (const name of versions.slice(KEPT_VERSIONS - 1)) rmSync(join(layout.lib, name), { recursive: true, force: true });
}

const absoluteFolders = (path: string): string[] =>
  path.split(delimiter).filter((folder) => isAbsolute(folder) && !/[\u0000-\u001f\\]/.test(folder));

/** A relative entry would be looked up in whatever folder an agent works in. */
function absoluteOnly(path: string): string {
  return [...new Set([...absoluteFolders(path), ...(process.platform === 'win32' ? [] : ['/usr/local/bin', '/usr/bin', '/bin'])])].join(
    delimiter,
  );
}

/** Nodes on the path that are new enough for our bundles; at most one is needed. */
function nodesOn(path: string): string[] {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  for (const folder of absoluteFolders(path)) {
    const file = join(folder, name);
    if (!isExecutable(file) || !statSync(file).isFile()) continue;
    const asked = spawnSync(file, ['-p', 'process.versions.node'], { encoding: 'utf8', timeout: 5000, env: {} });
    if (Number(asked.stdout?.split('.')[0]) >= 20) return [file];
  }
  return [];
}

function chooseDeadline(): Deadline {
  const timeout = ['/usr/bin/timeout', '/bin/timeout', '/usr/local/bin/timeout'].find(isExecutable);
  if (timeout && spawnSync(timeout, ['-k', '1', '5', '/bin/sh', '-c', 'exit 7'], { timeout: 8000 }).status === 7)
    return { kind: 'timeout', program: timeout };
  const perl = ['/usr/bin/perl', '/usr/local/bin/perl'].find(isExecutable);
  return perl ? { kind: 'perl', program: perl } : { kind: 'shell' };
}
