/** Ends what may outlive an editor by design (the broker), and finds what has outlived it by mistake. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Layout } from '#home/layout.ts';
import { waitFor } from '#kit/sandbox.ts';

/** The pid in the broker's lock while that process lives, else null. */
export function brokerPid(layout: Layout): number | null {
  if (!existsSync(layout.brokerLock)) return null;
  const pid = Number.parseInt(readFileSync(layout.brokerLock, 'utf8'), 10);
  return Number.isInteger(pid) && pid > 1 && isAlive(pid) ? pid : null;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false; // ESRCH; all our processes are of one user, so EPERM cannot be.
  }
  return !isZombie(pid);
}

/** A process that ended and whose parent has not asked yet still answers signal 0. */
function isZombie(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  if (!existsSync(stat)) return false;
  try {
    return /\) Z /.test(readFileSync(stat, 'utf8'));
  } catch {
    return true; // Gone between the two calls.
  }
}

/** Asks the broker to end and waits; it should have ended by itself with its last window. */
export async function endBroker(layout: Layout): Promise<void> {
  const pid = brokerPid(layout);
  if (pid === null) return;
  process.kill(pid, 'SIGTERM');
  await waitFor(`broker ${pid} to end`, () => !isAlive(pid), 5000).catch(() => {
    process.kill(pid, 'SIGKILL');
  });
}

/**
 * Processes of this sandbox that still run after `graceMs` in which they might have ended by themselves; one line each.
 * The broker stays for ten seconds after its last window, so that a reload finds it.
 */
export async function leftBehind(layout: Layout, graceMs = 20_000): Promise<readonly string[]> {
  const quiet = waitFor('all processes to end', () => brokerPid(layout) === null && processesOf(layout.home).length === 0, graceMs);
  return quiet.then(
    () => [],
    () => processesOf(layout.home).map(({ pid, command }) => `${pid} ${command}`),
  );
}

/** Every process started with this HOME, or, where environments cannot be read (macOS), that names a path in it. */
export function processesOf(home: string): readonly { readonly pid: number; readonly command: string }[] {
  const found: { pid: number; command: string }[] = [];
  for (const line of execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n')) {
    const match = /^\s*(\d+) (.*)$/.exec(line);
    const pid = Number(match?.[1]);
    const command = match?.[2] ?? '';
    if (match === null || pid === process.pid || !isAlive(pid)) continue;
    const ours = existsSync(`/proc/${pid}`) ? hasHome(pid, home) : command.includes(`${home}/`);
    if (ours) found.push({ pid, command: command.slice(0, 200) });
  }
  return found;
}

function hasHome(pid: number, home: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`HOME=${home}`);
  } catch {
    return false; // Gone, or somebody else's: neither is ours.
  }
}

/** Ends every process of this sandbox, politely first. */
export async function endProcessesOf(home: string): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const { pid } of processesOf(home)) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // Gone in between is what we want.
      }
    }
    const gone = await waitFor('processes to end', () => processesOf(home).length === 0, 3000).then(
      () => true,
      () => false,
    );
    if (gone) return;
  }
}
