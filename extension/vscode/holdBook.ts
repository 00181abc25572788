/** The holds this window knows of, kept in step with the broker's events. */
import type { Hold } from '#contract/ipc.ts';

export interface HoldChange {
  /** Everything to show now, oldest first; a hold that has just been settled is in it once more, with its result. */
  readonly holds: readonly Hold[];
  /** Set when a hold was not known as waiting before and is now. */
  readonly begun: readonly Hold[];
}

export interface HoldBook {
  /** A hold began or changed. */
  readonly apply: (hold: Hold) => HoldChange;
  /** What the broker lists after (re)connecting. */
  readonly replace: (holds: readonly Hold[]) => HoldChange;
  readonly find: (id: string) => Hold | undefined;
  readonly waiting: () => readonly Hold[];
  readonly list: () => readonly Hold[];
}

const stays = (hold: Hold): boolean => hold.state === 'waiting' || hold.state === 'expired';
const bySince = (a: Hold, b: Hold): number => a.since - b.since || (a.id < b.id ? -1 : 1);

export function holdBook(): HoldBook {
  const holds = new Map<string, Hold>();
  const list = (): readonly Hold[] => [...holds.values()].sort(bySince);
  const isNew = (hold: Hold): boolean => hold.state === 'waiting' && holds.get(hold.id)?.state !== 'waiting';
  return {
    apply: (hold) => {
      const begun = isNew(hold) ? [hold] : [];
      holds.set(hold.id, hold);
      const shown = list();
      if (!stays(hold)) holds.delete(hold.id);
      return { holds: shown, begun };
    },
    replace: (next) => {
      const begun = next.filter(isNew);
      holds.clear();
      for (const hold of next) if (stays(hold)) holds.set(hold.id, hold);
      return { holds: list(), begun };
    },
    find: (id) => holds.get(id),
    waiting: () => list().filter((hold) => hold.state === 'waiting'),
    list,
  };
}
