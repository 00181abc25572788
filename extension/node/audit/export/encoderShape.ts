import type { FoundEntry } from '#node/audit/takeEntries.ts';

/** A file format as a stream: what stands before, between and after the entries. */
export interface Encoder {
  readonly begin: () => string;
  /** Empty when the format has nothing to say about this entry. */
  readonly entry: (found: FoundEntry) => string;
  readonly end: () => string;
}
