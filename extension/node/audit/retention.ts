/**
 * Old segments are dropped by age or size if the user has set a limit. What is dropped leaves a signed tombstone, so that the chain can
 * still be followed, and an entry that says so; the tombstone and the entry are on the disk before the segment goes. Whatever is
 * interrupted, the next run finishes.
 */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { journalEvent } from '#home/auditEvents.ts';
import { openGrants } from '#home/grants.ts';
import { parseEntryLine } from '#home/journal/entryLine.ts';
import { openJournal } from '#home/journal/journal.ts';
import { JournalError } from '#home/journal/journalError.ts';
import { loadSigningKey, readPublicKey } from '#home/journal/keys.ts';
import { listSegments, packedFile, sealFile, segmentFile, syncFolder, tombstoneFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { listPending } from '#home/pendingCalls.ts';
import { removeIfThere, writePrivate } from '#home/privateFile.ts';
import { ageFrom, DAY_MS, mayHaveJumped } from '#node/audit/entryAges.ts';
import { EXPIRED } from '#node/audit/entriesAboutJournal.ts';
import { KEPT_SEGMENTS } from '#node/audit/packing.ts';
import { trustedSeal } from '#node/audit/seals.ts';
import { segmentLines } from '#node/audit/segmentLines.ts';
import { knownKeys, parseSeal, parseTombstone, readStatement, signTombstone, statementLine, type Seal } from '#node/audit/statement.ts';
import { withUpkeep } from '#node/audit/upkeep.ts';

export interface RetentionLimits {
  /** Segments whose youngest entry is older go, counted as `ageFrom` says; null keeps them. */
  readonly maxDays: number | null;
  /** The oldest go until all files of the journal are within this; null keeps them. */
  readonly maxMegabytes: number | null;
}

export interface Expiry {
  readonly segment: number;
  readonly first: number;
  readonly last: number;
  /** On the disk. */
  readonly bytes: number;
  /** Why it goes, for people. */
  readonly reason: string;
}
export interface ExpiryPlan {
  /** Oldest first. */
  readonly expiries: readonly Expiry[];
  /** Why what the limits would drop stays all the same, for people; empty when nothing does. */
  readonly kept: string;
}

/** What must not be dropped, by correlation id; see `unsettledCalls`. */
export type Unsettled = ReadonlySet<string>;

/** Calls that still wait in the panel. The broker adds those that it holds. @throws JournalError when that cannot be told */
export function unsettledCalls(layout: Layout, now: number, held: readonly string[] = []): Unsettled {
  return readWhole(layout, (warn) => new Set([...held, ...listPending(layout, now, warn).map(({ hold }) => hold.id)]));
}

/** What others pass over with a warning might be what must be kept, so nothing is dropped then. */
function readWhole<T>(layout: Layout, read: (warn: (message: string) => void) => T): T {
  const warnings: string[] = [];
  const all = read((message) => warnings.push(message));
  if (warnings[0] !== undefined) throw new JournalError('IO', { file: layout.root, line: 0 }, `nothing was dropped: ${warnings[0]}`);
  return all;
}

/** What `expire` would drop. Writes nothing. @throws the system's error */
export async function planExpiry(layout: Layout, limits: RetentionLimits, now: number, unsettled: Unsettled): Promise<ExpiryPlan> {
  const keyOf = knownKeys(layout);
  const { numbers, has } = listSegments(layout.journal);
  const sizes = new Map(numbers.map((number) => [number, sizeOf(layout, number)] as const));
  let total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const expiries: Expiry[] = [];
  const standing = standingGrants(layout, now);
  const from =
    limits.maxDays === null || numbers.length <= KEPT_SEGMENTS ? now : await ageFrom(layout, numbers.slice(-KEPT_SEGMENTS - 1), now);
  for (const number of numbers.slice(0, -KEPT_SEGMENTS)) {
    if (!has(number, 'jsonl') && !has(number, 'jsonl.gz')) continue;
    const read = readStatement(sealFile(layout.journal, number), keyOf, parseSeal);
    if (read === null) return { expiries, kept: `Segment ${number} is not sealed yet.` };
    if (read.problem !== null) return { expiries, kept: `The seal of segment ${number} cannot be trusted: ${read.problem}.` };
    const seal = read.statement;
    if (seal.segment !== number) return { expiries, kept: `The seal of segment ${number} is that of segment ${seal.segment}.` };
    const size = sizes.get(number) ?? 0;
    const tooBig = limits.maxMegabytes !== null && total > limits.maxMegabytes * 1024 * 1024;
    const begun = has(number, 'expired') && isBegun(layout, seal);
    // Without a limit of age nothing need be read: a segment of 16 MiB takes a moment.
    const look = tooBig || limits.maxDays !== null || begun;
    const inside = look ? await lookInto(layout, seal, unsettled, standing) : null;
    const tooOld = limits.maxDays !== null && inside !== null && inside.newest < from - limits.maxDays * DAY_MS;
    if (inside === null || (!tooOld && !tooBig && !begun)) {
      const oldByClock = limits.maxDays !== null && inside !== null && inside.newest < now - limits.maxDays * DAY_MS;
      return { expiries, kept: oldByClock ? mayHaveJumped(now, from) : '' };
    }
    if (inside.needed !== null) return { expiries, kept: `Segment ${number} holds ${inside.needed}.` };
    const reason = tooOld
      ? `older than ${limits.maxDays} days`
      : tooBig
        ? `the journal was over ${limits.maxMegabytes} MB`
        : 'dropping it had begun';
    expiries.push({ segment: number, first: seal.first, last: seal.first + seal.count - 1, bytes: size, reason });
    total -= size;
  }
  return { expiries, kept: '' };
}

/** Drops what the plan names, as far as it still may be dropped. @throws JournalError */
export async function expire(
  layout: Layout,
  plan: ExpiryPlan,
  unsettled: Unsettled,
  now: () => number = Date.now,
): Promise<readonly Expiry[]> {
  if (plan.expiries.length === 0) return [];
  return withUpkeep(layout, async () => {
    const done: Expiry[] = [];
    const left = listSegments(layout.journal);
    for (const number of left.numbers)
      if (!left.has(number, 'jsonl') && !left.has(number, 'jsonl.gz')) removeIfThere(sealFile(layout.journal, number));
    const journal = openJournal(layout, { now });
    try {
      for (const expiry of plan.expiries) {
        const { numbers, has } = listSegments(layout.journal);
        const oldest = numbers.find((number) => has(number, 'jsonl') || has(number, 'jsonl.gz'));
        // Somebody else was faster, or the plan is not this journal's.
        if (oldest !== expiry.segment || numbers.indexOf(oldest) >= numbers.length - KEPT_SEGMENTS) break;
        const seal = trustedSeal(layout, oldest);
        if (seal.first !== expiry.first || (await lookInto(layout, seal, unsettled, standingGrants(layout, now()))).needed !== null) break;
        const tombstone = signTombstone(seal, { expired: Math.max(0, now()), reason: expiry.reason }, loadSigningKey(layout));
        writePrivate(tombstoneFile(layout.journal, oldest), statementLine(tombstone));
        syncFolder(layout.journal);
        const { first, last, reason } = expiry;
        const args = { segment: oldest, first, last, head: seal.head, root: seal.root, sha256: seal.sha256, reason };
        journal.append([journalEvent(EXPIRED, args, `Segment ${oldest} (entries ${first} to ${last}) was dropped: ${reason}.`)]);
        removeIfThere(segmentFile(layout.journal, oldest));
        removeIfThere(packedFile(layout.journal, oldest));
        removeIfThere(sealFile(layout.journal, oldest));
        syncFolder(layout.journal);
        done.push(expiry);
      }
    } finally {
      journal.close();
    }
    return done;
  });
}

function standingGrants(layout: Layout, now: number): ReadonlySet<string> {
  const grants = readWhole(layout, (warn) => openGrants(layout, () => now, warn).list());
  return new Set(grants.filter(({ scope }) => scope === 'always').map(({ id }) => id));
}

/** Whether a run that was killed had got so far with this segment. Anybody can put some file there: only one under the key in force counts. */
function isBegun(layout: Layout, { segment, root, head }: Seal): boolean {
  const own = readPublicKey(layout);
  const read = readStatement(tombstoneFile(layout.journal, segment), (id) => (own?.id === id ? own.publicKey : null), parseTombstone);
  return read?.problem === null && read.statement.segment === segment && read.statement.root === root && read.statement.head === head;
}

interface Inside {
  /** Wall clock of its youngest entry: clocks jump, so the last one need not be it. */
  readonly newest: number;
  /** What must not be dropped, for people; null if nothing. */
  readonly needed: string | null;
}

async function lookInto(layout: Layout, seal: Seal, unsettled: Unsettled, standing: ReadonlySet<string>): Promise<Inside> {
  const plain = listSegments(layout.journal).has(seal.segment, 'jsonl');
  const file = (plain ? segmentFile : packedFile)(layout.journal, seal.segment);
  const digest = createHash('sha256');
  let newest = 0;
  let needed: string | null = null;
  for await (const read of segmentLines(file, { plain: (bytes) => void digest.update(bytes), packed: () => undefined })) {
    const parsed = read.kind === 'line' ? parseEntryLine(read.bytes) : null;
    if (parsed?.code !== null) continue;
    const { time, call, seq, kind, args } = parsed.entry;
    newest = Math.max(newest, time);
    if (unsettled.has(call)) needed = `entry ${seq}, a call that still waits for an answer`;
    else if (kind === 'grant' && standing.has(grantIn(args))) needed = `entry ${seq}, an approval that still stands`;
  }
  // Dropping it would take the traces of whoever changed it along, and what it held cannot be told.
  if (digest.digest('hex') !== seal.sha256) needed = 'other entries than those that were sealed; run `callgate audit verify`';
  return { newest, needed };
}

const grantIn = (args: unknown): string => (typeof args === 'object' && args !== null && 'grant' in args ? String(args.grant) : '');

function sizeOf(layout: Layout, number: number): number {
  return [segmentFile, packedFile, sealFile, tombstoneFile]
    .map((file) => statSync(file(layout.journal, number), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);
}
