/** Writes what happened into the journal, what comes at the same moment at once. */
import type { AuditEntry, AuditEvent } from '#contract/auditRecord.ts';
import type { Journal, JournalOptions } from '#home/journal/journal.ts';
import { errorText } from '#home/privateFile.ts';

export interface Recorder {
  /**
   * Settles when the event is in the journal's file, where it outlives this process: null, or why it is not there. Never rejects. It is
   * flushed to the disk and signed soon after (SETTLE_MS).
   */
  readonly record: (event: AuditEvent) => Promise<string | null>;
  /** Set while the journal cannot be written. */
  readonly problem: () => string | null;
  readonly close: () => void;
}

interface Waiting {
  readonly event: AuditEvent;
  readonly settle: (problem: string | null) => void;
}

/**
 * A call waits for its entry, and a disk takes longer to be sure of one than the rest of judging takes. What a power cut can take is this
 * much of the record's end; a process that is killed takes nothing.
 */
const SETTLE_MS = 20;
/** Windows and the index hear of entries a moment later, many at once: no call waits for that. */
const TELL_MS = 5;

export function startRecorder(
  open: (options: Pick<JournalOptions, 'settleMs' | 'onUnsettled'>) => Journal,
  onEntries: (entries: readonly AuditEntry[]) => void,
  onProblem: (problem: string | null) => void,
  onNotice: (message: string) => void,
): Recorder {
  let journal: Journal | null = null;
  let queue: Waiting[] = [];
  let problem: string | null = null;
  let untold: AuditEntry[] = [];
  let telling: NodeJS.Timeout | null = null;

  const onUnsettled = (error: Error): void => {
    problem = errorText(error);
    onProblem(problem);
  };
  const append = (events: readonly AuditEvent[]): readonly AuditEntry[] => {
    try {
      journal ??= open({ settleMs: SETTLE_MS, onUnsettled });
      const entries = journal.append(events);
      for (const notice of journal.takeNotices()) onNotice(notice.message);
      return entries;
    } catch (error) {
      // Opened anew next time: what was wrong with the disk may have been mended.
      const broken = journal;
      journal = null;
      try {
        broken?.close();
      } catch {
        problem = 'the journal could not even be closed'; // replaced by the cause just below
      }
      throw error;
    }
  };

  const write = (batch: readonly Waiting[]): void => {
    let entries: readonly AuditEntry[] = [];
    let failed: string | null = null;
    try {
      entries = append(batch.map((item) => item.event));
    } catch (error) {
      failed = errorText(error);
    }
    // One event that cannot be written must not take its neighbours with it.
    if (failed !== null && batch.length > 1) {
      for (const item of batch) write([item]);
      return;
    }
    if (failed !== problem) onProblem((problem = failed));
    for (const item of batch) item.settle(failed);
    if (entries.length === 0) return;
    untold.push(...entries);
    telling ??= setTimeout(tell, TELL_MS);
  };

  const tell = (): void => {
    const entries = untold;
    untold = [];
    telling = null;
    onEntries(entries);
  };

  const flush = (): void => {
    const batch = queue;
    queue = [];
    if (batch.length > 0) write(batch);
  };

  return {
    record: (event) =>
      new Promise((settle) => {
        queue.push({ event, settle });
        // Everything that arrives in this turn of the event loop shares one flush.
        if (queue.length === 1) setImmediate(flush);
      }),
    problem: () => problem,
    close: () => {
      flush();
      clearTimeout(telling ?? undefined);
      journal?.close();
      journal = null;
    },
  };
}
