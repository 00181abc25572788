/**
 * Keeps the journal's newest statement in the editor's secret storage, out of reach of whoever can write the data folder, and compares it
 * at every connection: a journal put back to an earlier state together with its checkpoint shows only here. Knows nothing of the editor.
 */
import type { JournalStatement, Requests } from '#contract/ipc.ts';
import { isObject } from '#core/model/json.ts';

export interface JournalMirrorParts {
  readonly ask: (seen: JournalStatement | null) => Promise<Requests['checkpoint']['result']>;
  readonly secrets: {
    readonly get: (key: string) => PromiseLike<string | undefined>;
    readonly store: (key: string, value: string) => PromiseLike<void>;
  };
  /** Says it loudly; true when the person takes the journal as it is now. */
  readonly warn: (message: string) => Promise<boolean>;
  readonly log: (message: string) => void;
  readonly now: () => number;
}

export interface JournalMirror {
  /** Compares and keeps. Never rejects. */
  readonly compare: () => Promise<void>;
  /** An entry reached the journal: keeps the new statement, at most once a minute. */
  readonly noticed: () => void;
}

const KEY = 'callgate.journalStatement';
const EVERY_MS = 60_000;

export function journalMirror(parts: JournalMirrorParts): JournalMirror {
  let running: Promise<void> | null = null;
  let last = Number.NEGATIVE_INFINITY;
  /** Told once a session: the same difference is there at every look until a person decides. */
  let told = false;

  const compare = async (): Promise<void> => {
    try {
      const seen = parseStatement(await parts.secrets.get(KEY));
      const { newest, problem } = await parts.ask(seen);
      last = parts.now();
      if (problem !== null) {
        parts.log(`The journal differs from what this editor has seen: ${problem}`);
        if (told) return;
        told = true;
        if (!(await parts.warn(problem))) return;
        told = false;
      }
      // Another window may have kept a newer one while we asked.
      const since = parseStatement(await parts.secrets.get(KEY));
      if (newest !== null && (problem !== null || since === null || since.count <= newest.count))
        await parts.secrets.store(KEY, JSON.stringify(newest));
    } catch (error) {
      parts.log(
        `The journal could not be compared with what this editor has seen: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  const once = (): Promise<void> => (running ??= compare().finally(() => (running = null)));

  return {
    compare: once,
    noticed: () => {
      if (parts.now() - last >= EVERY_MS) void once();
    },
  };
}

/** Null for anything that is no statement of ours. */
function parseStatement(text: string | undefined): JournalStatement | null {
  let value: unknown;
  try {
    value = JSON.parse(text ?? 'null');
  } catch {
    return null; // kept anew
  }
  if (!isObject(value)) return null;
  const { count, head, time, key } = value;
  if (typeof count !== 'number' || typeof head !== 'string' || typeof time !== 'number' || typeof key !== 'string') return null;
  return { count, head, time, key };
}
