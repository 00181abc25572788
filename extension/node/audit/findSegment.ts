/** Which segment holds an entry, without reading those before it. */
import { MAX_LINE_BYTES, parseEntryLine } from '#home/journal/entryLine.ts';
import { compressedBlocks, openPlain, readAt, type JournalSegment } from '#node/audit/readJournalSegments.ts';

/** Number of the segment that holds entry `seq`, by the segments' first entries. */
export async function findSegment(segments: readonly JournalSegment[], seq: number): Promise<number> {
  if (seq <= 1) return segments[0]?.number ?? 1;
  const readable = segments.filter(({ kind }) => kind !== 'expired');
  let [low, high] = [0, readable.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const first = await firstSeq(readable[middle]);
    // One that cannot be read is read from the one before, where the trouble is told in its place.
    if (first !== null && first <= seq) low = middle;
    else high = middle - 1;
  }
  return readable[low]?.number ?? segments[0]?.number ?? 1;
}

async function firstSeq(segment: JournalSegment | undefined): Promise<number | null> {
  if (segment === undefined) return null;
  try {
    if (segment.kind === 'compressed') {
      for await (const { lines } of compressedBlocks(segment.file)) if (lines[0] !== undefined) return seqOf(lines[0]);
      return null;
    }
    const handle = await openPlain(segment.file);
    try {
      const block = await readAt(handle, 0, MAX_LINE_BYTES + 1);
      const end = block.indexOf(10);
      return end < 0 ? null : seqOf(block.subarray(0, end));
    } finally {
      await handle.close();
    }
  } catch {
    return null; // reading it in its turn says what is wrong with it
  }
}

function seqOf(line: Buffer): number | null {
  const parsed = parseEntryLine(line);
  return parsed.code === null ? parsed.entry.seq : null;
}
