/** `callgate audit …` over real journals: what is printed, where, and with which status. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { openJournal } from '#home/journal/journal.ts';
import { segmentFile } from '#home/journal/segments.ts';
import { audit } from '#node/cli/audit.ts';
import { parseAuditOptions } from '#node/cli/auditOptions.ts';
import { parseTime } from '#node/cli/auditTime.ts';
import { sandbox, type Sandbox } from '#kit/sandbox.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';
import { sampleFinding } from '../audit/export/exportBox.ts';

const boxes: Sandbox[] = [];
afterEach(() => boxes.splice(0).forEach((box) => box.remove()));

/** Twelve entries, one an hour up to now; the third is blocked and looks hostile. */
function newBox(): Sandbox {
  const box = sandbox();
  boxes.push(box);
  let hour = 12;
  const journal = openJournal(box.layout, { now: () => Date.now() - hour * 3_600_000 });
  for (let seq = 1; seq <= 12; seq += 1) {
    hour = 12 - seq;
    const blocked = seq === 3;
    journal.append([
      sampleEvent({
        call: `c-${seq}`,
        tool: seq % 2 === 0 ? 'Read' : 'Bash',
        args: { command: blocked ? 'rm -rf \u202e/\u001b[2J' : `echo ${seq}` },
        verdict: blocked ? 'block' : 'clean',
        outcome: blocked ? 'refused' : 'delivered',
        findings: blocked ? [sampleFinding()] : [],
        ...(seq === 12 ? { kind: 'hold' as const, by: 'person' as const, tookMs: 40_000 } : {}),
      }),
    ]);
  }
  journal.close();
  return box;
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(box: Sandbox, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const text = (stream: PassThrough): (() => string) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    return () => Buffer.concat(chunks).toString();
  };
  const [out, err] = [text(stdout), text(stderr)];
  const host = { layout: box.layout, version: '1.0.0', bundleFolder: box.folder, cwd: box.work, env, platform: process.platform };
  const code = await audit(args, { ...host, stdin: new PassThrough(), stdout, stderr });
  await new Promise((resolve) => setImmediate(resolve));
  return { code, out: out(), err: err() };
}

const seqsOf = ({ out }: Ran): number[] =>
  out
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { seq: number }).seq);

const queries: readonly (readonly [args: readonly string[], seqs: readonly number[]])[] = [
  [
    ['query', '--limit', '3'],
    [12, 11, 10],
  ],
  [
    ['query', '--limit=2', '--oldest-first'],
    [1, 2],
  ],
  [['query', '--verdict', 'flag,block'], [3]],
  [['query', '--verdict', 'flag', '--verdict', 'block'], [3]],
  [['query', '--rule', 'shell.*'], [3]],
  [['query', '--severity', 'medium+'], [3]],
  [['query', '--text', 'ECHO 7'], [7]],
  [
    ['query', '--seq', '4..6'],
    [6, 5, 4],
  ],
  [
    ['query', '--seq', '11..'],
    [12, 11],
  ],
  [
    ['query', '--since', '150m'],
    [12, 11, 10],
  ],
  [['query', '--since', '5h', '--until', '3h', '--tool', 'Read'], [8]],
  [['query', '--kind', 'hold'], [12]],
  [['query', '--workspace', '/home/dev', '--limit', '1'], [12]],
  [['query', '--client', 'codex'], []],
  [
    ['tail', '-n', '2'],
    [11, 12],
  ],
  [
    ['tail', '--tool', 'Read', '-n', '2'],
    [10, 12],
  ],
  [['tail', '-n', '0'], []],
  [
    ['export', '--format', 'jsonl', '--limit', '2'],
    [1, 2],
  ],
  [['export', '--format', 'jsonl', '--verdict', 'block'], [3]],
];
test.each(queries)('%j', async (args, seqs) => {
  const ran = await run(newBox(), args[0] === 'export' ? args : [...args, '--json']);
  expect({ code: ran.code, err: ran.err, seqs: seqsOf(ran) }).toEqual({ code: 0, err: '', seqs });
});

const wrong: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [[], /usage: callgate audit COMMAND/],
  [['frob'], /usage: callgate audit COMMAND/],
  [['query', '--verdict', 'bad'], /--verdict wants clean, flag, quarantine, block; not "bad"/],
  [['query', '--since', 'once'], /--since wants a time such as/],
  [['query', '--seq', '9..3'], /--seq wants A\.\.B/],
  [['query', '--limit', '0'], /--limit wants a number/],
  [['query', '--what'], /there is no option --what/],
  [['query', '--tool'], /--tool wants a value/],
  [['query', 'word'], /usage: callgate audit query/],
  [['stats', 'word'], /usage: callgate audit stats/],
  [['export'], /--format says which/],
  [['export', '--format', 'xml'], /there is no format "xml"/],
  [['export', '--format', 'csv', '--follow'], /--follow goes with otlp and syslog/],
  [['export', '--format', 'otlp'], /--to says where/],
  [['export', '--format', 'otlp', '--to', 'ftp://x'], /wants an http or https address/],
  [['export', '--format', 'otlp', '--to', 'http://localhost', '--header', 'no colon'], /--header wants "Name: value"/],
  [['export', '--format', 'otlp', '--to', 'http://localhost', '--header', 'a: b\nc'], /are no header/],
  [['export', '--format', 'syslog', '--to', 'http://x'], /--to wants udp:/],
  [['export', '--format', 'syslog', '--to', 'udp://localhost', '--facility', '24'], /--facility wants a number from 0 to 23/],
  [['verify', '--key', 'x'], /usage: callgate audit verify/],
  [['verify', '--proof'], /usage: callgate audit verify/],
  [['prove'], /usage: callgate audit prove/],
  [['prove', '0'], /usage: callgate audit prove/],
  [['seal', '--now'], /usage: callgate audit seal/],
  [['expire'], /usage: callgate audit expire/],
  [['expire', '--older-than', 'long'], /usage: callgate audit expire/],
  [['rotate-key', 'now'], /usage: callgate audit rotate-key/],
  [['verify', '--all'], /usage: callgate audit verify/],
];
test.each(wrong)('%j: status 2 and what is wrong', async (args, says) => {
  const ran = await run(newBox(), args);
  expect([ran.code, ran.out]).toEqual([2, '']);
  expect(ran.err).toMatch(says);
});

test('people see a table in which nothing hides', async () => {
  const { out } = await run(newBox(), ['query', '--seq', '3']);
  expect(out).toMatch(/^SEQ +TIME +VERDICT +OUTCOME +WHO +TOOL +RULES/);
  expect(out).toContain('[shell.rm-root] rm -rf \\u{202E}/\\e[2J');
  expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test('an altered line is passed over, named with file and line, and status 1', async () => {
  const box = newBox();
  const file = segmentFile(box.layout.journal, 1);
  writeFileSync(file, readFileSync(file, 'utf8').replace('"call":"c-5"', '"call":"c-6"'));
  const ran = await run(box, ['export', '--format', 'jsonl']);
  expect([ran.code, seqsOf(ran)]).toEqual([1, [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12]]);
  expect(ran.err).toContain(`${file}:5 ALTERED`);
  expect(ran.err).toContain('callgate audit verify says more');
});

test('a proof is printed, and checked without the journal', async () => {
  const box = newBox();
  const file = box.write('proof.json', (await run(box, ['prove', '3'])).out);
  const key = join(box.layout.keys, 'journal-signing.pub.pem');
  const elsewhere = newBox();
  expect(await run(elsewhere, ['verify', '--proof', file, '--key', key])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^Entry 3 of .* is proven: it is one of 12 entries/) as string,
  });
  expect(await run(elsewhere, ['verify', '--proof', file, '--key', join(elsewhere.layout.keys, 'journal-signing.pub.pem')])).toMatchObject({
    code: 1,
    err: expect.stringContaining('This proves nothing') as string,
  });
  box.write('proof.json', readFileSync(file, 'utf8').replace('refused', 'allowed'));
  expect(await run(elsewhere, ['verify', '--proof', file])).toMatchObject({ code: 1, out: '' });
  expect(await run(box, ['prove', '99'])).toMatchObject({ code: 1, err: expect.stringContaining('99') as string });
});

test('an older statement is a witness: the journal it names is still there, or not', async () => {
  const box = newBox();
  const statement = box.write('statement', readFileSync(join(box.layout.keys, 'journal-checkpoint'), 'utf8'));
  expect(await run(box, ['verify', '--witness', statement])).toMatchObject({ code: 0 });
  expect(await run(newBox(), ['verify', '--witness', statement, '--json'])).toMatchObject({
    code: 1,
    out: expect.stringContaining('ROLLED_BACK') as string,
  });
  expect(await run(box, ['verify', '--witness', box.write('x', 'words')])).toMatchObject({
    code: 1,
    err: expect.stringContaining('no checkpoint statement') as string,
  });
});

test('closed segments are sealed and packed, nothing goes without --yes, the key is changed; all of it verifies', async () => {
  const box = sandbox();
  boxes.push(box);
  for (let segment = 0; segment < 4; segment += 1) {
    const journal = openJournal(box.layout, { segmentBytes: 1, now: () => Date.now() - 3 * 86_400_000 });
    journal.append([sampleEvent()]);
    journal.close();
  }
  expect(await run(box, ['seal', '--pack'])).toMatchObject({ code: 0, out: '3 segments were sealed, 2 segments were compressed.\n' });
  const shown = await run(box, ['expire', '--older-than', '1d']);
  expect([shown.code, shown.out]).toEqual([
    0,
    expect.stringMatching(/^segment 1, entries 1 to 1, .*\n[^]*Nothing was changed.*--yes/) as string,
  ]);
  expect(seqsOf(await run(box, ['query', '--json', '--seq', '1']))).toEqual([1]);
  expect(await run(box, ['expire', '--older-than', '1d', '--yes'])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/dropped; signed/) as string,
  });
  expect(seqsOf(await run(box, ['query', '--json', '--seq', '1']))).toEqual([]);
  expect(await run(box, ['rotate-key'])).toMatchObject({ code: 0, out: expect.stringMatching(/; entry \d+ says so/) as string });
  expect(await run(box, ['verify', '--seal'])).toMatchObject({ code: 0, err: '' });
});

test('stats: what it comes to', async () => {
  const ran = await run(newBox(), ['stats', '--json']);
  expect(JSON.parse(ran.out)).toMatchObject({
    entries: 12,
    verdicts: { clean: 11, block: 1 },
    tools: { Bash: 6, Read: 6 },
    rules: { 'shell.rm-root': 1 },
    held: { person: { count: 1, longest: 40_000 } },
  });
  expect((await run(newBox(), ['stats'])).out).toMatch(/12 entries, from .*\n\nVerdicts\n +11 +91\.7 % +clean/);
});

test('a file is written whole, 0600, and says so; a failure leaves the one that was there', async () => {
  const box = newBox();
  const file = join(box.work, 'out.csv');
  const ran = await run(box, ['export', '--format', 'csv', '--output', 'out.csv']);
  expect(ran).toMatchObject({ code: 0, out: `12 entries were written to ${file}\n`, err: '' });
  expect(readFileSync(file, 'utf8').split('\r\n')).toHaveLength(14);
  writeFileSync(join(box.work, 'kept.csv'), 'kept');
  const failed = await run(box, ['export', '--format', 'csv', '--output', 'no/such/folder.csv']);
  expect([failed.code, failed.err]).toEqual([1, expect.stringMatching(/could not be written.*make its folder/) as string]);
  expect(await run(box, ['export', '--format', 'csv', '--output', '.'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('is a folder') as string,
  });
  expect(readdirSync(box.work).sort()).toEqual(['kept.csv', 'out.csv']);
});

test('progress for a program is JSON lines, the last of them complete', async () => {
  const { err } = await run(newBox(), ['export', '--format', 'json', '--output', 'x.json', '--progress', 'json']);
  const lines = err
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as object);
  expect(lines.at(-1)).toEqual({ progress: 1, entries: 12 });
});

test('a bookmark is gone on from, and one of another journal is refused', async () => {
  const got: number[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      got.push(...[...body.matchAll(/"callgate\.seq","value":\{"intValue":"(\d+)"/g)].map((match) => Number(match[1])));
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const box = newBox();
  const args = ['export', '--format', 'otlp', '--bookmark', 'mark'];
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  try {
    expect(await run(box, [...args, '--limit', '5'], env)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^5 entries were sent to 127/) as string,
    });
    expect(await run(box, args, env)).toMatchObject({ code: 0, out: expect.stringMatching(/^7 entries/) as string });
    expect(await run(box, args, env)).toMatchObject({ code: 0, out: expect.stringMatching(/^0 entries/) as string });
    expect(got).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const other = newBox();
    const mark = join(box.work, 'mark');
    expect(await run(other, ['export', '--format', 'otlp', '--bookmark', mark], env)).toMatchObject({
      code: 1,
      err: expect.stringContaining('of another journal') as string,
    });
    writeFileSync(mark, '{}');
    expect(await run(box, ['export', '--format', 'otlp', '--bookmark', mark], env)).toMatchObject({
      code: 1,
      err: expect.stringContaining('it is not a bookmark of ours') as string,
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
  expect(existsSync(join(box.work, 'mark'))).toBe(true);
});

test('a reader that stops ends a tail that follows', async () => {
  const box = newBox();
  const stdout = new PassThrough();
  const host = { layout: box.layout, version: '1.0.0', bundleFolder: box.folder, cwd: box.work, env: {}, platform: process.platform };
  const ending = audit(['tail', '-f', '--json'], { ...host, stdin: new PassThrough(), stdout, stderr: new PassThrough() });
  await new Promise((resolve) => stdout.once('data', resolve));
  stdout.destroy();
  expect(await ending).toBe(0);
});

const now = new Date(2026, 4, 6, 12, 30).getTime();
const times: readonly (readonly [text: string, time: number | null])[] = [
  ['2h', now - 7_200_000],
  ['90s', now - 90_000],
  ['1w', now - 604_800_000],
  ['today', new Date(2026, 4, 6).getTime()],
  ['yesterday', new Date(2026, 4, 5).getTime()],
  ['2026-01-31', new Date(2026, 0, 31).getTime()],
  ['2026-01-31T14:05Z', Date.UTC(2026, 0, 31, 14, 5)],
  ['2026-01-31 14:05:06', new Date(2026, 0, 31, 14, 5, 6).getTime()],
  ['2026-02-30', null],
  ['2026-13-01', null],
  ['tomorrow', null],
  ['', null],
  ['h', null],
];
test.each(times)('the time %j', (text, time) => {
  expect(parseTime(text, now)).toBe(time);
});

test('a workspace is a folder seen from here', () => {
  const options = parseAuditOptions(['--workspace', '.', '--workspace=/x/'], { flags: [], values: [] }, { now, cwd: '/home/me' });
  expect(options).toMatchObject({ filter: { workspace: ['/home/me', '/x'] } });
});

/** More than the pipe and one block hold, so that the reader is gone while there is still something to say. */
function longBox(): Sandbox {
  const box = newBox();
  const journal = openJournal(box.layout);
  for (let batch = 0; batch < 4; batch += 1) journal.append(Array.from({ length: 1000 }, () => sampleEvent()));
  journal.close();
  return box;
}

const PROGRAM = join(import.meta.dirname, '../audit/export/exportProgram.ts');
const unread: readonly (readonly string[])[] = [
  ['export', '--format', 'jsonl'],
  ['export', '--format', 'csv'],
  ['query', '--limit', 'all', '--json'],
  ['tail', '-n', '4000', '--json'],
];
test.each(unread)('a reader that stops, as `| head -1` does, is no failure: %s %s %s', async (...args) => {
  const box = longBox();
  const child = spawn(process.execPath, [PROGRAM, box.layout.home, 'audit', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let err = '';
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  child.stdout.once('data', () => child.stdout.destroy());
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect({ code, err }).toEqual({ code: 0, err: '' });
});
