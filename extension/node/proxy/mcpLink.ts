/** The broker's end of a shim's connection: one header line, then a relay until either side is gone. */
import type { Duplex } from 'node:stream';
import type { Judge } from '#contract/judgement.ts';
import { MCP_LINK_GREETING, SERVER_MARK, STDERR_MARK, type McpLinkHeader, type UpstreamSpec } from '#contract/mcpLink.ts';
import { isObject } from '#core/model/json.ts';
import { errorLine } from '#node/proxy/messages/answers.ts';
import type { CallOrigin } from '#node/proxy/messages/callFromMcp.ts';
import { withheldText, withoutModelKeys } from '#node/proxy/modelKeys.ts';
import { startRelay, type RelayOptions } from '#node/proxy/relay.ts';
import type { RelayHelp } from '#node/proxy/relayHelp.ts';
import { webAddressFault } from '#node/proxy/shim/shimCommand.ts';
import { httpUpstream } from '#node/proxy/transports/httpUpstream.ts';
import { restartingUpstream } from '#node/proxy/transports/restartingUpstream.ts';
import { sseUpstream } from '#node/proxy/transports/sseUpstream.ts';
import { stdioUpstream } from '#node/proxy/transports/stdioUpstream.ts';
import type { OpenUpstream } from '#node/proxy/transports/upstream.ts';
import { webSocketUpstream } from '#node/proxy/transports/webSocketUpstream.ts';

/** A whole environment fits many times. */
const MAX_HEADER_BYTES = 4 * 1024 * 1024;
const HEADER_MS = 10_000;
/** A client that reads slowly loses of the server's stderr what does not fit here. */
const STDERR_BACKLOG_BYTES = 1024 * 1024;

/**
 * Serves one connection of `mcp.sock`. Never throws; when the socket closes, the server's processes end with it.
 * The listening server must be made with `allowHalfOpen`, or answers after the client's last message are lost.
 */
export function serveMcpLink(socket: Duplex, judge: Judge, log: (line: string) => void, help?: RelayHelp): void {
  let received: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => reject('it sent no header line in time'), HEADER_MS);

  function detach(): void {
    clearTimeout(timer);
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('error', onError);
    socket.off('close', onClose);
  }
  function reject(why: string): void {
    detach();
    log(`mcp link refused: ${why}`);
    // The socket may fail while it is told; it is being given up either way.
    socket.on('error', (error) => log(`mcp link: ${error.message}`));
    socket.end(errorLine(null, -32600, `Callgate's broker refused the connection: ${why}. Update Callgate, or restart the editor.`));
    setTimeout(() => socket.destroy(), 1_000).unref();
  }
  function onData(chunk: Buffer): void {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const end = received.indexOf(10);
    if (end === -1) {
      if (received.length > MAX_HEADER_BYTES) reject(`its header line is longer than ${MAX_HEADER_BYTES} bytes`);
      return;
    }
    const parsed = parseMcpLinkHeader(received.subarray(0, end).toString('utf8'));
    if (typeof parsed === 'string') {
      reject(parsed);
      return;
    }
    detach();
    socket.pause();
    const rest = received.subarray(end + 1);
    if (rest.length > 0) socket.unshift(rest);
    relayLink(socket, parsed, judge, log, help);
    socket.resume();
  }
  const onEnd = (): void => reject('it closed before its header line');
  const onError = (error: Error): void => reject(error.message);
  const onClose = (): void => reject('it closed before its header line');
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('error', onError);
  socket.on('close', onClose);
}

function relayLink(socket: Duplex, header: McpLinkHeader, judge: Judge, log: (line: string) => void, help?: RelayHelp): void {
  const { server } = header;
  socket.write(`${MCP_LINK_GREETING}\n`);
  const onStderr = (chunk: Buffer): void => {
    if (!socket.writable || socket.writableLength > STDERR_BACKLOG_BYTES) return;
    socket.write(`${String.fromCharCode(STDERR_MARK)}${chunk.toString('base64')}\n`);
  };
  const { upstream, withheld } = withholdKeys(header, help);
  if (withheld.length > 0) {
    const said = withheldText(server, withheld);
    log(said);
    onStderr(Buffer.from(`callgate: ${said}\n`));
  }
  const origin = { server, cwd: upstream.cwd, session: upstream.transport === 'stdio' ? sessionFrom(upstream.env) : '' };
  const relay = startRelay({
    input: socket,
    output: socket,
    open: upstreamFor({
      server,
      spec: upstream,
      log,
      say: (line) => {
        log(line);
        onStderr(Buffer.from(`callgate: ${line}\n`));
      },
      onStderr,
      onStarted: (pid) => {
        if (header.watches === true && socket.writable) socket.write(`${String.fromCharCode(SERVER_MARK)}${pid}\n`);
      },
      help,
    }),
    judge,
    origin,
    log,
    ...definitionsOf(header, origin, log, help),
    ...(help === undefined ? {} : { help }),
    ...(header.upstream.transport === 'stdio' ? { env: header.upstream.env } : {}),
  });
  void relay.done.then((end) => {
    log(`${server}: link closed (${end.detail})`);
    // Half-open peers would keep the descriptor for ever.
    setTimeout(() => socket.destroy(), 1_000).unref();
  });
}

/** Who reviews what this server says of itself, when there is somebody. */
export function definitionsOf(
  header: McpLinkHeader,
  origin: CallOrigin,
  log: (line: string) => void,
  help?: RelayHelp,
): Pick<RelayOptions, 'makeDefinitions'> {
  const make = help?.definitions;
  return make === undefined ? {} : { makeDefinitions: (tell) => make({ spec: header.upstream, origin, log }, tell) };
}

/** The server as it is started, without the keys that only its client needs. */
export function withholdKeys(header: McpLinkHeader, help?: RelayHelp): { upstream: UpstreamSpec; withheld: readonly string[] } {
  const { upstream, server, entryEnv = null } = header;
  if (upstream.transport !== 'stdio') return { upstream, withheld: [] };
  const givesKey = help?.policy(server, upstream.cwd).givesKey ?? (() => false);
  const { env, withheld } = withoutModelKeys(upstream.env, entryEnv, givesKey);
  return { upstream: { ...upstream, env }, withheld };
}

export interface UpstreamOptions {
  readonly server: string;
  readonly spec: UpstreamSpec;
  readonly log: (line: string) => void;
  /** Reaches the client's user too. */
  readonly say: (line: string) => void;
  readonly onStderr: (chunk: Buffer) => void;
  readonly onStarted?: ((pid: number) => void) | undefined;
  readonly help?: RelayHelp | undefined;
}

export function upstreamFor(options: UpstreamOptions): OpenUpstream {
  // Told to the person too: a client shows a server's standard error when they look why it behaves oddly.
  return restartingUpstream(plainUpstream(options), options.say);
}

function plainUpstream({ server, spec, log, say, onStderr, onStarted, help }: UpstreamOptions): OpenUpstream {
  const authorize = spec.transport === 'stdio' ? undefined : (help?.signIn?.(server, spec, say) ?? undefined);
  switch (spec.transport) {
    case 'stdio':
      return stdioUpstream({ spec, onStderr, onStarted });
    case 'http':
      return httpUpstream({ spec, log, authorize });
    case 'sse':
      return sseUpstream({ spec, log, authorize });
    case 'websocket':
      return webSocketUpstream({ spec, log, authorize });
  }
}

/** Claude Code names its session in the environment of the servers it starts, not in their calls. */
export function sessionFrom(env: Readonly<Record<string, string | undefined>>): string {
  return env['CLAUDE_CODE_SESSION_ID'] ?? '';
}

/** The header, or a sentence that says what is wrong with it. The text never repeats values: they may be secrets. */
export function parseMcpLinkHeader(text: string): McpLinkHeader | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'its header line is not JSON';
  }
  if (!isObject(value)) return 'its header line is not an object';
  if (value['protocol'] !== 1) return 'its header names another protocol than 1';
  const server = value['server'];
  if (typeof server !== 'string' || server === '' || server.length > 500) return 'its header needs a server name';
  const entryEnv = value['entryEnv'];
  if (entryEnv !== undefined && !isStrings(entryEnv)) return 'the names of the variables its entry sets are not a list of strings';
  const named = { ...(entryEnv === undefined ? {} : { entryEnv }), ...(value['watches'] === true ? { watches: true as const } : {}) };
  const upstream = value['upstream'];
  if (!isObject(upstream)) return 'its header has no upstream';
  const cwd = upstream['cwd'];
  if (typeof cwd !== 'string') return 'its upstream has no cwd';
  if (upstream['transport'] === 'stdio') {
    const { command, args, env } = upstream;
    if (typeof command !== 'string' || command === '') return 'its upstream has no command';
    if (!isStrings(args)) return 'the arguments of its upstream are not a list of strings';
    if (!isStringRecord(env)) return 'the environment of its upstream is not a table of strings';
    return { protocol: 1, server, upstream: { transport: 'stdio', command, args, env, cwd }, ...named };
  }
  const { transport, url, headers, network, oauth } = upstream;
  if (transport !== 'http' && transport !== 'sse' && transport !== 'websocket')
    return 'its upstream has a transport that is neither stdio nor http, sse or websocket';
  if (typeof url !== 'string' || webAddressFault(transport, url) !== null)
    return `the address of its upstream ${webAddressFault(transport, String(url)) ?? 'is no text'}`;
  if (!isStringRecord(headers)) return 'the headers of its upstream are not a table of strings';
  if (network !== undefined && !isStringRecord(network)) return 'the network settings of its upstream are not a table of strings';
  if (oauth !== undefined && !isStringRecord(oauth)) return 'how to sign in to its upstream is not a table of strings';
  return { protocol: 1, server, upstream: { transport, url, headers, cwd, ...(network && { network }), ...(oauth && { oauth }) } };
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isStringRecord(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every((item) => typeof item === 'string');
}
