/** The socket on which stdio shims reach the relay; what is said there is the relay's matter. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Judge } from '#contract/judgement.ts';
import type { RelayHelp } from '#node/proxy/relayHelp.ts';

export type ServeMcp = (socket: Socket, judge: Judge, log: (line: string) => void, help: RelayHelp) => void;

export interface McpServer {
  readonly server: Server;
  readonly close: () => void;
}

export function createMcpServer(serve: (socket: Socket) => void, onLinks: (count: number) => void): McpServer {
  const links = new Set<Socket>();
  // Half open: a client that closes its sending side still wants the answers.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    links.add(socket);
    onLinks(links.size);
    socket.on('error', () => socket.destroy()); // a shim that is gone, which 'close' says
    socket.on('close', () => {
      links.delete(socket);
      onLinks(links.size);
    });
    serve(socket);
  });
  return {
    server,
    close: () => {
      for (const socket of links) socket.destroy();
    },
  };
}
