import fc from 'fast-check';
import { hash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canonicalJson, type JsonValue } from '#core/model/json.ts';
import type { AuditEntry } from '#contract/auditRecord.ts';
import { checkpointFile, SLOT_BYTES } from '#home/journal/checkpoint.ts';
import { parseEntryLine } from '#home/journal/entryLine.ts';
import { openJournal, keyedHash, type Journal, type JournalOptions } from '#home/journal/journal.ts';
import { JournalError, type JournalErrorCode } from '#home/journal/journalError.ts';
import { publicKeyFile, signingKeyFile } from '#home/journal/keys.ts';
import { segmentFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { anyEvent, emptyLayout, entriesOf, linesOf, segmentsOf, thrownBy, writeLines } from './journalBox.ts';
import { sampleEvent } from './sampleEvent.ts';

const OK = (entries: number): object => ({ ok: true, entries, unsigned: 0, problem: null });

function fill(layout: Layout, count: number, options: JournalOptions = {}): void {
  const journal = openJournal(layout, options);
  for (let index = 0; index < count; index += 1) journal.append([sampleEvent({ call: `c-${index}` })]);
  journal.close();
}

function attempt(layout: Layout, options: JournalOptions = {}): unknown {
  const journal = openJournal(layout, options);
  try {
    return thrownBy(() => journal.append([sampleEvent()]));
  } finally {
    journal.close();
  }
}

describe('appending', () => {
  test('gives every event its place in a chain that begins with zeros', async () => {
    const layout = emptyLayout();
    const journal = openJournal(layout, { now: () => 1_700_000_000_000 });
    const entries = [...journal.append([sampleEvent(), sampleEvent({ call: 'c-2' })]), ...journal.append([sampleEvent({ call: 'c-3' })])];
    journal.close();
    expect(entries.map(({ seq, v, time, call }) => ({ seq, v, time, call }))).toEqual(
      [1, 2, 3].map((seq) => ({ seq, v: 2, time: 1_700_000_000_000, call: `c-${seq}` })),
    );
    expect(entries.map(({ prev }) => prev)).toEqual(['0'.repeat(64), entries[0]?.hash, entries[1]?.hash]);
    expect(entriesOf(layout)).toEqual(entries);
    expect(entries[0]?.writer).toMatch(new RegExp(`^${process.pid}:`));
    expect(await verifyJournal(layout)).toEqual(OK(3));
  });

  test.each([
    '{"command":"ls -la"}',
    '{"b":1,"a":{"d":[],"c":null}}',
    '{"9":1,"10":2}',
    '{"10":1,"9":{"2":"x","1":-0}}',
    '[{"b":1,"a":2},1e21,"\\ud800 ü"]',
    '{"__proto__":{"z":1,"a":2},"a":1}',
    '{"toJSON":"x"}',
  ])('hashes the domain and the canonical JSON of all other fields: %s', (args) => {
    const layout = emptyLayout();
    const [entry] = openJournal(layout).append([sampleEvent({ args: JSON.parse(args) as JsonValue })]);
    const { hash: own, ...others } = entry ?? { hash: '' };
    expect(own).toBe(hash('sha256', `callgate.entry.v2\n${canonicalJson(others as unknown as JsonValue)}`));
  });

  test('whatever an event holds, its line reads back as the same entry and the chain holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(anyEvent, { maxLength: 3 }), { maxLength: 4 }), async (batches) => {
        const layout = emptyLayout();
        const journal = openJournal(layout, { segmentBytes: 1500 });
        const entries = batches.flatMap((events) => journal.append(events));
        journal.close();
        const lines = entries.length === 0 ? [] : linesOf(layout);
        // JSON has one zero: a negative one in the arguments is written without its sign.
        const asJson = (entry: AuditEntry): unknown => JSON.parse(JSON.stringify(entry));
        expect(lines.map((line) => parseEntryLine(Buffer.from(line)))).toEqual(
          entries.map((entry) => ({ entry: asJson(entry), code: null })),
        );
        for (const entry of entries) {
          const { hash: own, ...others } = entry;
          expect(own).toBe(hash('sha256', `callgate.entry.v2\n${canonicalJson(others as unknown as JsonValue)}`));
        }
        expect(await verifyJournal(layout)).toEqual(OK(entries.length));
      }),
      { numRuns: 40 },
    );
  });

  test('goes on from what other writers wrote, over segments', async () => {
    const layout = emptyLayout();
    const journals = [openJournal(layout, { segmentBytes: 2000 }), openJournal(layout, { segmentBytes: 2000 })];
    for (let index = 0; index < 20; index += 1) journals[index % 3 === 0 ? 0 : 1]?.append([sampleEvent({ call: `c-${index}` })]);
    for (const journal of journals) journal.close();
    expect(entriesOf(layout).map(({ call }) => call)).toEqual(Array.from({ length: 20 }, (_, index) => `c-${index}`));
    expect(segmentsOf(layout).length).toBeGreaterThan(3);
    expect(await verifyJournal(layout)).toEqual(OK(20));
  });

  test('a clock that jumps back does not disturb the order', async () => {
    const layout = emptyLayout();
    const times = [5000, 5000, 10, 10];
    const journal = openJournal(layout, { now: () => times.shift() ?? 7 });
    journal.append([sampleEvent()]);
    journal.append([sampleEvent()]);
    journal.append([sampleEvent()]);
    journal.close();
    expect(entriesOf(layout).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(await verifyJournal(layout)).toEqual(OK(3));
  });

  test('keeps keys, folder and segments to the user and leaves no lock behind', () => {
    const layout = emptyLayout();
    fill(layout, 1);
    for (const file of [signingKeyFile(layout), checkpointFile(layout), segmentFile(layout.journal, 1)])
      expect([file, statSync(file).mode & 0o777]).toEqual([file, 0o600]);
    for (const folder of [layout.journal, layout.keys]) expect([folder, statSync(folder).mode & 0o777]).toEqual([folder, 0o700]);
    expect(readFileSync(publicKeyFile(layout), 'utf8')).toContain('BEGIN PUBLIC KEY');
    expect(readdirSync(layout.journal)).toEqual(['000001.jsonl']);
  });

  test('begins anew when journal and checkpoint were moved away together, even under an open journal', async () => {
    const layout = emptyLayout();
    const journal = openJournal(layout);
    journal.append([sampleEvent(), sampleEvent()]);
    renameSync(layout.journal, `${layout.journal}.old`);
    renameSync(checkpointFile(layout), `${checkpointFile(layout)}.old`);
    expect(journal.append([sampleEvent()]).map(({ seq }) => seq)).toEqual([1]);
    journal.close();
    expect(await verifyJournal(layout)).toEqual(OK(1));
  });
});

test('what JSON cannot say is written as null and can be read back', async () => {
  const layout = emptyLayout();
  const journal = openJournal(layout);
  journal.append([sampleEvent({ args: [1, undefined, 2] as never })]);
  journal.close();
  expect(await verifyJournal(layout)).toEqual(OK(1));
});

describe('an event that is none', () => {
  const circular: { self?: unknown } = {};
  circular.self = circular;
  const rows: readonly (readonly [string, object])[] = [
    ['too large', { args: 'x'.repeat(1024 * 1024) }],
    ['circular', { args: circular }],
    ['no arguments', { args: undefined }],
    ['an unknown verdict', { verdict: 'fine' }],
    ['a finding without a rule', { findings: [{}] }],
    ['endless time', { tookMs: Number.POSITIVE_INFINITY }],
  ];
  test.each(rows)('%s: nothing is written', async (_name, changes) => {
    const layout = emptyLayout();
    const journal = openJournal(layout);
    const error = thrownBy(() => journal.append([sampleEvent(), { ...sampleEvent(), ...changes } as never]));
    expect(error).toMatchObject({ name: 'JournalError', code: 'BAD_EVENT' });
    expect(journal.append([sampleEvent()]).map(({ seq }) => seq)).toEqual([1]);
    journal.close();
    expect(await verifyJournal(layout)).toEqual(OK(1));
  });

  test('fields that are not of the record do not reach it', () => {
    const layout = emptyLayout();
    openJournal(layout).append([{ ...sampleEvent(), secret: 'hunter2' } as never]);
    expect(linesOf(layout)[0]).not.toContain('hunter2');
  });
});

describe('a journal that does not fit is refused and left as it is', () => {
  const rewriteLast = (change: (line: string) => string) => (layout: Layout) => {
    const file = segmentsOf(layout).at(-1) ?? '';
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    writeLines(file, [...lines.slice(0, -1), change(lines.at(-1) ?? '')]);
  };
  const rows: readonly (readonly [string, JournalErrorCode, (layout: Layout) => void])[] = [
    ['last entry altered', 'BROKEN_TAIL', rewriteLast((line) => line.replace('ls -la', 'ls -lb'))],
    ['last entry reformatted', 'BROKEN_TAIL', rewriteLast((line) => line.replace('{', '{ '))],
    ['garbage appended as a line', 'BROKEN_TAIL', (layout) => appendFileSync(segmentFile(layout.journal, 1), 'garbage\n')],
    [
      'megabytes without a line end appended',
      'BROKEN_TAIL',
      (layout) => appendFileSync(segmentFile(layout.journal, 1), 'x'.repeat(1_100_000)),
    ],
    ['last entry cut off', 'CUT_OFF', (layout) => writeLines(segmentFile(layout.journal, 1), linesOf(layout).slice(0, -1))],
    [
      'line end of the last entry cut off',
      'CUT_OFF',
      (layout) => truncateSync(segmentFile(layout.journal, 1), statSync(segmentFile(layout.journal, 1)).size - 1),
    ],
    ['segment emptied', 'CUT_OFF', (layout) => truncateSync(segmentFile(layout.journal, 1), 0)],
    ['segment deleted', 'CUT_OFF', (layout) => unlinkSync(segmentFile(layout.journal, 1))],
    ['folder deleted', 'CUT_OFF', (layout) => rmSync(layout.journal, { recursive: true })],
    ['a far segment planted', 'SEGMENTS', (layout) => writeFileSync(segmentFile(layout.journal, 7), '')],
    ['a strange segment planted', 'SEGMENTS', (layout) => writeFileSync(join(layout.journal, '2.jsonl'), '')],
    ['the next segment a link', 'UNSAFE_FOLDER', (layout) => symlinkSync('/dev/null', segmentFile(layout.journal, 2))],
    ['the next segment a folder', 'SEGMENTS', (layout) => mkdirSync(segmentFile(layout.journal, 2))],
    ['checkpoint deleted', 'CHECKPOINT_MISSING', (layout) => unlinkSync(checkpointFile(layout))],
    ['checkpoint emptied', 'CHECKPOINT_DAMAGED', (layout) => truncateSync(checkpointFile(layout), 0)],
    [
      'an older statement copied over the newer one',
      'CHECKPOINT_DAMAGED',
      (layout) => {
        const slots = readFileSync(checkpointFile(layout));
        writeFileSync(checkpointFile(layout), Buffer.concat([slots.subarray(SLOT_BYTES), slots.subarray(SLOT_BYTES)]));
      },
    ],
    ['keys deleted', 'CHECKPOINT_DAMAGED', (layout) => [signingKeyFile(layout), publicKeyFile(layout)].forEach((file) => unlinkSync(file))],
    ['key unreadable', 'KEY', (layout) => writeFileSync(signingKeyFile(layout), 'no key')],
    ['key open to others', 'KEY', (layout) => chmodSync(signingKeyFile(layout), 0o644)],
  ];
  test.each(rows)('%s: %s', (_name, code, tamper) => {
    const layout = emptyLayout();
    fill(layout, 3);
    tamper(layout);
    const bytes = (): string[] =>
      existsSync(layout.journal)
        ? segmentsOf(layout)
            .filter((file) => statSync(file).isFile())
            .map((file) => readFileSync(file, 'latin1'))
        : [];
    const before = bytes();
    const error = attempt(layout);
    expect(error).toBeInstanceOf(JournalError);
    expect(error).toMatchObject({ code });
    expect((error as JournalError).message).toMatch(/ .+; |\. Nothing was changed/);
    // A cut line end makes a torn line, which is set aside; whole lines stay.
    expect(bytes().map((text) => text.split('\n').slice(0, -1))).toEqual(before.map((text) => text.split('\n').slice(0, -1)));
  });

  test('the whole journal put back to an older copy: CUT_OFF', () => {
    const layout = emptyLayout();
    fill(layout, 2);
    cpSync(layout.journal, `${layout.journal}.copy`, { recursive: true });
    fill(layout, 2);
    rmSync(layout.journal, { recursive: true });
    renameSync(`${layout.journal}.copy`, layout.journal);
    expect(attempt(layout)).toMatchObject({ code: 'CUT_OFF' });
  });

  test('another journal of the same length: REWRITTEN', () => {
    const layout = emptyLayout();
    const other = emptyLayout();
    fill(layout, 2);
    mkdirSync(other.root, { mode: 0o700 });
    cpSync(layout.keys, other.keys, { recursive: true });
    unlinkSync(checkpointFile(other));
    fill(other, 2, { now: () => 5 });
    copyFileSync(segmentFile(other.journal, 1), segmentFile(layout.journal, 1));
    expect(attempt(layout)).toMatchObject({ code: 'REWRITTEN' });
  });

  test('a linked journal folder: UNSAFE_FOLDER', () => {
    const layout = emptyLayout();
    const elsewhere = emptyLayout();
    mkdirSync(layout.root, { mode: 0o700 });
    symlinkSync(elsewhere.home, layout.journal);
    expect(attempt(layout)).toMatchObject({ code: 'UNSAFE_FOLDER' });
    expect(readdirSync(elsewhere.home)).toEqual([]);
  });

  test('a closed journal: CLOSED', () => {
    const journal = openJournal(emptyLayout());
    journal.close();
    expect(thrownBy(() => journal.append([sampleEvent()]))).toMatchObject({ code: 'CLOSED' });
  });
});

describe('what a killed writer leaves', () => {
  test('a torn line is set aside, told, and the chain goes on', async () => {
    const layout = emptyLayout();
    fill(layout, 2);
    appendFileSync(segmentFile(layout.journal, 1), '{"agent":"ma');
    expect(await verifyJournal(layout)).toEqual(OK(2));
    const journal = openJournal(layout);
    expect(journal.append([sampleEvent()]).map(({ seq }) => seq)).toEqual([3]);
    const notices = journal.takeNotices();
    journal.close();
    expect(notices).toMatchObject([{ code: 'TORN_LINE' }]);
    expect(readFileSync(notices[0]?.file ?? '', 'utf8')).toBe('{"agent":"ma');
    expect(await verifyJournal(layout)).toEqual(OK(3));
  });

  test('entries ahead of the checkpoint are kept when they fit the chain, told, and signed with the next', async () => {
    const layout = emptyLayout();
    fill(layout, 2, { segmentBytes: 900 });
    const behind = readFileSync(checkpointFile(layout));
    fill(layout, 3, { segmentBytes: 900 });
    writeFileSync(checkpointFile(layout), behind);
    expect(await verifyJournal(layout)).toEqual({ ...OK(5), unsigned: 3 });
    const journal = openJournal(layout);
    expect(journal.append([sampleEvent()]).map(({ seq }) => seq)).toEqual([6]);
    expect(journal.takeNotices()).toMatchObject([{ code: 'UNSIGNED_ENTRIES' }]);
    journal.close();
    expect(await verifyJournal(layout)).toEqual(OK(6));
  });

  test('entries ahead of the checkpoint that do not fit are refused', () => {
    const layout = emptyLayout();
    fill(layout, 2);
    const behind = readFileSync(checkpointFile(layout));
    fill(layout, 3);
    writeFileSync(checkpointFile(layout), behind);
    const lines = linesOf(layout);
    writeLines(segmentFile(layout.journal, 1), [...lines.slice(0, 3), ...lines.slice(4)]);
    expect(attempt(layout)).toMatchObject({ code: 'BROKEN_TAIL' });
  });

  test('an empty last segment is gone on with', async () => {
    const layout = emptyLayout();
    fill(layout, 2);
    writeFileSync(segmentFile(layout.journal, 2), '', { mode: 0o600 });
    fill(layout, 2);
    expect(readFileSync(segmentFile(layout.journal, 2), 'utf8').split('\n')).toHaveLength(3);
    expect(await verifyJournal(layout)).toEqual(OK(4));
  });

  const locks: readonly (readonly [string, string])[] = [
    ['a process that is gone', `4194303:1 SCOPE`],
    ['a process whose id was given anew', `${process.pid}:1 SCOPE`],
  ];
  test.each(locks)('the lock of %s is broken', (_name, owner) => {
    const layout = emptyLayout();
    fill(layout, 1);
    writeFileSync(join(layout.journal, 'lock'), owner.replace('SCOPE', scopeOfLocks(layout)));
    expect(attempt(layout)).toBeNull();
  });

  test('the lock of a living process is waited for, then refused', () => {
    const layout = emptyLayout();
    const journal = openJournal(layout);
    journal.check();
    const [owner] = readdirSync(layout.journal).filter((name) => name.startsWith('owner-'));
    writeFileSync(join(layout.journal, 'lock'), readFileSync(join(layout.journal, owner ?? '')));
    journal.close();
    const start = performance.now();
    expect(attempt(layout, { lockWaitMs: 60 })).toMatchObject({ code: 'LOCKED' });
    expect(performance.now() - start).toBeGreaterThan(60);
    expect(existsSync(join(layout.journal, 'lock'))).toBe(true);
  });
});

/** How this machine's processes name where their ids mean something: copied from an owner file of a real journal. */
function scopeOfLocks(layout: Layout): string {
  const journal: Journal = openJournal(layout);
  journal.check();
  const [owner] = readdirSync(layout.journal).filter((name) => name.startsWith('owner-'));
  const text = readFileSync(join(layout.journal, owner ?? ''), 'utf8');
  journal.close();
  return text.trim().split(' ')[1] ?? '';
}

describe('a disk that fails', () => {
  const failing = (code: string): never => {
    throw Object.assign(new Error(code), { code });
  };
  const rows: readonly (readonly [string, JournalErrorCode, (countdown: { left: number }) => JournalOptions])[] = [
    [
      'full at once',
      'NO_SPACE',
      (countdown) => ({ write: (handle, bytes, from) => (countdown.left-- > 0 ? realWrite(handle, bytes, from) : failing('ENOSPC')) }),
    ],
    [
      'full in the middle of a line',
      'NO_SPACE',
      (countdown) => ({
        write: (handle, bytes, from) =>
          countdown.left-- > 0
            ? realWrite(handle, bytes, from)
            : from > 0
              ? failing('ENOSPC')
              : realWrite(handle, bytes.subarray(0, 100), from),
      }),
    ],
    ['quota reached', 'NO_SPACE', (countdown) => ({ sync: () => (countdown.left-- > 0 ? undefined : failing('EDQUOT')) })],
    [
      'turned read-only',
      'NOT_WRITABLE',
      (countdown) => ({ write: (handle, bytes, from) => (countdown.left-- > 0 ? realWrite(handle, bytes, from) : failing('EROFS')) }),
    ],
    ['broken', 'IO', (countdown) => ({ sync: () => (countdown.left-- > 0 ? undefined : failing('EIO')) })],
  ];
  test.each(rows)('%s: %s, nothing half-written stays, and it goes on when the disk does', async (_name, code, options) => {
    const layout = emptyLayout();
    const countdown = { left: 2 };
    const journal = openJournal(layout, options(countdown));
    journal.append([sampleEvent()]);
    journal.append([sampleEvent()]);
    const before = readFileSync(segmentFile(layout.journal, 1));
    expect(thrownBy(() => journal.append([sampleEvent(), sampleEvent()]))).toMatchObject({ code });
    expect(readFileSync(segmentFile(layout.journal, 1)).equals(before)).toBe(true);
    countdown.left = 1000;
    expect(journal.append([sampleEvent()]).map(({ seq }) => seq)).toEqual([3]);
    journal.close();
    expect(await verifyJournal(layout)).toEqual(OK(3));
  });
});

function realWrite(handle: number, bytes: Buffer, from: number): number {
  appendFileSync(handle, bytes.subarray(from));
  return bytes.length - from;
}

describe('the keyed hash', () => {
  test('is the same in one install and another in the next', () => {
    const layout = emptyLayout();
    const [here, again, elsewhere] = [keyedHash(layout), keyedHash(layout), keyedHash(emptyLayout())];
    expect(here('secret')).toMatch(/^[0-9a-f]{64}$/);
    expect(again('secret')).toBe(here('secret'));
    expect(here('secret2')).not.toBe(here('secret'));
    expect(elsewhere('secret')).not.toBe(here('secret'));
  });
});
