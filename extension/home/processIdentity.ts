/** Names a process so that a reused pid is not taken for it: `pid:start`. */
import { readFileSync } from 'node:fs';
import { errorCode } from '#home/privateFile.ts';

/** When process `pid` began, in the system's own words; null when there is no such process or it cannot be told. */
export function processStart(pid: number): string | null {
  if (process.platform === 'linux') return linuxStart(pid);
  if (process.platform === 'win32') return null;
  try {
    // Loading it takes three milliseconds, which a hook on Linux need not pay.
    const { execFileSync } = process.getBuiltinModule('node:child_process');
    const text = execFileSync('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      timeout: 2000,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    return text === '' ? null : text.replaceAll(/\s+/g, '-');
  } catch {
    return null; // ps exits 1 when there is no such process
  }
}

function linuxStart(pid: number): string | null {
  return linuxFields(pid)?.[19] ?? null;
}

/** What stands behind the command name, which may itself hold spaces and parentheses: fields 3 (its state) to 22 (its start) and on (proc_pid_stat(5)). */
function linuxFields(pid: number): readonly string[] | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null; // no such process
  }
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

export function ownIdentity(): string {
  return `${process.pid}:${processStart(process.pid) ?? 'unknown'}`;
}

export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
}

export function parseIdentity(text: string): ProcessIdentity | null {
  const match = /^([1-9][0-9]{0,9}):(\S{1,64})$/.exec(text.trim());
  return match ? { pid: Number(match[1]), start: match[2] ?? '' } : null;
}

/** Whether that very process still runs. One whose start cannot be told counts as running: its lock is not ours to take. */
export function isRunning(identity: ProcessIdentity): boolean {
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    // EPERM: somebody else's process has that pid, so ours is gone unless its start says otherwise.
  }
  if (process.platform === 'linux') {
    const fields = linuxFields(identity.pid);
    // It has ended and only its parent has not asked how, which in a container may never happen.
    if (fields?.[0] === 'Z' || fields?.[0] === 'X') return false;
  }
  const start = processStart(identity.pid);
  return start === null || identity.start === 'unknown' || start === identity.start;
}
