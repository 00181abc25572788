/** What both directions of one relay share. */
import type { CallOrigin } from '#node/proxy/callFromMcp.ts';
import type { AskGate } from '#node/proxy/askGate.ts';
import type { InFlight, Request } from '#node/proxy/inFlight.ts';
import type { OrderedOutlet } from '#node/proxy/orderedOutlet.ts';
import type { Outbound } from '#node/proxy/upstream.ts';

export interface RelayParts {
  readonly origin: CallOrigin;
  readonly inFlight: InFlight;
  readonly toServer: OrderedOutlet<Outbound>;
  readonly toClient: OrderedOutlet<Buffer>;
  readonly askGate: AskGate;
  readonly log: (line: string) => void;
  /** Why the server is gone; null while it is there. */
  readonly serverGone: () => string | null;
  /** Answers a request with an error, once. */
  readonly fail: (request: Request, message: string) => void;
  /** To be called when something that others may wait for is over. */
  readonly settled: () => void;
}
