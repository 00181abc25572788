/** The index is an ordinary SQLite file: other programs read it, without writing, while the broker keeps it open. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openJournal } from '#home/journal/journal.ts';
import { openIndex } from '#node/audit/auditIndex.ts';
import { emptyLayout } from '../../home/journal/journalBox.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';

const WASM = createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm');

function nodeSqlite(file: string, sql: string): string {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return Object.values(database.prepare(sql).get() ?? {}).join('|');
  } finally {
    database.close();
  }
}
const sqlite3 = (file: string, sql: string): string => execFileSync('sqlite3', ['-readonly', file, sql], { encoding: 'utf8' }).trim();

/** The second only where Debian's package `sqlite3`, or its like, is installed. */
const readers: readonly (readonly [string, (file: string, sql: string) => string])[] = [
  ['node:sqlite', nodeSqlite],
  ...(spawnSync('sqlite3', ['--version']).status === 0 ? [['the sqlite3 program', sqlite3] as const] : []),
];

test.each(readers)('%s reads the index that is in use and leaves its bytes alone', async (_name, ask) => {
  const layout = emptyLayout();
  const journal = openJournal(layout);
  journal.append(Array.from({ length: 500 }, (_, index) => sampleEvent({ tool: index % 5 === 0 ? 'Read' : 'Bash' })));
  const index = await openIndex(layout, WASM);
  try {
    await index.catchUp();
    const file = join(layout.index, 'timeline.sqlite');
    const before = readFileSync(file);
    expect(ask(file, 'PRAGMA integrity_check')).toBe('ok');
    expect(ask(file, 'SELECT count(*), max(seq) FROM entry')).toBe('500|500');
    expect(ask(file, "SELECT count(*) FROM entry JOIN name ON name.id = entry.tool WHERE name.text = 'Read'")).toBe('100');
    expect(readFileSync(file)).toEqual(before);
    journal.append([sampleEvent()]);
    await index.catchUp();
    expect(ask(file, 'SELECT max(seq) FROM entry')).toBe('501');
  } finally {
    index.close();
    journal.close();
  }
});
