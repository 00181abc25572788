/** What the scripts in `bin` need to know of this machine: its nodes, a PATH without traps, and how a program is ended in time. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { isExecutable } from '#node/launcher/asker.ts';
import type { Deadline } from '#node/launcher/launcherScripts.ts';

const absoluteFolders = (path: string): string[] =>
  path.split(delimiter).filter((folder) => isAbsolute(folder) && !/[\u0000-\u001f\\]/.test(folder));

/** A relative entry would be looked up in whatever folder an agent works in. */
export function absoluteOnly(path: string): string {
  return [...new Set([...absoluteFolders(path), ...(process.platform === 'win32' ? [] : ['/usr/local/bin', '/usr/bin', '/bin'])])].join(
    delimiter,
  );
}

/** Nodes on the path that are new enough for our bundles; at most one is needed. */
export function nodesOn(path: string): string[] {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  for (const folder of absoluteFolders(path)) {
    const file = join(folder, name);
    if (!isExecutable(file) || !statSync(file).isFile()) continue;
    const asked = spawnSync(file, ['-p', 'process.versions.node'], { encoding: 'utf8', timeout: 5000, env: {} });
    if (Number(asked.stdout?.split('.')[0]) >= 20) return [file];
  }
  return [];
}

export function chooseDeadline(): Deadline {
  const timeout = ['/usr/bin/timeout', '/bin/timeout', '/usr/local/bin/timeout'].find(isExecutable);
  if (timeout && spawnSync(timeout, ['-k', '1', '5', '/bin/sh', '-c', 'exit 7'], { timeout: 8000 }).status === 7)
    return { kind: 'timeout', program: timeout };
  const perl = ['/usr/bin/perl', '/usr/local/bin/perl'].find(isExecutable);
  return perl ? { kind: 'perl', program: perl } : { kind: 'shell' };
}
