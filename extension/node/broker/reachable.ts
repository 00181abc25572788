/** Keeps the broker reachable: its lock and the names of its sockets are looked at now and then, and put back when they are gone. */
import type { Server } from 'node:net';
import { ensurePrivateFolder } from '#home/layout.ts';
import { errorText } from '#home/privateFile.ts';
import { BrokerError, type BrokerLock } from '#node/broker/brokerLock.ts';
import { socketFile, type SocketFile } from '#node/broker/socketFile.ts';

export interface ReachableParts {
  /** The folder of the lock and the sockets. */
  readonly run: string;
  readonly lock: BrokerLock;
  readonly listeners: readonly (readonly [server: Server, path: string])[];
  /** Names were gone and are back; the sentence is for the record. */
  readonly onPutBack: (reason: string) => Promise<unknown>;
  /** Another broker has taken over, or nobody can reach this one any more. */
  readonly onLost: (why: string) => void;
  readonly log: (line: string) => void;
}

export interface Reachable {
  /** @throws BrokerError CANNOT_LISTEN when a socket cannot be opened; ALREADY_RUNNING when another broker has the lock by then. */
  readonly open: () => Promise<void>;
  /** Comes back at once. */
  readonly look: () => void;
  /** Nothing is put back any more; settles when a look under way is over. */
  readonly leave: () => Promise<void>;
  /** Takes the names away and accepts nobody new; connections go on. Never throws. */
  readonly close: () => void;
}

export function keepReachable({ run, lock, listeners, onPutBack, onLost, log }: ReachableParts): Reachable {
  const sockets: readonly SocketFile[] = listeners.map(([server, path]) => {
    server.on('error', (error) => log(`${path}: ${errorText(error)}`));
    return socketFile(server, path);
  });
  let leaving = false;
  let looking: Promise<void> | null = null;

  const look = async (): Promise<void> => {
    try {
      ensurePrivateFolder(run);
      if (!lock.isOurs() && !lock.retake()) return onLost('another broker has taken its lock');
      await putBack();
    } catch (error) {
      onLost(`it cannot be reached any more (${errorText(error)})`);
    }
  };
  /** Without them hooks decide alone, and nobody is asked in the editor. */
  const putBack = async (): Promise<void> => {
    const gone = sockets.filter((socket) => !socket.isThere());
    if (gone.length === 0) return;
    for (const socket of gone) if (!leaving) await socket.listen();
    await onPutBack(
      `Sockets of the broker in ${run} were removed or replaced while it ran (${gone.length} of ${sockets.length}). They are back; calls made meanwhile did not reach the broker.`,
    );
  };

  return {
    open: async () => {
      try {
        for (const socket of sockets) await socket.listen();
      } catch (error) {
        throw new BrokerError('CANNOT_LISTEN', errorText(error));
      }
      if (!lock.isOurs()) throw new BrokerError('ALREADY_RUNNING', 'another broker started at the same moment');
    },
    look: () => {
      if (!leaving) looking ??= look().finally(() => (looking = null));
    },
    leave: async () => {
      leaving = true;
      if (looking) await looking;
    },
    close: () => {
      for (const socket of sockets) {
        try {
          socket.remove();
        } catch (error) {
          log(`While the broker ended: ${errorText(error)}`);
        }
      }
      for (const [server] of listeners) server.close();
    },
  };
}
