/** What a person does with a hold: approve it now, approve it for its next try, reject it, take a grant back. */
import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { Grant, GrantScope, Hold } from '#contract/ipc.ts';
import type { Finding } from '#core/model/finding.ts';
import { describeCall } from '#core/policy/describeCall.ts';
import { redact } from '#core/policy/redact.ts';
import { callEvent, plainEvent } from '#home/auditEvents.ts';
import { grantKey, type GrantStore } from '#home/grants.ts';
import type { Layout } from '#home/layout.ts';
import { listPending, removePending, type PendingCall } from '#home/pendingCalls.ts';
import type { Holds } from '#node/broker/holds.ts';
import { IpcError } from '#node/broker/windowRequests.ts';

export interface Approvals {
  /** Holds of this broker and calls that found no editor, the latter without their secrets. */
  readonly list: () => readonly Hold[];
  /** @throws IpcError UNKNOWN_HOLD or ALREADY_SETTLED */
  readonly approve: (id: string, scope: GrantScope, note: string) => Promise<Hold>;
  readonly reject: (id: string, note: string) => Promise<Hold>;
  readonly revoke: (id: string) => Promise<boolean>;
}

export interface ApprovalParts {
  readonly layout: Layout;
  readonly holds: Holds;
  readonly grants: GrantStore;
  readonly record: (event: AuditEvent) => Promise<string | null>;
  readonly hash: (text: string) => string;
  readonly now: () => number;
  readonly warn: (message: string) => void;
  readonly onChange: (hold: Hold) => void;
}

export function createApprovals(parts: ApprovalParts): Approvals {
  const { layout, holds, grants, now } = parts;
  const pending = (): readonly PendingCall[] => listPending(layout, now(), parts.warn);

  /** Being answered just now. Of two windows one answers, and the other is told so before anything is written. */
  const busy = new Set<string>();
  const alone = async (id: string, answer: () => Promise<Hold>): Promise<Hold> => {
    if (busy.has(id)) throw settledAlready(id);
    busy.add(id);
    try {
      return await answer();
    } finally {
      busy.delete(id);
    }
  };

  const approve: Approvals['approve'] = async (id, wanted, note) => {
    const waiting = holds.find(id);
    if (waiting) {
      const late = waiting.state === 'expired';
      if (waiting.state !== 'waiting' && !late) throw settledAlready(id);
      const scope = scopeFor(waiting.call, wanted);
      // Written before the call goes on, so that a failure to write it leaves the hold as it was.
      const added = scope !== 'once' || late ? await grant(waiting, grantKey(waiting.call), scope, note, waiting.decision.findings) : null;
      removePending(layout, id);
      const result = holds.end(id, { how: 'approved', note });
      // The client left meanwhile. What the person is told did not happen must not happen later.
      if (typeof result === 'string' && added) await takeBack(added.id, 'The call was over before its approval took effect.');
      return ended(id, result);
    }
    const left = pending().find((item) => item.hold.id === id);
    if (!left) throw new IpcError('UNKNOWN_HOLD', `there is no held call ${id}`);
    // Its arguments were redacted when it was kept.
    await grant(left.hold, left.key, scopeFor(left.hold.call, wanted), note, []);
    return settleLeft(left, 'approved');
  };

  const reject: Approvals['reject'] = async (id, note) => {
    const waiting = holds.find(id);
    if (waiting) {
      removePending(layout, id);
      return ended(id, holds.end(id, { how: 'rejected', note }));
    }
    const left = pending().find((item) => item.hold.id === id);
    if (!left) throw new IpcError('UNKNOWN_HOLD', `there is no held call ${id}`);
    const { hold } = left;
    await parts.record(
      callEvent(
        'hold',
        {
          id,
          call: hold.call,
          decision: hold.decision,
          outcome: 'refused',
          by: 'person',
          reason: 'Rejected after it had been refused.',
          note,
          tookMs: 0,
        },
        parts.hash,
      ),
    );
    return settleLeft(left, 'rejected');
  };

  const grant = async (hold: Hold, key: string, scope: GrantScope, note: string, findings: readonly Finding[]): Promise<Grant> => {
    const { call } = hold;
    const shown = describeCall({ ...call, args: redact(call.args, findings, parts.hash) });
    const { tool, server, cwd, session } = call;
    const added = grants.add({ key, scope, tool, server, cwd, session, summary: shown.title });
    const args = { grant: added.id, scope, summary: added.summary, expires: added.expires };
    await parts.record(
      plainEvent('grant', {
        client: call.client,
        id: hold.id,
        session,
        tool,
        args,
        verdict: 'clean',
        outcome: 'delivered',
        by: 'person',
        reason: `A person approved this call (${scope}).`,
        note,
        cwd,
      }),
    );
    return added;
  };

  const settleLeft = (left: PendingCall, state: 'approved' | 'rejected'): Hold => {
    removePending(layout, left.hold.id);
    const hold = { ...left.hold, state };
    parts.onChange(hold);
    return hold;
  };

  return {
    list: () => {
      const own = holds.list();
      const known = new Set(own.map((hold) => hold.id));
      // One that was settled here stays settled, whatever file it left.
      return [
        ...own,
        ...pending()
          .map((item) => item.hold)
          .filter((hold) => !known.has(hold.id) && holds.find(hold.id) === null),
      ];
    },
    approve: (id, scope, note) => alone(id, () => approve(id, scope, note)),
    reject: (id, note) => alone(id, () => reject(id, note)),
    revoke: (id) => takeBack(id, 'A person took this grant back.'),
  };

  async function takeBack(id: string, reason: string): Promise<boolean> {
    const known = grants.list().find((item) => item.id === id);
    if (!grants.revoke(id)) return false;
    const args = { grant: id, summary: known?.summary ?? '' };
    await parts.record(
      plainEvent('grant', {
        client: 'cli',
        id: randomUUID(),
        session: known?.session ?? '',
        tool: known?.tool ?? '',
        args,
        verdict: 'clean',
        outcome: 'refused',
        by: 'person',
        reason,
        cwd: known?.cwd ?? '',
      }),
    );
    return true;
  }
}

/** Where the client names no folder or no session, nothing would bound the approval: it then holds for less, never for more. */
function scopeFor(call: Hold['call'], wanted: GrantScope): GrantScope {
  const scope = wanted === 'always' && call.cwd === '' ? 'session' : wanted;
  return scope === 'session' && call.session === '' ? 'once' : scope;
}

const settledAlready = (id: string): IpcError => new IpcError('ALREADY_SETTLED', `the held call ${id} has already been settled`);

function ended(id: string, result: ReturnType<Holds['end']>): Hold {
  if (result === 'UNKNOWN_HOLD') throw new IpcError('UNKNOWN_HOLD', `there is no held call ${id}`);
  if (result === 'ALREADY_SETTLED') throw settledAlready(id);
  return result;
}
