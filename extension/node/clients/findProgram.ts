/** The client's own program on this machine. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { systemCode } from '#node/clients/configError.ts';

/** Absolute path of `name` on PATH; null if it is not installed there. */
export function findProgram(name: string, env: Readonly<Record<string, string | undefined>>, platform: NodeJS.Platform): string | null {
  const names = platform === 'win32' ? [`${name}.exe`, `${name}.cmd`] : [name];
  for (const folder of (env['PATH'] ?? env['Path'] ?? '').split(delimiter)) {
    for (const one of folder === '' ? [] : names) {
      const path = join(folder, one);
      try {
        accessSync(path, constants.X_OK);
        if (statSync(path).isFile()) return path;
      } catch (error) {
        // Not there or not executable is the usual case for most folders of PATH: look in the next one.
        if (systemCode(error) === '') throw error;
      }
    }
  }
  return null;
}
