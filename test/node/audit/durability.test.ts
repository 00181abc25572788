/**
 * Writers, sealing, packing, dropping and changing of keys, all in processes of their own that are killed at random moments, again and
 * again: what was acknowledged is there, at most one torn line a kill, and the journal verifies and goes on.
 * `CALLGATE_FAULT_SECONDS` makes it longer than the usual 24 s.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openJournal } from '#home/journal/journal.ts';
import type { Layout } from '#home/layout.ts';
import { journalLines } from '#node/audit/journalLines.ts';
import { knownKeys } from '#node/audit/statement.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { emptyLayout } from '../../home/journal/journalBox.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';

/** One file, as it starts in a fraction of the time: most of a killed process's life should be work. */
let program = '';
beforeAll(async () => {
  program = join(mkdtempSync(join(tmpdir(), 'callgate-restless-')), 'writer.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'restlessWriter.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
});
afterAll(() => rmSync(dirname(program), { recursive: true, force: true }));
const SECONDS = Number(process.env['CALLGATE_FAULT_SECONDS'] ?? 24);

interface Running {
  readonly child: ChildProcess;
  /** Settles when it has begun its work, or has ended without. */
  readonly begun: Promise<void>;
  readonly ended: Promise<void>;
}
interface Tally {
  kills: number;
  readonly acknowledged: Set<string>;
  readonly errors: string[];
}

function start(layout: Layout, job: string, segmentBytes: number, tally: Tally): Running {
  const child = spawn(process.execPath, [program, layout.home, job, String(segmentBytes)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let begin: () => void;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  child.stdout.on('data', (chunk) => {
    out += String(chunk);
    begin();
  });
  child.stderr.on('data', (chunk) => tally.errors.push(`${job}: ${String(chunk)}`));
  const ended = new Promise<void>((resolve) =>
    child.on('close', () => {
      // The last line may be half of one: only whole ones were heard.
      for (const line of out.split('\n').slice(1, -1)) tally.acknowledged.add(line);
      begin();
      resolve();
    }),
  );
  return { child, begun, ended };
}

/** Keeps one process of a job alive and kills it at random moments until `stop`. */
async function restless(layout: Layout, job: string, segmentBytes: number, tally: Tally, until: number): Promise<void> {
  while (Date.now() < until) {
    const { child, begun, ended } = start(layout, job, segmentBytes, tally);
    await begun;
    const moment = performance.now() + Math.random() ** 2 * (job === 'append' ? 120 : 300);
    // Timers know whole milliseconds; the rest is spun away, so that any microsecond can be the last.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, moment - performance.now() - 1)));
    while (performance.now() < moment);
    child.kill('SIGKILL');
    await ended;
    tally.kills += 1;
  }
}

async function survives(jobs: readonly string[], segmentBytes: number, seconds: number): Promise<{ layout: Layout; tally: Tally }> {
  const layout = emptyLayout();
  const tally: Tally = { kills: 0, acknowledged: new Set(), errors: [] };
  const until = Date.now() + seconds * 1000;
  await Promise.all(jobs.map((job) => restless(layout, job, segmentBytes, tally, until)));
  // Whatever the last kill left is verified as it is, and then once more behind the next append.
  expect((await verifyJournal(layout)).problem).toBeNull();
  const journal = openJournal(layout);
  journal.append([sampleEvent()]);
  const torn = journal.takeNotices().filter(({ code }) => code === 'TORN_LINE');
  journal.close();
  expect(torn.length).toBeLessThanOrEqual(1);
  expect(await verifyJournal(layout)).toMatchObject({ ok: true, unsigned: 0, problem: null });
  expect(tally.errors).toEqual([]);
  expect(tally.kills).toBeGreaterThan(seconds);
  expect(tally.acknowledged.size).toBeGreaterThan(seconds);
  return { layout, tally };
}

/** `seq hash` of every entry that is there, and the last `seq` that was dropped. */
async function entriesThere(layout: Layout): Promise<{ readonly entries: ReadonlySet<string>; readonly dropped: number }> {
  const entries = new Set<string>();
  let dropped = 0;
  for await (const read of journalLines(layout.journal, 1, knownKeys(layout))) {
    if (read.kind === 'entry') entries.add(`${read.entry.seq} ${read.entry.hash}`);
    if (read.kind === 'dropped') dropped = read.tombstone.first + read.tombstone.count - 1;
  }
  return { entries, dropped };
}

const rotations = (layout: Layout): number =>
  readdirSync(layout.keys).filter((name) => /^journal-signing\.[0-9a-f]{16}\.pub\.pem$/.test(name)).length;

/** Runs a job that nobody kills until it has dropped a segment or changed the key; the test's own time limit ends it otherwise. */
async function worksOn(layout: Layout, job: string, tally: Tally): Promise<void> {
  const progress = async (): Promise<number> => (job === 'rotate' ? rotations(layout) : (await entriesThere(layout)).dropped);
  const before = await progress();
  const journal = openJournal(layout);
  const { child, ended } = start(layout, job, 8000, tally);
  // New entries close segments, without which there is nothing to drop.
  while ((await progress()) <= before) {
    journal.append([sampleEvent()]);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  journal.close();
  child.kill('SIGKILL');
  await ended;
  expect((await verifyJournal(layout)).problem).toBeNull();
}

const rows: readonly (readonly [name: string, jobs: readonly string[], share: number])[] = [
  ['three writers', ['append', 'append', 'append'], 0.4],
  ['two writers while segments are sealed, packed and dropped', ['append', 'append', 'expire'], 0.3],
  ['two writers while segments are packed and the key is changed', ['append', 'append', 'rotate'], 0.3],
];
test.each(rows)(
  'killed again and again: %s',
  async (_name, jobs, share) => {
    const { layout, tally } = await survives(jobs, 8000, SECONDS * share);
    const { entries, dropped } = await entriesThere(layout);
    const lost = [...tally.acknowledged].filter((line) => Number(line.split(' ')[0]) > dropped && !entries.has(line));
    expect(lost).toEqual([]);
    expect(dropped === 0 || jobs.includes('expire')).toBe(true);
    // Left alone, the job ends what the kills kept it from ending.
    const job = jobs.find((one) => one !== 'append');
    if (job !== undefined) await worksOn(layout, job, tally);
  },
  SECONDS * 2000 + 60_000,
);
