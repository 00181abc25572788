/**
 * Seals: once a later segment exists, the one before gets a signed statement of what it holds, with the root of a Merkle tree over its
 * entries. Made in the background or when asked for, never by an append. A seal is only given to what the newest checkpoint
 * vouches for, so that sealing never blesses what somebody has rewritten.
 */
import type { AuditEvent } from '#contract/auditRecord.ts';
import { journalEvent } from '#home/auditEvents.ts';
import { openJournal } from '#home/journal/journal.ts';
import { JournalError } from '#home/journal/journalError.ts';
import { loadSigningKey } from '#home/journal/keys.ts';
import { listSegments, sealFile, syncFolder, tombstoneFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { writePrivate } from '#home/privateFile.ts';
import { SEALED } from '#node/audit/entriesAboutJournal.ts';
import { walkJournal, type ChainEnd } from '#node/audit/journalWalk.ts';
import { merkleTree, type MerkleTree } from '#node/audit/merkle.ts';
import {
  knownKeys,
  parseSeal,
  parseTombstone,
  readStatement,
  signSeal,
  statementLine,
  type KeyOf,
  type Seal,
} from '#node/audit/statement.ts';
import { withUpkeep } from '#node/audit/upkeep.ts';
import { readSignature } from '#node/audit/verify.ts';

export interface Sealing {
  /** Numbers of the segments that were sealed now. */
  readonly sealed: readonly number[];
}

/**
 * Seals every closed segment that has no seal yet, and records each in the journal. Nothing is written when there is none.
 * @throws JournalError when the journal does not verify from the last seal on, or cannot be written
 */
export async function sealJournal(layout: Layout, now: () => number = Date.now): Promise<Sealing> {
  if (unsealedSegments(layout).length === 0) return { sealed: [] };
  return withUpkeep(layout, () => sealLocked(layout, now));
}

/** Closed segments without a seal, oldest first. Looks at names only. */
export function unsealedSegments(layout: Layout): readonly number[] {
  const { numbers, has } = listSegments(layout.journal);
  return numbers.slice(0, -1).filter((number) => has(number, 'jsonl') && !has(number, 'seal'));
}

/** For those that hold the upkeep's lock. */
export async function sealLocked(layout: Layout, now: () => number): Promise<Sealing> {
  const [first] = unsealedSegments(layout);
  if (first === undefined) return { sealed: [] };
  // What a writer that was killed has not signed, the next append signs; until then nothing of it is sealed.
  const journal = openJournal(layout, { now });
  try {
    journal.check();
    const signature = await readSignature(layout);
    if (signature.problem !== null || signature.checkpoint === null)
      throw refused(signature.problem?.file ?? layout.journal, signature.problem?.message ?? 'there is no checkpoint');
    const { checkpoint } = signature;
    const keyOf = knownKeys(layout);
    const wanted: Omit<Seal, 'key' | 'v' | 'sig'>[] = [];
    let tree: MerkleTree = merkleTree();
    let at: { readonly first: number; readonly prev: string } | null = null;
    let count = 0;
    let head = '';
    const walked = await walkJournal(layout, {
      keyOf,
      fixed: [{ ...checkpoint, code: 'REWRITTEN' }],
      from: { segment: first, end: endBefore(layout, first, keyOf) },
      digests: 'all',
      onEntry: ({ entry }) => {
        at ??= { first: entry.seq, prev: entry.prev };
        tree.add(entry.hash);
        count += 1;
        head = entry.hash;
      },
      onSegment: ({ segment, state, bytes, plain, seal }) => {
        if (state === 'closed' && seal === null && plain !== null && at !== null && at.first + count - 1 <= checkpoint.count)
          wanted.push({ segment, ...at, count, head, root: tree.root(), bytes, sha256: plain, gz: '', time: Math.max(0, now()) });
        [tree, at, count] = [merkleTree(), null, 0];
      },
    });
    if (walked.problem !== null) throw refused(`${walked.problem.file}:${walked.problem.line}`, walked.problem.message);
    if (walked.end === null || walked.end.seq < checkpoint.count) throw refused(layout.journal, 'entries at its end were cut off');
    const key = loadSigningKey(layout);
    const sealed: number[] = [];
    for (const facts of wanted) {
      const seal = signSeal(facts, key);
      writePrivate(sealFile(layout.journal, facts.segment), statementLine(seal));
      syncFolder(layout.journal);
      journal.append([sealEvent(seal)]);
      sealed.push(facts.segment);
    }
    return { sealed };
  } finally {
    journal.close();
  }
}

function sealEvent({ segment, first, count, root, head }: Seal): AuditEvent {
  const last = first + count - 1;
  return journalEvent(SEALED, { segment, first, last, root, head }, `Segment ${segment} (entries ${first} to ${last}) was sealed.`);
}

const refused = (file: string, what: string): JournalError =>
  new JournalError('BROKEN_TAIL', { file, line: 0 }, `nothing was sealed: ${what} Run \`callgate audit verify\``);

/** The chain's end before segment `number`, as the statement of the one before it says; null before the first. @throws JournalError */
function endBefore(layout: Layout, number: number, keyOf: KeyOf): ChainEnd | null {
  if (number === 1) return null;
  const before = number - 1;
  const [file, read] = listSegments(layout.journal).has(before, 'seal')
    ? [sealFile(layout.journal, before), readStatement(sealFile(layout.journal, before), keyOf, parseSeal)]
    : [tombstoneFile(layout.journal, before), readStatement(tombstoneFile(layout.journal, before), keyOf, parseTombstone)];
  if (read === null || read.problem !== null) throw refused(file, `${read?.problem ?? 'it is missing'}.`);
  const { first, count, head } = read.statement;
  return { seq: first + count - 1, hash: head, key: null, rotatesTo: null, place: { file, line: 0 } };
}

/** The seal of segment `number`, signed by a key of ours. @throws JournalError SEGMENTS when there is none to trust */
export function trustedSeal(layout: Layout, number: number): Seal {
  const file = sealFile(layout.journal, number);
  const read = readStatement(file, knownKeys(layout), parseSeal);
  if (read !== null && read.problem === null && read.statement.segment === number) return read.statement;
  throw new JournalError(
    'SEGMENTS',
    { file, line: 0 },
    `the seal cannot be trusted: ${read?.problem ?? 'it is missing'}; run \`callgate audit verify\``,
  );
}
