/** A server started as a child process, spoken to over its standard streams. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { UpstreamSpec } from '#contract/mcpLink.ts';
import { splitLines } from '#node/proxy/messages/lineSplitter.ts';
import { writeTogether } from '#node/proxy/messages/writeTogether.ts';
import { noteOffspring, processTable, remaining, signalAll } from '#node/proxy/transports/offspring.ts';
import type { Offspring } from '#node/proxy/transports/offspring.ts';
import { MAX_MESSAGE_BYTES } from '#node/proxy/transports/upstream.ts';
import type { OpenUpstream, Upstream, UpstreamEvents } from '#node/proxy/transports/upstream.ts';
import { windowsSpawnPlan } from '#node/proxy/transports/windowsCommand.ts';

export interface StdioOptions {
  readonly spec: Extract<UpstreamSpec, { transport: 'stdio' }>;
  /** Where the server's stderr goes beside the few lines kept for its obituary. */
  readonly onStderr: (chunk: Buffer) => void;
  /** The leader of the server's processes. */
  readonly onStarted?: ((pid: number) => void) | undefined;
}

const STDERR_TAIL_BYTES = 4 * 1024;
const STDERR_TAIL_LINES = 8;
/** After the leader's exit its last output may still be in the pipe; a grandchild may hold that pipe open for ever. */
const LAST_OUTPUT_MS = 300;
/** A server that closes one of its pipes is about to exit; one that stays cannot be spoken with any more. */
const HALF_CLOSED_MS = 1_000;

/** How often servers' offspring is looked at: what a crashed server leaves behind has no parent to know it by. */
const LOOK_MS = 5_000;

interface Server {
  readonly child: ChildProcessWithoutNullStreams;
  readonly seen: Offspring;
}

/** Servers whose end nobody has seen; one exit listener and one look at the processes for all. */
const living = new Set<Server>();
let looking: NodeJS.Timeout | undefined;

function look(servers: Iterable<Server>): ReturnType<typeof processTable> {
  const table = processTable();
  for (const { child, seen } of servers) if (child.pid !== undefined) noteOffspring(child.pid, seen, table);
  return table;
}

function watch(server: Server): void {
  if (living.size === 0) {
    process.on('exit', endLiving);
    // Elsewhere a list of processes costs starting a program: there it is made when a server ends.
    if (process.platform === 'linux') looking = setInterval(() => look(living), LOOK_MS).unref();
  }
  living.add(server);
}

function forget(server: Server): void {
  if (!living.delete(server) || living.size > 0) return;
  process.off('exit', endLiving);
  clearInterval(looking);
}

/** The last resort when this process leaves without closing its relays: a server that ignores its closed input would stay. */
function endLiving(): void {
  const table = look(living);
  for (const { child, seen } of living) {
    signalTree(child, 'SIGKILL');
    signalAll(remaining(seen, table), 'SIGKILL');
  }
}

export function stdioUpstream(options: StdioOptions): OpenUpstream {
  return (events) => open(options, events);
}

function open({ spec, onStderr, onStarted }: StdioOptions, events: UpstreamEvents): Upstream {
  let child: ChildProcessWithoutNullStreams;
  try {
    child = start(spec);
  } catch (error) {
    // Told later: the caller is still being built around us.
    setImmediate(() => events.onClosed(couldNotStart(spec, error)));
    return neverStarted();
  }
  const server: Server = { child, seen: new Map() };
  watch(server);
  if (child.pid !== undefined) onStarted?.(child.pid);
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
    look([server]);
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
  /** What left the process group: detached children, browsers. They get the same signals, and as long. */
  const endOffspring = async (patienceMs: number): Promise<void> => {
    if (server.seen.size === 0) return;
    const deadline = Date.now() + Math.max(patienceMs, 200);
    let left = remaining(server.seen, look([server]));
    signalAll(left, 'SIGTERM');
    for (; left.length > 0 && Date.now() < deadline; left = remaining(server.seen, look([server]))) await pause(20);
    signalAll(left, 'SIGKILL');
  };

  return {
    send({ line }) {
      // Writing to a stream that is ending would throw later in its error event; the server gets nothing either way.
      return child.stdin.writable ? writeTogether(child.stdin, line) : true;
    },
    end: () => child.stdin.end(),
    close: (patienceMs) =>
      (closing ??= close(patienceMs)
        .then(() => endOffspring(patienceMs))
        .finally(() => forget(server))),
    pause: () => child.stdout.pause(),
    resume: () => child.stdout.resume(),
  };
}

function start(spec: StdioOptions['spec']): ChildProcessWithoutNullStreams {
  const env = { ...spec.env };
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
