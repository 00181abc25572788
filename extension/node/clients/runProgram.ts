/** Runs a client's program as our own child, never longer than a deadline. */
import { spawn } from 'node:child_process';

export interface ProgramResult {
  /** Null when it was killed or could not be started. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ended: 'exited' | 'deadline' | 'notStarted';
}

/** What we keep of a client's chatter, in characters. */
const MAX_OUTPUT = 256 * 1024;

export interface ProgramRun {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly deadlineMs: number;
}

export function runProgram({ program, args, cwd, env, deadlineMs }: ProgramRun): Promise<ProgramResult> {
  return new Promise((resolve) => {
    // Its own process group, so that what the client itself has started ends with it.
    const child = spawn(program, args, {
      cwd,
      env: env as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    let stdout = '';
    let stderr = '';
    let ended: ProgramResult['ended'] = 'exited';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout = (stdout + chunk).slice(0, MAX_OUTPUT)));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr = (stderr + chunk).slice(0, MAX_OUTPUT)));
    const timer = setTimeout(() => {
      ended = 'deadline';
      killGroup(child.pid);
    }, deadlineMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ status: null, stdout, stderr: error.message, ended: 'notStarted' });
    });
    child.once('exit', () => {
      clearTimeout(timer);
      // A grandchild may hold the pipes open long after the client has gone.
      killGroup(child.pid);
    });
    child.once('close', (status) => resolve({ status, stdout, stderr, ended }));
  });
}

/** Only the group of a child we started ourselves. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: everyone in it has ended already, which is what we want.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
