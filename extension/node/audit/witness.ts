/** What somebody outside has seen of the journal, against what is there now: an older copy put back, checkpoint and all, shows only this way. */
import type { JournalStatement } from '#contract/ipc.ts';
import { parseEntryLine } from '#home/journal/entryLine.ts';
import { packedFile, listSegments, segmentFile, tombstoneFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { errorText } from '#home/privateFile.ts';
import { segmentOf } from '#node/audit/proof.ts';
import { segmentLines } from '#node/audit/segmentLines.ts';
import { knownKeys, parseTombstone, readStatement } from '#node/audit/statement.ts';
import { readSignature } from '#node/audit/verify.ts';

/** Why the journal is not the one that was seen, or null; and the newest statement, null before the first entry or when it is damaged. Never rejects. */
export async function checkWitness(
  layout: Layout,
  seen: JournalStatement | null,
): Promise<{ readonly newest: JournalStatement | null; readonly problem: string | null }> {
  const { checkpoint, problem } = await readSignature(layout);
  if (checkpoint === null)
    return {
      newest: null,
      problem: seen === null || seen.count === 0 ? null : `The journal that was seen here is gone. ${problem?.message ?? ''}`.trim(),
    };
  const { count, head, time, key } = checkpoint;
  const newest: JournalStatement = { count, head, time, key };
  if (seen === null || seen.count === 0) return { newest, problem: null };
  if (seen.count > count)
    return {
      newest,
      problem: `${seen.count} entries were seen here before and only ${count} are there: the journal was put back to an earlier state.`,
    };
  try {
    const now = seen.count === count ? head : await hashAt(layout, seen.count);
    return {
      newest,
      problem:
        now === null || now === seen.head
          ? null
          : `Entry ${seen.count} is not the one that was seen here before: the journal was replaced.`,
    };
  } catch (error) {
    return { newest, problem: `Entry ${seen.count}, which was seen here before, cannot be read: ${errorText(error)}` };
  }
}

/** Null when the entry was dropped with its segment. @throws JournalError and system failures */
async function hashAt(layout: Layout, seq: number): Promise<string | null> {
  const keyOf = knownKeys(layout);
  const { numbers, has } = listSegments(layout.journal);
  const oldest = numbers.find((number) => has(number, 'jsonl') || has(number, 'jsonl.gz'));
  if (oldest !== undefined && oldest > 1) {
    const before = readStatement(tombstoneFile(layout.journal, oldest - 1), keyOf, parseTombstone);
    if (before?.problem === null && seq < before.statement.first + before.statement.count) return null;
  }
  const number = await segmentOf(layout, seq, keyOf);
  const file = has(number, 'jsonl') ? segmentFile(layout.journal, number) : packedFile(layout.journal, number);
  const wanted = Buffer.from(`"seq":${seq},`);
  for await (const read of segmentLines(file)) {
    if (read.kind !== 'line' || !read.bytes.includes(wanted)) continue;
    const parsed = parseEntryLine(read.bytes);
    if (parsed.code === null && parsed.entry.seq === seq) return parsed.entry.hash;
  }
  throw new Error('it is not there');
}
