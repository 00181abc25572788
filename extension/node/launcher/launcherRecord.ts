/** What the last installation chose and where it lies: `launcher.json` in `bin`. */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { isObject } from '#core/model/json.ts';
import type { Layout } from '#home/layout.ts';
import { readBounded, writePrivate } from '#home/privateFile.ts';
import type { Asker } from '#node/launcher/asker.ts';

export interface LauncherRecord {
  readonly version: string;
  readonly runtime: string;
  readonly asker: Asker;
  /** Claude's hook command, the newest first: what may stand in its settings (see home/configGuard). */
  readonly claudeCommands: readonly string[];
  /** The `dist` of every editor's extension that installed us: the launchers stay until the last of them is gone. */
  readonly dists: readonly string[];
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

/** Of the scripts in `bin`. */
export const SCRIPT_ENDING = process.platform === 'win32' ? '.cmd' : '';
const KEPT_DISTS = 20;

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

export function writeLauncherRecord(layout: Layout, record: LauncherRecord): void {
  writePrivate(join(layout.bin, 'launcher.json'), `${JSON.stringify({ v: 1, ...record })}\n`);
}

const textsIn = (value: unknown): string[] => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []);

/** Those that are gone are forgotten: updates leave one behind each. */
export function withDist(dists: readonly string[], dist: string): string[] {
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
    hookScript: join(layout.bin, `callgate-hook${SCRIPT_ENDING}`),
    cliScript: join(layout.bin, `callgate${SCRIPT_ENDING}`),
    mcpScript: join(layout.bin, `callgate-mcp${SCRIPT_ENDING}`),
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
