/** An editor window's side of the window socket. */
import { connect } from 'node:net';
import {
  PROTOCOL_VERSION,
  type BrokerStatus,
  type EventName,
  type Events,
  type IpcErrorCode,
  type RequestMessage,
  type RequestName,
  type Requests,
} from '#contract/ipc.ts';
import { isObject } from '#core/model/json.ts';
import { type Layout, whyNotOurs } from '#home/layout.ts';
import { errorText } from '#home/privateFile.ts';
import { createLineReader } from '#node/broker/jsonLines.ts';
import { readWindowToken } from '#node/broker/windowToken.ts';

export type ConnectErrorCode = IpcErrorCode | 'NO_BROKER' | 'TIMEOUT' | 'CLOSED';

export class ConnectError extends Error {
  readonly code: ConnectErrorCode;

  constructor(code: ConnectErrorCode, message: string) {
    super(message);
    this.name = 'ConnectError';
    this.code = code;
  }
}

export interface BrokerConnection {
  /** What the broker said when it greeted us. */
  readonly status: BrokerStatus;
  /** @throws ConnectError with the broker's code, TIMEOUT when it does not answer, CLOSED when the connection ends first. */
  readonly request: <N extends RequestName>(name: N, params: Requests[N]['params']) => Promise<Requests[N]['result']>;
  readonly close: () => void;
}

export interface ConnectOptions {
  readonly version: string;
  readonly onEvent: <N extends EventName>(event: N, data: Events[N]) => void;
  /** Once, unless `close` was called: the broker ended, died, or sent what no broker sends. */
  readonly onClose: (reason: string) => void;
  readonly timeoutMs?: number;
}

/** One page of the timeline with whole arguments is the longest answer. */
const MAX_ANSWER = 64 * 1024 * 1024;
const TIMEOUT_MS = 5000;
/** Reading a long journal takes its time. */
const SLOW: ReadonlySet<RequestName> = new Set(['verify', 'timeline', 'counts']);
const SLOW_TIMEOUT_MS = 120_000;
/** A timer that comes so much too late tells of this process, not of the broker. */
const STOOD_STILL_MS = 250;
const EVENTS: readonly string[] = ['hold', 'entry', 'status'] satisfies EventName[];

/** @throws ConnectError NO_BROKER when nobody listens; otherwise as `request`. */
export async function connectBroker(layout: Layout, options: ConnectOptions): Promise<BrokerConnection> {
  const token = readToken(layout);
  // The token is for our own broker only.
  const distrust = whyNotOurs(layout.run);
  if (distrust !== null) throw new ConnectError('NO_BROKER', distrust);
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const open = new Map<number, { settle: (value: unknown) => void; fail: (error: ConnectError) => void; timer: NodeJS.Timeout }>();
  let nextId = 1;
  let greeted = false;
  let over: string | null = null;

  const socket = connect({ path: layout.windowSocket });
  const end = (reason: string): void => {
    if (over !== null) return;
    over = reason;
    socket.destroy();
    for (const waiting of open.values()) {
      clearTimeout(waiting.timer);
      waiting.fail(new ConnectError('CLOSED', reason));
    }
    open.clear();
    if (greeted) options.onClose(reason);
  };

  const answer = (message: unknown): void => {
    if (!isObject(message)) return end('the broker sent what is no message');
    const event = message['event'];
    if (typeof event === 'string') {
      // Unknown events are from a newer broker and mean nothing to us.
      if (EVENTS.includes(event)) options.onEvent(event as EventName, message['data'] as unknown as Events[EventName]);
      return;
    }
    const id = message['id'];
    const waiting = typeof id === 'number' ? open.get(id) : undefined;
    if (typeof id !== 'number' || !waiting) return; // answered too late for whoever asked
    open.delete(id);
    clearTimeout(waiting.timer);
    const error = message['error'];
    if (isObject(error)) waiting.fail(new ConnectError(String(error['code']) as IpcErrorCode, String(error['message'])));
    else waiting.settle(message['result']);
  };
  const lines = createLineReader(MAX_ANSWER, answer, () => end('the broker sent an endless line'));

  const request: BrokerConnection['request'] = (name, params) =>
    new Promise((settle, fail) => {
      if (over !== null) return fail(new ConnectError('CLOSED', over));
      const id = nextId++;
      const limit = SLOW.has(name) ? Math.max(SLOW_TIMEOUT_MS, timeoutMs) : timeoutMs;
      let due = performance.now() + limit;
      const late = (): void => {
        // It was this process that stood still (a busy extension host, a debugger): the answer may lie unread, and a
        // broker taken for dead is killed with all that it holds. It gets the whole time once more.
        if (performance.now() - due > Math.min(limit, STOOD_STILL_MS)) {
          due = performance.now() + limit;
          timer.refresh();
          return;
        }
        open.delete(id);
        fail(new ConnectError('TIMEOUT', `the broker did not answer ${name} within ${limit} ms`));
      };
      const timer = setTimeout(late, limit);
      // The broker answers each request with its own result; nothing else is sent under its number.
      open.set(id, { settle: settle as (value: unknown) => void, fail, timer });
      const message: RequestMessage = { id, request: name, params };
      socket.write(`${JSON.stringify(message)}\n`);
    });

  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new ConnectError('TIMEOUT', 'the broker does not take connections'));
    }, timeoutMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(new ConnectError('NO_BROKER', `no broker listens on ${layout.windowSocket} (${errorText(error)})`));
    });
  });
  socket.on('data', (chunk: Buffer) => lines.push(chunk));
  socket.on('error', (error) => end(`the connection to the broker failed: ${errorText(error)}`));
  socket.on('close', () => end('the broker closed the connection'));

  try {
    const status = await request('hello', { protocol: PROTOCOL_VERSION, version: options.version, token });
    greeted = true;
    if (over !== null) throw new ConnectError('CLOSED', over);
    return {
      status,
      request,
      close: () => {
        greeted = false; // the caller knows
        end('closed by this window');
      },
    };
  } catch (error) {
    greeted = false;
    end('the greeting failed');
    throw error;
  }
}

function readToken(layout: Layout): string {
  try {
    const token = readWindowToken(layout);
    if (token !== null) return token;
  } catch (error) {
    throw new ConnectError('NO_BROKER', `${layout.windowToken} cannot be read (${errorText(error)})`);
  }
  throw new ConnectError('NO_BROKER', 'no broker has run yet');
}
