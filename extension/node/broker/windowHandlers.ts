/** What the broker does for each request of a window. */
import type { BrokerStatus, GateSettings } from '#contract/ipc.ts';
import type { GrantStore } from '#home/grants.ts';
import type { Approvals } from '#node/broker/approvals.ts';
import { isDefinitionHold, type DefinitionHolds } from '#node/broker/definitionHolds.ts';
import type { Errands } from '#node/broker/errands.ts';
import type { Timeline } from '#node/broker/timeline.ts';
import type { Handlers } from '#node/broker/windowServer.ts';

export interface WindowHandlersParts extends Pick<Handlers, 'verify' | 'checkpoint'> {
  readonly approvals: Approvals;
  readonly definitionHolds: DefinitionHolds;
  readonly grants: Pick<GrantStore, 'list'>;
  readonly timeline: Pick<Timeline, 'query' | 'counts'>;
  readonly errands: Pick<Errands, 'answered'>;
  readonly status: () => BrokerStatus;
  /** @throws Error when they cannot be written; the old ones are in force then. */
  readonly configure: (wanted: GateSettings) => GateSettings;
  /** True when nothing is held or in flight; the broker then ends once this has been answered. */
  readonly retire: () => boolean;
  readonly now: () => number;
}

export function windowHandlers({ approvals, definitionHolds, grants, timeline, errands, ...parts }: WindowHandlersParts): Handlers {
  return {
    ping: () => ({ now: parts.now() }),
    holds: () => [...approvals.list(), ...definitionHolds.list()],
    approve: ({ id, scope, note }) =>
      isDefinitionHold(id) ? definitionHolds.decide(id, 'approved', note) : approvals.approve(id, scope, note),
    reject: ({ id, note }) => (isDefinitionHold(id) ? definitionHolds.decide(id, 'rejected', note) : approvals.reject(id, note)),
    grants: () => grants.list(),
    revoke: async ({ id }) => ({ revoked: await approvals.revoke(id) }),
    timeline: (query) => timeline.query(query),
    counts: ({ since, until }) => timeline.counts(since, until),
    verify: parts.verify,
    checkpoint: parts.checkpoint,
    status: parts.status,
    configure: parts.configure,
    errand: ({ id, value }) => ({ taken: errands.answered(id, value) }),
    retire: () => ({ retiring: parts.retire() }),
  };
}
