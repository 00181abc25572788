/** What both directions of one relay share. */
import type { RelayPolicy } from '#core/policy/relayPolicy.ts';
import type { AskGate } from '#node/proxy/askGate.ts';
import type { CallMemory } from '#node/proxy/callMemory.ts';
import type { DefinitionReview } from '#node/proxy/definitions/definitionReview.ts';
import type { InFlight, Request } from '#node/proxy/inFlight.ts';
import type { CallOrigin } from '#node/proxy/messages/callFromMcp.ts';
import type { OrderedOutlet } from '#node/proxy/orderedOutlet.ts';
import type { RelayHelp } from '#node/proxy/relayHelp.ts';
import type { SecretPlaceholders } from '#node/proxy/results/secretPlaceholders.ts';
import type { Outbound } from '#node/proxy/transports/upstream.ts';

export interface RelayParts {
  readonly origin: CallOrigin;
  readonly inFlight: InFlight;
  /** Requests of the server that are being judged before the client hears of them, by `idKey`. */
  readonly serverAsks: Map<string, Request>;
  readonly toServer: OrderedOutlet<Outbound>;
  readonly toClient: OrderedOutlet<Buffer>;
  readonly askGate: AskGate;
  readonly definitions: DefinitionReview | null;
  readonly memory: CallMemory;
  readonly secrets: SecretPlaceholders;
  readonly policy: () => RelayPolicy;
  readonly findings: RelayHelp['findings'];
  /** What the client calls itself; null until it has said so. */
  readonly client: { name: string | null };
  readonly log: (line: string) => void;
  /** Why the server is gone; null while it is there. */
  readonly serverGone: () => string | null;
  /** Answers a request with an error, once. */
  readonly fail: (request: Request, message: string) => void;
  /** To be called when something that others may wait for is over. */
  readonly settled: () => void;
}
