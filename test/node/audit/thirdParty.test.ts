/** The documented way to verify without Callgate, run with the real tools. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkpointFile } from '#home/journal/checkpoint.ts';
import { openJournal } from '#home/journal/journal.ts';
import { segmentFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { emptyLayout, entriesOf, linesOf, writeLines } from '../../home/journal/journalBox.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';

const DOCS = join(import.meta.dirname, '../../../docs');
const toolsPresent =
  process.platform !== 'win32' &&
  ['sha256sum --version', 'openssl version'].every((command) => spawnSync('/bin/sh', ['-c', command]).status === 0);

function fiveEntries(): Layout {
  const layout = emptyLayout();
  const journal = openJournal(layout, { segmentBytes: 1500 });
  for (const reason of ['', 'say "no"', 'back\\slash\n', 'ünï \u2028', '%s $(x) `y` *'])
    journal.append([sampleEvent({ reason, note: ',"hash":"' + 'a'.repeat(64) + '"' })]);
  journal.close();
  return layout;
}

function runScript(layout: Layout): string {
  const { stdout, stderr, status } = spawnSync('/bin/sh', [join(DOCS, 'verify-audit.sh'), layout.root], { encoding: 'utf8' });
  return `${status} ${stdout}${stderr}`.replaceAll(`${layout.root}/`, '').trim();
}

type Row = readonly [name: string, says: RegExp, tamper: (layout: Layout) => void];
const rows: readonly Row[] = [
  ['nothing', /^0 OK 5 entries, 5 signed$/, () => undefined],
  [
    'an entry altered',
    /^1 BAD entry 2, journal\/\d+\.jsonl:\d: altered$/,
    (layout) => editFirst(layout, (lines) => [lines[0] ?? '', (lines[1] ?? '').replace('ls -la', 'ls -lb')]),
  ],
  ['the first entry removed', /^1 BAD entry 1, .*: out of order$/, (layout) => editFirst(layout, (lines) => lines.slice(1))],
  [
    'the last entry cut off',
    /^1 BAD entry 5: cut off, 5 entries were signed$/,
    (layout) => truncateSync(lastSegment(layout), readFileSync(lastSegment(layout)).length - 1),
  ],
  [
    'the checkpoint altered',
    /^1 BAD checkpoint: wrong signature$/,
    (layout) => writeFileSync(checkpointFile(layout), readFileSync(checkpointFile(layout), 'latin1').replace('"count":5', '"count":4')),
  ],
];

function editFirst(layout: Layout, edit: (lines: string[]) => string[]): void {
  const file = segmentFile(layout.journal, 1);
  writeLines(file, edit(readFileSync(file, 'utf8').split('\n').slice(0, -1)));
}
function lastSegment(layout: Layout): string {
  for (let number = 1; ; number += 1) {
    try {
      readFileSync(segmentFile(layout.journal, number + 1));
    } catch {
      return segmentFile(layout.journal, number); // there is no later one
    }
  }
}

// Where the tools are missing there is nothing to try: the documentation asks for them.
describe.runIf(toolsPresent)('docs/verify-audit.sh', () => {
  test.each(rows)('%s: %s', async (_name, says, tamper) => {
    const layout = fiveEntries();
    tamper(layout);
    const said = runScript(layout);
    expect(said).toMatch(says);
    expect((await verifyJournal(layout)).ok).toBe(said.startsWith('0'));
  });
});

describe.runIf(toolsPresent)('the commands in docs/audit-format.md', () => {
  const blocks = [...readFileSync(join(DOCS, 'audit-format.md'), 'utf8').matchAll(/```sh\n(.*?)```/gs)].map((match) => match[1] ?? '');
  const run = (layout: Layout, block: number): string[] => {
    const commands = (blocks[block] ?? '').replaceAll('~/.callgate', layout.root);
    return execFileSync('/bin/sh', ['-ec', commands], { cwd: layout.home, encoding: 'utf8' }).trim().split('\n');
  };

  test('one entry by hand', () => {
    const layout = fiveEntries();
    const [, second] = entriesOf(layout);
    expect(linesOf(layout)[0]).toContain('\\"hash\\":');
    expect(run(layout, 0).map((line) => line.slice(0, 64))).toEqual([second?.prev, second?.prev]);
  });

  test('one checkpoint by hand', () => {
    const layout = fiveEntries();
    expect(run(layout, 1)).toEqual(['Signature Verified Successfully', entriesOf(layout)[0]?.key]);
  });
});
