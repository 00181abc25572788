/** Definitions that wait for a person, whichever process found them: they lie among the pins, and the windows are told when that changes. */
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { ServerPins } from '#contract/definitions.ts';
import type { Hold } from '#contract/ipc.ts';
import { decideDefinitions, type DefinitionAnswer } from '#home/decideDefinitions.ts';
import { definitionHolds, shownHold } from '#home/pinDecisions.ts';
import type { PinStore } from '#home/pins.ts';
import { errorText } from '#home/privateFile.ts';
import { IpcError } from '#node/broker/windowRequests.ts';

export interface DefinitionHolds {
  readonly list: () => readonly Hold[];
  readonly waiting: () => number;
  /** @throws IpcError ALREADY_SETTLED: decided elsewhere, or the server changed what is held. */
  readonly decide: (id: string, answer: DefinitionAnswer, note: string) => Promise<Hold>;
  /** Tells the windows what is new and what is over. */
  readonly look: () => void;
}

export interface DefinitionHoldsParts {
  readonly pins: PinStore;
  readonly record: (event: AuditEvent) => Promise<string | null>;
  readonly onChange: (hold: Hold) => void;
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

/** Ids of held calls have no second part. */
const ID = /^[0-9a-f-]{36}\.[0-9a-f]{16}$/u;
export const isDefinitionHold = (id: string): boolean => ID.test(id);

/** Looked at every other second, while the pins behind them seldom change. */
const shown = new WeakMap<ServerPins, readonly Hold[]>();

function holdsOf(pins: ServerPins): readonly Hold[] {
  const known = shown.get(pins) ?? definitionHolds(pins).map(shownHold);
  shown.set(pins, known);
  return known;
}

export function createDefinitionHolds({ pins, record, onChange, now, warn }: DefinitionHoldsParts): DefinitionHolds {
  let told = new Map<string, Hold>();
  let problem = '';

  const current = (): readonly Hold[] => {
    try {
      const holds = pins.list().flatMap(holdsOf);
      problem = '';
      return holds;
    } catch (error) {
      if (errorText(error) !== problem) warn(`Held definitions cannot be listed: ${errorText(error)}`);
      problem = errorText(error);
      return [...told.values()];
    }
  };
  const end = (hold: Hold, state: Hold['state']): Hold => {
    told.delete(hold.id);
    const ended = { ...hold, state };
    onChange(ended);
    return ended;
  };
  const look = (): void => {
    const holds = current();
    const ids = new Set(holds.map(({ id }) => id));
    for (const hold of told.values()) if (!ids.has(hold.id)) end(hold, 'cancelled');
    const fresh = holds.filter(({ id }) => !told.has(id));
    told = new Map(holds.map((hold) => [hold.id, hold]));
    for (const hold of fresh) onChange(hold);
  };

  return {
    list: () => {
      look();
      return [...told.values()];
    },
    waiting: () => told.size,
    decide: async (id, answer, note) => {
      const decided = decideDefinitions(pins, id, answer, note, now());
      if (decided === null) {
        look();
        throw new IpcError('ALREADY_SETTLED', `${id} has been decided already, or its server offers something else by now`);
      }
      await record(decided.event);
      const hold = end(shownHold(decided.hold), answer);
      look();
      return hold;
    },
    look,
  };
}
