/** What a relay asks of the process it runs in, beside judgements. */
import type { ToolCall } from '#core/model/call.ts';
import type { Finding } from '#core/model/finding.ts';
import { relayPolicyFor, type RelayPolicy } from '#core/policy/relayPolicy.ts';
import type { Engine } from '#home/engine.ts';
import { definitionReviews, type DefinitionReviewsParts, type MakeDefinitions } from '#node/proxy/definitions/definitionReviews.ts';
import type { RelaySignIn } from '#node/proxy/oauth/relaySignIn.ts';

export interface RelayHelp {
  /** In force now; asked for each message. */
  readonly policy: (server: string, cwd: string) => RelayPolicy;
  /** What the rules see in it; recorded nowhere. */
  readonly findings: (call: ToolCall) => readonly Finding[];
  readonly signIn?: RelaySignIn;
  /** Reviews what a server says of itself; without it that passes. */
  readonly definitions?: MakeDefinitions;
}

export interface RelayHelpParts extends Pick<DefinitionReviewsParts, 'pins' | 'record' | 'onHeld'> {
  readonly engine: Pick<Engine, 'policyFor' | 'decide'>;
  readonly signIn: RelaySignIn;
}

export function relayHelp({ engine, signIn, ...reviewed }: RelayHelpParts): RelayHelp {
  const policy = (server: string, cwd: string): RelayPolicy => relayPolicyFor(server, engine.policyFor(cwd));
  return {
    signIn,
    policy,
    findings: (call) => engine.decide(call).findings,
    definitions: definitionReviews({ ...reviewed, decide: engine.decide, policy: (server, cwd) => policy(server, cwd).definitions }),
  };
}
