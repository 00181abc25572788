/** Several real processes on one journal: killed at any moment, without space, without permission. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openJournal } from '#home/journal/journal.ts';
import { segmentFile } from '#home/journal/segments.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { emptyLayout, entriesOf } from './journalBox.ts';
import { sampleEvent } from './sampleEvent.ts';

const WRITER = join(import.meta.dirname, 'appendUntilKilled.ts');

interface Writer {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly errors: () => string;
  readonly ended: Promise<number | null>;
}

function follow(child: ChildProcess): Writer {
  let out = '';
  let errors = '';
  child.stdout?.on('data', (chunk) => (out += chunk));
  child.stderr?.on('data', (chunk) => (errors += chunk));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, out: () => out, errors: () => errors, ended };
}

function startWriter(home: string, name: string, limit = ''): Writer {
  return follow(spawn(process.execPath, [WRITER, home, name, '20000', limit], { stdio: ['ignore', 'pipe', 'pipe'] }));
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + 15_000; !condition();) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Entries a writer was told are safe: whole lines of what it printed. */
function acknowledged(writer: Writer): string[] {
  return writer.out().split('\n').slice(0, -1);
}

describe('several processes at once', () => {
  test('lose nothing and leave one chain', async () => {
    const layout = emptyLayout();
    const writers = ['a', 'b', 'c'].map((name) => startWriter(layout.home, name, '40'));
    expect(await Promise.all(writers.map(({ ended }) => ended))).toEqual([0, 0, 0]);
    expect(writers.map(({ errors }) => errors()).join('')).toBe('');
    const written = entriesOf(layout);
    expect(written).toHaveLength(3 * 80);
    expect(writers.flatMap(acknowledged).sort()).toEqual(written.map(({ seq, hash }) => `${seq} ${hash}`).sort());
    expect(await verifyJournal(layout)).toEqual({ ok: true, entries: written.length, unsigned: 0, problem: null });
    expect(readdirSync(layout.journal).filter((name) => !name.endsWith('.jsonl'))).toEqual([]);
  }, 60_000);

  test('killed at random moments, nothing acknowledged is lost and the chain holds', async () => {
    const layout = emptyLayout();
    const done: Writer[] = [];
    for (let round = 0; round < 6; round += 1) {
      const writers = ['a', 'b', 'c'].map((name) => startWriter(layout.home, `${name}${round}`));
      await until(() => writers.every((writer) => acknowledged(writer).length > 0), 'every writer to append');
      for (const { child, ended } of writers) {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 25));
        child.kill('SIGKILL');
        await ended;
      }
      done.push(...writers);
    }
    expect(done.map(({ errors }) => errors()).join('')).toBe('');
    expect((await verifyJournal(layout)).problem).toBeNull();
    const journal = openJournal(layout);
    journal.append([sampleEvent()]);
    journal.close();
    const written = new Set(entriesOf(layout).map(({ seq, hash }) => `${seq} ${hash}`));
    expect(done.flatMap(acknowledged).filter((entry) => !written.has(entry))).toEqual([]);
    expect(await verifyJournal(layout)).toEqual({ ok: true, entries: written.size, unsigned: 0, problem: null });
  }, 90_000);
});

describe('a system that says no', () => {
  test('a file size limit in the middle of a line: NO_SPACE, and the journal stays whole', async () => {
    const layout = emptyLayout();
    const journal = openJournal(layout);
    journal.append([sampleEvent({ reason: 'r'.repeat(3500) })]);
    journal.close();
    // `ulimit -f` counts in blocks of 512 bytes under sh; the next line crosses it.
    const writer = follow(
      spawn('/bin/sh', ['-c', 'ulimit -f 10 && exec "$@"', 'sh', process.execPath, WRITER, layout.home, 'full', '9000000', '4'], {
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    expect(await writer.ended).not.toBe(0);
    expect(writer.errors()).toContain('NO_SPACE');
    expect(readFileSync(segmentFile(layout.journal, 1), 'latin1').endsWith('\n')).toBe(true);
    const report = await verifyJournal(layout);
    expect(report).toEqual({ ok: true, entries: 1 + acknowledged(writer).length, unsigned: 0, problem: null });
  }, 30_000);

  test('a folder without permission to write: NOT_WRITABLE', async () => {
    const layout = emptyLayout();
    mkdirSync(layout.root, { mode: 0o700 });
    const child = { stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'], ...unprivileged() };
    for (const folder of [layout.home, layout.root]) if (child.uid !== undefined) chownSync(folder, child.uid, child.uid);
    chmodSync(layout.root, 0o500);
    const writer = follow(spawn(process.execPath, [WRITER, layout.home, 'locked-out', '20000', '1'], child));
    expect(await writer.ended).not.toBe(0);
    chmodSync(layout.root, 0o700);
    expect(writer.errors()).toContain('NOT_WRITABLE');
  }, 30_000);
});

/** Permissions do not hold the superuser back, so under it the writer runs as another user. */
function unprivileged(): { readonly uid?: number; readonly gid?: number } {
  return process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
}
