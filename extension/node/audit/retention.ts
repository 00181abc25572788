/**
 * Old segments: packed once they are sealed, and dropped by age or size if the user has set a limit. What is dropped leaves a signed
 * tombstone, so that the chain can still be followed, and an entry that says so; the tombstone and the entry are on the disk
 * before the segment goes. Whatever is interrupted, the next run finishes.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync, unlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
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
import { EXPIRED } from '#node/audit/journalWalk.ts';
import { sealLocked } from '#node/audit/seals.ts';
import { segmentLines } from '#node/audit/segmentLines.ts';
import {
  knownKeys,
  parseSeal,
  parseTombstone,
  readStatement,
  signSeal,
  signTombstone,
  statementLine,
  type Seal,
} from '#node/audit/statement.ts';
import { withUpkeep } from '#node/audit/upkeep.ts';

/** The newest segments are never touched: a writer may look back into the one before its own. */
const KEPT = 2;
const DAY_MS = 24 * 3600 * 1000;

/** Between two entries, or the last one and now: more than this is as likely a clock gone wrong as a machine that was off. */
const JUMP_MS = 7 * DAY_MS;
/** So long must entries have come by a clock that had jumped before it is believed. */
const SETTLED_MS = DAY_MS;

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
  const from = limits.maxDays === null || numbers.length <= KEPT ? now : await ageFrom(layout, numbers.slice(-KEPT - 1), now);
  for (const number of numbers.slice(0, -KEPT)) {
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
        if (oldest !== expiry.segment || numbers.indexOf(oldest) >= numbers.length - KEPT) break;
        const seal = await trustedSeal(layout, oldest);
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

/** Seals what is closed and packs sealed segments but the newest two. Gives the numbers of those packed now. @throws JournalError */
export async function packJournal(layout: Layout, now: () => number = Date.now): Promise<readonly number[]> {
  const waiting = (): readonly number[] => {
    const { numbers, has } = listSegments(layout.journal);
    return numbers.slice(0, -KEPT).filter((number) => has(number, 'jsonl') && !has(number, 'expired'));
  };
  if (waiting().length === 0) return [];
  return withUpkeep(layout, async () => {
    await sealLocked(layout, now);
    const packed: number[] = [];
    for (const number of waiting()) {
      // Closed while the others were sealed: the next run seals it.
      if (!listSegments(layout.journal).has(number, 'seal')) break;
      if (await pack(layout, number)) packed.push(number);
      // Between two segments other calls are judged.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return packed;
  });
}

/** Packing takes a third of a second, in which the broker judges. */
const inThread = (work: typeof gzip | typeof gunzip) => promisify<Buffer, Buffer>(work);

/** False when the segment is not the one that was sealed: it stays as it is, and verification names it. */
async function pack(layout: Layout, number: number): Promise<boolean> {
  const file = segmentFile(layout.journal, number);
  const seal = await trustedSeal(layout, number);
  const plain = readFileSync(file);
  if (plain.length !== seal.bytes || sha256(plain) !== seal.sha256) return false;
  const packed = await inThread(gzip)(plain);
  writePrivate(packedFile(layout.journal, number), packed);
  const read = readFileSync(packedFile(layout.journal, number));
  // Read back from the disk: nothing goes before what takes its place has proved to be whole.
  if (!read.equals(packed) || !(await inThread(gunzip)(read)).equals(plain))
    throw new JournalError(
      'IO',
      { file: packedFile(layout.journal, number), line: 0 },
      'what was written cannot be read back; look at the disk',
    );
  const { sig: _plain, key: _key, v: _v, ...facts } = seal;
  writePrivate(sealFile(layout.journal, number), statementLine(signSeal({ ...facts, gz: sha256(read) }, loadSigningKey(layout))));
  syncFolder(layout.journal);
  unlinkSync(file);
  syncFolder(layout.journal);
  return true;
}

async function trustedSeal(layout: Layout, number: number): Promise<Seal> {
  const file = sealFile(layout.journal, number);
  const read = readStatement(file, knownKeys(layout), parseSeal);
  if (read !== null && read.problem === null && read.statement.segment === number) return read.statement;
  throw new JournalError(
    'SEGMENTS',
    { file, line: 0 },
    `the seal cannot be trusted: ${read?.problem ?? 'it is missing'}; run \`callgate audit verify\``,
  );
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

/**
 * The time from which ages are counted: now, unless the newest entries say that the clock may have jumped ahead; then that of the
 * last entry before the jump. A clock that is wrong must not make all of the record old at once; after a real pause it is believed again
 * once entries have come for a day.
 */
async function ageFrom(layout: Layout, newest: readonly number[], now: number): Promise<number> {
  let last: number | null = null;
  let jump: { readonly before: number; readonly after: number } | null = null;
  for (const number of newest) {
    const { has } = listSegments(layout.journal);
    if (!has(number, 'jsonl') && !has(number, 'jsonl.gz')) continue;
    const file = (has(number, 'jsonl') ? segmentFile : packedFile)(layout.journal, number);
    for await (const read of segmentLines(file)) {
      const parsed = read.kind === 'line' ? parseEntryLine(read.bytes) : null;
      if (parsed?.code !== null) continue;
      const { time } = parsed.entry;
      if (jump !== null && (time < jump.after || time - jump.after > SETTLED_MS)) jump = null;
      else if (jump === null && last !== null && time - last > JUMP_MS) jump = { before: last, after: time };
      last = time;
    }
  }
  if (jump !== null) return Math.min(now, jump.before);
  return last !== null && now - last > JUMP_MS ? last : now;
}

function mayHaveJumped(now: number, from: number): string {
  return `The clock says ${dateOf(now)}, and by the entries it is ${dateOf(from)}: until entries have come for a day, ages count from there.`;
}

const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

const grantIn = (args: unknown): string => (typeof args === 'object' && args !== null && 'grant' in args ? String(args.grant) : '');

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function sizeOf(layout: Layout, number: number): number {
  return [segmentFile, packedFile, sealFile, tombstoneFile]
    .map((file) => statSync(file(layout.journal, number), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);
}
