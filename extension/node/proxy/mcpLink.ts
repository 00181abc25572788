/** The broker's end of a shim's connection: one header line, then a relay until either side is gone. */
import type { Duplex } from 'node:stream';
import type { Judge } from '#contract/judgement.ts';
import { MCP_LINK_GREETING, STDERR_MARK, type McpLinkHeader, type UpstreamSpec } from '#contract/mcpLink.ts';
import { isObject } from '#core/model/json.ts';
import { errorLine } from '#node/proxy/answers.ts';
import { httpUpstream } from '#node/proxy/httpUpstream.ts';
import { startRelay } from '#node/proxy/relay.ts';
import { stdioUpstream } from '#node/proxy/stdioUpstream.ts';
import type { OpenUpstream } from '#node/proxy/upstream.ts';

/** A whole environment fits many times. */
const MAX_HEADER_BYTES = 4 * 1024 * 1024;
const HEADER_MS = 10_000;
/** A client that reads slowly loses of the server's stderr what does not fit here. */
const STDERR_BACKLOG_BYTES = 1024 * 1024;

/**
 * Serves one connection of `mcp.sock`. Never throws; when the socket closes, the server's processes end with it.
 * The listening server must be made with `allowHalfOpen`, or answers after the client's last message are lost.
 */
export function serveMcpLink(socket: Duplex, judge: Judge, log: (line: string) => void): void {
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
    relayLink(socket, parsed, judge, log);
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

function relayLink(socket: Duplex, header: McpLinkHeader, judge: Judge, log: (line: string) => void): void {
  const { upstream, server } = header;
  socket.write(`${MCP_LINK_GREETING}\n`);
  const onStderr = (chunk: Buffer): void => {
    if (!socket.writable || socket.writableLength > STDERR_BACKLOG_BYTES) return;
    socket.write(`${String.fromCharCode(STDERR_MARK)}${chunk.toString('base64')}\n`);
  };
  const relay = startRelay({
    input: socket,
    output: socket,
    open: upstreamFor(upstream, log, onStderr),
    judge,
    origin: { server, cwd: upstream.cwd, session: upstream.transport === 'stdio' ? sessionFrom(upstream.env) : '' },
    log,
  });
  void relay.done.then((end) => {
    log(`${server}: link closed (${end.detail})`);
    // Half-open peers would keep the descriptor for ever.
    setTimeout(() => socket.destroy(), 1_000).unref();
  });
}

export function upstreamFor(spec: UpstreamSpec, log: (line: string) => void, onStderr: (chunk: Buffer) => void): OpenUpstream {
  return spec.transport === 'stdio' ? stdioUpstream({ spec, onStderr }) : httpUpstream({ spec, log });
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
  const upstream = value['upstream'];
  if (!isObject(upstream)) return 'its header has no upstream';
  const cwd = upstream['cwd'];
  if (typeof cwd !== 'string') return 'its upstream has no cwd';
  if (upstream['transport'] === 'stdio') {
    const { command, args, env } = upstream;
    if (typeof command !== 'string' || command === '') return 'its upstream has no command';
    if (!isStrings(args)) return 'the arguments of its upstream are not a list of strings';
    if (!isStringRecord(env)) return 'the environment of its upstream is not a table of strings';
    return { protocol: 1, server, upstream: { transport: 'stdio', command, args, env, cwd } };
  }
  if (upstream['transport'] === 'http') {
    const { url, headers } = upstream;
    if (typeof url !== 'string' || !/^https?:\/\//i.test(url) || !URL.canParse(url))
      return 'the address of its upstream is not an http or https URL';
    if (!isStringRecord(headers)) return 'the headers of its upstream are not a table of strings';
    return { protocol: 1, server, upstream: { transport: 'http', url, headers, cwd } };
  }
  return 'its upstream has a transport that is neither stdio nor http';
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isStringRecord(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every((item) => typeof item === 'string');
}
