/** Carries a client's bytes to the broker and back, and answers for the broker when it dies. */
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { McpLinkHeader } from '#contract/mcpLink.ts';
import { errorLine } from '#node/proxy/answers.ts';
import { splitLines } from '#node/proxy/lineSplitter.ts';
import { asRequestId, idKey } from '#node/proxy/sortMessage.ts';
import type { RequestId } from '#node/proxy/sortMessage.ts';
import { isObject } from '#core/model/json.ts';
import { MAX_MESSAGE_BYTES } from '#node/proxy/upstream.ts';

export interface CarrierStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
}

/** Two ends of one name: the broker ends its side within seconds of our end of input, or it hangs. */
const FAREWELL_MS = 20_000;

/** Resolves with the exit status: 0 after the client left, 1 when the broker's side ended first. */
export function carryToBroker(socket: Socket, header: McpLinkHeader, { stdin, stdout }: CarrierStreams, say: (line: string) => void): Promise<number> {
  const owed = new Map<string, RequestId>();
  const fromClient = watchLines((message) => {
    const id = asRequestId(message['id']);
    if (typeof message['method'] === 'string' && id !== null) owed.set(idKey(id), id);
  });
  const fromBroker = watchLines((message) => {
    const id = asRequestId(message['id']);
    if (id !== null && ('result' in message || 'error' in message)) owed.delete(idKey(id));
  });
  let clientEnded = false;

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
      if (over) return;
      if (clientEnded) {
        finish(0);
        return;
      }
      say(`the connection for "${header.server}" ended: its server stopped, or Callgate's broker did. Restart the server in the client; nothing was let past the gate.`);
      // An answer that was cut off in the middle must not swallow the first of ours.
      if (fromBroker.pendingBytes() > 0) stdout.write('\n');
      for (const id of owed.values()) stdout.write(errorLine(id, -32000, `Callgate's broker or the MCP server "${header.server}" stopped before it answered. The call may or may not have run. Restart the server in the client.`));
      owed.clear();
      // Waits until the client has it: the process exits with this promise.
      stdout.write('', () => finish(1));
    };

    for (const signal of signals) process.on(signal, clientGone);
    socket.write(`${JSON.stringify(header)}\n`);
    stdin.on('data', (chunk: Buffer) => {
      if (over) return;
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
      if (over) return;
      fromBroker.feed(chunk);
      if (!stdout.write(chunk)) socket.pause();
    });
    stdout.on('drain', () => socket.resume());
    stdout.on('error', clientGone);
    stdin.on('error', clientGone);
    // The end and the close both tell; the error only says why, and its close follows.
    socket.on('error', (error) => say(`the connection to the broker failed: ${error.message}`));
    socket.on('end', brokerGone);
    socket.on('close', brokerGone);
  });
}

/** Looks at messages in passing. What it cannot read it leaves out: only the list of owed answers depends on it. */
function watchLines(onMessage: (message: Readonly<Record<string, unknown>>) => void): ReturnType<typeof splitLines> {
  return splitLines(MAX_MESSAGE_BYTES, {
    onLine: (line) => {
      let value: unknown;
      try {
        value = JSON.parse(line.toString('utf8'));
      } catch {
        return;
      }
      for (const message of Array.isArray(value) ? (value as unknown[]) : [value]) if (isObject(message)) onMessage(message);
    },
    onOverlong: () => undefined,
  });
}
