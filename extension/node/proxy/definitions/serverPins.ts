/** The pins of one server as its reviews use them: also when it was never seen, or was another program until now. */
import type { PinnedItem, ServerPins } from '#contract/definitions.ts';
import { errorText } from '#home/privateFile.ts';
import type { PinStore } from '#home/pins.ts';
import { itemKey } from '#node/proxy/definitions/classify.ts';
import type { ServerIdentity } from '#node/proxy/definitions/serverIdentity.ts';

export interface ThisServerPins {
  /** Null when it was never seen. @throws Error when they can neither be read nor be put aside. */
  readonly read: () => ServerPins | null;
  /** What they are to begin with. */
  readonly first: () => ServerPins;
}

export function serverPins(store: PinStore, identity: ServerIdentity, workspace: string, log: (line: string) => void): ThisServerPins {
  const { id, server } = identity;
  const fresh: ServerPins = { id, server, shown: identity.shown, workspaces: [], replaces: '', complete: [], askFirst: false, items: [] };
  return {
    read: () => {
      try {
        return store.read(id);
      } catch (error) {
        log(`${server}: ${errorText(error)}`);
        // Put aside, and begun anew with nothing trusted.
        return store.change(id, (latest) => latest ?? fresh);
      }
    },
    // One of the same name in the same project that was another program is what it is measured by.
    first: () => {
      const newest = (pins: ServerPins): number => Math.max(0, ...pins.items.map(({ approved }) => approved?.at ?? 0));
      const [was] = store
        .list()
        .filter((pins) => pins.server === server && pins.id !== id && pins.workspaces.includes(workspace))
        .sort((a, b) => newest(b) - newest(a));
      if (was === undefined) return fresh;
      const { shown, complete, askFirst, items } = was;
      return { ...fresh, replaces: shown, complete, askFirst, items: items.map((item) => ({ ...item, held: null })) };
    },
  };
}

const byPins = new WeakMap<ServerPins, ReadonlyMap<string, PinnedItem>>();

export function itemsOf(pins: ServerPins | null): ReadonlyMap<string, PinnedItem> {
  if (pins === null) return new Map();
  const known = byPins.get(pins) ?? new Map(pins.items.map((item) => [itemKey(item), item]));
  byPins.set(pins, known);
  return known;
}
