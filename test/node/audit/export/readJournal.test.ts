/** The reader over plain, compressed and expired segments, from both ends, and as a journal grows. */
import fc from 'fast-check';
import { appendFileSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openJournal } from '#home/journal/journal.ts';
import { segmentFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { lineMayMatch, matchesFilter, type AuditFilter } from '#node/audit/auditFilter.ts';
import { readJournal, type ReadOptions } from '#node/audit/readJournal.ts';
import type { ReadProblem } from '#node/audit/takeEntries.ts';
import { anyEvent, emptyLayout } from '../../../home/journal/journalBox.ts';
import { sampleEvent } from '../../../home/journal/sampleEvent.ts';
import { compress, expire, foundOf, journalOf, sampleFinding } from './exportBox.ts';

interface Read {
  readonly seqs: readonly number[];
  readonly problems: readonly ReadProblem[];
  readonly lines: readonly number[];
}

async function read(layout: Layout, changes: Partial<ReadOptions> = {}): Promise<Read> {
  const problems: ReadProblem[] = [];
  const seqs: number[] = [];
  const lines: number[] = [];
  const options: ReadOptions = {
    order: 'oldest',
    check: 'whole',
    matches: () => true,
    until: 'end',
    signal: new AbortController().signal,
    onProblem: (problem) => problems.push(problem),
    ...changes,
  };
  for await (const { found } of readJournal(layout.journal, options))
    for (const { entry, line } of found) {
      seqs.push(entry.seq);
      lines.push(line);
    }
  return { seqs, problems, lines };
}

const upTo = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

type Row = readonly [name: string, prepare: (layout: Layout) => void, changes: Partial<ReadOptions>, seqs: readonly number[]];
const rows: readonly Row[] = [
  ['all', () => undefined, {}, upTo(1, 12)],
  ['newest first', () => undefined, { order: 'newest' }, upTo(1, 12).reverse()],
  ['two compressed', (layout) => [1, 2].forEach((number) => compress(layout, number)), {}, upTo(1, 12)],
  [
    'two compressed, newest first',
    (layout) => [1, 2].forEach((number) => compress(layout, number)),
    { order: 'newest' },
    upTo(1, 12).reverse(),
  ],
  ['one expired', (layout) => expire(layout, 1), {}, upTo(4, 12)],
  [
    'expired and compressed, newest first',
    (layout) => (expire(layout, 1), compress(layout, 2)),
    { order: 'newest' },
    upTo(4, 12).reverse(),
  ],
  ['a range', () => undefined, { from: 5, to: 8 }, upTo(5, 8)],
  ['a range, newest first', () => undefined, { from: 5, to: 8, order: 'newest' }, upTo(5, 8).reverse()],
  ['a range in a compressed segment', (layout) => compress(layout, 2), { from: 5, to: 5 }, [5]],
  ['from behind the end', () => undefined, { from: 13 }, []],
  ['what matches', () => undefined, { matches: ({ seq }) => seq % 4 === 0 }, [4, 8, 12]],
  ['only the shape', () => undefined, { check: 'shape' }, upTo(1, 12)],
  ['half a line at the end', (layout) => appendFileSync(segmentFile(layout.journal, 4), '{"half'), {}, upTo(1, 12)],
  [
    'half a line at the end, newest first',
    (layout) => appendFileSync(segmentFile(layout.journal, 4), '{"half'),
    { order: 'newest' },
    upTo(1, 12).reverse(),
  ],
];
test.each(rows)('%s', async (_name, prepare, changes, seqs) => {
  const layout = journalOf(4, 3);
  prepare(layout);
  expect(await read(layout, changes)).toMatchObject({ seqs, problems: [] });
});

test('a journal that is not there yet is empty', async () => {
  expect(await read(emptyLayout())).toMatchObject({ seqs: [], problems: [] });
});

test('lines count from the segment, wherever reading began', async () => {
  const { lines } = await read(journalOf(2, 3), { from: 5 });
  expect(lines).toEqual([2, 3]);
});

const damages: readonly (readonly [name: string, damage: (layout: Layout) => void, code: string, seqs: readonly number[]])[] = [
  [
    'an altered entry',
    (layout) => edit(layout, 2, (text) => text.replace('"call":"c-5"', '"call":"c-9"')),
    'ALTERED',
    [1, 2, 3, 4, 6, 7, 8, 9],
  ],
  ['garbage', (layout) => edit(layout, 2, (text) => `garbage\n${text}`), 'NOT_JSON', upTo(1, 9)],
  ['a line twice', (layout) => edit(layout, 2, (text) => text + text.split('\n')[0] + '\n'), 'ORDER', upTo(1, 9)],
  ['a line too long', (layout) => edit(layout, 2, (text) => `${text}${'x'.repeat(3_000_000)}\n`), 'TOO_LONG', upTo(1, 9)],
  [
    'a segment missing',
    (layout) => renameSync(segmentFile(layout.journal, 2), `${layout.journal}/aside`),
    'MISSING_SEGMENT',
    [1, 2, 3, 7, 8, 9],
  ],
  [
    'a compressed segment cut short',
    (layout) => {
      compress(layout, 2);
      truncateSync(`${segmentFile(layout.journal, 2)}.gz`, 60);
    },
    'UNREADABLE',
    [1, 2, 3, 7, 8, 9],
  ],
  ['half a line inside', (layout) => appendFileSync(segmentFile(layout.journal, 2), '{"half'), 'TORN_INSIDE', upTo(1, 9)],
];
test.each(damages)('%s is passed over and told', async (_name, damage, code, seqs) => {
  const layout = journalOf(3, 3);
  damage(layout);
  const { seqs: got, problems } = await read(layout);
  expect([got, problems.map((problem) => problem.code).slice(0, 1)]).toEqual([seqs, [code]]);
});

function edit(layout: Layout, segment: number, change: (text: string) => string): void {
  const file = segmentFile(layout.journal, segment);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

test('from the end is the same as from the beginning, for lines of every length', async () => {
  const layout = emptyLayout();
  const journal = openJournal(layout);
  for (const length of [1, 200_000, 60_000, 3, 262_000, 900_000, 10])
    journal.append([sampleEvent({ reason: 'x'.repeat(length) }), sampleEvent({ reason: '' })]);
  journal.close();
  const [forwards, backwards] = [await read(layout), await read(layout, { order: 'newest' })];
  expect(forwards.seqs).toEqual(upTo(1, 14));
  expect([...backwards.seqs].reverse()).toEqual(forwards.seqs);
});

describe('following', () => {
  async function follow(layout: Layout, act: () => void, want: number): Promise<readonly number[]> {
    const ending = new AbortController();
    const seqs: number[] = [];
    const options: ReadOptions = {
      order: 'oldest',
      check: 'whole',
      matches: () => true,
      until: 'follow',
      signal: ending.signal,
      onProblem: ({ message }) => {
        throw new Error(message);
      },
    };
    setTimeout(act, 150);
    for await (const { found } of readJournal(layout.journal, options)) {
      for (const { entry } of found) seqs.push(entry.seq);
      if (seqs.length >= want) ending.abort();
    }
    return seqs;
  }

  test('lines of another writer are told, over a new segment too', async () => {
    const layout = journalOf(1, 2);
    const act = (): void => {
      for (const segmentBytes of [1e9, 1, 1]) {
        const journal = openJournal(layout, { segmentBytes });
        journal.append([sampleEvent(), sampleEvent()]);
        journal.close();
      }
    };
    const seqs = await follow(layout, act, 8);
    expect(seqs).toEqual(upTo(1, 8));
  });

  test('half a line is not told before it is whole, and a torn one that is set aside never', async () => {
    const layout = journalOf(1, 2);
    appendFileSync(segmentFile(layout.journal, 1), '{"agent":"torn');
    const act = (): void => {
      const journal = openJournal(layout);
      journal.append([sampleEvent()]);
      journal.close();
    };
    expect(await follow(layout, act, 3)).toEqual([1, 2, 3]);
  });

  test('a journal that begins while it is waited for', async () => {
    const layout = emptyLayout();
    const act = (): void => {
      const journal = openJournal(layout);
      journal.append([sampleEvent()]);
      journal.close();
    };
    expect(await follow(layout, act, 1)).toEqual([1]);
  });

  test('a journal that is cut is an error that says so', async () => {
    const layout = journalOf(1, 2);
    await expect(follow(layout, () => truncateSync(segmentFile(layout.journal, 1), 10), 9)).rejects.toThrow(/replaced or became shorter/);
  });
});

const filters: readonly (readonly [filter: AuditFilter, yes: Parameters<typeof sampleEvent>[0], no: Parameters<typeof sampleEvent>[0]])[] =
  [
    [{ verdict: ['flag', 'block'] }, { verdict: 'block' }, { verdict: 'clean' }],
    [{ outcome: ['held'] }, { outcome: 'held' }, {}],
    [{ kind: ['hold'] }, { kind: 'hold' }, {}],
    [{ by: ['person'] }, { by: 'person' }, {}],
    [{ client: ['codex'] }, { client: 'codex' }, {}],
    [{ agent: ['claude'] }, {}, { client: 'codex' }],
    [{ agent: ['sub'] }, { agent: 'sub' }, {}],
    [{ tool: ['Read'] }, { tool: 'Read' }, { tool: 'Reader' }],
    [{ server: ['git'] }, { server: 'git' }, {}],
    [{ session: ['s-2'] }, { session: 's-2' }, {}],
    [{ workspace: ['/home/dev/shop'] }, {}, { workspace: '/home/dev/shopping' }],
    [{ workspace: ['/home/dev'] }, {}, { workspace: '/home/other' }],
    [{ rule: ['shell.*'] }, { findings: [sampleFinding()] }, { findings: [sampleFinding({ rule: 'x.shell.y' })] }],
    [{ category: ['destruction'] }, { findings: [sampleFinding()] }, {}],
    [{ severity: ['critical'] }, { findings: [sampleFinding()] }, { findings: [sampleFinding({ severity: 'low' })] }],
    [{ text: 'NEEDLE' }, { args: { command: 'a needle' } }, {}],
    [{ seq: { from: 1, to: 1 } }, {}, undefined],
    [{ since: 1_767_225_600_001 }, {}, undefined],
  ];
test.each(filters)('filter %j', (filter, yes, no) => {
  expect(matchesFilter(foundOf(sampleEvent(yes)).entry, filter)).toBe(true);
  expect(
    matchesFilter(
      foundOf(sampleEvent(no), no === undefined ? 2 : 1).entry,
      no === undefined ? { ...filter, seq: { from: 9, to: 9 } } : filter,
    ),
  ).toBe(false);
});

test('the look at the bytes never loses what the filter wants', () => {
  const facets = ['verdict', 'outcome', 'kind', 'by', 'client', 'tool', 'server', 'session'] as const;
  const asked = fc.record({ facets: fc.subarray([...facets]), since: fc.boolean(), letter: fc.nat(40) });
  fc.assert(
    fc.property(anyEvent, asked, (event, { facets: chosen, since, letter }) => {
      const { entry, bytes } = foundOf(event);
      const filter = {
        ...Object.fromEntries(chosen.filter((name) => entry[name] !== null).map((name) => [name, ['other', entry[name]]])),
        ...(since ? { since: entry.time, until: entry.time + 1 } : {}),
      } as AuditFilter;
      expect(matchesFilter(entry, filter)).toBe(true);
      expect(lineMayMatch(filter)?.(bytes)).not.toBe(false);
      // Lower case depends on the neighbours in some scripts, so a piece of a text need not be found in it.
      const withText = { ...filter, text: entry.reason.slice(letter % (entry.reason.length + 1)) };
      if (matchesFilter(entry, withText)) expect(lineMayMatch(withText)?.(bytes)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
