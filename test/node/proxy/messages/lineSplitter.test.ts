import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitLines } from '#node/proxy/messages/lineSplitter.ts';

const gather = (limit: number): { feed: (chunk: Buffer) => void; lines: string[]; overlong: () => number; pending: () => number } => {
  const lines: string[] = [];
  let overlong = 0;
  const splitter = splitLines(limit, { onLine: (line) => lines.push(line.toString('latin1')), onOverlong: () => overlong++ });
  return { feed: splitter.feed, lines, overlong: () => overlong, pending: splitter.pendingBytes };
};

test('lines come out whole however they were cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary-ascii', maxLength: 12 })),
      fc.array(fc.nat(20), { minLength: 1, maxLength: 10 }),
      (words, steps) => {
        const text = words.map((word) => `${word.replaceAll('\n', ' ')}\n`).join('');
        const split = gather(1_000);
        const bytes = Buffer.from(text, 'latin1');
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = (steps[turn % steps.length] ?? 0) + 1;
          split.feed(bytes.subarray(at, at + size));
          at += size;
        }
        expect(split.lines.join('')).toBe(text);
      },
    ),
  );
});

test('a line that comes byte by byte costs little more than its bytes', () => {
  const split = gather(4_000_000);
  const before = process.memoryUsage().heapUsed;
  for (let count = 0; count < 1_000_000; count++) split.feed(Buffer.from('x'));
  // A Buffer of its own for every byte would take some 100 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(60_000_000);
  split.feed(Buffer.from('\n'));
  expect(split.lines[0]).toHaveLength(1_000_001);
});

test('an endless line is given up at the limit and its end is found', () => {
  const split = gather(1_000);
  for (let count = 0; count < 100; count++) split.feed(Buffer.alloc(100, 120));
  expect([split.overlong(), split.pending() <= 1_100, split.lines]).toEqual([1, true, []]);
  split.feed(Buffer.from('\nnext\n'));
  expect(split.lines).toEqual(['next\n']);
});
