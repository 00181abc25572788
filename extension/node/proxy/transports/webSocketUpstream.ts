/** A server spoken to over a WebSocket, one message a frame. Not in the specification; the SDKs agree on the subprotocol `mcp`. */
import type { ClientOptions, RawData, WebSocket } from 'ws';
import { routeTo } from '#node/proxy/transports/httpAgent.ts';
import { configuredHeaders, readRefusal, wantsSignIn } from '#node/proxy/transports/httpClient.ts';
import { failureText, refusalText } from '#node/proxy/transports/httpFailure.ts';
import type { WebOptions } from '#node/proxy/transports/httpUpstream.ts';
import { MAX_MESSAGE_BYTES } from '#node/proxy/transports/upstream.ts';
import type { OpenUpstream, Outbound, Upstream, UpstreamEvents } from '#node/proxy/transports/upstream.ts';

const CONNECT_MS = 30_000;
/** A connection whose other end has vanished looks open for hours: it is asked, and given up after two silences. */
const PING_MS = 30_000;
const BACKLOG_BYTES = 1024 * 1024;
const WAITING = 10;

export function webSocketUpstream(options: WebOptions): OpenUpstream {
  return (events) => open(options, events);
}

function open({ spec, log, authorize }: WebOptions, events: UpstreamEvents): Upstream {
  const address = new URL(spec.url);
  const headers = configuredHeaders(address, spec.headers);
  address.username = '';
  address.password = '';
  const shown = `${address.origin === 'null' ? `${address.protocol}//${address.host}` : address.origin}${address.pathname}`;
  const { agent } = routeTo(address, spec.network ?? {}, log, true);
  const waiting: Outbound[] = [];
  let socket: WebSocket | null = null;
  let ready = false;
  let closing = false;
  let over = false;
  let paused = false;
  let silences = 0;
  let pings: NodeJS.Timeout | undefined;
  let left: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => (left = resolve));

  const ended = (why: string): void => {
    if (over) return;
    over = true;
    clearInterval(pings);
    left();
    if (!closing) events.onClosed(why);
  };

  async function connect(again: boolean): Promise<void> {
    // Loaded here: most servers need none of it.
    const { WebSocket: Client } = await import('ws');
    const token = (await authorize?.header()) ?? null;
    if (closing) return;
    const options: ClientOptions = {
      agent,
      headers: { ...headers, ...(token === null ? {} : { authorization: token }) },
      handshakeTimeout: CONNECT_MS,
      maxPayload: MAX_MESSAGE_BYTES,
      // Compression would let a small message grow to any size before its length is known.
      perMessageDeflate: false,
      followRedirects: false,
    };
    const mine = new Client(address, ['mcp'], options);
    socket = mine;
    let refused = false;
    mine.on('unexpected-response', (request, response) => {
      refused = true;
      const head = { status: response.statusCode ?? 0, headers: response.headers };
      void (async () => {
        const body = await readRefusal({ body: response, drop: () => request.destroy() });
        if (!again && authorize !== undefined && wantsSignIn(head) && (await authorize.challenged(head, token))) {
          await connect(true);
          return;
        }
        ended(refusalText({ shown, status: head.status, location: head.headers.location, body, triedToSignIn: authorize !== undefined }));
      })().catch((error: unknown) => ended(`the MCP server at ${shown} refused the connection: ${failureText(error)}`));
    });
    let failed = '';
    mine.on('error', (error) => {
      failed = failureText(error);
      if (mine.readyState !== mine.OPEN && !refused && !ready) ended(`the MCP server at ${shown} cannot be reached: ${failed}`);
    });
    mine.on('open', () => {
      ready = true;
      if (paused) mine.pause();
      pings = setInterval(() => {
        if (paused) return;
        if (++silences > 2) mine.terminate();
        else mine.ping();
      }, PING_MS);
      for (const outbound of waiting.splice(0)) send(mine, outbound);
      events.onDrain();
    });
    mine.on('pong', () => (silences = 0));
    mine.on('message', (data) => {
      silences = 0;
      received(data);
    });
    mine.on('close', (code, reason) => {
      if (refused) return;
      const said = reason.toString('utf8').slice(0, 200);
      const why = failed !== '' ? failed : silences > 2 ? 'it did not answer any more' : `code ${code}${said === '' ? '' : `: ${said}`}`;
      ended(
        code === 1009 || failed.includes('Max payload')
          ? `the MCP server at ${shown} sent a message longer than ${MAX_MESSAGE_BYTES} bytes`
          : `the MCP server at ${shown} closed the connection (${why})`,
      );
    });
  }

  function received(data: RawData): void {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);
    const text = bytes
      .toString('utf8')
      .replace(/[\r\n]+/g, ' ')
      .trim();
    if (text !== '') events.onLine(Buffer.from(`${text}\n`));
  }

  function send(to: WebSocket, { line }: Outbound): boolean {
    let full = false;
    to.send(line.toString('utf8').trimEnd(), () => {
      if (full) events.onDrain();
    });
    full = to.bufferedAmount > BACKLOG_BYTES;
    return !full;
  }

  connect(false).catch((error: unknown) => ended(`the MCP server at ${shown} cannot be reached: ${failureText(error)}`));

  return {
    send(outbound) {
      if (over || closing) return true;
      if (ready && socket !== null) return send(socket, outbound);
      waiting.push(outbound);
      return waiting.length < WAITING;
    },
    end: () => undefined,
    async close(patienceMs) {
      closing = true;
      const mine = socket;
      if (mine !== null && !over) {
        mine.resume();
        mine.close(1000);
        await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, Math.max(patienceMs, 100)))]);
        mine.terminate();
      }
      clearInterval(pings);
      agent.destroy();
    },
    pause() {
      paused = true;
      if (ready) socket?.pause();
    },
    resume() {
      paused = false;
      if (ready) socket?.resume();
    },
  };
}
