/** The timeline index, kept off the path of judging: it opens, catches up and adds in its own time, and may fail alone. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { TimelinePage, TimelineQuery } from '#contract/ipc.ts';
import { errorText } from '#home/privateFile.ts';

/** What the broker needs of the index (see node/audit). */
export interface TimelineIndex {
  readonly catchUp: () => Promise<void>;
  readonly query: (query: TimelineQuery) => TimelinePage | Promise<TimelinePage>;
  readonly close: () => void | Promise<void>;
}

export interface Timeline {
  /** Entries of our own reached the journal. */
  readonly added: (entries: readonly AuditEntry[]) => void;
  /** @throws Error saying why the index cannot be used; the journal itself is not touched by that. */
  readonly query: (query: TimelineQuery) => Promise<TimelinePage>;
  readonly close: () => Promise<void>;
}

/** Indexing waits for a quiet moment: a burst of calls is read from the journal in one go. */
const SETTLE_MS = 50;

export function startTimeline(open: () => TimelineIndex | Promise<TimelineIndex>, warn: (message: string) => void): Timeline {
  let closed = false;
  let index: Promise<TimelineIndex> | null = null;
  let catching: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;

  const opened = (): Promise<TimelineIndex> => {
    index ??= Promise.resolve()
      .then(open)
      .catch((error: unknown) => {
        index = null; // tried again at the next question
        throw error;
      });
    return index;
  };
  /** Reads what any process has written since; several askers share one run. */
  const catchUp = (): Promise<void> => {
    catching ??= opened()
      .then((ready) => ready.catchUp())
      .finally(() => (catching = null));
    return catching;
  };

  return {
    added: () => {
      if (closed || timer) return;
      timer = setTimeout(() => {
        timer = null;
        catchUp().catch((error: unknown) => warn(`The timeline's index could not be updated: ${errorText(error)}`));
      }, SETTLE_MS);
    },
    query: async (query) => {
      if (closed) throw new Error('the broker is ending');
      await catchUp();
      return (await opened()).query(query);
    },
    close: async () => {
      closed = true;
      if (timer) clearTimeout(timer);
      try {
        await catching;
        await (await index)?.close();
      } catch (error) {
        warn(`The timeline's index did not close: ${errorText(error)}`);
      }
    },
  };
}
