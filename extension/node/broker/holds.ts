/** The calls that wait for a person, and those that waited in vain a short while ago. */
import type { Hold, HoldState } from '#contract/ipc.ts';
import type { ToolCall } from '#core/model/call.ts';
import type { Decision } from '#core/model/verdict.ts';

/** How long a call that waited in vain stays listed and can still be granted, in milliseconds. */
export const KEEP_EXPIRED_MS = 15 * 60_000;

/** `unattended`: no window is left to ask. */
export type HoldEnding =
  | { readonly how: 'approved' | 'rejected'; readonly note: string }
  | { readonly how: 'expired' | 'cancelled' | 'unattended' };

export interface Holds {
  readonly begin: (
    id: string,
    call: ToolCall,
    decision: Decision,
    holdMs: number,
  ) => { readonly hold: Hold; readonly ended: Promise<HoldEnding> };
  /** The hold in its new state, or why it cannot be ended. */
  readonly end: (id: string, ending: HoldEnding) => Hold | 'UNKNOWN_HOLD' | 'ALREADY_SETTLED';
  readonly find: (id: string) => Hold | null;
  /** Waiting ones, then expired ones, each oldest first. */
  readonly list: () => readonly Hold[];
  readonly waiting: () => number;
  readonly endAll: (ending: HoldEnding) => void;
}

const STATE: Readonly<Record<HoldEnding['how'], HoldState>> = {
  approved: 'approved',
  rejected: 'rejected',
  expired: 'expired',
  cancelled: 'cancelled',
  unattended: 'expired',
};
const MAX_SETTLED = 1000;
/** Those keep their arguments, up to the size of a whole payload each; older ones can be approved from their file. */
const MAX_EXPIRED = 20;
/** More than a person can look at; what comes on top is refused rather than held in memory. */
export const MAX_WAITING = 100;

export function createHolds(now: () => number, onChange: (hold: Hold) => void): Holds {
  const open = new Map<string, { hold: Hold; timer: NodeJS.Timeout; settle: (ending: HoldEnding) => void }>();
  const settled = new Map<string, Hold>();

  /** What is over for good is only known by its state. */
  const remember = (hold: Hold): void => {
    const isExpired = hold.state === 'expired';
    settled.set(hold.id, isExpired ? hold : { ...hold, call: { ...hold.call, args: null } });
    const expired = isExpired ? [...settled.values()].filter((item) => item.state === 'expired') : [];
    for (const { id } of expired.slice(0, -MAX_EXPIRED)) settled.delete(id);
    for (const oldest of settled.keys()) {
      if (settled.size <= MAX_SETTLED) break;
      settled.delete(oldest);
    }
  };

  const end: Holds['end'] = (id, ending) => {
    const entry = open.get(id);
    if (!entry) {
      const before = settled.get(id);
      if (!before) return 'UNKNOWN_HOLD';
      // Only a person changes one that is over: a late answer to an expired one.
      if (before.state !== 'expired' || (ending.how !== 'approved' && ending.how !== 'rejected')) return 'ALREADY_SETTLED';
      const late = { ...before, state: STATE[ending.how] };
      remember(late);
      onChange(late);
      return late;
    }
    open.delete(id);
    clearTimeout(entry.timer);
    const hold = { ...entry.hold, state: STATE[ending.how] };
    remember(hold);
    entry.settle(ending);
    onChange(hold);
    return hold;
  };

  return {
    begin: (id, call, decision, holdMs) => {
      const since = now();
      const hold: Hold = { id, call, decision, state: 'waiting', since, until: since + holdMs };
      const ended = new Promise<HoldEnding>((settle) => {
        const timer = setTimeout(() => end(id, { how: 'expired' }), holdMs);
        open.set(id, { hold, timer, settle });
      });
      onChange(hold);
      return { hold, ended };
    },
    end,
    find: (id) => open.get(id)?.hold ?? settled.get(id) ?? null,
    list: () => {
      const recent = now() - KEEP_EXPIRED_MS;
      for (const [id, hold] of settled) if (hold.until < recent) settled.delete(id);
      return [...[...open.values()].map((entry) => entry.hold), ...[...settled.values()].filter((hold) => hold.state === 'expired')];
    },
    waiting: () => open.size,
    endAll: (ending) => {
      for (const id of open.keys()) end(id, ending);
    },
  };
}
