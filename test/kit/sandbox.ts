/** A fresh HOME and work folder for one test, and programs run in it with nothing inherited but what is named here. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { layoutFor } from '#home/layout.ts';
import type { Layout } from '#home/layout.ts';

export interface Sandbox {
  readonly folder: string;
  readonly home: string;
  readonly work: string;
  readonly layout: Layout;
  /** Writes a file under the work folder (or at an absolute path), folders included; gives its path. */
  readonly write: (path: string, content: string) => string;
  readonly remove: () => void;
}

/** Paths stay short: a socket's may not exceed about 100 bytes. */
export function sandbox(): Sandbox {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cg-')));
  const home = join(folder, 'home');
  const work = join(folder, 'work');
  mkdirSync(home, { mode: 0o700 });
  mkdirSync(work);
  return sandboxIn(folder, home, work);
}

/** Folders as a sandbox; nothing is made. */
export function sandboxIn(folder: string, home: string, work: string): Sandbox {
  return {
    folder,
    home,
    work,
    layout: layoutFor(home),
    write: (path, content) => {
      const file = resolve(work, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
  };
}

/** The whole environment of a program in a sandbox: no key, proxy or setting of the machine gets in. */
export function sandboxEnvironment(box: Sandbox, extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: box.home,
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    SHELL: '/bin/sh',
    TMPDIR: tmpdir(),
    ...extra,
  };
}

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
  readonly timedOut: boolean;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
  readonly stdin?: string | Buffer;
}

export interface Running {
  readonly child: ChildProcess;
  readonly done: Promise<Ran>;
  /** Ends the program and what it started in its own process group. */
  readonly kill: (signal: NodeJS.Signals) => void;
}

/** Starts a program in a process group of its own, so that a deadline ends its children too. */
export function launch(program: string, args: readonly string[], options: RunOptions): Running {
  const started = performance.now();
  const child = spawn(program, [...args], { cwd: options.cwd, env: { ...options.env }, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  // A program that ends without reading its input breaks the pipe; how it ended is what the caller looks at.
  child.stdin.on('error', (error) => err.push(Buffer.from(`[stdin: ${error.message}]`)));
  child.stdin.end(options.stdin ?? '');
  const kill = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch (error) {
      // ESRCH: the whole group is gone already, which is what we want.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  const done = new Promise<Ran>((resolvePromise, reject) => {
    let timedOut = false;
    const deadline = setTimeout(() => {
      timedOut = true;
      kill('SIGKILL');
    }, options.deadlineMs);
    child.once('error', (error) => {
      clearTimeout(deadline);
      reject(error);
    });
    // A background child may keep the pipes open after the program itself has ended: end it with the group.
    child.once('exit', () => kill('SIGKILL'));
    child.once('close', (code, signal) => {
      clearTimeout(deadline);
      resolvePromise({
        code,
        signal,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
        ms: performance.now() - started,
        timedOut,
      });
    });
  });
  return { child, done, kill };
}

export function run(program: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  return launch(program, args, options).done;
}

/** Asks `condition` until it gives something other than null, undefined or false. @throws after `deadlineMs`, naming `what`. */
export async function waitFor<T>(
  what: string,
  condition: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  deadlineMs = 20_000,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await new Promise((resolvePromise) => setTimeout(resolvePromise, 20));
  }
}

/** The last lines of a run, for a failing test's message. */
export function tail(ran: Ran): string {
  const cut = (text: string): string => text.slice(-1500);
  return `code ${String(ran.code)}, signal ${String(ran.signal)}${ran.timedOut ? ', past its deadline' : ''}, ${Math.round(ran.ms)} ms\nstdout: ${cut(ran.stdout)}\nstderr: ${cut(ran.stderr)}`;
}
