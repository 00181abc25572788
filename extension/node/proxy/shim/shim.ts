/**
 * `callgate mcp`: what a rewritten configuration entry starts in a server's place. It hands the client's bytes to the
 * relay in the broker; with no broker, or one that hangs, it runs the relay itself. Once begun it never changes sides: a broker that dies
 * ends the session, because a new one would know nothing of what was held.
 */
import { lstatSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { JudgeOptions, Judgement } from '#contract/judgement.ts';
import { MCP_LINK_GREETING, type McpLinkHeader } from '#contract/mcpLink.ts';
import type { ToolCall } from '#core/model/call.ts';
import type { Layout } from '#home/layout.ts';
import { definitionsOf, sessionFrom, upstreamFor, withholdKeys } from '#node/proxy/mcpLink.ts';
import { namedByComparing, withheldText } from '#node/proxy/modelKeys.ts';
import { startRelay } from '#node/proxy/relay.ts';
import type { RelayHelp } from '#node/proxy/relayHelp.ts';
import { carryToBroker } from '#node/proxy/shim/brokerCarrier.ts';
import { SHIM_USAGE, parseShimCommand } from '#node/proxy/shim/shimCommand.ts';

export interface ShimOptions {
  /** After `callgate mcp`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly layout: Layout;
  /** Judges without a broker; nobody can be asked, so a quarantined call comes back refused or asked. */
  readonly judgeAlone: (call: ToolCall, options: JudgeOptions) => Judgement | Promise<Judgement>;
  /** Policy and findings for that case; asked for only then. */
  readonly helpAlone?: () => RelayHelp;
}

/** From connecting to the broker's greeting. Longer than a busy broker takes, shorter than clients wait for a server to start. */
const GREETING_MS = 3_000;
/** Clients that end us send signals a few hundred milliseconds apart. */
const SIGNAL_PATIENCE_MS = 150;

/** Resolves with the exit status: 0 after the client left, 1 when the server or the broker did, 2 for a bad command line. */
export async function runShim(options: ShimOptions): Promise<number> {
  const say = (line: string): void => void options.stderr.write(`callgate: ${line}\n`);
  const parsed = parseShimCommand(options.argv, options.env, options.cwd);
  if (typeof parsed === 'string') {
    say(`${parsed}\n${SHIM_USAGE}`);
    return 2;
  }
  const header = withEntryEnv(parsed);
  // A client that is gone shows as an error on its pipe too; the relay or the carrier acts on it.
  options.stderr.on('error', () => undefined);
  const socket = await connectToBroker(options.layout, header, say);
  const session = sessionFrom(options.env);
  return socket === null ? runAlone(header, session, options, say) : carryToBroker(socket, header, options, say);
}

/** Whoever started us is the client: the launcher becomes this process. */
function withEntryEnv(header: McpLinkHeader): McpLinkHeader {
  if (header.entryEnv !== undefined || header.upstream.transport !== 'stdio') return header;
  const entryEnv = namedByComparing(header.upstream.env, process.ppid);
  return entryEnv === null ? header : { ...header, entryEnv };
}

async function runAlone(header: McpLinkHeader, session: string, options: ShimOptions, say: (line: string) => void): Promise<number> {
  const help = options.helpAlone?.();
  const { upstream, withheld } = withholdKeys(header, help);
  if (withheld.length > 0) say(withheldText(header.server, withheld));
  const origin = { server: header.server, cwd: header.upstream.cwd, session };
  const relay = startRelay({
    input: options.stdin,
    output: options.stdout,
    open: upstreamFor({
      server: header.server,
      spec: upstream,
      log: say,
      say,
      onStderr: (chunk) => options.stderr.write(chunk),
      help,
    }),
    judge: async (call, judging) => options.judgeAlone(call, judging),
    origin,
    log: say,
    ...definitionsOf(header, origin, say, help),
    env: options.env,
    ...(help === undefined ? {} : { help }),
  });
  const stop = (): void => relay.stop(SIGNAL_PATIENCE_MS);
  const ended = await whileSignalsCall(stop, relay.done);
  return ended.by === 'client' ? 0 : 1;
}

/** Runs `stop` on the signals by which clients end a server; its process group is its own, so nothing else tells it. */
export async function whileSignalsCall<T>(stop: () => void, work: Promise<T>): Promise<T> {
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  try {
    return await work;
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}

/** Greeted by the broker and paused; null when none answers: then this process judges with the same engine. */
function connectToBroker(layout: Layout, header: McpLinkHeader, say: (line: string) => void): Promise<Socket | null> {
  const distrust = whyNotOurs(layout);
  if (distrust !== null) {
    if (distrust !== '') say(`${distrust}; running without the editor`);
    return Promise.resolve(null);
  }
  return new Promise((resolve) => {
    const socket = connect({ path: layout.mcpSocket, allowHalfOpen: true });
    let received: Buffer = Buffer.alloc(0);
    const settle = (result: Socket | null): void => {
      clearTimeout(timer);
      socket.off('connect', connected).off('error', failed).off('data', heard).off('close', closed);
      if (result === null) socket.on('error', () => socket.destroy()).destroy();
      resolve(result);
    };
    const timer = setTimeout(() => {
      say('the broker took no notice of this server in time (it may hang); running without the editor');
      settle(null);
    }, GREETING_MS);
    const connected = (): void => void socket.write(`${JSON.stringify({ ...header, watches: true } satisfies McpLinkHeader)}\n`);
    const heard = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf(10);
      if (end === -1) return;
      if (received.toString('utf8', 0, end) !== MCP_LINK_GREETING) {
        say(`the broker refused this server (${received.toString('utf8', 0, Math.min(end, 300))}); running without the editor`);
        settle(null);
        return;
      }
      socket.pause();
      if (received.length > end + 1) socket.unshift(received.subarray(end + 1));
      settle(socket);
    };
    const closed = (): void => {
      say('the broker closed the connection at once; running without the editor');
      settle(null);
    };
    // ENOENT and ECONNREFUSED are the everyday case of no editor being open; others are worth a line.
    const failed = (error: NodeJS.ErrnoException): void => {
      if (error.code !== 'ENOENT' && error.code !== 'ECONNREFUSED')
        say(`the broker cannot be reached (${error.message}); running without the editor`);
      settle(null);
    };
    socket.once('connect', connected).once('error', failed).on('data', heard).once('close', closed);
  });
}

/** The folder may lie under `/tmp`: somebody else's socket there would get this user's environment. */
function whyNotOurs(layout: Layout): string | null {
  if (process.platform === 'win32') return null;
  try {
    const stat = lstatSync(layout.run);
    if (!stat.isDirectory()) return `${layout.run} is not a folder`;
    if (process.getuid && stat.uid !== process.getuid()) return `${layout.run} belongs to another user`;
    return (stat.mode & 0o022) === 0 ? null : `others may write to ${layout.run}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? '' : `${layout.run} cannot be looked at`;
  }
}
