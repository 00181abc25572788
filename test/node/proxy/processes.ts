/** Whether processes are there, by their ids. */
import { readFileSync } from 'node:fs';
import { until } from './harness.ts';

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // A zombie waits only for its parent to look; it runs nothing any more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}

/** The ids a scripted server wrote about itself and its children. */
export function pidsIn(file: string): Promise<number[]> {
  return until(`ids in ${file}`, () => {
    try {
      const pids = readFileSync(file, 'utf8')
        .split(' ')
        .map(Number)
        .filter((pid) => pid > 1);
      return pids.length > 0 && pids;
    } catch {
      return null;
    }
  });
}

export async function allGone(pids: readonly number[], ms = 5_000): Promise<boolean> {
  await until(`processes ${pids.join(', ')} end`, () => pids.every((pid) => !isAlive(pid)), ms);
  return true;
}
