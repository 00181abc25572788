/** Follows the chain through all segments and names the first entry that is not what a writer wrote. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { VerifyReport } from '#contract/ipc.ts';
import { GENESIS_PREV } from '#home/journal/entryLine.ts';
import { sealFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { aboutItself, endOf, EXPIRED, rotatesTo, SEALED } from '#node/audit/entriesAboutJournal.ts';
import { journalLines, type Link, type Place, type Read, type VerifyCode } from '#node/audit/journalLines.ts';
import type { KeyOf, Seal, Tombstone } from '#node/audit/statement.ts';

export type Problem = NonNullable<VerifyReport['problem']> & { readonly code: VerifyCode };

/** How far a walk has come. */
export interface ChainEnd {
  readonly seq: number;
  readonly hash: string;
  /** Null when only a tombstone tells of it. */
  readonly key: string | null;
  /** The key that this entry puts in force from the next one on. */
  readonly rotatesTo: string | null;
  readonly place: Place;
}

/** Something outside that knows what entry `count` was. */
export interface Fixed {
  readonly count: number;
  readonly head: string;
  readonly code: 'REWRITTEN' | 'ROLLED_BACK';
}

export interface WalkOptions {
  readonly keyOf: KeyOf;
  /** Where to begin; by default before entry 1. */
  readonly from?: { readonly segment: number; readonly end: ChainEnd | null };
  readonly fixed: readonly Fixed[];
  /** Hears of all that was found sound, in order. */
  readonly onEntry?: (link: Link) => void;
  readonly onSegment?: (end: Extract<Read, { readonly kind: 'end' }>) => void;
  /** See `journalLines`. */
  readonly digests?: 'sealed' | 'all';
}

export interface Walked {
  readonly end: ChainEnd | null;
  readonly problem: Problem | null;
  /** A dropped segment of which no entry tells, which may only mean that the end with that entry was cut off. */
  readonly unannounced: Problem | null;
  /** First entry of the last run of entries under one key. */
  readonly keySince: Link | null;
}

export async function walkJournal(layout: Layout, options: WalkOptions): Promise<Walked> {
  const { keyOf, fixed } = options;
  let last: ChainEnd | null = options.from?.end ?? null;
  let keySince: Link | null = null;
  const tombstones: { readonly statement: Tombstone; readonly place: Place }[] = [];
  let segmentFirst: Link | null = null;
  let segmentCount = 0;
  const announcedSeals = new Map<number, string>();
  /** By segment, what its tombstone may say: a run that was killed is told of twice. */
  const announcedEnds = new Map<number, string[]>();
  /** Of segments that are there: first entry and root of the seal, null without a seal. */
  const segments = new Map<number, { readonly seq: number; readonly root: string | null }>();
  const found = (problem: Problem): Walked => ({ end: last, problem, unannounced: null, keySince });
  const reader = journalLines(layout.journal, options.from?.segment ?? 1, keyOf, options.digests);
  try {
    for (let step = await reader.next(); !step.done; step = await reader.next()) {
      const read = step.value;
      const expected: number = (last?.seq ?? 0) + 1;
      switch (read.kind) {
        case 'problem':
          return found({
            ...read.place,
            seq: (read.segment === null ? undefined : segments.get(read.segment)?.seq) ?? expected,
            code: read.code,
            message: read.message,
          });
        case 'dropped': {
          const { first, count, prev, head } = read.tombstone;
          const at = { ...read.place, seq: expected, code: 'TOMBSTONE' } as const;
          if (segments.size > 0) return found({ ...at, message: 'This segment was dropped although an older one is kept.' });
          if (first !== expected || prev !== (last?.hash ?? GENESIS_PREV))
            return found({ ...at, message: 'What stands for this dropped segment does not follow the one before it.' });
          last = { seq: first + count - 1, hash: head, key: null, rotatesTo: null, place: read.place };
          tombstones.push({ statement: read.tombstone, place: read.place });
          break;
        }
        case 'end': {
          options.onSegment?.(read);
          segments.set(read.segment, { seq: segmentFirst?.entry.seq ?? expected, root: read.seal?.root ?? null });
          const wrong: string | null =
            read.seal === null || segmentFirst === null ? null : unfit(read, read.seal, segmentFirst.entry, segmentCount, last);
          if (wrong !== null && segmentFirst !== null)
            return found({
              seq: segmentFirst.entry.seq,
              file: sealFile(layout.journal, read.segment),
              line: 0,
              code: wrong === PACKED ? 'PACKED' : 'SEAL',
              message: wrong,
            });
          segmentFirst = null;
          segmentCount = 0;
          break;
        }
        case 'entry': {
          const { entry, place } = read;
          if (entry.seq !== expected || entry.prev !== (last?.hash ?? GENESIS_PREV)) return found(await blame(last, read, reader, fixed));
          const before: ChainEnd | null = last;
          if (before !== null && before.key !== null && entry.key !== before.key && entry.key !== before.rotatesTo)
            return found({
              ...place,
              seq: entry.seq,
              code: 'WRONG_KEY',
              message: `Entry ${entry.seq} names the key ${entry.key}, and the key in force is ${before.key}.`,
            });
          const broken = fixed.find(({ count, head }) => count === entry.seq && head !== entry.hash);
          if (broken !== undefined) return found(notTheFixed(read, broken));
          if (before?.key !== entry.key) keySince = read;
          const about = aboutItself(entry);
          if (about?.tool === SEALED) announcedSeals.set(about.segment, about.hash);
          if (about?.tool === EXPIRED) announcedEnds.set(about.segment, [...(announcedEnds.get(about.segment) ?? []), about.hash]);
          segmentFirst ??= read;
          segmentCount += 1;
          last = { seq: entry.seq, hash: entry.hash, key: entry.key, rotatesTo: rotatesTo(entry), place };
          options.onEntry?.(read);
        }
      }
    }
  } finally {
    await reader.return();
  }
  let unannounced: Problem | null = null;
  for (const [index, { statement, place }] of tombstones.entries()) {
    const said = announcedEnds.get(statement.segment) ?? [];
    // The entry about an earlier one may have been dropped itself; the last one's stands behind all that is kept.
    if (said.length === 0 ? index < tombstones.length - 1 : said.includes(endOf(statement))) continue;
    const message =
      said.length === 0
        ? `No entry of the record says that segment ${statement.segment} was dropped.`
        : 'What stands for this dropped segment is not what the record says of it.';
    unannounced = { ...place, seq: statement.first, code: 'TOMBSTONE', message };
    break;
  }
  for (const [segment, root] of announcedSeals) {
    const known = segments.get(segment);
    if (known !== undefined && known.root !== root)
      return found({
        seq: known.seq,
        file: sealFile(layout.journal, segment),
        line: 0,
        code: 'SEAL',
        message:
          known.root === null
            ? 'The record says that this segment was sealed, and its seal is missing.'
            : 'The seal is not the one that the record names.',
      });
  }
  return { end: last, problem: null, unannounced, keySince };
}

const PACKED = 'The compressed segment is not the file that was sealed.';

/** Why this seal is not that of the segment just read, or null. */
function unfit(
  read: Extract<Read, { readonly kind: 'end' }>,
  seal: Seal,
  first: AuditEntry,
  count: number,
  last: ChainEnd | null,
): string | null {
  if (read.state === 'open') return 'There is a seal although the segment is the last one: later ones were removed.';
  if (seal.segment !== read.segment) return `This is the seal of segment ${seal.segment}.`;
  if (seal.first !== first.seq || seal.prev !== first.prev || seal.count !== count || seal.head !== last?.hash)
    return 'The segment does not hold the entries that were sealed.';
  if (seal.bytes !== read.bytes || seal.sha256 !== read.plain) return 'The bytes of the segment are not those that were sealed.';
  return read.packed !== null && read.packed !== seal.gz ? PACKED : null;
}

export function notTheFixed({ entry, place }: Link, { code, count }: Fixed): Problem {
  const message =
    code === 'REWRITTEN'
      ? `Entry ${count} fits the chain but is not the one that was signed: it or an earlier one was rewritten.`
      : `Entry ${count} is not the one that was seen here before: the journal was put back to an earlier state or replaced.`;
  return { ...place, seq: entry.seq, code, message };
}

/** `link` is sound in itself but not the next of the chain. Reads on to tell who is the odd one out. */
async function blame(last: ChainEnd | null, link: Link, rest: AsyncGenerator<Read, void, void>, fixed: readonly Fixed[]): Promise<Problem> {
  const { entry, place } = link;
  const expected = (last?.seq ?? 0) + 1;
  const prev = last?.hash ?? GENESIS_PREV;
  let expectedComes = false;
  // What later entries or the signed head build on is genuine.
  let supported = fixed.some(({ count, head }) => count === entry.seq && head === entry.hash);
  for (let step = await rest.next(); !step.done; step = await rest.next()) {
    if (step.value.kind !== 'entry') continue;
    const later = step.value.entry;
    if (later.seq === expected && later.prev === prev) expectedComes = true;
    if (later.seq === entry.seq + 1 && later.prev === entry.hash) supported = true;
    if (expectedComes && supported) break;
  }
  const at = (which: { readonly place: Place } | null, seq: number, code: VerifyCode, message: string): Problem => ({
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
        last.seq,
        'ALTERED',
        `Entry ${last.seq} was altered and its hash made to fit; entry ${entry.seq} still names the original.`,
      );
    return at(link, entry.seq, 'UNLINKED', `Entry ${entry.seq} does not follow entry ${last.seq}: it was altered or put there.`);
  }
  if (entry.seq === last.seq && entry.hash !== last.hash && supported)
    return at(
      last,
      last.seq,
      'INSERTED',
      `Two entries claim place ${entry.seq}, and later ones build on the second: the first was inserted.`,
    );
  return at(link, entry.seq, 'INSERTED', `Entry ${entry.seq} stands here a second time or out of its place.`);
}
