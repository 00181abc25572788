import fc from 'fast-check';
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { AuditEntry, AuditEvent } from '#contract/auditRecord.ts';
import type { TimelineQuery } from '#contract/ipc.ts';
import { VERDICTS } from '#core/model/verdict.ts';
import { checkpointFile } from '#home/journal/checkpoint.ts';
import { openJournal, type JournalOptions } from '#home/journal/journal.ts';
import { segmentFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { openIndex, type AuditIndex } from '#node/audit/auditIndex.ts';
import { anyEvent, emptyLayout, linesOf, segmentsOf, writeLines } from '../../home/journal/journalBox.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';

const WASM = createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm');
const WRITER = join(import.meta.dirname, '../../home/journal/appendUntilKilled.ts');

const open: AuditIndex[] = [];
afterEach(() => {
  for (const index of open.splice(0)) index.close();
});

async function indexOf(layout: Layout): Promise<AuditIndex> {
  const index = await openIndex(layout, WASM);
  open.push(index);
  await index.catchUp();
  return index;
}

function append(layout: Layout, events: readonly AuditEvent[], options: JournalOptions = {}): readonly AuditEntry[] {
  const journal = openJournal(layout, options);
  const entries = events.flatMap((event) => journal.append([event]));
  journal.close();
  return entries;
}

const numbered = (count: number): AuditEvent[] =>
  Array.from({ length: count }, (_, index) => sampleEvent({ call: `c-${index + 1}`, args: { command: `echo ${index + 1}` } }));
const seqs = (entries: readonly AuditEntry[]): number[] => entries.map(({ seq }) => seq);
const indexFile = (layout: Layout): string => join(layout.index, 'timeline.sqlite');

/** Every page of a query, from the newest on. */
function allPages(index: AuditIndex, query: TimelineQuery): { entries: AuditEntry[]; sizes: number[] } {
  const entries: AuditEntry[] = [];
  const sizes: number[] = [];
  for (let before = query.before; ;) {
    const page = index.query(before === undefined ? query : { ...query, before });
    entries.push(...page.entries);
    sizes.push(page.entries.length);
    if (page.next === null) return { entries, sizes };
    before = page.next;
  }
}

/** The contract's words on TimelineQuery once more, without a look at how the index does it. */
function bruteForce(entries: readonly AuditEntry[], query: TimelineQuery): AuditEntry[] {
  const strings = (value: unknown): string[] =>
    value !== null && typeof value === 'object'
      ? Object.entries(value).flatMap(([key, item]) => [...(Array.isArray(value) ? [] : [key]), ...strings(item)])
      : [String(value)];
  return entries
    .filter((entry) => query.before === undefined || entry.seq < query.before)
    .filter((entry) => query.verdict === undefined || entry.verdict === query.verdict)
    .filter((entry) => query.tool === undefined || entry.tool === query.tool)
    .filter(
      (entry) =>
        query.agent === undefined ||
        (['claude', 'codex', 'mcp', 'cli'].includes(query.agent) ? entry.client === query.agent : entry.agent === query.agent),
    )
    .filter(
      (entry) =>
        [entry.reason, ...entry.findings.map(({ rule }) => rule), ...strings(entry.args)].some((text) =>
          text.toLowerCase().includes((query.text ?? '').toLowerCase()),
        ) || query.text === undefined,
    )
    .toReversed();
}

const anyQuery: fc.Arbitrary<TimelineQuery> = fc.record(
  {
    verdict: fc.constantFrom(...VERDICTS),
    agent: fc.constantFrom('main', 'sub-1', 'claude', 'codex', '', 'nobody', '"quoted"'),
    tool: fc.constantFrom('Bash', 'Read', 'ünï', 'none'),
    text: fc.oneof(fc.constantFrom('', 'shell.', 'RM-ROOT', 'k', '"', '\\', 'ünï', 'main', '1', 'null', '\n'), fc.string({ maxLength: 2 })),
    before: fc.nat({ max: 14 }),
    limit: fc.integer({ min: 1, max: 4 }),
  },
  { requiredKeys: ['limit'] },
);

describe('the timeline', () => {
  test('gives the same entries as a filter over all of them, page by page', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyEvent, { maxLength: 12 }),
        fc.array(anyQuery, { minLength: 1, maxLength: 8 }),
        async (events, queries) => {
          const layout = emptyLayout();
          const entries = append(layout, events, { segmentBytes: 2500 });
          const index = await openIndex(layout, WASM);
          try {
            await index.catchUp();
            for (const query of queries) {
              const { entries: found, sizes } = allPages(index, query);
              expect(found).toEqual(bruteForce(entries, query));
              expect(Math.max(...sizes)).toBeLessThanOrEqual(query.limit);
              expect(sizes.slice(0, -1).every((size) => size === query.limit)).toBe(true);
            }
          } finally {
            index.close();
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('says that there is a next page only when there is one', async () => {
    const layout = emptyLayout();
    append(layout, numbered(4));
    const index = await indexOf(layout);
    expect(index.query({ limit: 4 })).toMatchObject({ next: null, indexing: false });
    expect(index.query({ limit: 3 })).toMatchObject({ next: 2 });
    expect(seqs(index.query({ limit: 3, before: 2 }).entries)).toEqual([1]);
  });

  test('a limit beyond reason is brought into bounds', async () => {
    const layout = emptyLayout();
    const journal = openJournal(layout);
    journal.append(numbered(501));
    journal.close();
    const index = await indexOf(layout);
    expect([1e9, 500, 0, -3, Number.NaN].map((limit) => index.query({ limit }).entries.length)).toEqual([500, 500, 1, 1, 1]);
  });

  test('a text search reads a bounded number of entries a page and goes on from there', async () => {
    const layout = emptyLayout();
    const journal = openJournal(layout);
    journal.append([sampleEvent({ reason: 'needle', verdict: 'block', tool: 'Rare', agent: 'sub-9', client: 'mcp' })]);
    for (let batch = 0; batch < 3; batch += 1) journal.append(numbered(4000));
    journal.close();
    const index = await indexOf(layout);
    const page = index.query({ text: 'NEEDLE', limit: 5 });
    expect(page).toMatchObject({ entries: [], next: 2002 });
    expect(seqs(index.query({ text: 'NEEDLE', limit: 5, before: page.next ?? 0 }).entries)).toEqual([1]);
    // What is indexed is found at once, however far back it is.
    const indexed: readonly Partial<TimelineQuery>[] = [{ verdict: 'block' }, { tool: 'Rare' }, { agent: 'sub-9' }, { agent: 'mcp' }];
    expect(indexed.map((query) => seqs(index.query({ ...query, limit: 5 }).entries))).toEqual([[1], [1], [1], [1]]);
  }, 30_000);
});

describe('huge entries', () => {
  test('a page and a text search read a bounded number of bytes, and lose nothing over the pages', async () => {
    const layout = emptyLayout();
    const journal = openJournal(layout);
    const huge = 'h'.repeat(900_000);
    for (let at = 0; at < 60; at += 1) journal.append([sampleEvent({ call: `c-${at}`, args: { huge }, reason: at === 0 ? 'needle' : '' })]);
    journal.close();
    const index = await indexOf(layout);
    const page = index.query({ limit: 500 });
    expect(page.entries.length).toBeGreaterThan(0);
    expect(page.entries.length).toBeLessThan(20);
    expect(page.next).not.toBeNull();
    const pages = allPages(index, { limit: 500 });
    expect(seqs(pages.entries)).toEqual(Array.from({ length: 60 }, (_, at) => 60 - at));
    const search = allPages(index, { limit: 5, text: 'needle' });
    expect(seqs(search.entries)).toEqual([1]);
    expect(search.sizes.length).toBeGreaterThan(2);
  }, 30_000);
});

describe('keeping up', () => {
  test('with this process, at once', async () => {
    const layout = emptyLayout();
    const index = await indexOf(layout);
    expect(index.query({ limit: 5 })).toEqual({ entries: [], next: null, indexing: false });
    const entries = append(layout, numbered(3));
    index.add(entries);
    expect(index.query({ limit: 5 }).entries).toEqual(entries.toReversed());
  });

  test('with other processes, over new segments and torn lines', async () => {
    const layout = emptyLayout();
    append(layout, numbered(2));
    const index = await indexOf(layout);
    writeFileSync(segmentFile(layout.journal, 1), '{"torn', { flag: 'a' });
    await index.catchUp();
    expect(seqs(index.query({ limit: 9 }).entries)).toEqual([2, 1]);
    const child = spawn(process.execPath, [WRITER, layout.home, 'other', '3000', '6'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('close', resolve));
    await ended;
    await index.catchUp();
    expect(segmentsOf(layout).length).toBeGreaterThan(1);
    expect(seqs(allPages(index, { limit: 5 }).entries)).toEqual(Array.from({ length: 14 }, (_, at) => 14 - at));
  }, 30_000);

  test('in slices that leave the event loop free', async () => {
    const layout = emptyLayout();
    const journal = openJournal(layout);
    for (let batch = 0; batch < 5; batch += 1) journal.append(numbered(3000));
    journal.close();
    const index = await openIndex(layout, WASM);
    open.push(index);
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns += 1;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    const done = index.catchUp();
    expect(index.query({ limit: 1 }).indexing).toBe(true);
    await done;
    running = false;
    expect(turns).toBeGreaterThan(5);
    expect(index.query({ limit: 1 })).toMatchObject({ entries: [{ seq: 15_000 }], indexing: false });
  }, 30_000);

  test('after an append that was taken back', async () => {
    const layout = emptyLayout();
    append(layout, numbered(2));
    const before = [readFileSync(segmentFile(layout.journal, 1)), readFileSync(checkpointFile(layout))] as const;
    append(layout, [sampleEvent({ reason: 'taken back' })]);
    const index = await indexOf(layout);
    expect(index.query({ limit: 9 }).entries).toHaveLength(3);
    writeFileSync(segmentFile(layout.journal, 1), before[0]);
    writeFileSync(checkpointFile(layout), before[1]);
    append(layout, [sampleEvent({ reason: 'in its place', args: 'longer than the other one was' })]);
    await index.catchUp();
    expect(index.query({ limit: 9 }).entries.map(({ reason }) => reason)).toEqual(['in its place', '', '']);
  });
});

describe('an index that is no good is made anew', () => {
  const rows: readonly (readonly [string, (file: string, layout: Layout) => void])[] = [
    ['deleted', (file) => rmSync(file)],
    ['emptied', (file) => truncateSync(file, 0)],
    ['cut short', (file) => truncateSync(file, statSync(file).size - 5000)],
    ['garbage', (file) => writeFileSync(file, 'x'.repeat(9000))],
    [
      'damaged inside, by an owner that was killed',
      (file) => {
        const bytes = readFileSync(file);
        const closed = bytes.indexOf('closed');
        expect(closed).toBeGreaterThan(0);
        // The last owner's word that it closed the file is broken together with the pages.
        for (let at = 4096; at < bytes.length; at += 1) if (at % 7 === 0) bytes[at] = 0xee;
        writeFileSync(file, bytes);
      },
    ],
    [
      'of another journal',
      (file, layout) => {
        const other = emptyLayout();
        append(other, numbered(30));
        mkdirSync(other.index, { recursive: true });
        copyFileSync(file, indexFile(other));
        rmSync(layout.journal, { recursive: true });
        renameSync(other.journal, layout.journal);
      },
    ],
    [
      'of the schema of another version',
      (file) => {
        const bytes = readFileSync(file);
        bytes.writeUInt32BE(999, 60); // user_version, https://sqlite.org/fileformat.html
        writeFileSync(file, bytes);
      },
    ],
  ];
  test.each(rows)('%s', async (_name, spoil) => {
    const layout = emptyLayout();
    append(layout, numbered(30));
    (await indexOf(layout)).close();
    spoil(indexFile(layout), layout);
    const index = await indexOf(layout);
    await index.catchUp();
    const { entries } = index.query({ limit: 50 });
    expect(entries.map((entry) => JSON.stringify(entry))).toEqual(
      linesOf(layout)
        .map((line) => JSON.stringify(JSON.parse(line)))
        .toReversed(),
    );
  });

  test('a link in its place is not followed', async () => {
    const layout = emptyLayout();
    const elsewhere = join(emptyLayout().home, 'precious');
    writeFileSync(elsewhere, 'precious');
    append(layout, numbered(2));
    mkdirSync(layout.index, { recursive: true, mode: 0o700 });
    symlinkSync(elsewhere, indexFile(layout));
    const index = await indexOf(layout);
    expect(seqs(index.query({ limit: 9 }).entries)).toEqual([2, 1]);
    expect(readFileSync(elsewhere, 'utf8')).toBe('precious');
  });

  test('opened again it goes on where it was, and is a file SQLite itself can read', async () => {
    const layout = emptyLayout();
    append(layout, numbered(30));
    (await indexOf(layout)).close();
    expect(readFileSync(indexFile(layout)).subarray(0, 15).toString()).toBe('SQLite format 3');
    expect(statSync(indexFile(layout)).mode & 0o777).toBe(0o600);
    expect(readdirSync(layout.index).filter((name) => name !== 'timeline.sqlite' && statSync(join(layout.index, name)).size > 0)).toEqual(
      [],
    );
    const inode = statSync(indexFile(layout)).ino;
    append(layout, numbered(2));
    const index = await indexOf(layout);
    expect(statSync(indexFile(layout)).ino).toBe(inode);
    expect(index.query({ limit: 50 }).entries).toHaveLength(32);
  });
});

test('an altered entry is not shown, the others are', async () => {
  const layout = emptyLayout();
  append(layout, numbered(5));
  const index = await indexOf(layout);
  writeLines(
    segmentFile(layout.journal, 1),
    linesOf(layout).map((line, at) => (at === 2 ? line.replace('echo 3', 'echo 9') : line)),
  );
  expect(seqs(index.query({ limit: 9 }).entries)).toEqual([5, 4, 2, 1]);
  expect(index.query({ limit: 9 }).indexing).toBe(true);
  await index.catchUp();
  expect(index.query({ limit: 9 })).toMatchObject({ indexing: false, entries: [{ seq: 5 }, { seq: 4 }, { seq: 2 }, { seq: 1 }] });
});
