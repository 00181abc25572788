/** What the relay needs of a server, whatever the transport. */
import type { JsonObject } from '#core/model/json.ts';
import type { LineLook } from '#node/proxy/messages/readLine.ts';

/** A line for the server with the parsed copies of its messages (several when the line is a batch). */
export interface Outbound {
  readonly line: Buffer;
  readonly messages: readonly JsonObject[];
}

export interface UpstreamEvents {
  /** One line from the server, newline included; `look`: what `readLine` said of it, from a transport that had to read it. */
  readonly onLine: (line: Buffer, look?: LineLook) => void;
  /** The server sent a message longer than the limit; it is thrown away. */
  readonly onOverlong: () => void;
  /** `send` may be used again after it returned false. */
  readonly onDrain: () => void;
  /** Once, when the server is gone by itself; `detail` is a sentence for the client's user. */
  readonly onClosed: (detail: string) => void;
  /**
   * The server was begun anew for a client that knows its tools. `list` gives the result of `tools/list` (of a page), or why there is
   * none. Resolves with null when calls may go on, else with the reason why not.
   */
  readonly onBegunAnew?: (list: (cursor: string | null) => Promise<JsonObject | string>) => Promise<string | null>;
  /** Why a call that waited for the new server may not go on; null when it may. */
  readonly refusal?: (tool: string) => string | null;
}

export interface Upstream {
  /** False: the server is slow; wait for `onDrain` before sending more. */
  send(outbound: Outbound): boolean;
  /** No more messages will come; the server may finish and leave. */
  end(): void;
  /** Ends the server and everything it started. Resolves when all of it is gone; bounded by twice `patienceMs` or so. */
  close(patienceMs: number): Promise<void>;
  pause(): void;
  resume(): void;
}

export type OpenUpstream = (events: UpstreamEvents) => Upstream;

/** Longest message accepted from either side, in bytes. */
export const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
