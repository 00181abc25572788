/** Every line of the journal in order, segment by segment, with what its seals and tombstones say: read as if an attacker had written all of it. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { AuditEntry } from '#contract/auditRecord.ts';
import { MAX_LINE_BYTES, parseEntryLine, type LineCode } from '#home/journal/entryLine.ts';
import { listSegments, packedFile, sealFile, segmentFile, tombstoneFile, type SegmentListing } from '#home/journal/segments.ts';
import { errorCode, errorText } from '#home/privateFile.ts';
import { segmentLines } from '#node/audit/segmentLines.ts';
import { parseSeal, parseTombstone, readStatement, type KeyOf, type Seal, type Tombstone } from '#node/audit/statement.ts';

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
  | 'SEAL' // a seal is missing, forged, or not that of its segment
  | 'PACKED' // a compressed segment is not the file that was sealed
  | 'TOMBSTONE' // what stands for a dropped segment is forged, or nothing in the record says that it was dropped
  | 'ROLLED_BACK' // not the journal that a witness outside has seen
  | 'CHECKPOINT_MISSING'
  | 'CHECKPOINT_DAMAGED'
  | 'KEY'
  | 'UNREADABLE';

export interface Place {
  readonly file: string;
  readonly line: number;
}
export interface Link {
  readonly entry: AuditEntry;
  readonly place: Place;
}
export type Read =
  | ({ readonly kind: 'entry' } & Link)
  /** `segment`: the whole of which is meant; null when it is about what comes next. */
  | {
      readonly kind: 'problem';
      readonly place: Place;
      readonly code: VerifyCode;
      readonly message: string;
      readonly segment: number | null;
    }
  | { readonly kind: 'dropped'; readonly tombstone: Tombstone; readonly place: Place }
  /**
   * A segment was read to its end. `plain` and `packed` are SHA-256 in hex. `plain` is null when nobody asked and no seal names it:
   * its lines are hashed one by one anyway. `packed` is null for one that is not compressed.
   */
  | {
      readonly kind: 'end';
      readonly segment: number;
      readonly bytes: number;
      readonly plain: string | null;
      readonly packed: string | null;
      readonly seal: Seal | null;
      readonly state: 'closed' | 'open';
    };
type ProblemRead = Extract<Read, { readonly kind: 'problem' }>;

const problem = (file: string, line: number, code: VerifyCode, message: string): ProblemRead => ({
  kind: 'problem',
  place: { file, line },
  code,
  message,
  segment: null,
});

const aboutSeal = (folder: string, segment: number, message: string): ProblemRead => ({
  ...problem(sealFile(folder, segment), 0, 'SEAL', message),
  segment,
});

/**
 * Begins with segment `from`; ends after the first problem that leaves no place to go on from. `digests`: of which segments the
 * SHA-256 is wanted.
 */
export async function* journalLines(
  folder: string,
  from: number,
  keyOf: KeyOf,
  digests: 'sealed' | 'all' = 'sealed',
): AsyncGenerator<Read, void, void> {
  let listing: SegmentListing;
  try {
    listing = listSegments(folder);
  } catch (error) {
    yield problem(folder, 0, 'UNREADABLE', `The journal's folder cannot be read: ${errorText(error)}.`);
    return;
  }
  const { numbers, highest, strange } = listing;
  let unsealed: number | null = null;
  for (const [index, number] of numbers.entries()) {
    if (number !== index + 1) {
      yield missing(folder, index + 1, number);
      return;
    }
    if (number < from) continue;
    const state = number === numbers.length ? 'open' : 'closed';
    const seal = readStatement(sealFile(folder, number), keyOf, parseSeal);
    let kind = partOf(listing, number);
    for (let tried = 0; ; tried += 1) {
      let sound: 'yes' | 'no' | 'moved' = 'yes';
      let begun = false;
      const digest = digests === 'all' || seal !== null;
      for await (const read of kind === 'expired' ? dropped(folder, number, keyOf) : wholeSegment(folder, number, kind, state, digest)) {
        // Packed or dropped while we came to it: its other name is there now.
        if (read.kind === 'moved') {
          if (begun || tried > 2) yield problem(read.file, 0, 'UNREADABLE', 'The segment cannot be read: it vanished.');
          sound = begun || tried > 2 ? 'no' : 'moved';
          break;
        }
        begun = true;
        if (read.kind === 'problem') sound = 'no';
        yield read.kind === 'end' ? { ...read, seal: seal?.problem === null ? seal.statement : null } : read;
        if (read.kind === 'problem' && read.code === 'UNREADABLE') return;
      }
      if (sound !== 'moved') break;
      kind = partOf(listSegments(folder), number);
    }
    if (kind === 'expired') continue;
    if (seal === null) {
      if (kind === 'jsonl.gz') yield aboutSeal(folder, number, 'The seal of this compressed segment is missing.');
      unsealed ??= number;
      continue;
    }
    if (seal.problem !== null) yield aboutSeal(folder, number, `The seal cannot be trusted: ${seal.problem}.`);
    else if (unsealed !== null)
      yield aboutSeal(folder, unsealed, `The seal of this segment is missing although segment ${number} has one.`);
  }
  if (highest > numbers.length) yield missing(folder, numbers.length + 1, highest);
  if (strange[0] !== undefined)
    yield problem(join(folder, strange[0]), 0, 'EXTRA_SEGMENT', 'No writer names a part of the journal like this.');
}

const missing = (folder: string, number: number, there: number): ProblemRead =>
  problem(segmentFile(folder, number), 0, 'MISSING_SEGMENT', `This segment is missing although parts of segment ${there} are there.`);

type Kind = 'jsonl' | 'jsonl.gz' | 'expired';
/** While a segment is packed or dropped, two of its files stand side by side: the fuller one counts. */
function partOf(listing: SegmentListing, number: number): Kind {
  if (listing.has(number, 'jsonl')) return 'jsonl';
  return listing.has(number, 'jsonl.gz') ? 'jsonl.gz' : 'expired';
}

type Moved = { readonly kind: 'moved'; readonly file: string };

async function* dropped(folder: string, number: number, keyOf: KeyOf): AsyncGenerator<Read | Moved, void, void> {
  const file = tombstoneFile(folder, number);
  const read = readStatement(file, keyOf, parseTombstone);
  if (read === null) yield { kind: 'moved', file };
  else if (read.problem !== null)
    yield problem(file, 0, 'TOMBSTONE', `What stands for this dropped segment cannot be trusted: ${read.problem}.`);
  else if (read.statement.segment !== number)
    yield problem(file, 0, 'TOMBSTONE', `What stands here belongs to segment ${read.statement.segment}.`);
  else yield { kind: 'dropped', tombstone: read.statement, place: { file, line: 0 } };
}

async function* wholeSegment(
  folder: string,
  number: number,
  kind: 'jsonl' | 'jsonl.gz',
  state: 'closed' | 'open',
  digest: boolean,
): AsyncGenerator<Read | Moved, void, void> {
  const file = kind === 'jsonl' ? segmentFile(folder, number) : packedFile(folder, number);
  const plain = createHash('sha256');
  const packed = createHash('sha256');
  let bytes = 0;
  let lines = 0;
  const hears = {
    plain: (block: Buffer) => {
      if (digest) plain.update(block);
      bytes += block.length;
    },
    packed: (block: Buffer) => void packed.update(block),
  };
  try {
    for await (const { kind: what, line, ...rest } of segmentLines(file, hears)) {
      lines = line;
      if (what === 'torn') {
        if (state === 'closed' || kind === 'jsonl.gz')
          yield problem(file, line, 'TORN_INSIDE', 'The segment ends in half a line, and writers went on after it.');
      } else if (what === 'tooLong' || !('bytes' in rest)) {
        yield problem(file, line, 'TOO_LONG', `The line is longer than ${MAX_LINE_BYTES} bytes.`);
      } else {
        const parsed = parseEntryLine(rest.bytes);
        if (parsed.code === null) yield { kind: 'entry', entry: parsed.entry, place: { file, line } };
        else yield problem(file, line, parsed.code, `${parsed.message.charAt(0).toUpperCase()}${parsed.message.slice(1)}.`);
      }
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') yield { kind: 'moved', file };
    else yield problem(file, lines, 'UNREADABLE', `The segment cannot be read: ${errorText(error)}.`);
    return;
  }
  if (lines === 0 && (state === 'closed' || kind === 'jsonl.gz'))
    yield problem(file, 0, 'EMPTY_SEGMENT', 'The segment is empty although a later one is there.');
  yield {
    kind: 'end',
    segment: number,
    bytes,
    plain: digest ? plain.digest('hex') : null,
    packed: kind === 'jsonl' ? null : packed.digest('hex'),
    seal: null,
    state,
  };
}
