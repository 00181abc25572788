/** What the policy in force says about one server behind the MCP relay. */
import { fits, type Policy, type PolicyFile } from '#core/policy/policy.ts';
import { RESULTS_POLICIES, type DefinitionPolicy, type RelayEntry, type ResultsPolicy } from '#core/policy/relayPart.ts';

export interface RelayPolicy {
  readonly results: ResultsPolicy;
  /** Secrets in results are placeholders for the model and written out again in calls of the same server. */
  readonly maskSecrets: boolean;
  /** A call that no hook decided about is refused. */
  readonly requireHook: boolean;
  readonly givesKey: (variable: string) => boolean;
  readonly definitions: DefinitionPolicy;
}

const BUILT_IN_RESULTS: ResultsPolicy = 'hold';

/**
 * As with rules: where entries of the user's file apply, the strictest of them says it, else what ships. The workspace's file
 * can only raise: it never delivers more than the user's, and hands out no key.
 */
export function relayPolicyFor(server: string, { user, workspace }: Policy): RelayPolicy {
  const own = entriesFor(server, user);
  const theirs = entriesFor(server, workspace);
  const both = [...own, ...theirs];
  return {
    results: stricter(strictest(own) ?? BUILT_IN_RESULTS, strictest(theirs) ?? 'redact'),
    maskSecrets: both.some((entry) => entry.maskSecrets),
    requireHook: both.some((entry) => entry.requireHook),
    definitions: {
      firstSight: both.some(({ firstSight }) => firstSight === 'ask') ? 'ask' : 'pin',
      drift: own.some(({ drift }) => drift === 'flag') && !both.some(({ drift }) => drift === 'hold') ? 'flag' : 'hold',
    },
    givesKey: (variable) => own.some((entry) => entry.giveKeys.some((pattern) => fits(pattern, variable))),
  };
}

const entriesFor = (server: string, file: PolicyFile | null): readonly RelayEntry[] =>
  (file?.relay ?? []).filter(({ servers }) => servers.length === 0 || servers.some((pattern) => fits(pattern, server)));

const stricter = (a: ResultsPolicy, b: ResultsPolicy): ResultsPolicy =>
  RESULTS_POLICIES.indexOf(a) >= RESULTS_POLICIES.indexOf(b) ? a : b;

function strictest(entries: readonly RelayEntry[]): ResultsPolicy | null {
  let found: ResultsPolicy | null = null;
  for (const { results } of entries) if (results !== null) found = found === null ? results : stricter(found, results);
  return found;
}
