/**
 * Keeps messages in the order they came although some wait for a verdict. A slot that takes long leaves the order,
 * so that one held call never stops the others (JSON-RPC allows any order; servers still expect the usual one).
 */

export interface Slot<T> {
  /** Ends the slot with what is to be sent in its place; nothing when empty. Later calls do nothing. */
  settle(items: readonly T[]): void;
  /** Lets everything behind the slot pass; what it settles with is then sent at once. */
  release(): void;
}

export interface OrderedOutlet<T> {
  push(item: T): void;
  reserve(): Slot<T>;
  /** Slots not settled yet, released ones included. */
  openSlots(): number;
}

interface Place<T> {
  items: readonly T[] | null;
}

/** @param patienceMs how long a slot may keep others waiting before it is released by itself. */
export function orderedOutlet<T>(send: (item: T) => void, patienceMs: number): OrderedOutlet<T> {
  let queue: Place<T>[] = [];
  let open = 0;

  const flush = (): void => {
    let sent = 0;
    for (const place of queue) {
      if (place.items === null) break;
      sent++;
      for (const item of place.items) send(item);
    }
    if (sent > 0) queue = queue.slice(sent);
  };

  return {
    push(item) {
      if (queue.length === 0) {
        send(item);
        return;
      }
      queue.push({ items: [item] });
    },
    reserve() {
      const place: Place<T> = { items: null };
      queue.push(place);
      open++;
      let ended = false;
      const release = (): void => {
        clearTimeout(timer);
        const at = queue.indexOf(place);
        if (at === -1) return;
        queue.splice(at, 1);
        flush();
      };
      const timer = setTimeout(release, patienceMs);
      return {
        settle(items) {
          if (ended) return;
          ended = true;
          open--;
          clearTimeout(timer);
          if (queue.includes(place)) {
            place.items = items;
            flush();
          } else {
            for (const item of items) send(item);
          }
        },
        release,
      };
    },
    openSlots: () => open,
  };
}
