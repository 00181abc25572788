/** Sees to the journal's old parts in the background, one run at a time. */
import { errorText } from '#home/privateFile.ts';

/** The first time a while after the start, when calls have been answered; from then on at this distance. */
const FIRST_UPKEEP_MS = 60_000;
const UPKEEP_MS = 10 * 60_000;

/** `upkeep` gives what a person should know, '' when that is nothing. @returns what ends it; a run under way goes on. */
export function startJournalUpkeep(upkeep: () => Promise<string>, log: (line: string) => void): () => void {
  let running: Promise<void> | null = null;
  const run = (): void => {
    running ??= upkeep()
      .catch((error: unknown) => errorText(error))
      .then((told) => {
        if (told !== '') log(`The journal's upkeep: ${told}`);
        running = null;
      });
  };
  const first = setTimeout(run, FIRST_UPKEEP_MS).unref();
  const later = setInterval(run, UPKEEP_MS).unref();
  return () => {
    clearTimeout(first);
    clearInterval(later);
  };
}
