/** What the broker records of itself: that one before it died, that its sockets were gone, and what was missed while there was none. */
import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '#contract/auditRecord.ts';
import { plainEvent } from '#home/auditEvents.ts';
import type { Layout } from '#home/layout.ts';
import { errorText } from '#home/privateFile.ts';
import type { BrokerLock } from '#node/broker/brokerLock.ts';
import { takeUnrecorded } from '#node/broker/unrecorded.ts';

export interface BrokerEventParts {
  readonly record: (event: AuditEvent) => Promise<string | null>;
  readonly log: (line: string) => void;
}

/** Nothing when the broker before this one ended in order. */
export async function recordCrashed({ crashed }: BrokerLock, { record }: BrokerEventParts): Promise<void> {
  if (crashed === null) return;
  const { pid } = crashed;
  const reason = `The broker before this one (process ${pid}) ended without closing. Calls it held were refused by their hooks.`;
  await record(brokerEvent(pid, reason));
}

export async function recordPutBack(reason: string, { record, log }: BrokerEventParts): Promise<void> {
  log(reason);
  await record(brokerEvent(process.pid, reason));
}

/** What hooks could tell nobody while no broker ran. Never rejects: a broker starts without it, too. */
export async function recordMissed(layout: Layout, { record, log }: BrokerEventParts): Promise<void> {
  try {
    const missed = takeUnrecorded(layout);
    if (missed === null) return;
    log(missed);
    await record(brokerEvent(process.pid, missed));
  } catch (error) {
    log(`What was missed while no broker ran cannot be told: ${errorText(error)}`);
  }
}

function brokerEvent(pid: number, reason: string): AuditEvent {
  const id = randomUUID();
  return plainEvent('broker', {
    client: 'cli',
    id,
    tool: 'broker',
    args: { pid },
    verdict: 'clean',
    outcome: 'delivered',
    by: 'failure',
    reason,
  });
}
