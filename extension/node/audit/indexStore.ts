/** The index's tables: one lean row an entry, saying where in the journal it is. All of it can be made anew at any time. */
import type { Database, SqlValue, Statement } from 'sql.js';
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { MinuteCount, TimelineQuery } from '#contract/ipc.ts';
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
  /** Of the minutes that overlap the range, in order. */
  counts(since: number, until: number): readonly MinuteCount[];
  close(): void;
}

/** Another number whenever the tables or their meaning change: an index of another number is thrown away. */
const SCHEMA = 2;
/**
 * `minute` and `total` are sums kept beside the rows: what they say is asked often, and counting rows takes up to 0.2 s a million.
 * `minute.first` and `last` are sequence numbers, so that a time range becomes a range of rows although clocks jump.
 */
const TABLES = `
  CREATE TABLE state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
  CREATE TABLE entry (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, verdict INTEGER NOT NULL, client INTEGER NOT NULL, agent INTEGER NOT NULL,
    tool INTEGER NOT NULL, session INTEGER NOT NULL, segment INTEGER NOT NULL, "offset" INTEGER NOT NULL, length INTEGER NOT NULL);
  CREATE TABLE minute (minute INTEGER NOT NULL, verdict INTEGER NOT NULL, count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (minute, verdict)) WITHOUT ROWID;
  CREATE TABLE total (facet TEXT NOT NULL, id INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (facet, id)) WITHOUT ROWID;
  CREATE INDEX by_verdict ON entry (verdict);
  CREATE INDEX by_verdict_and_tool ON entry (verdict, tool);
  CREATE INDEX by_client ON entry (client);
  CREATE INDEX by_agent ON entry (agent);
  CREATE INDEX by_tool ON entry (tool);
  CREATE INDEX by_session ON entry (session);`;

/** What rows can be filtered by; each has an index of its own. */
type Facet = 'verdict' | 'client' | 'agent' | 'tool' | 'session';
const FACETS: readonly Facet[] = ['verdict', 'client', 'agent', 'tool', 'session'];
const MINUTE_MS = 60_000;

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

  /** Sums of the transaction that is open, written at its end. */
  const minutes = new Map<string, { minute: number; verdict: number; count: number; first: number; last: number }>();
  const totals = new Map<string, { facet: Facet; id: number; count: number }>();

  const insert = (entry: AuditEntry, place: LinePlace): void => {
    const { seq, time } = entry;
    const facets = {
      verdict: VERDICTS.indexOf(entry.verdict),
      client: CLIENT_NAMES.indexOf(entry.client),
      agent: nameIdMade(entry.agent),
      tool: nameIdMade(entry.tool),
      session: nameIdMade(entry.session),
    };
    prepared('INSERT INTO entry VALUES (?,?,?,?,?,?,?,?,?,?)').run([
      seq,
      time,
      facets.verdict,
      facets.client,
      facets.agent,
      facets.tool,
      facets.session,
      place.segment,
      place.offset,
      place.length,
    ]);
    const minute = time - (time % MINUTE_MS);
    const sum = minutes.get(`${minute}/${facets.verdict}`);
    if (sum === undefined) minutes.set(`${minute}/${facets.verdict}`, { minute, verdict: facets.verdict, count: 1, first: seq, last: seq });
    else {
      sum.count += 1;
      sum.last = seq;
    }
    for (const facet of FACETS) {
      const total = totals.get(`${facet}/${facets[facet]}`);
      if (total === undefined) totals.set(`${facet}/${facets[facet]}`, { facet, id: facets[facet], count: 1 });
      else total.count += 1;
    }
  };

  const writeSums = (): void => {
    for (const { minute, verdict, count, first: from, last } of minutes.values())
      prepared(
        'INSERT INTO minute VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET count=count+excluded.count, first=min(first, excluded.first), last=max(last, excluded.last)',
      ).run([minute, verdict, count, from, last]);
    for (const { facet, id, count } of totals.values())
      prepared('INSERT INTO total VALUES (?,?,?) ON CONFLICT DO UPDATE SET count=count+excluded.count').run([facet, id, count]);
  };

  /** The facets a query asks for; null when it names something no entry has. */
  const wantedFacets = (query: TimelineQuery): readonly (readonly [Facet, number])[] | null => {
    const wanted: (readonly [Facet, number | null])[] = [];
    if (query.verdict !== undefined) wanted.push(['verdict', VERDICTS.indexOf(query.verdict)]);
    if (query.tool !== undefined) wanted.push(['tool', nameId(query.tool)]);
    if (query.session !== undefined) wanted.push(['session', nameId(query.session)]);
    if (query.agent !== undefined) {
      const client = clientMeant(query.agent);
      wanted.push(client === null ? ['agent', nameId(query.agent)] : ['client', CLIENT_NAMES.indexOf(client)]);
    }
    const known = wanted.filter((item): item is readonly [Facet, number] => item[1] !== null);
    return known.length === wanted.length ? known : null;
  };

  /** SQLite without statistics guesses which index leads to the fewest rows; the sums know. Null: none of them has a row. */
  const bestIndex = (facets: readonly (readonly [Facet, number])[]): string | null => {
    if (facets.length === 0) return '';
    const counted = facets.map(([facet, id]) => ({
      facet,
      count: Number(first('SELECT count FROM total WHERE facet=? AND id=?', facet, id)?.[0] ?? 0),
    }));
    const fewest = counted.reduce((least, item) => (item.count < least.count ? item : least));
    if (fewest.count === 0) return null;
    const both = facets.some(([facet]) => facet === 'verdict') && facets.some(([facet]) => facet === 'tool');
    const name = both && (fewest.facet === 'verdict' || fewest.facet === 'tool') ? 'by_verdict_and_tool' : `by_${fewest.facet}`;
    return ` INDEXED BY ${name}`;
  };

  return {
    position: () => position,
    write(work) {
      database.exec('BEGIN');
      try {
        const next = work(insert);
        writeSums();
        setState('position', JSON.stringify(next));
        database.exec('COMMIT');
        position = next;
      } catch (error) {
        names.clear(); // the names made in this transaction are gone with it
        database.exec('ROLLBACK');
        throw error;
      } finally {
        minutes.clear();
        totals.clear();
      }
    },
    rows(query, before, limit) {
      const facets = wantedFacets(query);
      const index = facets === null ? null : bestIndex(facets);
      if (facets === null || index === null) return [];
      const where = ['seq<?', ...facets.map(([facet]) => `${facet}=?`)];
      const values: SqlValue[] = [before, ...facets.map(([, id]) => id)];
      if (query.since !== undefined || query.until !== undefined) {
        const since = query.since ?? 0;
        const until = query.until ?? Number.MAX_SAFE_INTEGER;
        const bounds = first('SELECT min(first), max(last) FROM minute WHERE minute>? AND minute<?', since - MINUTE_MS, until);
        if (typeof bounds?.[0] !== 'number' || typeof bounds[1] !== 'number') return [];
        // One upper bound: of two, SQLite might walk down from the higher one.
        values[0] = Math.min(before, bounds[1] + 1);
        where.push('seq>=?', 'time>=?', 'time<?');
        values.push(bounds[0], since, until);
      }
      const statement = prepared(
        `SELECT seq, segment, "offset", length FROM entry${index} WHERE ${where.join(' AND ')} ORDER BY seq DESC LIMIT ?`,
      );
      statement.bind([...values, limit]);
      const rows: IndexRow[] = [];
      while (statement.step()) {
        const [seq, segment, offset, length] = statement.get() as number[];
        rows.push({ seq: seq ?? 0, segment: segment ?? 0, offset: offset ?? 0, length: length ?? 0 });
      }
      statement.reset();
      return rows;
    },
    counts(since, until) {
      const statement = prepared('SELECT minute, verdict, count FROM minute WHERE minute>? AND minute<? ORDER BY minute, verdict');
      statement.bind([since - MINUTE_MS, until]);
      const counts: MinuteCount[] = [];
      while (statement.step()) {
        const [minute, verdict, count] = statement.get() as number[];
        counts.push({ minute: minute ?? 0, verdict: VERDICTS[verdict ?? 0] ?? 'clean', count: count ?? 0 });
      }
      statement.reset();
      return counts;
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
