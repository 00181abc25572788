/** Packs segments once they are sealed. Whatever is interrupted, the next run finishes. */
import { createHash } from 'node:crypto';
import { readFileSync, unlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { JournalError } from '#home/journal/journalError.ts';
import { loadSigningKey } from '#home/journal/keys.ts';
import { listSegments, packedFile, sealFile, segmentFile, syncFolder } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { writePrivate } from '#home/privateFile.ts';
import { sealLocked, trustedSeal } from '#node/audit/seals.ts';
import { signSeal, statementLine } from '#node/audit/statement.ts';
import { withUpkeep } from '#node/audit/upkeep.ts';

/** The newest segments are never touched: a writer may look back into the one before its own. */
export const KEPT_SEGMENTS = 2;

/** Seals what is closed and packs sealed segments but the newest two. Gives the numbers of those packed now. @throws JournalError */
export async function packJournal(layout: Layout, now: () => number = Date.now): Promise<readonly number[]> {
  const waiting = (): readonly number[] => {
    const { numbers, has } = listSegments(layout.journal);
    return numbers.slice(0, -KEPT_SEGMENTS).filter((number) => has(number, 'jsonl') && !has(number, 'expired'));
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
  const seal = trustedSeal(layout, number);
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

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
