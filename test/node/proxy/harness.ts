/** A relay between two in-memory ends: a scripted client, a scripted server, a scripted judge. */
import { PassThrough } from 'node:stream';
import type { Judge, JudgeOptions, Judgement } from '#contract/judgement.ts';
import type { ToolCall } from '#core/model/call.ts';
import { startRelay } from '#node/proxy/relay.ts';
import type { RelayEnd, RelayLimits, RelayOptions } from '#node/proxy/relay.ts';
import type { Outbound, UpstreamEvents } from '#node/proxy/transports/upstream.ts';

export function judgement(outcome: Judgement['outcome'], reason = ''): Judgement {
  const verdict = outcome === 'delivered' ? 'clean' : 'block';
  return { id: 'c-1', decision: { verdict, findings: [], reason, rules: '', policy: '' }, outcome, by: 'gate', reason };
}

export const deliver: Judge = () => Promise.resolve(judgement('delivered'));

/** Polls until `condition` gives something; fails with `what` after the deadline. */
export async function until<T>(what: string, condition: () => T | null | undefined | false, ms = 5_000): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const value = condition();
    if (value !== null && value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`gave up waiting: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Lets everything that waits for promises and immediates happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export interface HeldCall {
  readonly call: ToolCall;
  readonly options: JudgeOptions;
  answer(judgement: Judgement): void;
}

/** A judge whose calls wait until the test answers them; `held` says so to the relay at once. */
export function waitingJudge(): { judge: Judge; calls: HeldCall[] } {
  const calls: HeldCall[] = [];
  const judge: Judge = (call, options) =>
    new Promise((resolve) => {
      calls.push({ call, options, answer: resolve });
      options.signal.addEventListener('abort', () => resolve({ ...judgement('refused', 'cancelled'), by: 'client' }));
    });
  return { judge, calls };
}

export interface Bench {
  /** Everything the server got, line by line. */
  readonly toServer: string[];
  /** Everything the client got, as one text. */
  clientText(): string;
  /** What the client got, parsed line by line. */
  clientMessages(): Record<string, unknown>[];
  /** Bytes from the client; a string is sent as it is. */
  send(text: string | Buffer): Promise<void>;
  /** A line from the server. */
  serve(text: string | Buffer): Promise<void>;
  readonly events: UpstreamEvents;
  readonly input: PassThrough;
  readonly output: PassThrough;
  readonly done: Promise<RelayEnd>;
  readonly log: string[];
  readonly closed: () => boolean;
}

export function bench(
  judge: Judge,
  limits: Partial<RelayLimits> = {},
  more: Partial<Pick<RelayOptions, 'help' | 'makeDefinitions' | 'env' | 'open'>> = {},
): Bench {
  const input = new PassThrough();
  const output = new PassThrough();
  const toServer: string[] = [];
  const log: string[] = [];
  let closed = false;
  let events: UpstreamEvents | null = null;
  let received = '';
  output.setEncoding('utf8');
  output.on('data', (text: string) => (received += text));
  const relay = startRelay({
    input,
    output,
    judge,
    origin: { server: 'files', cwd: '/project', session: '' },
    log: (line) => log.push(line),
    limits: { exitMs: 50, drainMs: 500, ...limits },
    ...more,
    open: (given) => {
      events = given;
      if (more.open !== undefined) return more.open(given);
      return {
        send: ({ line }: Outbound) => {
          toServer.push(line.toString('utf8'));
          return true;
        },
        end: () => undefined,
        close: () => {
          closed = true;
          return Promise.resolve();
        },
        pause: () => undefined,
        resume: () => undefined,
      };
    },
  });
  if (events === null) throw new Error('the relay opened no upstream');
  const opened: UpstreamEvents = events;
  return {
    toServer,
    clientText: () => received,
    clientMessages: () =>
      received
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    send: async (text) => {
      input.write(text);
      await settle();
    },
    serve: async (text) => {
      opened.onLine(Buffer.from(text));
      await settle();
    },
    events: opened,
    input,
    output,
    done: relay.done,
    log,
    closed: () => closed,
  };
}

export const line = (message: unknown): string => `${JSON.stringify(message)}\n`;
export const callLine = (id: string | number, name: string, args: unknown = {}, meta?: unknown): string =>
  line({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) } });
