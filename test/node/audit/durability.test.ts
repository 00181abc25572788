/**
 * Writers, sealing, packing, dropping and changing of keys, all in processes of their own that are killed at random moments, more than
 * a thousand times: what was acknowledged is there, at most one torn line a kill, and the journal verifies and goes on.
 * With `CALLGATE_FAULT_SECONDS` it goes on at least as long.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openJournal } from '#home/journal/journal.ts';
import type { Layout } from '#home/layout.ts';
import { journalLines } from '#node/audit/journalLines.ts';
import { knownKeys } from '#node/audit/statement.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { bundledProgram, type BundledProgram } from '../../home/journal/bundledProgram.ts';
import { emptyLayout } from '../../home/journal/journalBox.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';

let program: BundledProgram;
beforeAll(async () => {
  program = await bundledProgram(join(import.meta.dirname, 'restlessWriter.ts'));
});
afterAll(() => program.remove());

const KILLS = 1050;
const SECONDS = Number(process.env['CALLGATE_FAULT_SECONDS'] ?? 0);

interface Running {
  readonly child: ChildProcess;
  /** Settles when it waits to begin, or has ended without. */
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
}
interface Tally {
  kills: number;
  /** Writers live so many times longer than on a machine with nothing else to do, so that their work is what is cut short. */
  patience: number;
  readonly acknowledged: Set<string>;
  readonly errors: string[];
}

/** Waits until it is told to begin, so that its start costs none of the time in which it may be killed. */
function start(layout: Layout, job: string, segmentBytes: number, tally: Tally): Running {
  const child = spawn(process.execPath, [program.file, layout.home, job, String(segmentBytes)], { stdio: 'pipe' });
  let out = '';
  let isReady: () => void;
  const ready = new Promise<void>((resolve) => (isReady = resolve));
  child.stdout.on('data', (chunk) => {
    out += String(chunk);
    isReady();
  });
  child.stderr.on('data', (chunk) => tally.errors.push(`${job}: ${String(chunk)}`));
  // Killed before it read its byte: the pipe says so, and that is no fault.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve) =>
    child.on('close', () => {
      // The last line may be half of one: only whole ones were heard.
      for (const line of out.split('\n').slice(1, -1)) tally.acknowledged.add(line);
      isReady();
      resolve();
    }),
  );
  return { child, ready, ended };
}

/** Milliseconds a process lives from its first instruction on: mostly its opening and first appends, sometimes much longer. */
function lifetime(job: string): number {
  if (!job.startsWith('append')) return Math.random() ** 2 * 150;
  return Math.random() * (Math.random() < 0.8 ? 30 : 100);
}

/** Keeps one process of a job alive and kills it at random moments until it is `done`. The next one starts while this one works. */
async function restless(layout: Layout, job: string, segmentBytes: number, tally: Tally, done: () => boolean): Promise<void> {
  let next = start(layout, job, segmentBytes, tally);
  while (!done()) {
    const { child, ready, ended } = next;
    await ready;
    child.stdin?.write('g');
    const moment = performance.now() + lifetime(job) * tally.patience;
    next = start(layout, job, segmentBytes, tally);
    // Timers know whole milliseconds; the rest is spun away, so that any microsecond can be the last.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, moment - performance.now() - 1)));
    while (performance.now() < moment);
    const before = tally.acknowledged.size;
    child.kill('SIGKILL');
    await ended;
    tally.kills += 1;
    if (!job.startsWith('append')) continue;
    const heard = tally.acknowledged.size;
    tally.patience = heard > before ? Math.max(1, tally.patience * 0.95) : Math.min(8, tally.patience * 1.1);
  }
  next.child.kill('SIGKILL');
  await next.ended;
}

async function survives(jobs: readonly string[], segmentBytes: number, share: number): Promise<{ layout: Layout; tally: Tally }> {
  const layout = emptyLayout();
  const tally: Tally = { kills: 0, patience: 1, acknowledged: new Set(), errors: [] };
  const until = Date.now() + SECONDS * share * 1000;
  // Kills that only met processes which had done nothing would prove nothing.
  const done = (): boolean => Math.min(tally.kills, tally.acknowledged.size) >= KILLS * share && Date.now() >= until;
  await Promise.all(jobs.map((job) => restless(layout, job, segmentBytes, tally, done)));
  // Whatever the last kill left is verified as it is, and then once more behind the next append.
  expect((await verifyJournal(layout)).problem).toBeNull();
  const journal = openJournal(layout);
  journal.append([sampleEvent()]);
  const torn = journal.takeNotices().filter(({ code }) => code === 'TORN_LINE');
  journal.close();
  expect(torn.length).toBeLessThanOrEqual(1);
  expect(await verifyJournal(layout)).toMatchObject({ ok: true, unsigned: 0, problem: null });
  expect(tally.errors).toEqual([]);
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
  const { child, ready, ended } = start(layout, job, 8000, tally);
  await ready;
  child.stdin?.write('g');
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
  ['three writers', ['append', 'append soon', 'append'], 0.4],
  ['two writers while segments are sealed, packed and dropped', ['append soon', 'append', 'expire'], 0.3],
  ['two writers while segments are packed and the key is changed', ['append', 'append soon', 'rotate'], 0.3],
];
test.each(rows)(
  'killed again and again: %s',
  async (_name, jobs, share) => {
    const { layout, tally } = await survives(jobs, 8000, share);
    const { entries, dropped } = await entriesThere(layout);
    const lost = [...tally.acknowledged].filter((line) => Number(line.split(' ')[0]) > dropped && !entries.has(line));
    expect(lost).toEqual([]);
    expect(dropped === 0 || jobs.includes('expire')).toBe(true);
    // Left alone, the job ends what the kills kept it from ending.
    const job = jobs.find((one) => !one.startsWith('append'));
    if (job !== undefined) await worksOn(layout, job, tally);
  },
  SECONDS * 2000 + 300_000,
);
