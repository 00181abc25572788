/**
 * What the record costs: appending, indexing, verifying and asking, over one million entries beside the same rows in
 * Node's own SQLite, in one run.
 *
 *   node test/bench/audit.ts [--json] [--entries=1000000]
 *
 * append-1    one process, batches of 1,000 chained entries, each batch on the disk (fdatasync) and signed
 * append-4    four processes into the same journal at once, the same batches
 * append-one  one process, one entry at a time: what a hook without an editor does
 * sqlite-append, sqlite-index   node:sqlite: the whole lines as rows in batches of 1,000 with a full sync; the index's rows without one
 * index       the journal read, checked and indexed from nothing     verify   every hash, link and signature
 * query-*     one page of 100 entries, read from the journal and checked; median of many
 * open        an existing index until its first page     memory   resident set of a process that has indexed and asked
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { TimelineQuery } from '#contract/ipc.ts';
import { openJournal } from '#home/journal/journal.ts';
import { layoutFor, type Layout } from '#home/layout.ts';
import { openIndex, type AuditIndex } from '#node/audit/auditIndex.ts';
import { verifyJournal } from '#node/audit/verify.ts';

const WASM = createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm');
const BATCH = 1000;
const TOOLS = ['Bash', 'Read', 'Write', 'Edit', 'WebFetch', 'search', 'query', 'list_issues'];
const START = Date.UTC(2026, 0, 5);

interface Row {
  readonly name: string;
  readonly perSecond?: number;
  readonly median?: number;
  readonly mb?: number;
}

/** An ordinary event of about 700 bytes; every 200th is held, every 50th flagged, ten a second. */
function eventOf(index: number): AuditEvent {
  const tool = TOOLS[(index * 7) % TOOLS.length] ?? 'Bash';
  return {
    kind: 'call',
    call: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    client: index % 3 === 0 ? 'codex' : 'claude',
    agent: index % 11 === 0 ? `sub-${index % 5}` : 'main',
    parent: index % 11 === 0 ? 'main' : null,
    session: `session-${Math.floor(index / 900)}`,
    useId: `toolu_${index.toString(36).padStart(12, '0')}`,
    channel: 'shell',
    tool,
    server: null,
    cwd: '/home/dev/shop/packages/web',
    workspace: '/home/dev/shop',
    args: { command: `npm run test -- --filter=${index % 997} && git status --short`, description: 'run the tests of one package' },
    argsHash: 'ab'.repeat(32),
    rules: 'cd'.repeat(32),
    policy: 'built-in',
    verdict: index % 200 === 0 ? 'quarantine' : index % 50 === 0 ? 'flag' : 'clean',
    outcome: 'delivered',
    by: 'gate',
    reason: index % 50 === 0 ? 'Callgate warns: something worth a look.' : '',
    note: '',
    findings: [],
    tookMs: 0.25,
  };
}

const temporary: string[] = [];
function newLayout(): Layout {
  const home = mkdtempSync(join(tmpdir(), 'callgate-bench-'));
  temporary.push(home);
  return layoutFor(home);
}

/** Seconds `work` takes. */
async function timed(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

function appendAll(layout: Layout, entries: number): void {
  let index = 0;
  const journal = openJournal(layout, { now: () => START + index * 100 });
  for (; index < entries; index += BATCH)
    journal.append(Array.from({ length: Math.min(BATCH, entries - index) }, (_, offset) => eventOf(index + offset)));
  journal.close();
}

/** Entries a second of `writers` processes that begin at the same moment. */
async function appendTogether(writers: number, each: number): Promise<number> {
  const layout = newLayout();
  openJournal(layout).check();
  const children = Array.from({ length: writers }, () =>
    spawn(process.execPath, [import.meta.filename, '--writer', layout.home, String(each)], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const lines = children.map((child) => {
    let text = '';
    child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
    return (): string => text;
  });
  const all = (word: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (lines.every((line) => line().includes(word))) resolve();
      };
      for (const child of children) {
        child.stdout.on('data', look);
        child.once('exit', (code) => {
          if (code !== 0) reject(new Error(`a writer ended with status ${code}`));
        });
      }
      look();
    });
  await all('ready');
  const seconds = await timed(async () => {
    for (const child of children) child.stdin.write('go\n');
    await all('done');
  });
  const report = await verifyJournal(layout);
  if (!report.ok || report.entries !== writers * each) throw new Error(`the journal is not whole: ${JSON.stringify(report)}`);
  return (writers * each) / seconds;
}

async function writer(home: string, each: number): Promise<void> {
  const events = Array.from({ length: BATCH }, (_, index) => eventOf(index));
  const journal = openJournal(layoutFor(home), { lockWaitMs: 60_000 });
  journal.check();
  process.stdout.write('ready\n');
  await new Promise((resolve) => process.stdin.once('data', resolve));
  for (let done = 0; done < each; done += BATCH) journal.append(events);
  journal.close();
  process.stdout.write('done\n');
  process.stdin.destroy();
}

function sqliteAppend(entries: number): number {
  const home = mkdtempSync(join(tmpdir(), 'callgate-bench-'));
  temporary.push(home);
  const database = new DatabaseSync(join(home, 'rows.sqlite'));
  database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE row (seq INTEGER PRIMARY KEY, line TEXT)');
  const insert = database.prepare('INSERT INTO row (line) VALUES (?)');
  const began = performance.now();
  for (let index = 0; index < entries; index += BATCH) {
    database.exec('BEGIN');
    for (let offset = 0; offset < BATCH; offset++) insert.run(JSON.stringify(eventOf(index + offset)));
    database.exec('COMMIT');
  }
  const perSecond = (entries / (performance.now() - began)) * 1000;
  database.close();
  return perSecond;
}

function sqliteIndex(entries: number): number {
  const home = mkdtempSync(join(tmpdir(), 'callgate-bench-'));
  temporary.push(home);
  const database = new DatabaseSync(join(home, 'index.sqlite'));
  database.exec(`PRAGMA synchronous=OFF;
    CREATE TABLE entry (seq INTEGER PRIMARY KEY, time INTEGER, verdict INTEGER, client INTEGER, agent INTEGER, tool INTEGER, session INTEGER, segment INTEGER, "offset" INTEGER, length INTEGER);
    CREATE INDEX a ON entry (verdict); CREATE INDEX b ON entry (verdict, tool); CREATE INDEX c ON entry (client); CREATE INDEX d ON entry (agent); CREATE INDEX e ON entry (tool); CREATE INDEX f ON entry (session)`);
  const insert = database.prepare('INSERT INTO entry VALUES (?,?,?,?,?,?,?,?,?,?)');
  const began = performance.now();
  for (let index = 0; index < entries; index += BATCH) {
    database.exec('BEGIN');
    for (let offset = 0; offset < BATCH; offset++) {
      const seq = index + offset + 1;
      insert.run(seq, START + seq, seq % 4, seq % 3, seq % 11, seq % 8, Math.floor(seq / 900), Math.floor(seq / 22_000), seq * 700, 700);
    }
    database.exec('COMMIT');
  }
  const perSecond = (entries / (performance.now() - began)) * 1000;
  database.close();
  return perSecond;
}

const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function queries(entries: number): readonly (readonly [string, (round: number) => TimelineQuery])[] {
  const last = START + entries * 100;
  return [
    ['latest', () => ({ limit: 100 })],
    ['page-deep', (round) => ({ limit: 100, before: Math.max(2, Math.floor((entries * (round + 1)) / 40)) })],
    ['verdict', () => ({ limit: 100, verdict: 'quarantine' })],
    ['verdict-absent', () => ({ limit: 100, verdict: 'block' })],
    ['verdict-tool', () => ({ limit: 100, verdict: 'flag', tool: 'WebFetch' })],
    ['agent', (round) => ({ limit: 100, agent: `sub-${round % 5}` })],
    ['client', () => ({ limit: 100, agent: 'codex' })],
    ['tool', (round) => ({ limit: 100, tool: TOOLS[round % TOOLS.length] ?? 'Bash' })],
    ['session', (round) => ({ limit: 100, session: `session-${(round * 37) % Math.max(1, Math.floor(entries / 900))}` })],
    [
      'time-range',
      (round) => ({ limit: 100, since: START + ((last - START) * round) / 40, until: START + ((last - START) * round) / 40 + 3_600_000 }),
    ],
  ];
}

function memory(): number {
  return Math.round(process.memoryUsage().rss / 1e6);
}

/** Runs in a process of its own, whose memory is then that of an index and nothing else. */
async function indexing(home: string, entries: number): Promise<void> {
  const layout = layoutFor(home);
  const rows: Row[] = [];
  let index = await openIndex(layout, WASM);
  const seconds = await timed(() => index.catchUp());
  rows.push({ name: 'index', perSecond: entries / seconds });
  for (const [name, query] of queries(entries)) rows.push({ name: `query-${name}`, median: medianOf(index, query) });
  const last = START + entries * 100;
  const counted: number[] = [];
  for (let round = 0; round < 40; round++) {
    const began = performance.now();
    if (index.counts(last - 24 * 3600 * 1000, last).length === 0) throw new Error('no minute was counted');
    counted.push(performance.now() - began);
  }
  rows.push({ name: 'query-per-minute', median: middle(counted) });
  const rareWord = await timed(() => {
    let before: number | undefined;
    for (;;) {
      const page = index.query({ limit: 100, text: 'nowhere to be found', ...(before === undefined ? {} : { before }) });
      if (page.next === null) return;
      before = page.next;
    }
  });
  rows.push({ name: 'search-absent-word', median: rareWord * 1000 });
  index.close();
  const opened = await timed(async () => {
    index = await openIndex(layout, WASM);
    if (index.query({ limit: 100 }).entries.length === 0) throw new Error('the first page is empty');
  });
  rows.push({ name: 'open', median: opened * 1000 });
  index.close();
  rows.push({ name: 'memory', mb: memory() });
  process.stdout.write(JSON.stringify(rows));
}

function medianOf(index: AuditIndex, query: (round: number) => TimelineQuery): number {
  const times: number[] = [];
  for (let round = 0; round < 40; round++) {
    const asked = query(round);
    const began = performance.now();
    index.query(asked);
    times.push(performance.now() - began);
  }
  return middle(times);
}

/** As one file, as the broker is shipped: reading TypeScript alone takes Node 35 MB. */
async function own(args: readonly string[]): Promise<string> {
  const { build } = await import('esbuild');
  const program = join(mkdtempSync(join(tmpdir(), 'callgate-bench-')), 'bench.mjs');
  temporary.push(dirname(program));
  await build({
    entryPoints: [import.meta.filename],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['esbuild'],
    define: { 'import.meta.url': JSON.stringify(import.meta.url) },
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire('/'), __filename = '', __dirname = '';",
    },
    logLevel: 'error',
  });
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the bench's own process ended with status ${String(code)}`);
  return text;
}

async function main(args: readonly string[]): Promise<void> {
  const entries = Number(args.find((arg) => arg.startsWith('--entries='))?.slice('--entries='.length) ?? 1_000_000);
  const rows: Row[] = [];
  const layout = newLayout();
  const begun = await timed(() => appendAll(layout, entries));
  rows.push({ name: 'append-1', perSecond: entries / begun });
  rows.push({ name: 'append-4', perSecond: await appendTogether(4, Math.max(BATCH, Math.floor(entries / 20 / BATCH) * BATCH)) });
  const single = newLayout();
  const journal = openJournal(single);
  journal.append([eventOf(0)]);
  const one = await timed(() => {
    for (let index = 1; index <= 500; index++) journal.append([eventOf(index)]);
  });
  journal.close();
  rows.push({ name: 'append-one', perSecond: 500 / one });
  rows.push({ name: 'sqlite-append', perSecond: sqliteAppend(Math.min(entries, 200_000)) });
  rows.push(...(JSON.parse(await own(['--indexing', layout.home, String(entries)])) as Row[]));
  rows.push({ name: 'sqlite-index', perSecond: sqliteIndex(Math.min(entries, 200_000)) });
  const checked = await timed(async () => {
    const report = await verifyJournal(layout);
    if (!report.ok || report.entries !== entries) throw new Error(`the journal is not whole: ${JSON.stringify(report)}`);
  });
  rows.push({ name: 'verify', perSecond: entries / checked });
  const bytes = (folder: string): number => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  rows.push(
    { name: 'journal-size', mb: Math.round(bytes(layout.journal) / 1e6) },
    { name: 'index-size', mb: Math.round(bytes(layout.index) / 1e6) },
  );
  console.log(args.includes('--json') ? JSON.stringify({ bench: 'audit', entries, rows }) : table(rows, entries));
}

function table(rows: readonly Row[], entries: number): string {
  const cell = (row: Row): string =>
    row.perSecond !== undefined
      ? `${Math.round(row.perSecond).toLocaleString('en')} a second`
      : row.median !== undefined
        ? `${row.median.toFixed(2)} ms`
        : `${row.mb ?? 0} MB`;
  return [`${entries.toLocaleString('en')} entries`, ...rows.map((row) => `${row.name.padEnd(22)} ${cell(row)}`)].join('\n');
}

const [mode, home = '', count = '0'] = process.argv.slice(2);
try {
  if (mode === '--writer') await writer(home, Number(count));
  else if (mode === '--indexing') await indexing(home, Number(count));
  else await main(process.argv.slice(2));
} finally {
  for (const folder of temporary) rmSync(folder, { recursive: true, force: true });
}
