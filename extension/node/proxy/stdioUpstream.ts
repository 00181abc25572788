/** A server started as a child process, spoken to over its standard streams. */
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { UpstreamSpec } from '#contract/mcpLink.ts';
import { STARTED_BY, offspringOf, signalAll } from '#node/proxy/offspring.ts';
import { splitLines } from '#node/proxy/lineSplitter.ts';
import { MAX_MESSAGE_BYTES } from '#node/proxy/upstream.ts';
import type { OpenUpstream, Upstream, UpstreamEvents } from '#node/proxy/upstream.ts';
import { windowsSpawnPlan } from '#node/proxy/windowsCommand.ts';

export interface StdioOptions {
  readonly spec: Extract<UpstreamSpec, { transport: 'stdio' }>;
  /** Where the server's stderr goes beside the few lines kept for its obituary. */
  readonly onStderr: (chunk: Buffer) => void;
}

const STDERR_TAIL_BYTES = 4 * 1024;
const STDERR_TAIL_LINES = 8;
/** After the leader's exit its last output may still be in the pipe; a grandchild may hold that pipe open for ever. */
const LAST_OUTPUT_MS = 300;
/** A server that closes one of its pipes is about to exit; one that stays cannot be spoken with any more. */
const HALF_CLOSED_MS = 1_000;

interface Server {
  readonly child: ChildProcessWithoutNullStreams;
  /** In the environment of all it starts: by it those are found that left the process group and their parent. */
  readonly mark: string;
}

/** Servers whose end nobody has seen; one exit listener for all, since Node warns of many. */
const living = new Set<Server>();

/** The last resort when this process leaves without closing its relays: a server that ignores its closed input would stay. */
function endLiving(): void {
  const offspring = offspringOf(new Set([...living].map((server) => server.mark)));
  for (const { child } of living) signalTree(child, 'SIGKILL');
  signalAll(offspring, 'SIGKILL');
}

export function stdioUpstream(options: StdioOptions): OpenUpstream {
  return (events) => open(options, events);
}

function open({ spec, onStderr }: StdioOptions, events: UpstreamEvents): Upstream {
  const mark = randomUUID();
  let child: ChildProcessWithoutNullStreams;
  try {
    child = start(spec, mark);
  } catch (error) {
    // Told later: the caller is still being built around us.
    setImmediate(() => events.onClosed(couldNotStart(spec, error)));
    return neverStarted();
  }
  if (living.size === 0) process.on('exit', endLiving);
  const server: Server = { child, mark };
  living.add(server);
  let tail = Buffer.alloc(0);
  let gone = false;
  const leftWaiting: (() => void)[] = [];

  const left = (detail: string): void => {
    if (gone) return;
    gone = true;
    for (const resolve of leftWaiting) resolve();
    events.onClosed(detail);
  };

  const lines = splitLines(MAX_MESSAGE_BYTES, { onLine: events.onLine, onOverlong: events.onOverlong });
  child.stdout.on('data', (chunk: Buffer) => lines.feed(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    tail = Buffer.from(Buffer.concat([tail, chunk.subarray(-STDERR_TAIL_BYTES)]).subarray(-STDERR_TAIL_BYTES));
    onStderr(chunk);
  });
  child.stdin.on('drain', events.onDrain);
  // The exit tells the story, with its code, if there is one.
  const halfClosed = (what: string): void => {
    setTimeout(() => left(`the MCP server (${spec.command}) closed its ${what} and goes on running`), HALF_CLOSED_MS).unref();
  };
  child.stdin.on('error', () => {
    events.onDrain();
    halfClosed('standard input');
  });
  child.stdout.on('end', () => halfClosed('standard output'));
  child.on('error', (error) => left(couldNotStart(spec, error)));
  child.on('exit', (code, signal) => {
    const detail = (): string => obituary(spec, code, signal, tail);
    const timer = setTimeout(() => left(detail()), LAST_OUTPUT_MS);
    child.on('close', () => {
      clearTimeout(timer);
      left(detail());
    });
  });

  const waitForExit = async (ms: number): Promise<boolean> => {
    if (gone) return true;
    return new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      leftWaiting.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  };

  let closing: Promise<void> | null = null;
  const close = async (patienceMs: number): Promise<void> => {
    child.stdout.resume();
    child.stdin.end();
    if (patienceMs > 0) await waitForExit(patienceMs);
    if (!signalTree(child, 'SIGTERM')) {
      await waitForExit(LAST_OUTPUT_MS * 2);
      return;
    }
    const deadline = Date.now() + Math.max(patienceMs, 200);
    while (signalTree(child, 0) && Date.now() < deadline) await pause(10);
    if (signalTree(child, 'SIGKILL')) await waitForExit(LAST_OUTPUT_MS * 2);
    child.stdout.destroy();
    child.stderr.destroy();
  };
  /** What left the process group: daemons, browsers. They get the same signals, and as long. */
  const endOffspring = async (patienceMs: number): Promise<void> => {
    const marks = new Set([mark]);
    signalAll(offspringOf(marks), 'SIGTERM');
    const deadline = Date.now() + Math.max(patienceMs, 200);
    while (offspringOf(marks).length > 0) {
      if (Date.now() >= deadline) {
        signalAll(offspringOf(marks), 'SIGKILL');
        return;
      }
      await pause(20);
    }
  };
  const forget = (): void => {
    if (living.delete(server) && living.size === 0) process.off('exit', endLiving);
  };

  return {
    send({ line }) {
      // Writing to a stream that is ending would throw later in its error event; the server gets nothing either way.
      return child.stdin.writable ? child.stdin.write(line) : true;
    },
    end: () => child.stdin.end(),
    close: (patienceMs) =>
      (closing ??= close(patienceMs)
        .then(() => endOffspring(patienceMs))
        .finally(forget)),
    pause: () => child.stdout.pause(),
    resume: () => child.stdout.resume(),
  };
}

function start(spec: StdioOptions['spec'], mark: string): ChildProcessWithoutNullStreams {
  const env = { ...spec.env, [STARTED_BY]: mark };
  if (process.platform === 'win32') {
    const plan = windowsSpawnPlan(spec.command, spec.args, env, existsSync);
    return spawn(plan.command, plan.args, {
      cwd: spec.cwd,
      env,
      stdio: 'pipe',
      windowsHide: true,
      windowsVerbatimArguments: plan.verbatim,
    });
  }
  // A process group of its own: what the server starts can be ended with it.
  return spawn(spec.command, spec.args, { cwd: spec.cwd, env, stdio: 'pipe', detached: true });
}

/** Signals the server and all it started; false when nothing of it is left (or, with 0, just asks). */
function signalTree(child: ChildProcessWithoutNullStreams, signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
  if (child.pid === undefined) return false;
  if (process.platform === 'win32') {
    if (child.exitCode !== null || child.signalCode !== null) return false;
    if (signal !== 0) spawnSync('taskkill', ['/pid', String(child.pid), '/T', '/F'], { windowsHide: true });
    return true;
  }
  try {
    process.kill(-child.pid, signal);
    return true;
  } catch (error) {
    // EPERM: somebody of the group changed its user; it is there, but not ours to end.
    return (error as NodeJS.ErrnoException).code === 'EPERM' && signal === 0 && child.exitCode === null && child.signalCode === null;
  }
}

function couldNotStart(spec: StdioOptions['spec'], error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  const folder = existsSync(spec.cwd) ? '' : ` (its folder ${spec.cwd} does not exist)`;
  return `the MCP server could not be started: ${why}${folder}; check its command in the client's configuration`;
}

function obituary(spec: StdioOptions['spec'], code: number | null, signal: NodeJS.Signals | null, tail: Buffer): string {
  const how = signal === null ? `exited with code ${code ?? 'unknown'}` : `was ended by ${signal}`;
  const words = tail
    .toString('utf8')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-STDERR_TAIL_LINES);
  return `the MCP server (${spec.command}) ${how}${words.length === 0 ? ' and said nothing on stderr' : `; last lines of its stderr: ${words.join(' | ')}`}`;
}

function neverStarted(): Upstream {
  return { send: () => true, end: () => undefined, close: () => Promise.resolve(), pause: () => undefined, resume: () => undefined };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
