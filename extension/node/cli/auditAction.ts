/** What every `callgate audit` subcommand needs: options, a signal that ends it, a reader that tells what it passed over. */
import { JournalError } from '#home/journal/journalError.ts';
import { matchesFilter, lineMayMatch, type AuditFilter } from '#node/audit/auditFilter.ts';
import { ExportError } from '#node/audit/export/exportError.ts';
import { readJournal, type ReadBatch, type ReadOptions } from '#node/audit/readJournal.ts';
import type { ReadProblem } from '#node/audit/takeEntries.ts';
import { visibleLine } from '#core/policy/visibleText.ts';
import { type CommandHost, print } from '#node/cli/command.ts';

/** Exit status as in command.ts. The signal is raised when the person interrupts, or nobody reads our output any more. */
export type AuditAction = (args: readonly string[], host: CommandHost, signal: AbortSignal) => Promise<number>;

/** The signal's reason when the output was closed: that is how `| head` ends, and no fault. A standard stream cannot be asked: Node opens it again. */
export const NOBODY_READS = 'nobody reads the output any more';

const MOST_PROBLEMS_SAID = 5;

export interface ReadTogether {
  readonly batches: AsyncGenerator<ReadBatch, void, void>;
  /** Says on stderr what was passed over; the exit status that follows from it. */
  readonly sayProblems: () => number;
}

type Wanted = Pick<ReadOptions, 'order' | 'check' | 'until' | 'signal'> & { readonly from?: number; readonly to?: number };

export function readFiltered({ layout, stderr }: CommandHost, filter: AuditFilter, wanted: Wanted): ReadTogether {
  const problems: ReadProblem[] = [];
  let count = 0;
  const mayMatch = lineMayMatch(filter);
  const from = Math.max(filter.seq?.from ?? 1, wanted.from ?? 1);
  const to = Math.min(filter.seq?.to ?? Number.MAX_SAFE_INTEGER, wanted.to ?? Number.MAX_SAFE_INTEGER);
  const batches = readJournal(layout.journal, {
    ...wanted,
    from,
    ...(to === Number.MAX_SAFE_INTEGER ? {} : { to }),
    ...(mayMatch === undefined ? {} : { mayMatch }),
    matches: (entry) => matchesFilter(entry, filter),
    onProblem: (problem) => {
      count += 1;
      if (problems.length < MOST_PROBLEMS_SAID) problems.push(problem);
    },
  });
  return {
    batches,
    sayProblems: () => {
      for (const { file, line, code, message } of problems)
        print(stderr, `callgate: ${visibleLine(file, 500)}${line > 0 ? `:${line}` : ''} ${code}: ${visibleLine(message, 300)}`);
      if (count > 0)
        print(
          stderr,
          `callgate: ${count === 1 ? 'one place is' : `${count} places are`} not what a writer wrote and ${count === 1 ? 'was' : 'were'} passed over; callgate audit verify says more`,
        );
      return count > 0 ? 1 : 0;
    },
  };
}

/** Failures that a person can mend, in one line each. */
export async function sayingFailures({ stderr }: CommandHost, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof JournalError) && !(error instanceof ExportError)) throw error;
    print(stderr, `callgate: ${error.message}`);
    return 1;
  }
}
