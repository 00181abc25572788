/** From lines of the journal to the entries wanted of them. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import { parseEntryLine } from '#home/journal/entryLine.ts';
import { wrongEntryField } from '#home/journal/entryShape.ts';
import { errorText } from '#home/privateFile.ts';

export interface FoundEntry {
  readonly entry: AuditEntry;
  /** The line as it stands in the journal, without its end. Shares memory with its neighbours: copy it to keep it. */
  readonly bytes: Buffer;
  readonly file: string;
  /** Counts from 1; 0 when the journal is read from its end. */
  readonly line: number;
}

/** Something that is no entry, or not where it belongs. It was passed over. */
export interface ReadProblem {
  readonly file: string;
  /** 0 when it is about the whole file, or the journal is read from its end. */
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

/** Which entries are wanted, and in which order the lines come. */
export interface WantedEntries {
  readonly order: 'oldest' | 'newest';
  /** First and last `seq` wanted. */
  readonly from?: number;
  readonly to?: number;
  /** `whole`: each entry's hash and canonical form are checked · `shape`: only its fields, which is twice as fast. */
  readonly check: 'whole' | 'shape';
  /** False only when the line cannot hold a wanted entry; such lines are not even parsed. */
  readonly mayMatch?: (line: Buffer) => boolean;
  readonly matches: (entry: AuditEntry) => boolean;
  readonly onProblem: (problem: ReadProblem) => void;
}

/** Goes from block to block of one reading. */
export interface Taking {
  readonly options: WantedEntries;
  /** `seq` of the last entry seen; null before the first. */
  last: number | null;
}

/** `firstLine`: the number of the first of them, when they come oldest first. */
export function takeEntries(state: Taking, file: string, lines: readonly Buffer[], firstLine: number): FoundEntry[] {
  const { options } = state;
  const forwards = options.order === 'oldest';
  const found: FoundEntry[] = [];
  for (const [index, bytes] of lines.entries()) {
    const line = forwards ? firstLine + index : 0;
    if (isBefore(bytes, options.from ?? 1) || options.mayMatch?.(bytes) === false) continue;
    const parsed = options.check === 'whole' ? parseEntryLine(bytes) : parseShape(bytes);
    if (parsed.code !== null) {
      options.onProblem({ file, line, code: parsed.code, message: parsed.message });
      continue;
    }
    const { entry } = parsed;
    if (state.last !== null && (forwards ? entry.seq <= state.last : entry.seq >= state.last)) {
      options.onProblem({ file, line, code: 'ORDER', message: `entry ${entry.seq} stands beside entry ${state.last}` });
      continue;
    }
    state.last = entry.seq;
    if (entry.seq >= (options.from ?? 1) && entry.seq <= (options.to ?? Number.MAX_SAFE_INTEGER) && options.matches(entry))
      found.push({ entry, bytes, file, line });
  }
  return found;
}

const SEQ_FIELD = Buffer.from('"seq":');

/** Without parsing: behind the arguments and findings quotes are escaped, so the last such name is the entry's own. */
function isBefore(line: Buffer, seq: number): boolean {
  if (seq <= 1) return false;
  const at = line.lastIndexOf(SEQ_FIELD) + SEQ_FIELD.length;
  return at >= SEQ_FIELD.length && Number.parseInt(line.toString('latin1', at, at + 17), 10) < seq;
}

type Parsed = { readonly entry: AuditEntry; readonly code: null } | { readonly code: string; readonly message: string };

function parseShape(bytes: Buffer): Parsed {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    const wrong = wrongEntryField(value);
    if (wrong === null) return { entry: value as AuditEntry, code: null };
    return { code: 'SHAPE', message: `the entry's field ${JSON.stringify(wrong.slice(0, 100))} is missing, unknown or of the wrong kind` };
  } catch (error) {
    return { code: 'NOT_JSON', message: `the line is not JSON (${errorText(error).slice(0, 200)})` };
  }
}
