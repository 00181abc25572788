/** Carries a client's bytes to the broker and back, and answers for the broker when it dies. */
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { SERVER_MARK, STDERR_MARK, type McpLinkHeader } from '#contract/mcpLink.ts';
import { processStart, type ProcessIdentity } from '#home/processIdentity.ts';
import { errorLine } from '#node/proxy/messages/answers.ts';
import { splitLines } from '#node/proxy/messages/lineSplitter.ts';
import { passingIds } from '#node/proxy/messages/passingIds.ts';
import { idKey } from '#node/proxy/messages/sortMessage.ts';
import type { RequestId } from '#node/proxy/messages/sortMessage.ts';
import { writeTogether } from '#node/proxy/messages/writeTogether.ts';
import { endAbandoned } from '#node/proxy/shim/abandonedServer.ts';
import { MAX_MESSAGE_BYTES } from '#node/proxy/transports/upstream.ts';

export interface CarrierStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** Gets the server's stderr. */
  readonly stderr: Writable;
}

/** Two ends of one name: the broker ends its side within seconds of our end of input, or it hangs. */
const FAREWELL_MS = 20_000;

/** The relay's lines are at most a message long, and the newline. */
const MAX_LINE_BYTES = MAX_MESSAGE_BYTES + 1024;

/** `socket` is paused and has been greeted. Resolves with the exit status: 0 after the client left, 1 when the broker's side ended first. */
export function carryToBroker(
  socket: Socket,
  header: McpLinkHeader,
  { stdin, stdout, stderr }: CarrierStreams,
  say: (line: string) => void,
): Promise<number> {
  const owed = new Map<string, RequestId>();
  const fromClient = splitLines(MAX_MESSAGE_BYTES, {
    onLine: (line) => {
      for (const id of passingIds(line).requests) owed.set(idKey(id), id);
    },
    onOverlong: () => undefined,
  });
  // Whole lines only: what a dying broker leaves unfinished must not swallow the answers given in its place.
  const fromBroker = splitLines(MAX_LINE_BYTES, {
    onLine: (line) => {
      if (line[0] === STDERR_MARK) {
        stderr.write(Buffer.from(line.toString('latin1', 1), 'base64'));
        return;
      }
      if (line[0] === SERVER_MARK) {
        const pid = Number(line.toString('latin1', 1));
        if (Number.isSafeInteger(pid) && pid > 1) leader = { pid, start: processStart(pid) ?? '' };
        return;
      }
      if (!writeTogether(stdout, line)) socket.pause();
      for (const id of passingIds(line).answers) owed.delete(idKey(id));
    },
    onOverlong: () => say(`a message from "${header.server}" was too long and is lost`),
  });
  let clientEnded = false;
  let brokerEnded = false;
  /** Of the server's processes, as long as the broker has told. */
  let leader: ProcessIdentity | null = null;

  return new Promise((resolve) => {
    let over = false;
    let farewell: NodeJS.Timeout | null = null;
    const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

    const finish = (status: number): void => {
      if (over) return;
      over = true;
      clearTimeout(farewell ?? undefined);
      for (const signal of signals) process.off(signal, clientGone);
      stdin.pause();
      socket.destroy();
      resolve(status);
    };
    // The broker sees the connection close and ends the server.
    const clientGone = (): void => finish(0);
    const brokerGone = (): void => {
      if (over || brokerEnded) return;
      brokerEnded = true;
      if (clientEnded) {
        finish(0);
        return;
      }
      say(
        `the connection for "${header.server}" ended: its server stopped, or Callgate's broker did. Restart the server in the client; nothing was let past the gate.`,
      );
      for (const id of owed.values())
        stdout.write(
          errorLine(
            id,
            -32000,
            `Callgate's broker or the MCP server "${header.server}" stopped before it answered. The call may or may not have run. Restart the server in the client.`,
          ),
        );
      owed.clear();
      stdin.pause();
      // Waits until the client has it and the server is gone: the process exits with this promise.
      const told = new Promise<void>((done) => stdout.write('', () => done()));
      const ended = leader === null ? Promise.resolve() : endAbandoned(leader);
      void Promise.allSettled([told, ended]).then(() => finish(1));
    };

    for (const signal of signals) process.on(signal, clientGone);
    stdin.on('data', (chunk: Buffer) => {
      if (over || brokerEnded) return;
      if (!socket.write(chunk)) stdin.pause();
      fromClient.feed(chunk);
    });
    stdin.on('end', () => {
      clientEnded = true;
      socket.end();
      farewell = setTimeout(() => {
        say(`the broker did not end the connection for "${header.server}" in time`);
        finish(1);
      }, FAREWELL_MS);
    });
    socket.on('drain', () => stdin.resume());
    socket.on('data', (chunk: Buffer) => {
      if (!over) fromBroker.feed(chunk);
    });
    stdout.on('drain', () => socket.resume());
    stdout.on('error', clientGone);
    stdin.on('error', clientGone);
    // The end and the close both tell; the error only says why, and its close follows.
    socket.on('error', (error) => say(`the connection to the broker failed: ${error.message}`));
    socket.on('end', brokerGone);
    socket.on('close', brokerGone);
    socket.resume();
  });
}
