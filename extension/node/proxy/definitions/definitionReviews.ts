/** Makes the review of each server's definitions over the pins of this user. */
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { UpstreamSpec } from '#contract/mcpLink.ts';
import type { ToolCall } from '#core/model/call.ts';
import type { JsonObject } from '#core/model/json.ts';
import type { Decision } from '#core/model/verdict.ts';
import type { PinStore } from '#home/pins.ts';
import type { CallOrigin } from '#node/proxy/messages/callFromMcp.ts';
import type { DefinitionReview } from '#node/proxy/definitions/definitionReview.ts';
import type { DefinitionPolicy } from '#core/policy/relayPart.ts';
import { createDefinitionReview } from '#node/proxy/definitions/createReview.ts';
import { serverIdentity } from '#node/proxy/definitions/serverIdentity.ts';

export interface DefinitionReviewsParts {
  readonly pins: PinStore;
  readonly decide: (call: ToolCall) => Decision;
  readonly record: (event: AuditEvent) => Promise<string | null> | string | null;
  /** Without it the built-in policy holds. */
  readonly policy?: (server: string, cwd: string) => DefinitionPolicy;
  readonly onHeld?: () => void;
}

/** `tell` sends the client a notification. */
export type MakeDefinitions = (
  relay: { readonly spec: UpstreamSpec; readonly origin: CallOrigin; readonly log: (line: string) => void },
  tell: (notification: JsonObject) => void,
) => DefinitionReview;

export function definitionReviews({ policy, ...parts }: DefinitionReviewsParts): MakeDefinitions {
  return ({ spec, origin, log }, tell) =>
    createDefinitionReview({
      ...parts,
      identity: serverIdentity(origin.server, spec.transport === 'stdio' ? spec : { url: spec.url }),
      origin,
      log,
      tell,
      ...(policy === undefined ? {} : { policy: () => policy(origin.server, origin.cwd) }),
    });
}
