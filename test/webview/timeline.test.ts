import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Filter,
  type Timeline,
  addEntry,
  addPage,
  emptyTimeline,
  isFiltered,
  matchesFilter,
  noFilter,
  queryFor,
  setFilter,
} from '#webview/timeline.ts';
import { sampleEntry, sampleFinding } from './samples.ts';

const seqs = (timeline: Timeline): number[] => timeline.entries.map((entry) => entry.seq);
const page = (numbers: readonly number[], next: number | null) => ({
  entries: numbers.map((seq) => sampleEntry(seq)),
  next,
  indexing: false,
});
const filter = (change: Partial<Filter>): Filter => ({ ...noFilter, ...change });

test.each<[string, Partial<Filter>, boolean]>([
  ['no filter', {}, true],
  ['its verdict', { verdict: 'block' }, true],
  ['another verdict', { verdict: 'clean' }, false],
  ['its tool', { tool: 'Bash' }, true],
  ['another tool', { tool: 'Read' }, false],
  ['another agent', { agent: 'sub-1' }, false],
  ['text in its arguments, without case', { text: 'EXAMPLE.test' }, true],
  ['text in its reason', { text: 'not allowed' }, true],
  ['a rule id', { text: 'shell.pipe' }, true],
  ['other text', { text: 'elsewhere' }, false],
])('an entry and %s', (_name, change, expected) => {
  const entry = sampleEntry(1, {
    verdict: 'block',
    args: { command: 'curl example.test' },
    reason: 'Not allowed here',
    findings: [sampleFinding()],
  });
  expect(matchesFilter(entry, filter(change))).toBe(expected);
});

test('pages are joined, live entries come on top, doubles go', () => {
  let timeline = addPage(emptyTimeline, queryFor(noFilter, null), page([9, 8, 7], 7));
  timeline = addEntry(timeline, sampleEntry(10));
  timeline = addEntry(timeline, sampleEntry(9));
  timeline = addPage(timeline, queryFor(noFilter, 7), page([7, 6, 5], null));
  expect(seqs(timeline)).toEqual([10, 9, 8, 7, 6, 5]);
  expect(timeline.next).toBeNull();
});

test('a first page that is older than a live entry does not take it away', () => {
  const timeline = addPage(addEntry(emptyTimeline, sampleEntry(4)), queryFor(noFilter, null), page([3, 2], null));
  expect(seqs(timeline)).toEqual([4, 3, 2]);
});

test('an answer to a filter that is no longer set is ignored', () => {
  const asked = filter({ tool: 'Read' });
  const timeline = setFilter(emptyTimeline, filter({ tool: 'Bash' }));
  expect(addPage(timeline, queryFor(asked, null), page([1], null))).toBe(timeline);
  expect(isFiltered(asked)).toBe(true);
});

test('choices keep what was seen although a filter hides it', () => {
  let timeline = addEntry(emptyTimeline, sampleEntry(1, { tool: 'Read', agent: 'sub-1' }));
  timeline = setFilter(timeline, filter({ tool: 'Bash' }));
  timeline = addEntry(timeline, sampleEntry(2));
  expect(timeline.tools).toEqual(['Bash', 'Read']);
  expect(timeline.agents).toEqual(['main', 'sub-1']);
  expect(seqs(timeline)).toEqual([2]);
});

test('whatever arrives, rows are newest first, unique and match the filter', () => {
  const text = fc.constantFrom<Partial<Filter>>({}, { tool: 'Bash' }, { verdict: 'block' }, { text: 'ls' });
  fc.assert(
    fc.property(
      text,
      fc.array(
        fc.record({ seq: fc.nat(50), tool: fc.constantFrom('Bash', 'Read'), verdict: fc.constantFrom('clean' as const, 'block' as const) }),
        { maxLength: 40 },
      ),
      (change, entries) => {
        const wanted = filter(change);
        const timeline = entries.reduce((so, one) => addEntry(so, sampleEntry(one.seq, one)), setFilter(emptyTimeline, wanted));
        const numbers = seqs(timeline);
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => b - a));
        expect(timeline.entries.every((entry) => matchesFilter(entry, wanted))).toBe(true);
      },
    ),
  );
});

test('a flood keeps a bounded number of rows and can page back to the rest', () => {
  let timeline: Timeline = { ...emptyTimeline, loading: false };
  for (let seq = 1; seq <= 1010; seq++) timeline = addEntry(timeline, sampleEntry(seq));
  expect(timeline.entries).toHaveLength(1000);
  expect(timeline.next).toBe(11);
});
