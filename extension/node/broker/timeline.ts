/** The timeline index, kept off the path of judging: it opens, catches up and adds in its own time, and may fail alone. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { MinuteCount, TimelinePage, TimelineQuery } from '#contract/ipc.ts';
import { errorText } from '#home/privateFile.ts';

/** What the broker needs of the index (see node/audit). */
export interface TimelineIndex {
  readonly catchUp: () => Promise<void>;
  readonly query: (query: TimelineQuery) => TimelinePage | Promise<TimelinePage>;
  readonly counts: (since: number, until: number) => readonly MinuteCount[];
  readonly close: () => void | Promise<void>;
}

export interface Timeline {
  /** Entries of our own reached the journal. */
  readonly added: (entries: readonly AuditEntry[]) => void;
  /** @throws Error saying why the index cannot be used; the journal itself is not touched by that. */
  readonly query: (query: TimelineQuery) => Promise<TimelinePage>;
  /** @throws as `query` */
  readonly counts: (since: number, until: number) => Promise<readonly MinuteCount[]>;
  readonly close: () => Promise<void>;
}

/** How long one search may go on before its page is shown as far as it is, in milliseconds. */
const SEARCH_MS = 1500;
/** How long a question waits for the index to catch up; after that it is answered with what is there, and says so. */
const CATCH_UP_MS = 150;
/** Indexing waits until nothing has come for so long: a burst of calls is read from the journal in one go, and none waits for that. */
const QUIET_MS = 50;
/** But no longer than this. Whoever asks is not kept waiting: a question catches up first. */
const BUSY_MS = 5000;

export function startTimeline(open: () => TimelineIndex | Promise<TimelineIndex>, warn: (message: string) => void): Timeline {
  let closed = false;
  let index: Promise<TimelineIndex> | null = null;
  let catching: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let waitingSince = 0;

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

  const caughtUp = async (): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CATCH_UP_MS);
    });
    try {
      await Promise.race([catchUp(), patience]);
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    added: () => {
      if (closed) return;
      if (timer === null) waitingSince = performance.now();
      else if (performance.now() - waitingSince > BUSY_MS) return;
      else clearTimeout(timer);
      timer = setTimeout(() => {
        timer = null;
        catchUp().catch((error: unknown) => warn(`The timeline's index could not be updated: ${errorText(error)}`));
      }, QUIET_MS);
    },
    query: async (query) => {
      if (closed) throw new Error('the broker is ending');
      await caughtUp();
      const ready = await opened();
      const found: AuditEntry[] = [];
      const until = performance.now() + SEARCH_MS;
      let next = query;
      // A rare word is looked for in many pages; between two of them other calls are judged.
      for (;;) {
        const page = await ready.query(next);
        found.push(...page.entries);
        if (page.next === null || found.length >= query.limit || performance.now() > until) return { ...page, entries: found };
        next = { ...query, before: page.next, limit: query.limit - found.length };
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    counts: async (since, until) => {
      if (closed) throw new Error('the broker is ending');
      await caughtUp();
      return (await opened()).counts(since, until);
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
