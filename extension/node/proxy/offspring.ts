/**
 * Processes a server started that are no longer in its process group: their environment still carries the server's
 * mark. Linux and macOS show it to the same user; where it is not shown, only the process group is ended.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/** The variable with the mark. */
export const STARTED_BY = 'CALLGATE_STARTED_BY';
const PS_MS = 2_000;

export function offspringOf(marks: ReadonlySet<string>): readonly number[] {
  if (marks.size === 0) return [];
  if (process.platform === 'linux') return fromProc(marks);
  return process.platform === 'darwin' ? fromPs(marks) : [];
}

export function signalAll(pids: readonly number[], signal: 'SIGTERM' | 'SIGKILL'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // Gone meanwhile, or of another user by now: nothing we could end.
      if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

/** Programs a person works in. A server opens them for its user ("sign in here"), and they may have started with it. */
const PERSONS_PROGRAM =
  /(?:^|\/)(?:firefox|librewolf|chrome|google-chrome|chromium|brave|msedge|microsoft-edge|opera|vivaldi|epiphany|code|codium|cursor|windsurf|zed|nautilus|dolphin|thunderbird)(?:-[a-z]+)*(?:\.bin)?$/;
/** The same programs, driven by the server itself. */
const DRIVEN = /^--?(?:headless|remote-debugging-(?:port|pipe)|enable-automation|marionette|juggler)\b/;

function fromProc(marks: ReadonlySet<string>): readonly number[] {
  const marked = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && isMarked(name, marks));
  const spared = new Set(marked.filter(isPersons).map(sessionOf));
  return marked.filter((name) => !spared.has(sessionOf(name))).map(Number);
}

function isMarked(pid: string, marks: ReadonlySet<string>): boolean {
  // A zombie's environment is empty.
  return procStrings(pid, 'environ').some(
    (variable) => variable.startsWith(`${STARTED_BY}=`) && marks.has(variable.slice(STARTED_BY.length + 1)),
  );
}

function isPersons(pid: string): boolean {
  const [program = '', ...words] = procStrings(pid, 'cmdline');
  return PERSONS_PROGRAM.test(program) && !words.some((word) => DRIVEN.test(word));
}

/** A browser's helpers live in its session. */
function sessionOf(pid: string): string {
  const stat = procStrings(pid, 'stat').join('');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3] ?? '';
}

/** Read as one byte a character: environments hold any bytes. */
function procStrings(pid: string, file: 'environ' | 'cmdline' | 'stat'): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1').split('\0');
  } catch {
    // Another user's, or gone meanwhile.
    return [];
  }
}

function fromPs(marks: ReadonlySet<string>): readonly number[] {
  const { stdout } = spawnSync('/bin/ps', ['-E', '-x', '-ww', '-o', 'pid=,command='], {
    encoding: 'utf8',
    timeout: PS_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  return (stdout ?? '').split('\n').flatMap((row) => {
    const [, pid, words = ''] = /^\s*(\d+)\s(.*)$/.exec(row) ?? [];
    if (pid === undefined || Number(pid) === process.pid) return [];
    return [...marks].some((mark) => words.includes(`${STARTED_BY}=${mark}`)) ? [Number(pid)] : [];
  });
}
