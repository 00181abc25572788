/** The index's tables: one lean row an entry, saying where in the journal it is. All of it can be made anew at any time. */
import type { Database, SqlValue, Statement } from 'sql.js';
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { TimelineQuery } from '#contract/ipc.ts';
import { VERDICTS } from '#core/model/verdict.ts';
import { CLIENT_NAMES } from '#home/journal/entryShape.ts';
import { removeIfThere } from '#home/privateFile.ts';
import type { FileBackedSqlite } from '#node/audit/fileBackedSqlite.ts';
import { clientMeant } from '#node/audit/timelineFilter.ts';

/** Where a line is; `length` without its line end. */
export interface LinePlace {
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
}
export interface IndexRow extends LinePlace {
  readonly seq: number;
}

/** How far the journal has been read, and the last entry seen there, to recognise the same journal again. */
export interface IndexPosition {
  readonly segment: number;
  readonly offset: number;
  readonly last: (IndexRow & { readonly hash: string }) | null;
}
export const START: IndexPosition = { segment: 1, offset: 0, last: null };

export interface IndexStore {
  readonly position: () => IndexPosition;
  /** Runs `work` in one transaction and keeps the position it returns. */
  write(work: (insert: (entry: AuditEntry, place: LinePlace) => void) => IndexPosition): void;
  /** Newest first, with a smaller `seq` than `before`. */
  rows(query: TimelineQuery, before: number, limit: number): readonly IndexRow[];
  close(): void;
}

/** Another number whenever the tables or their meaning change: an index of another number is thrown away. */
const SCHEMA = 1;
const TABLES = `
  CREATE TABLE state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
  CREATE TABLE entry (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, verdict INTEGER NOT NULL, client INTEGER NOT NULL, agent INTEGER NOT NULL,
    tool INTEGER NOT NULL, session INTEGER NOT NULL, segment INTEGER NOT NULL, "offset" INTEGER NOT NULL, length INTEGER NOT NULL);
  CREATE INDEX entry_verdict ON entry (verdict, tool);
  CREATE INDEX entry_client ON entry (client);
  CREATE INDEX entry_agent ON entry (agent, tool);
  CREATE INDEX entry_tool ON entry (tool);
  CREATE INDEX entry_session ON entry (session);`;

/** @throws Error when the file is there and is no sound index of this version. */
export function openIndexStore(sqlite: FileBackedSqlite, file: string): IndexStore {
  const database = sqlite.open(file);
  try {
    return prepareStore(database);
  } catch (error) {
    closeQuietly(database);
    throw error;
  }
}

export function removeIndexFiles(file: string): void {
  for (const suffix of ['', '-journal', '-wal']) removeIfThere(file + suffix);
}

function closeQuietly(database: Database): void {
  try {
    database.close();
  } catch {
    return; // closing what was never a database fails; what was wrong with it is thrown already
  }
}

function prepareStore(database: Database): IndexStore {
  // Nothing here is worth an fsync: after a power cut the journal makes it anew. The rollback journal is for kill -9.
  database.exec(
    'PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=OFF; PRAGMA cache_size=-8000; PRAGMA temp_store=MEMORY;',
  );
  const empty = database.exec('SELECT count(*) FROM sqlite_schema')[0]?.values[0]?.[0] === 0;
  if (empty) database.exec(`BEGIN; ${TABLES} PRAGMA user_version=${SCHEMA}; COMMIT;`);
  const version = database.exec('PRAGMA user_version')[0]?.values[0]?.[0];
  if (version !== SCHEMA) throw new Error(`index schema ${String(version)} is not ${SCHEMA}`);

  const statements = new Map<string, Statement>();
  const prepared = (sql: string): Statement => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const made = database.prepare(sql);
    statements.set(sql, made);
    return made;
  };
  const first = (sql: string, ...values: SqlValue[]): readonly SqlValue[] | null => {
    const statement = prepared(sql);
    statement.bind(values);
    const row = statement.step() ? statement.get() : null;
    statement.reset();
    return row;
  };
  const state = (name: string): SqlValue => first('SELECT value FROM state WHERE name=?', name)?.[0] ?? null;
  const setState = (name: string, value: SqlValue): void => {
    prepared('INSERT OR REPLACE INTO state VALUES (?,?)').run([name, value]);
  };

  // Only an owner that closed the file vouches for it; after any other end every page is looked at once.
  if (!empty && state('closed') !== 1 && database.exec('PRAGMA quick_check(1)')[0]?.values[0]?.[0] !== 'ok')
    throw new Error('the index is damaged');
  setState('closed', 0);

  const names = new Map<string, number>();
  const nameId = (text: string): number | null => {
    const known = names.get(text);
    if (known !== undefined) return known;
    const id = first('SELECT id FROM name WHERE text=?', text)?.[0];
    if (typeof id !== 'number') return null;
    names.set(text, id);
    return id;
  };
  const nameIdMade = (text: string): number => {
    const known = nameId(text);
    if (known !== null) return known;
    const id = first('INSERT INTO name (text) VALUES (?) RETURNING id', text)?.[0] as number;
    names.set(text, id);
    return id;
  };

  let position = parsePosition(state('position'));

  const insert = (entry: AuditEntry, place: LinePlace): void => {
    prepared('INSERT OR IGNORE INTO entry VALUES (?,?,?,?,?,?,?,?,?,?)').run([
      entry.seq,
      entry.time,
      VERDICTS.indexOf(entry.verdict),
      CLIENT_NAMES.indexOf(entry.client),
      nameIdMade(entry.agent),
      nameIdMade(entry.tool),
      nameIdMade(entry.session),
      place.segment,
      place.offset,
      place.length,
    ]);
  };

  return {
    position: () => position,
    write(work) {
      database.exec('BEGIN');
      try {
        const next = work(insert);
        setState('position', JSON.stringify(next));
        database.exec('COMMIT');
        position = next;
      } catch (error) {
        names.clear(); // the names made in this transaction are gone with it
        database.exec('ROLLBACK');
        throw error;
      }
    },
    rows(query, before, limit) {
      const where = ['seq<?'];
      const values: SqlValue[] = [before];
      const wants = (column: string, value: number | null): void => {
        where.push(`${column}=?`);
        values.push(value);
      };
      if (query.verdict !== undefined) wants('verdict', VERDICTS.indexOf(query.verdict));
      if (query.tool !== undefined) wants('tool', nameId(query.tool));
      if (query.agent !== undefined) {
        const client = clientMeant(query.agent);
        if (client === null) wants('agent', nameId(query.agent));
        else wants('client', CLIENT_NAMES.indexOf(client));
      }
      if (values.includes(null)) return []; // a name no entry has
      const statement = prepared(`SELECT seq, segment, "offset", length FROM entry WHERE ${where.join(' AND ')} ORDER BY seq DESC LIMIT ?`);
      statement.bind([...values, limit]);
      const rows: IndexRow[] = [];
      while (statement.step()) {
        const [seq, segment, offset, length] = statement.get() as number[];
        rows.push({ seq: seq ?? 0, segment: segment ?? 0, offset: offset ?? 0, length: length ?? 0 });
      }
      statement.reset();
      return rows;
    },
    close() {
      try {
        setState('closed', 1);
      } finally {
        for (const statement of statements.values()) statement.free();
        database.close();
      }
    },
  };
}

/** Written by this file only, but a damaged index may hold anything: what does not fit begins anew. */
function parsePosition(value: SqlValue): IndexPosition {
  if (value === null) return START;
  if (typeof value !== 'string') throw new Error('the index does not say how far it has read');
  const position = JSON.parse(value) as IndexPosition;
  const counts = [
    position.segment,
    position.offset,
    ...(position.last === null ? [] : [position.last.seq, position.last.segment, position.last.offset, position.last.length]),
  ];
  if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0)) throw new Error('the index does not say how far it has read');
  return position;
}
