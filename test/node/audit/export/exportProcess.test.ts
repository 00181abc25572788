/** The editor's way to export: a process that reports, can be cancelled at any moment, and leaves nothing half. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openJournal } from '#home/journal/journal.ts';
import { segmentFile } from '#home/journal/segments.ts';
import { runExport, type ExportResult } from '#node/audit/export/exportProcess.ts';
import { sandbox, type Sandbox } from '#kit/sandbox.ts';
import { sampleEvent } from '../../../home/journal/sampleEvent.ts';

const boxes: Sandbox[] = [];
afterEach(() => boxes.splice(0).forEach((box) => box.remove()));

function newBox(entries: number): Sandbox {
  const box = sandbox();
  boxes.push(box);
  const journal = openJournal(box.layout);
  for (let from = 0; from < entries; from += 1000)
    journal.append(Array.from({ length: Math.min(1000, entries - from) }, () => sampleEvent({ reason: 'x'.repeat(400) })));
  journal.close();
  return box;
}

async function run(
  box: Sandbox,
  file: string,
  filter: readonly string[],
  cancel: 'at first' | 'in the middle' | 'never',
): Promise<{ result: ExportResult; seen: number[] }> {
  const ending = new AbortController();
  const seen: number[] = [];
  const running = runExport({
    program: { runtime: process.execPath, args: [join(import.meta.dirname, 'exportProgram.ts'), box.home] },
    format: 'csv',
    filter,
    file: join(box.work, file),
    cwd: box.work,
    signal: ending.signal,
    onProgress: ({ entries }) => {
      seen.push(entries);
      if (cancel === 'in the middle') ending.abort();
    },
  });
  if (cancel === 'at first') ending.abort();
  return { result: await running, seen };
}

test('it writes the file, says how far it is and how many', async () => {
  const box = newBox(3000);
  const { result, seen } = await run(box, 'out.csv', ['--seq', '1..2500'], 'never');
  expect(result).toEqual({ kind: 'done', entries: 2500, warning: '' });
  expect(seen.at(-1)).toBe(2500);
  expect(readFileSync(join(box.work, 'out.csv'), 'utf8').split('\r\n')).toHaveLength(2502);
  expect(readdirSync(box.work)).toEqual(['out.csv']);
});

test.each(['at first', 'in the middle'] as const)('cancelled %s: the file that was there stays, and nothing else is left', async (when) => {
  const box = newBox(20_000);
  writeFileSync(join(box.work, 'out.csv'), 'before');
  expect((await run(box, 'out.csv', [], when)).result).toEqual({ kind: 'cancelled' });
  expect(readdirSync(box.work)).toEqual(['out.csv']);
  expect(readFileSync(join(box.work, 'out.csv'), 'utf8')).toBe('before');
});

test('a folder that is not there: what is wrong and what to do', async () => {
  const { result } = await run(newBox(1), 'no/out.csv', [], 'never');
  expect(result).toMatchObject({ kind: 'failed', message: expect.stringMatching(/could not be written.*make its folder/) as string });
});

test('a journal with an altered line is exported without it, and that is said', async () => {
  const box = newBox(3);
  const file = segmentFile(box.layout.journal, 1);
  writeFileSync(file, readFileSync(file, 'utf8').replace('xxx', 'yyy'));
  const { result } = await run(box, 'out.csv', [], 'never');
  expect(result).toMatchObject({ kind: 'done', entries: 2, warning: expect.stringContaining('ALTERED') as string });
});

test('a program that is not there', async () => {
  const box = newBox(1);
  const signal = new AbortController().signal;
  const job = { format: 'csv', filter: [], file: join(box.work, 'x'), cwd: box.work, signal, onProgress: () => undefined } as const;
  expect(await runExport({ ...job, program: { runtime: join(box.work, 'none'), args: [] } })).toMatchObject({ kind: 'failed' });
});
