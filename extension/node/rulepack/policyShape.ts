/** Which keys a policy may hold, where. Mirrors `rules/policy.schema.json`; a test keeps the two equal. */
import type { Severity } from '#core/model/finding.ts';

export const POLICY_KEYS = ['version', 'severity', 'rules', 'experimental', 'relay'] as const;
export const ENTRY_KEYS = ['rule', 'verdict', 'tools', 'servers', 'agents', 'workspaces'] as const;
export const RELAY_KEYS = ['servers', 'results', 'maskSecrets', 'requireHook', 'giveKeys', 'firstSight', 'drift'] as const;
export const SEVERITIES: readonly Severity[] = ['critical', 'high', 'medium', 'low'];
