/** Our bundles, copied into a folder of `lib` for each version. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '#home/layout.ts';
import { newerVersion } from '#node/launcher/versionOrder.ts';

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

/** The first bundle that is not in this folder; null when all are. */
export function missingBundle(folder: string): string | null {
  return BUNDLES.find((name) => !existsSync(join(folder, name))) ?? null;
}

export function copyBundles(layout: Layout, distFolder: string, version: string): void {
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

export function removeOldVersions(layout: Layout, current: string): void {
  const versions = readdirSync(layout.lib).filter((name) => !name.startsWith('.') && name !== current);
  versions.sort((a, b) => (newerVersion(a, b) ? -1 : 1));
  for (const name of versions.slice(KEPT_VERSIONS - 1)) rmSync(join(layout.lib, name), { recursive: true, force: true });
}
