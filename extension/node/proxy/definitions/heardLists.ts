/** What one client last heard of a server's lists: what it may call, and when another list may be had. */
import type { PinnedItem, ServerPins } from '#contract/definitions.ts';
import type { JsonObject } from '#core/model/json.ts';
import { errorText } from '#home/privateFile.ts';
import type { DefinitionReview } from '#node/proxy/definitions/definitionReview.ts';
import { itemKey } from '#node/proxy/definitions/classify.ts';
import { changedNotice, type Listed } from '#node/proxy/definitions/listing.ts';
import { itemsOf } from '#node/proxy/definitions/serverPins.ts';
import { whyHidden } from '#node/proxy/definitions/whyHidden.ts';

/** A server may invent names without end; of those forgotten the pins alone say what may be called. */
const MAX_HEARD = 50_000;

export interface HeardLists {
  readonly heard: (entry: Listed, shown: boolean) => void;
  /** See `DefinitionReview`. */
  readonly refusal: DefinitionReview['refusal'];
  readonly close: () => void;
}

export interface HeardListsParts {
  readonly server: string;
  /** @throws Error */
  readonly read: () => ServerPins | null;
  readonly tell: (notification: JsonObject) => void;
  readonly watchMs: number;
}

interface Heard {
  readonly entry: Listed;
  readonly shown: boolean;
  told: boolean;
}

export function heardLists({ server, read, tell, watchMs }: HeardListsParts): HeardLists {
  const heard = new Map<string, Heard>();
  let watched: ServerPins | null = null;

  /** Somebody decided, here or in another process. */
  const look = (): void => {
    let pins: ServerPins | null;
    try {
      pins = read();
    } catch {
      return; // said by whoever needs it
    }
    if (pins === watched) return;
    watched = pins;
    const items = itemsOf(pins);
    const notices = new Set<string>();
    for (const [key, last] of heard) {
      if (last.told || mayShow(items.get(key), last) === last.shown) continue;
      last.told = true;
      const notice = changedNotice(last.entry.kind);
      if (notice !== null) notices.add(notice);
    }
    for (const method of notices) tell({ jsonrpc: '2.0', method });
  };
  const watch = setInterval(look, watchMs);
  watch.unref();

  return {
    heard: (entry, shown) => {
      const key = itemKey(entry);
      heard.delete(key);
      heard.set(key, { entry, shown, told: false });
      if (heard.size > MAX_HEARD) heard.delete(heard.keys().next().value as string);
    },
    refusal: (tool, kind = 'tool') => {
      const key = itemKey({ kind, name: tool });
      let item: PinnedItem | undefined;
      try {
        item = itemsOf(read()).get(key);
      } catch (error) {
        return `Callgate cannot read what was approved of the MCP server "${server}" (${errorText(error)}), so "${tool}" was not called.`;
      }
      const last = heard.get(key);
      // Some clients call without asking for the list: then it is what it was last seen to be.
      const may = last === undefined ? item === undefined || (item.denied === null && item.held === null) : mayShow(item, last);
      return may ? null : whyHidden(tool, server, item);
    },
    close: () => clearInterval(watch),
  };
}

/** Whether a client that lists now would see it as it last was. */
function mayShow(item: PinnedItem | undefined, { entry, shown }: Heard): boolean {
  if (item === undefined) return shown;
  if (item.denied !== null && (item.denied.hash === '*' || item.denied.hash === entry.hash)) return false;
  return shown || item.approved?.hash === entry.hash;
}
