import { homedir } from 'node:os';
import { basename, dirname } from 'node:path';

/**
 * The home directory whose data folder we work on. An installed bundle (`<home>/.callgate/lib/<version>/`) belongs to the
 * home it lies in, whatever the environment says: a project's configuration can set HOME for the servers it names, and
 * must not give us a journal, grants or settings of its own making.
 */
export function ownHome(bundleFolder: string): string {
  const lib = dirname(bundleFolder);
  const root = dirname(lib);
  return basename(lib) === 'lib' && basename(root) === '.callgate' ? dirname(root) : homedir();
}
