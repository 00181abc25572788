/** Reads the whole journal as if an attacker had written it, and names the first entry that is not what a writer wrote. */
import { join } from 'node:path';
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { VerifyReport } from '#contract/ipc.ts';
import {
  checkpointFile,
  parseCheckpointFile,
  readCheckpointBytes,
  type Checkpoint,
  type CheckpointState,
} from '#home/journal/checkpoint.ts';
import { GENESIS_PREV, MAX_LINE_BYTES, parseEntryLine, type LineCode } from '#home/journal/entryLine.ts';
import { publicKeyFile, readPublicKey, type SigningKey } from '#home/journal/keys.ts';
import { listSegments, segmentFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { errorText } from '#home/privateFile.ts';
import { segmentLines } from '#node/audit/segmentLines.ts';

export type VerifyCode =
  | LineCode
  | 'GENESIS' // entry 1 does not begin the chain
  | 'REMOVED'
  | 'INSERTED'
  | 'REORDERED'
  | 'UNLINKED' // does not follow the entry before it
  | 'CUT_OFF' // the checkpoint names more entries than there are
  | 'REWRITTEN' // a chain in itself, but not the one that was signed
  | 'WRONG_KEY'
  | 'TORN_INSIDE' // half a line where writers had gone on
  | 'EMPTY_SEGMENT'
  | 'MISSING_SEGMENT'
  | 'EXTRA_SEGMENT'
  | 'CHECKPOINT_MISSING'
  | 'CHECKPOINT_DAMAGED'
  | 'KEY'
  | 'UNREADABLE';

type Problem = NonNullable<VerifyReport['problem']> & { readonly code: VerifyCode };
type PublicKey = Pick<SigningKey, 'publicKey' | 'id'>;

/**
 * Takes no lock and writes nothing; entries appended meanwhile do not disturb it.
 * A torn last line is no problem: it was never acknowledged, and the next writer sets it aside.
 */
export async function verifyJournal(layout: Layout): Promise<VerifyReport> {
  // The checkpoint first: what it names must then be found, and what comes later may be newer than it.
  const signature = await readSignature(layout);
  const chain = await walk(layout, signature.key?.id ?? null, signature.checkpoint);
  const problem =
    chain.problem ??
    (chain.entries === 0 && signature.nothingSigned ? null : (signature.problem ?? endProblem(layout, chain, signature.checkpoint)));
  return { ok: problem === null, entries: chain.entries, problem };
}

interface Signature {
  readonly key: PublicKey | null;
  readonly checkpoint: Checkpoint | null;
  readonly problem: Problem | null;
  /** Neither key nor checkpoint, or a checkpoint of zero entries: as before the first entry. */
  readonly nothingSigned: boolean;
}

async function readSignature(layout: Layout): Promise<Signature> {
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
    const state = parseCheckpointFile(readCheckpointBytes(file), key?.publicKey ?? null, key?.id ?? null);
    if (state.state !== 'damaged' || attempt === 4) return state;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

interface Chain {
  readonly entries: number;
  readonly problem: Problem | null;
  readonly last: Place;
}
interface Place {
  readonly file: string;
  readonly line: number;
}
interface Link {
  readonly entry: AuditEntry;
  readonly place: Place;
}

async function walk(layout: Layout, keyId: string | null, checkpoint: Checkpoint | null): Promise<Chain> {
  let last: Link | null = null;
  const found = (problem: Problem): Chain => ({
    entries: last?.entry.seq ?? 0,
    problem,
    last: last?.place ?? { file: layout.journal, line: 0 },
  });
  const reader = journalLines(layout);
  try {
    for (let step = await reader.next(); !step.done; step = await reader.next()) {
      const expected: number = (last?.entry.seq ?? 0) + 1;
      const read = step.value;
      if (read.kind === 'problem') return found({ ...read.place, seq: expected, code: read.code, message: read.message });
      const link: Link = read;
      const { entry, place } = link;
      if (entry.seq !== expected || entry.prev !== (last?.entry.hash ?? GENESIS_PREV))
        return found(await blame(last, link, reader, checkpoint));
      const key: string | null = keyId ?? last?.entry.key ?? null;
      if (key !== null && entry.key !== key)
        return found({
          ...place,
          seq: entry.seq,
          code: 'WRONG_KEY',
          message: `Entry ${entry.seq} names the key ${entry.key}, and the journal's key is ${key}.`,
        });
      if (checkpoint !== null && entry.seq === checkpoint.count && entry.hash !== checkpoint.head) {
        return found({
          ...place,
          seq: entry.seq,
          code: 'REWRITTEN',
          message: `Entry ${entry.seq} fits the chain but is not the one that was signed: it or an earlier one was rewritten.`,
        });
      }
      last = link;
    }
    return { entries: last?.entry.seq ?? 0, problem: null, last: last?.place ?? { file: segmentFile(layout.journal, 1), line: 0 } };
  } finally {
    await reader.return();
  }
}

type Read =
  | ({ readonly kind: 'entry' } & Link)
  | { readonly kind: 'problem'; readonly place: Place; readonly code: VerifyCode; readonly message: string };

/** Every line of every segment in order, parsed; ends after the first problem that leaves no place to go on from. */
async function* journalLines(layout: Layout): AsyncGenerator<Read, void, void> {
  let listing: ReturnType<typeof listSegments>;
  try {
    listing = listSegments(layout.journal);
  } catch (error) {
    yield {
      kind: 'problem',
      place: { file: layout.journal, line: 0 },
      code: 'UNREADABLE',
      message: `The journal's folder cannot be read: ${errorText(error)}.`,
    };
    return;
  }
  const { numbers, strange } = listing;
  for (const [index, number] of numbers.entries()) {
    const file = segmentFile(layout.journal, number);
    if (number !== index + 1) {
      yield {
        kind: 'problem',
        place: { file: segmentFile(layout.journal, index + 1), line: 0 },
        code: 'MISSING_SEGMENT',
        message: `This segment is missing although ${file} is there.`,
      };
      return;
    }
    let lines = 0;
    try {
      for await (const { kind, line, ...rest } of segmentLines(file)) {
        lines = line;
        const place = { file, line };
        if (kind === 'torn') {
          if (index < numbers.length - 1)
            yield {
              kind: 'problem',
              place,
              code: 'TORN_INSIDE',
              message: 'The segment ends in half a line, and writers went on after it.',
            };
        } else if (kind === 'tooLong' || !('bytes' in rest)) {
          yield { kind: 'problem', place, code: 'TOO_LONG', message: `The line is longer than ${MAX_LINE_BYTES} bytes.` };
        } else {
          const parsed = parseEntryLine(rest.bytes);
          yield parsed.code === null
            ? { kind: 'entry', entry: parsed.entry, place }
            : {
                kind: 'problem',
                place,
                code: parsed.code,
                message: `${parsed.message.charAt(0).toUpperCase()}${parsed.message.slice(1)}.`,
              };
        }
      }
    } catch (error) {
      yield {
        kind: 'problem',
        place: { file, line: lines },
        code: 'UNREADABLE',
        message: `The segment cannot be read: ${errorText(error)}.`,
      };
      return;
    }
    if (lines === 0 && index < numbers.length - 1)
      yield {
        kind: 'problem',
        place: { file, line: 0 },
        code: 'EMPTY_SEGMENT',
        message: 'The segment is empty although a later one is there.',
      };
  }
  if (strange[0] !== undefined)
    yield {
      kind: 'problem',
      place: { file: join(layout.journal, strange[0]), line: 0 },
      code: 'EXTRA_SEGMENT',
      message: 'No writer names a segment like this.',
    };
}

/** `link` is sound in itself but not the next of the chain. Reads on to tell who is the odd one out. */
async function blame(
  last: Link | null,
  link: Link,
  rest: AsyncGenerator<Read, void, void>,
  checkpoint: Checkpoint | null,
): Promise<Problem> {
  const { entry, place } = link;
  const expected = (last?.entry.seq ?? 0) + 1;
  const prev = last?.entry.hash ?? GENESIS_PREV;
  let expectedComes = false;
  // What later entries or the signed head build on is genuine.
  let supported = checkpoint !== null && checkpoint.count === entry.seq && checkpoint.head === entry.hash;
  for (let step = await rest.next(); !step.done; step = await rest.next()) {
    if (step.value.kind === 'problem') continue;
    const later = step.value.entry;
    if (later.seq === expected && later.prev === prev) expectedComes = true;
    if (later.seq === entry.seq + 1 && later.prev === entry.hash) supported = true;
    if (expectedComes && supported) break;
  }
  const at = (which: Link | null, seq: number, code: VerifyCode, message: string): Problem => ({
    ...(which?.place ?? place),
    seq,
    code,
    message,
  });
  if (entry.seq > expected) {
    if (expectedComes && supported)
      return at(link, entry.seq, 'REORDERED', `Entry ${entry.seq} stands where entry ${expected} belongs; that one comes later.`);
    if (expectedComes) return at(link, entry.seq, 'INSERTED', `Entry ${entry.seq} was inserted before entry ${expected}.`);
    return at(
      link,
      expected,
      'REMOVED',
      expected === entry.seq - 1 ? `Entry ${expected} was removed.` : `Entries ${expected} to ${entry.seq - 1} were removed.`,
    );
  }
  if (last === null) return at(link, entry.seq, 'GENESIS', 'Entry 1 does not begin the chain: its previous hash is not 64 zeros.');
  if (entry.seq === expected) {
    if (supported)
      return at(
        last,
        last.entry.seq,
        'ALTERED',
        `Entry ${last.entry.seq} was altered and its hash made to fit; entry ${entry.seq} still names the original.`,
      );
    return at(link, entry.seq, 'UNLINKED', `Entry ${entry.seq} does not follow entry ${last.entry.seq}: it was altered or put there.`);
  }
  if (entry.seq === last.entry.seq && entry.hash !== last.entry.hash && supported)
    return at(
      last,
      last.entry.seq,
      'INSERTED',
      `Two entries claim place ${entry.seq}, and later ones build on the second: the first was inserted.`,
    );
  return at(link, entry.seq, 'INSERTED', `Entry ${entry.seq} stands here a second time or out of its place.`);
}

function endProblem(layout: Layout, chain: Chain, checkpoint: Checkpoint | null): Problem | null {
  if (checkpoint === null || checkpoint.count <= chain.entries) return null;
  const seq = chain.entries + 1;
  const file = chain.entries === 0 ? layout.journal : chain.last.file;
  return {
    seq,
    file,
    line: chain.last.line + 1,
    code: 'CUT_OFF',
    message: `The checkpoint names ${checkpoint.count} entries and only ${chain.entries} are there: entry ${seq} and later were cut off.`,
  };
}
