import fc from 'fast-check';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AuditEntry } from '#contract/auditRecord.ts';
import { canonicalJson, type JsonValue } from '#core/model/json.ts';
import { checkpointFile, SLOT_BYTES } from '#home/journal/checkpoint.ts';
import { ENTRY_DOMAIN, sha256 } from '#home/journal/entryLine.ts';
import { openJournal } from '#home/journal/journal.ts';
import { publicKeyFile, signingKeyFile } from '#home/journal/keys.ts';
import { segmentFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import type { VerifyCode } from '#node/audit/journalLines.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { emptyLayout, linesOf, segmentsOf, writeLines } from '../../home/journal/journalBox.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';

const ENTRIES = 9;

/** Nine entries, three a segment. */
function nineEntries(): Layout {
  const layout = emptyLayout();
  for (const segment of [1, 2, 3]) {
    const journal = openJournal(layout, { segmentBytes: segment === 1 ? 1e9 : 1 });
    journal.append([1, 2, 3].map((index) => sampleEvent({ call: `c-${(segment - 1) * 3 + index}` })));
    journal.close();
  }
  return layout;
}

/** The line of `entry` with changes and a hash that fits again, as an attacker who knows the format writes it. */
function forged(line: string, changes: Partial<AuditEntry>): string {
  const { hash: _old, ...others } = { ...(JSON.parse(line) as AuditEntry), ...changes };
  const hash = sha256(ENTRY_DOMAIN + canonicalJson(others as unknown as JsonValue));
  return canonicalJson({ ...others, hash } as unknown as JsonValue);
}

const editLines = (segment: number, edit: (lines: string[]) => string[]) => (layout: Layout) => {
  const file = segmentFile(layout.journal, segment);
  writeLines(file, edit(readFileSync(file, 'utf8').split('\n').slice(0, -1)));
};
const at = (lines: string[], index: number): string => lines[index] ?? '';
const replaced = (index: number, change: (line: string) => string) => (lines: string[]) =>
  lines.map((line, at) => (at === index ? change(line) : line));

/** Forges entry `seq` and, from there on, the rest of the chain. */
const rewriteFrom = (seq: number) => (layout: Layout) => {
  let prev = '';
  for (const file of segmentsOf(layout)) {
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    const written = lines.map((line) => {
      const entry = JSON.parse(line) as AuditEntry;
      const made = entry.seq < seq ? line : forged(line, entry.seq === seq ? { reason: 'never happened' } : { prev });
      prev = (JSON.parse(made) as AuditEntry).hash;
      return made;
    });
    writeLines(file, written);
  }
};

type Row = readonly [name: string, code: VerifyCode, seq: number, place: string, tamper: (layout: Layout) => void];
const rows: readonly Row[] = [
  [
    'an argument altered',
    'ALTERED',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, (line) => line.replace('ls -la', 'rm -rf')),
    ),
  ],
  [
    'the verdict altered',
    'ALTERED',
    1,
    '000001.jsonl:1',
    editLines(
      1,
      replaced(0, (line) => line.replace('"verdict":"clean"', '"verdict":"block"')),
    ),
  ],
  [
    'the time altered',
    'ALTERED',
    9,
    '000003.jsonl:3',
    editLines(
      3,
      replaced(2, (line) => line.replace(/"time":\d+/, '"time":1')),
    ),
  ],
  [
    'the hash altered',
    'ALTERED',
    4,
    '000002.jsonl:1',
    editLines(
      2,
      replaced(0, (line) => line.replace(/"hash":"[0-9a-f]{4}(?=[0-9a-f]{60}","key":"[0-9a-f]{16}")/, '"hash":"0000')),
    ),
  ],
  [
    'an entry altered and its hash made to fit',
    'ALTERED',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, (line) => forged(line, { reason: 'x' })),
    ),
  ],
  [
    'an entry and its link altered',
    'UNLINKED',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, (line) => forged(line, { prev: 'f'.repeat(64) })),
    ),
  ],
  [
    'the last entry altered and its hash made to fit',
    'REWRITTEN',
    9,
    '000003.jsonl:3',
    editLines(
      3,
      replaced(2, (line) => forged(line, { reason: 'x' })),
    ),
  ],
  ['everything from entry 4 on rewritten', 'REWRITTEN', 9, '000003.jsonl:3', rewriteFrom(4)],
  ['everything rewritten', 'REWRITTEN', 9, '000003.jsonl:3', rewriteFrom(1)],
  [
    'the chain begun anew',
    'GENESIS',
    1,
    '000001.jsonl:1',
    editLines(
      1,
      replaced(0, (line) => forged(line, { prev: '1'.repeat(64) })),
    ),
  ],
  [
    'another key named',
    'WRONG_KEY',
    9,
    '000003.jsonl:3',
    editLines(
      3,
      replaced(2, (line) => forged(line, { key: '0123456789abcdef' })),
    ),
  ],
  [
    'a newer version claimed',
    'VERSION',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, (line) => line.replace('"v":2', '"v":3')),
    ),
  ],
  ['the first entry removed', 'REMOVED', 1, '000001.jsonl:1', editLines(1, (lines) => lines.slice(1))],
  ['one entry removed', 'REMOVED', 5, '000002.jsonl:2', editLines(2, (lines) => [at(lines, 0), at(lines, 2)])],
  ['the end of a middle segment removed', 'REMOVED', 5, '000003.jsonl:1', editLines(2, (lines) => lines.slice(0, 1))],
  [
    'an entry copied behind itself',
    'INSERTED',
    5,
    '000002.jsonl:3',
    editLines(2, (lines) => [at(lines, 0), at(lines, 1), at(lines, 1), at(lines, 2)]),
  ],
  ['an old entry copied to the end', 'INSERTED', 7, '000003.jsonl:4', editLines(3, (lines) => [...lines, at(lines, 0)])],
  [
    'a forged entry put in',
    'INSERTED',
    5,
    '000002.jsonl:2',
    editLines(2, (lines) => [at(lines, 0), forged(at(lines, 1), { reason: 'x' }), at(lines, 1), at(lines, 2)]),
  ],
  [
    'a forged entry with a later number put in',
    'INSERTED',
    77,
    '000002.jsonl:2',
    editLines(2, (lines) => [at(lines, 0), forged(at(lines, 1), { seq: 77 }), at(lines, 1), at(lines, 2)]),
  ],
  ['two entries swapped', 'REORDERED', 6, '000002.jsonl:2', editLines(2, (lines) => [at(lines, 0), at(lines, 2), at(lines, 1)])],
  [
    'two segments swapped',
    'REORDERED',
    4,
    '000001.jsonl:1',
    (layout) => {
      renameSync(segmentFile(layout.journal, 1), `${layout.journal}/x`);
      renameSync(segmentFile(layout.journal, 2), segmentFile(layout.journal, 1));
      renameSync(`${layout.journal}/x`, segmentFile(layout.journal, 2));
    },
  ],
  ['the last entry cut off', 'CUT_OFF', 9, '000003.jsonl:3', editLines(3, (lines) => lines.slice(0, 2))],
  [
    'the last line end cut off',
    'CUT_OFF',
    9,
    '000003.jsonl:3',
    (layout) => truncateSync(segmentFile(layout.journal, 3), readFileSync(segmentFile(layout.journal, 3)).length - 1),
  ],
  ['the last segment deleted', 'CUT_OFF', 7, '000002.jsonl:4', (layout) => unlinkSync(segmentFile(layout.journal, 3))],
  ['the last segment emptied', 'CUT_OFF', 7, '000002.jsonl:4', (layout) => writeFileSync(segmentFile(layout.journal, 3), '')],
  ['all segments deleted', 'CUT_OFF', 1, 'journal:1', (layout) => rmSync(layout.journal, { recursive: true })],
  ['a middle segment deleted', 'MISSING_SEGMENT', 4, '000002.jsonl:0', (layout) => unlinkSync(segmentFile(layout.journal, 2))],
  ['a middle segment emptied', 'EMPTY_SEGMENT', 4, '000002.jsonl:0', (layout) => writeFileSync(segmentFile(layout.journal, 2), '')],
  [
    'a middle segment torn',
    'TORN_INSIDE',
    6,
    '000002.jsonl:3',
    (layout) => truncateSync(segmentFile(layout.journal, 2), readFileSync(segmentFile(layout.journal, 2)).length - 9),
  ],
  [
    'a middle segment replaced by another',
    'REMOVED',
    4,
    '000002.jsonl:1',
    (layout) => copyFileSync(segmentFile(layout.journal, 3), segmentFile(layout.journal, 2)),
  ],
  [
    'the last segment replaced by the first',
    'INSERTED',
    1,
    '000003.jsonl:1',
    (layout) => copyFileSync(segmentFile(layout.journal, 1), segmentFile(layout.journal, 3)),
  ],
  [
    'a segment made a link',
    'UNREADABLE',
    4,
    '000002.jsonl:0',
    (layout) => (renameSync(segmentFile(layout.journal, 2), `${layout.journal}/x`), symlinkSync('x', segmentFile(layout.journal, 2))),
  ],
  [
    'a segment made a folder',
    'UNREADABLE',
    4,
    '000002.jsonl:0',
    (layout) => (unlinkSync(segmentFile(layout.journal, 2)), mkdirSync(segmentFile(layout.journal, 2))),
  ],
  ['a segment under a strange name', 'EXTRA_SEGMENT', 10, '4.jsonl:0', (layout) => writeFileSync(`${layout.journal}/4.jsonl`, '')],
  [
    'the folder made a file',
    'UNREADABLE',
    1,
    'journal:0',
    (layout) => (rmSync(layout.journal, { recursive: true }), writeFileSync(layout.journal, '')),
  ],
  [
    'spaces put in',
    'NOT_CANONICAL',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, (line) => line.replace(':', ': ')),
    ),
  ],
  [
    'a second verdict put in front',
    'NOT_CANONICAL',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, (line) => line.replace('{', '{"verdict":"block",')),
    ),
  ],
  [
    'a letter spelled as an escape',
    'NOT_CANONICAL',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, (line) => line.replace('ls -la', '\\u006cs -la')),
    ),
  ],
  [
    'a number spelled otherwise',
    'NOT_CANONICAL',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, (line) => line.replace('"tookMs":1.25', '"tookMs":1.250')),
    ),
  ],
  [
    'fields in another order',
    'NOT_CANONICAL',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, (line) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line) as object).reverse()))),
    ),
  ],
  [
    'a carriage return added',
    'NOT_CANONICAL',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, (line) => `${line}\r`),
    ),
  ],
  [
    'a field removed',
    'SHAPE',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, (line) => line.replace(',"note":""', '')),
    ),
  ],
  [
    'a field added',
    'SHAPE',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, (line) => line.replace('"v":2', '"v":2,"va":1')),
    ),
  ],
  [
    'a number made endless',
    'SHAPE',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, (line) => line.replace('"tookMs":1.25', '"tookMs":1e999')),
    ),
  ],
  [
    'null in place of an entry',
    'SHAPE',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, () => 'null'),
    ),
  ],
  [
    'an empty line',
    'NOT_JSON',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, () => ''),
    ),
  ],
  [
    'a line broken in two',
    'NOT_JSON',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, (line) => `${line.slice(0, 50)}\n${line.slice(50)}`),
    ),
  ],
  ['two lines joined', 'NOT_JSON', 4, '000002.jsonl:1', editLines(2, (lines) => [at(lines, 0) + at(lines, 1), at(lines, 2)])],
  [
    'nesting too deep to walk',
    'SHAPE',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, () => '['.repeat(200_000) + ']'.repeat(200_000)),
    ),
  ],
  [
    'a byte order mark',
    'NOT_JSON',
    4,
    '000002.jsonl:1',
    editLines(
      2,
      replaced(0, (line) => `\ufeff${line}`),
    ),
  ],
  [
    'a line of megabytes',
    'TOO_LONG',
    5,
    '000002.jsonl:2',
    editLines(
      2,
      replaced(1, () => 'x'.repeat(3_000_000)),
    ),
  ],
  ['garbage as a further line', 'NOT_JSON', 10, '000003.jsonl:4', (layout) => appendFileSync(segmentFile(layout.journal, 3), 'garbage\n')],
  ['the checkpoint deleted', 'CHECKPOINT_MISSING', 0, 'journal-checkpoint:0', (layout) => unlinkSync(checkpointFile(layout))],
  [
    'the checkpoint naming fewer entries',
    'CHECKPOINT_DAMAGED',
    0,
    'journal-checkpoint:1',
    (layout) => writeFileSync(checkpointFile(layout), readFileSync(checkpointFile(layout), 'latin1').replace('"count":9', '"count":8')),
  ],
  [
    'the checkpoint signed by nobody',
    'CHECKPOINT_DAMAGED',
    0,
    'journal-checkpoint:2',
    (layout) =>
      writeFileSync(checkpointFile(layout), readFileSync(checkpointFile(layout), 'latin1').replace(/(.*"sig":").{4}(.*)$/s, '$1AAAA$2')),
  ],
  [
    'the newest statement replaced by the one before',
    'CHECKPOINT_DAMAGED',
    0,
    'journal-checkpoint:1',
    (layout) => {
      const slots = readFileSync(checkpointFile(layout));
      slots.copy(slots, 0, SLOT_BYTES);
      writeFileSync(checkpointFile(layout), slots);
    },
  ],
  [
    'the checkpoint of another install',
    'CHECKPOINT_DAMAGED',
    0,
    'journal-checkpoint:1',
    (layout) => copyFileSync(checkpointFile(nineEntries()), checkpointFile(layout)),
  ],
  [
    'the public key replaced',
    'KEY',
    0,
    'journal-signing.pub.pem:0',
    (layout) => copyFileSync(publicKeyFile(nineEntries()), publicKeyFile(layout)),
  ],
  [
    'both keys deleted',
    'KEY',
    0,
    'journal-checkpoint:0',
    (layout) => [signingKeyFile(layout), publicKeyFile(layout)].forEach((file) => unlinkSync(file)),
  ],
];

describe('tampering is found and named', () => {
  test.each(rows)('%s: %s at entry %i, %s', async (_name, code, seq, place, tamper) => {
    const layout = nineEntries();
    tamper(layout);
    const { ok, problem } = await verifyJournal(layout);
    expect({ ok, code: problem?.code, seq: problem?.seq, place: `${basename(problem?.file ?? '')}:${problem?.line}` }).toEqual({
      ok: false,
      code,
      seq,
      place,
    });
    expect(problem?.message).toMatch(/^(?:[A-Z]|\/).+(?:\.|anew)$/);
  });

  test('the whole journal put back to an older copy is cut off', async () => {
    const layout = nineEntries();
    cpSync(layout.journal, `${layout.journal}.copy`, { recursive: true });
    const journal = openJournal(layout);
    journal.append([sampleEvent(), sampleEvent()]);
    journal.close();
    rmSync(layout.journal, { recursive: true });
    renameSync(`${layout.journal}.copy`, layout.journal);
    expect(await verifyJournal(layout)).toMatchObject({ ok: false, entries: 9, problem: { code: 'CUT_OFF', seq: 10 } });
  });

  test('one old statement put back beside a newer one is no checkpoint', async () => {
    const layout = emptyLayout();
    const journal = openJournal(layout);
    journal.check();
    const begun = readFileSync(checkpointFile(layout));
    for (let index = 0; index < 3; index += 1) journal.append([sampleEvent()]);
    journal.close();
    const slots = readFileSync(checkpointFile(layout));
    // Turns 4 and 3 stand there; turn 1 is genuine, belongs to the second line, and is two appends too old.
    begun.copy(slots, SLOT_BYTES, SLOT_BYTES);
    writeFileSync(checkpointFile(layout), slots);
    expect(await verifyJournal(layout)).toMatchObject({ ok: false, problem: { code: 'CHECKPOINT_DAMAGED', line: 2 } });
  });

  test('no single byte can be changed, removed or put in unseen', async () => {
    const layout = nineEntries();
    const file = segmentFile(layout.journal, 2);
    const original = readFileSync(file);
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: original.length - 1 }),
        fc.nat({ max: 255 }),
        fc.constantFrom('change', 'remove', 'insert'),
        async (where, byte, how) => {
          fc.pre(how !== 'change' || original[where] !== byte);
          // Putting a byte in before an equal one gives the same file as putting it behind; still never the original.
          const middle = how === 'remove' ? [] : [byte];
          writeFileSync(
            file,
            Buffer.concat([original.subarray(0, where), Buffer.from(middle), original.subarray(how === 'insert' ? where : where + 1)]),
          );
          const { ok, problem } = await verifyJournal(layout);
          expect(ok).toBe(false);
          const line = original.subarray(0, where).toString('latin1').split('\n').length;
          // A changed line end joins two lines, or ends the segment torn; all else is blamed on its very entry.
          expect([3 + line, 4 + line]).toContain(problem?.seq);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('any garbage in any file gives a report and never an error', async () => {
    const layout = nineEntries();
    const files = [...segmentsOf(layout), checkpointFile(layout), publicKeyFile(layout)];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.json().map((text) => Buffer.from(`${text}\n`)),
        ),
        async (file, bytes) => {
          const original = readFileSync(file);
          writeFileSync(file, bytes);
          const report = await verifyJournal(layout);
          writeFileSync(file, original);
          expect(report.ok).toBe(false);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('what is no tampering', () => {
  test('no journal yet', async () => {
    expect(await verifyJournal(emptyLayout())).toEqual({ ok: true, entries: 0, unsigned: 0, problem: null });
  });
  test('a journal opened and not yet written to', async () => {
    const layout = emptyLayout();
    const journal = openJournal(layout);
    journal.check();
    journal.close();
    expect(await verifyJournal(layout)).toEqual({ ok: true, entries: 0, unsigned: 0, problem: null });
  });
  test('nine sound entries in three segments', async () => {
    const layout = nineEntries();
    expect(segmentsOf(layout)).toHaveLength(3);
    expect(linesOf(layout)).toHaveLength(ENTRIES);
    expect(await verifyJournal(layout)).toEqual({ ok: true, entries: ENTRIES, unsigned: 0, problem: null });
  });
  test('only the public key left, as a third party has it', async () => {
    const layout = nineEntries();
    unlinkSync(signingKeyFile(layout));
    expect(await verifyJournal(layout)).toEqual({ ok: true, entries: ENTRIES, unsigned: 0, problem: null });
  });
  test('a writer at work', async () => {
    const layout = nineEntries();
    const journal = openJournal(layout);
    const reports: unknown[] = [];
    for (let round = 0; round < 20; round += 1) {
      const verifying = verifyJournal(layout);
      for (let index = 0; index < 5; index += 1) {
        journal.append([sampleEvent()]);
        await new Promise((resolve) => setImmediate(resolve));
      }
      reports.push((await verifying).problem);
    }
    journal.close();
    expect(reports).toEqual(reports.map(() => null));
  });
});
