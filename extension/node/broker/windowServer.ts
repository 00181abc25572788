/** The window socket: greets windows of the same user, answers every request once and sends events to all of them. */
import { createServer, type Server, type Socket } from 'node:net';
import {
  PROTOCOL_VERSION,
  type EventMessage,
  type EventName,
  type Events,
  type RequestName,
  type Requests,
  type ResponseMessage,
} from '#contract/ipc.ts';
import { errorText } from '#home/privateFile.ts';
import { createLineReader } from '#node/broker/jsonLines.ts';
import { IpcError, parseRequest, requestId, type ParsedRequest } from '#node/broker/windowRequests.ts';
import { sameToken } from '#node/broker/windowToken.ts';
import { writeTogether } from '#node/proxy/messages/writeTogether.ts';

export type Handlers = {
  readonly [N in Exclude<RequestName, 'hello'>]: (params: Requests[N]['params']) => Requests[N]['result'] | Promise<Requests[N]['result']>;
};

export interface WindowServer {
  readonly server: Server;
  readonly windows: () => number;
  readonly send: <N extends EventName>(event: N, data: Events[N]) => void;
  readonly close: () => void;
}

export interface WindowServerOptions {
  readonly token: string;
  readonly handlers: Handlers;
  readonly status: () => Requests['hello']['result'];
  /** A window was greeted or left. */
  readonly onWindows: (count: number) => void;
  readonly greetingMs?: number;
}

/** A request is small; a note is the longest part of it. */
const MAX_REQUEST = 64 * 1024;
/** A window that does not read gets no further events but a closed connection; it comes back and asks for everything. */
const MAX_BACKLOG_BYTES = 32 * 1024 * 1024;
const GREETING_MS = 5000;

export function createWindowServer(options: WindowServerOptions): WindowServer {
  const { token, handlers } = options;
  const all = new Set<Socket>();
  const greeted = new Set<Socket>();

  const write = (socket: Socket, message: ResponseMessage | EventMessage): void => {
    if (socket.destroyed) return;
    if (socket.writableLength > MAX_BACKLOG_BYTES) socket.destroy();
    else writeTogether(socket, `${JSON.stringify(message)}\n`);
  };
  const fail = (socket: Socket, id: number, error: IpcError): void =>
    write(socket, { id, error: { code: error.code, message: error.message } });

  const greet = (socket: Socket, request: ParsedRequest & { name: 'hello' }): void => {
    const { protocol, token: shown } = request.params;
    if (protocol !== PROTOCOL_VERSION)
      throw new IpcError(
        'PROTOCOL',
        `this broker speaks protocol ${PROTOCOL_VERSION}, the window ${protocol}; reload the window after updating`,
      );
    if (!sameToken(shown, token)) throw new IpcError('UNAUTHORIZED', 'the token is wrong');
    greeted.add(socket);
    options.onWindows(greeted.size);
    write(socket, { id: request.id, result: options.status() });
  };

  const handle = async (socket: Socket, value: unknown): Promise<void> => {
    const id = requestId(value);
    try {
      const request = parseRequest(value);
      if (request.name === 'hello') {
        greet(socket, request);
        return;
      }
      if (!greeted.has(socket)) throw new IpcError('UNAUTHORIZED', 'say hello first');
      // The parser made name and parameters belong together.
      const handler = handlers[request.name] as (params: unknown) => unknown;
      write(socket, { id, result: await handler(request.params) });
    } catch (error) {
      fail(socket, id, error instanceof IpcError ? error : new IpcError('INTERNAL', errorText(error)));
      // Whoever cannot greet gets one answer and no second guess.
      if (!greeted.has(socket)) socket.end();
    }
  };

  const server = createServer((socket) => {
    all.add(socket);
    const greeting = setTimeout(() => greeted.has(socket) || socket.destroy(), options.greetingMs ?? GREETING_MS);
    const lines = createLineReader(
      MAX_REQUEST,
      (value) => void handle(socket, value),
      () => {
        fail(socket, 0, new IpcError('BAD_REQUEST', `a request is at most ${MAX_REQUEST} characters`));
        socket.destroySoon();
      },
    );
    socket.on('data', (chunk: Buffer) => {
      if (!socket.writableEnded) lines.push(chunk);
    });
    socket.on('error', () => socket.destroy()); // the window is gone, which 'close' says
    socket.on('close', () => {
      clearTimeout(greeting);
      all.delete(socket);
      if (greeted.delete(socket)) options.onWindows(greeted.size);
    });
  });

  return {
    server,
    windows: () => greeted.size,
    send: (event, data) => {
      for (const socket of greeted) write(socket, { event, data });
    },
    close: () => {
      server.close();
      for (const socket of all) socket.destroySoon();
    },
  };
}
