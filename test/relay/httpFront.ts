/** Streamable HTTP in front of a stdio server, one process for each session: the conformance suite speaks HTTP only. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface HttpFront {
  readonly url: string;
  close(): Promise<void>;
}

export async function httpFront({ command, args, env }: ServerCommand): Promise<HttpFront> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const children = new Set<StdioClientTransport>();

  /** Joins both ends. What the server says while a request is open belongs to the newest one: stdio has no other way to tell. */
  async function begin(): Promise<StreamableHTTPServerTransport> {
    const child = new StdioClientTransport({ command, args: [...args], env: { ...env }, stderr: 'inherit' });
    const front = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      enableDnsRebindingProtection: true,
      allowedHosts: [`127.0.0.1:${port()}`, `localhost:${port()}`],
      onsessioninitialized: (id) => void sessions.set(id, front),
    });
    const open: RequestId[] = [];
    front.onmessage = (message: JSONRPCMessage): void => {
      if ('method' in message && 'id' in message) open.push(message.id);
      void child.send(message);
    };
    child.onmessage = (message: JSONRPCMessage): void => {
      if (!('method' in message) && message.id !== undefined) {
        const at = open.indexOf(message.id);
        if (at !== -1) open.splice(at, 1);
        void front.send(message);
        return;
      }
      const related = open.at(-1);
      void front.send(message, related === undefined ? undefined : { relatedRequestId: related });
    };
    front.onclose = (): void => void child.close();
    children.add(child);
    await Promise.all([child.start(), front.start()]);
    return front;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = request.headers['mcp-session-id'];
    const known = typeof id === 'string' ? sessions.get(id) : undefined;
    if (known === undefined && id !== undefined) {
      response.writeHead(404).end();
      return;
    }
    await (known ?? (await begin())).handleRequest(request, response);
  }

  const http = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  const port = (): number => (http.address() as AddressInfo).port;
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${port()}/mcp`,
    close: async () => {
      await Promise.all([...children].map((child) => child.close()));
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
