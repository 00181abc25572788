/** Reads the whole journal as if an attacker had written it, and names the first entry that is not what a writer wrote. */
import type { VerifyReport } from '#contract/ipc.ts';
import {
  checkpointFile,
  nextCheckpointFile,
  parseCheckpointFile,
  readCheckpointBytes,
  type Checkpoint,
  type CheckpointState,
} from '#home/journal/checkpoint.ts';
import { GENESIS_PREV } from '#home/journal/entryLine.ts';
import { publicKeyFile, readPublicKey, type SigningKey } from '#home/journal/keys.ts';
import type { Layout } from '#home/layout.ts';
import { errorText } from '#home/privateFile.ts';
import { walkJournal, type ChainEnd, type Fixed, type Problem, type Walked } from '#node/audit/journalWalk.ts';
import { knownKeys } from '#node/audit/statement.ts';

export type PublicKey = Pick<SigningKey, 'publicKey' | 'id'>;

export interface VerifyOptions {
  /** What was seen of this journal before, kept outside its reach; see `checkWitness`. */
  readonly witness?: Pick<Checkpoint, 'count' | 'head'>;
}

/**
 * Takes no lock and writes nothing; entries appended meanwhile do not disturb it.
 * A torn last line is no problem: it was never acknowledged, and the next writer sets it aside.
 */
export async function verifyJournal(layout: Layout, { witness }: VerifyOptions = {}): Promise<VerifyReport> {
  // The checkpoint first: what it names must then be found, and what comes later may be newer than it.
  const signature = await readSignature(layout);
  const { checkpoint } = signature;
  const fixed: readonly Fixed[] = [
    ...(checkpoint === null ? [] : [{ ...checkpoint, code: 'REWRITTEN' } as const]),
    ...(witness === undefined ? [] : [{ ...witness, code: 'ROLLED_BACK' } as const]),
  ];
  const keyOf = signature.key === null ? () => null : knownKeys(layout);
  const walked = await walkJournal(layout, { keyOf, fixed });
  const entries = walked.end?.seq ?? 0;
  const wrongKey = keyProblem(walked, signature.key?.id ?? null);
  const problem =
    walked.problem ??
    (entries === 0 && signature.nothingSigned ? null : signature.problem && (wrongKey ?? signature.problem)) ??
    // An end that was cut off explains what its entries would have said of keys and of dropped segments.
    endProblem(layout, walked.end, checkpoint) ??
    wrongKey ??
    walked.unannounced ??
    (witness === undefined ? null : witnessProblem(layout, walked.end, witness));
  return { ok: problem === null, entries, unsigned: checkpoint === null ? 0 : Math.max(0, entries - checkpoint.count), problem };
}

export interface Signature {
  readonly key: PublicKey | null;
  readonly checkpoint: Checkpoint | null;
  readonly problem: Problem | null;
  /** Neither key nor checkpoint, or a checkpoint of zero entries: as before the first entry. */
  readonly nothingSigned: boolean;
}

/** The key and the newest checkpoint, and what is wrong with them. */
export async function readSignature(layout: Layout): Promise<Signature> {
  const file = checkpointFile(layout);
  let key: PublicKey | null;
  try {
    key = readPublicKey(layout);
  } catch (error) {
    return {
      key: null,
      checkpoint: null,
      nothingSigned: false,
      problem: { seq: 0, file: publicKeyFile(layout), line: 0, code: 'KEY', message: errorText(error) },
    };
  }
  let state: CheckpointState;
  try {
    state = await settledCheckpoint(file, key);
  } catch (error) {
    return {
      key,
      checkpoint: null,
      nothingSigned: false,
      problem: { seq: 0, file, line: 0, code: 'UNREADABLE', message: `The checkpoint cannot be read: ${errorText(error)}.` },
    };
  }
  switch (state.state) {
    case 'missing':
      return {
        key,
        checkpoint: null,
        nothingSigned: true,
        problem: {
          seq: 0,
          file,
          line: 0,
          code: 'CHECKPOINT_MISSING',
          message: 'There are entries and no signed checkpoint, so nobody can tell whether that is all of them.',
        },
      };
    case 'damaged':
      return {
        key,
        checkpoint: null,
        nothingSigned: false,
        problem: {
          seq: 0,
          file,
          line: state.line,
          code: key === null ? 'KEY' : 'CHECKPOINT_DAMAGED',
          message: `The checkpoint cannot be trusted: ${state.message}.`,
        },
      };
    case 'ok':
      return { key, checkpoint: state.checkpoint, nothingSigned: state.checkpoint.count === 0, problem: null };
  }
}

/** Read without the lock a checkpoint may be caught in the middle of its one write: look again before calling it damaged. */
async function settledCheckpoint(file: string, key: PublicKey | null): Promise<CheckpointState> {
  for (let attempt = 0; ; attempt += 1) {
    const read = (name: string): CheckpointState => parseCheckpointFile(readCheckpointBytes(name), key?.publicKey ?? null, key?.id ?? null);
    const state = read(file);
    if (state.state !== 'damaged') return state;
    // A change of keys whose process ended before its last step: the next writer makes that.
    const next = read(nextCheckpointFile(file));
    if (next.state === 'ok') return next;
    if (attempt === 4) return state;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Every change of keys along the chain is signed; what it leads to must be the key that signs the checkpoint. */
function keyProblem({ end, keySince }: Walked, id: string | null): Problem | null {
  if (id === null || end === null || end.key === null || keySince === null || end.key === id || end.rotatesTo === id) return null;
  const { entry, place } = keySince;
  return {
    ...place,
    seq: entry.seq,
    code: 'WRONG_KEY',
    message: `Entry ${entry.seq} names the key ${entry.key}, and the journal's key is ${id}.`,
  };
}

function endProblem(layout: Layout, end: ChainEnd | null, checkpoint: Checkpoint | null): Problem | null {
  const entries = end?.seq ?? 0;
  if (
    checkpoint === null ||
    checkpoint.count < entries ||
    (checkpoint.count === entries && checkpoint.head === (end?.hash ?? GENESIS_PREV))
  )
    return null;
  if (checkpoint.count === entries)
    // Only when nothing but tombstones is left: an entry at that place was compared while it was read.
    return { ...afterEnd(layout, end), code: 'REWRITTEN', message: `Entry ${entries} is not the one that was signed.` };
  return {
    ...afterEnd(layout, end),
    code: 'CUT_OFF',
    message: `The checkpoint names ${checkpoint.count} entries and only ${entries} are there: entry ${entries + 1} and later were cut off.`,
  };
}

function witnessProblem(layout: Layout, end: ChainEnd | null, witness: Pick<Checkpoint, 'count' | 'head'>): Problem | null {
  const entries = end?.seq ?? 0;
  if (witness.count <= entries) return null;
  return {
    ...afterEnd(layout, end),
    code: 'ROLLED_BACK',
    message: `${witness.count} entries were seen here before and only ${entries} are there: the journal was put back to an earlier state.`,
  };
}

function afterEnd(layout: Layout, end: ChainEnd | null): { readonly seq: number; readonly file: string; readonly line: number } {
  const { file, line } = end?.place ?? { file: layout.journal, line: 0 };
  return { seq: (end?.seq ?? 0) + 1, file, line: line + 1 };
}
