/** Keeps a window connected to the user's broker: joins it, starts it, replaces one that hangs or is older. */
import type { BrokerStatus, EventName, Events, RequestName, Requests } from '#contract/ipc.ts';
import type { Layout } from '#home/layout.ts';
import { errorText } from '#home/privateFile.ts';
import { brokerLog, endHungBroker, spawnBroker, type BrokerProgram } from '#node/broker/brokerProcess.ts';
import { ConnectError, connectBroker, type BrokerConnection } from '#node/broker/windowClient.ts';
import { newerVersion } from '#node/launcher/versionOrder.ts';

export type BrokerLinkState =
  | { readonly state: 'starting'; readonly message: string }
  | { readonly state: 'connected'; readonly status: BrokerStatus }
  /** It is tried again by itself; `message` says what is wrong. */
  | { readonly state: 'lost'; readonly message: string };

export interface BrokerLink {
  /** Waits for a connection, at most as long as one may take to come up. @throws ConnectError */
  readonly request: <N extends RequestName>(name: N, params: Requests[N]['params']) => Promise<Requests[N]['result']>;
  readonly current: () => BrokerLinkState;
  /** Ends the connection; the broker ends by itself when this was its last window. */
  readonly dispose: () => void;
}

export interface EnsureBrokerOptions {
  readonly layout: Layout;
  readonly version: string;
  readonly program: BrokerProgram;
  readonly onEvent: <N extends EventName>(event: N, data: Events[N]) => void;
  readonly onState: (state: BrokerLinkState) => void;
  readonly log: (line: string) => void;
  /** How long a broker may take to come up, in milliseconds; 15 s unless said. */
  readonly startMs?: number;
  /** How often the broker is asked whether it lives, and how long it may think about that; 5 s unless said. */
  readonly pingMs?: number;
}

const START_MS = 15_000;
const PING_MS = 5000;
const LOOK_EVERY_MS = 50;
const MAX_PAUSE_MS = 5000;

/** Returns at once; what happens is told by `onState`. */
export function ensureBroker(options: EnsureBrokerOptions): BrokerLink {
  const { layout, version, log } = options;
  const startMs = options.startMs ?? START_MS;
  const pingMs = options.pingMs ?? PING_MS;
  let connection: BrokerConnection | null = null;
  let state: BrokerLinkState = { state: 'starting', message: 'Looking for the broker' };
  let disposed = false;
  let wake: (() => void) | null = null;
  const waiting = new Set<() => void>();

  const setState = (next: BrokerLinkState): void => {
    state = next;
    if (!disposed) options.onState(next);
  };
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const join = (onClose: (reason: string) => void): Promise<BrokerConnection> =>
    connectBroker(layout, { version, onEvent: options.onEvent, onClose, timeoutMs: pingMs });

  /** One connection, from its making to its end; the reason of the end. */
  const session = async (): Promise<string> => {
    let lost: (reason: string) => void = () => undefined;
    const closed = new Promise<string>((resolve) => (lost = resolve));
    const joined = await joinOrStart(lost);
    if (disposed) {
      joined.close();
      return 'disposed';
    }
    if (newerVersion(version, joined.status.version) && (await joined.request('retire', {})).retiring) {
      log(`The broker ${joined.status.version} makes room for ${version}.`);
      return closed;
    }
    connection = joined;
    setState({ state: 'connected', status: joined.status });
    for (const go of waiting) go();
    const ping = setInterval(() => {
      joined.request('ping', {}).catch((error: unknown) => {
        if (!(error instanceof ConnectError) || error.code !== 'TIMEOUT') return; // its end is told by onClose
        log('The broker does not answer; it is ended and started again.');
        if (!endHungBroker(layout, joined.status.pid)) joined.close();
        lost('the broker hung');
      });
    }, pingMs);
    try {
      return await closed;
    } finally {
      clearInterval(ping);
      connection = null;
      joined.close();
    }
  };

  const joinOrStart = async (onClose: (reason: string) => void): Promise<BrokerConnection> => {
    const deadline = Date.now() + startMs;
    let started = false;
    for (;;) {
      try {
        return await join(onClose);
      } catch (error) {
        const code = error instanceof ConnectError ? error.code : 'CLOSED';
        // A connection that is taken and never greeted is a stopped broker.
        if (code === 'TIMEOUT' && endHungBroker(layout)) log('The broker took a connection and did not answer; it was ended.');
        else if (code !== 'NO_BROKER' && code !== 'TIMEOUT' && code !== 'CLOSED') throw error;
        if (disposed || Date.now() > deadline) throw new Error(`${errorText(error)}; see ${brokerLog(layout)}`, { cause: error });
      }
      if (!started) {
        started = true;
        setState({ state: 'starting', message: 'Starting the broker' });
        const pid = spawnBroker(layout, options.program);
        log(
          pid === undefined ? `The broker could not be started with ${options.program.runtime}.` : `Started the broker as process ${pid}.`,
        );
      }
      await pause(LOOK_EVERY_MS);
    }
  };

  const run = async (): Promise<void> => {
    let pauseMs = 100;
    while (!disposed) {
      const began = Date.now();
      let reason: string;
      try {
        reason = await session();
      } catch (error) {
        reason = errorText(error);
      }
      if (disposed) return;
      log(`No broker: ${reason}.`);
      setState({ state: 'lost', message: reason });
      // One that keeps dying is not started in a tight loop.
      pauseMs = Date.now() - began > 30_000 ? 100 : Math.min(pauseMs * 2, MAX_PAUSE_MS);
      await pause(pauseMs);
    }
  };
  void run();

  const connected = (): Promise<BrokerConnection> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          finish(() => reject(new ConnectError('NO_BROKER', state.state === 'lost' ? state.message : 'the broker has not started yet'))),
        startMs,
      );
      const go = (): void => {
        if (connection) finish(() => resolve(connection as BrokerConnection));
        else if (disposed) finish(() => reject(new ConnectError('CLOSED', 'this window is closing')));
      };
      const finish = (then: () => void): void => {
        clearTimeout(timer);
        waiting.delete(go);
        then();
      };
      waiting.add(go);
      go();
    });

  return {
    request: async (name, params) => (await connected()).request(name, params),
    current: () => state,
    dispose: () => {
      disposed = true;
      connection?.close();
      connection = null;
      wake?.();
      for (const go of waiting) go();
    },
  };
}
