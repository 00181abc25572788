/**
 * What a hook costs per call, as an agent spawns it: `sh -c <command>` with pipes on all three handles and the call's
 * payload on stdin, from fork to exit.
 * All rows are spawned the same way and take turns in one run, so that a noisy machine harms all of them alike.
 * A small Perl process forks and holds the watch: a Node process of this size takes milliseconds to fork, which every
 * row would be charged with, and ratios to /bin/true would look three times better than they are.
 *
 *   node test/bench/hook.ts [--json] [--rounds=60]
 *
 * true     /bin/true: what spawning costs
 * node     an empty Node program: what any hook written for Node costs at least
 * warm     our hook, the exact command of the agents' configs, with a broker running
 * offline  the same command without a broker
 * peer     cc-safety-net's Claude hook, started by Node directly (its documented `npx` form costs more)
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { installGate, journalEntries, serve } from '#kit/agentsGate.ts';
import { sandbox, sandboxEnvironment } from '#kit/sandbox.ts';
import type { Sandbox } from '#kit/sandbox.ts';

const NAMES = ['true', 'node', 'warm', 'offline', 'peer'] as const;
type Name = (typeof NAMES)[number];

interface Row {
  readonly name: Name;
  readonly command: string;
  readonly box: Sandbox;
  /** Milliseconds, one a round. */
  readonly times: number[];
}

const STOPWATCH = `
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
open(my $report, '>&=', 3) or die;
my $began = clock_gettime(CLOCK_MONOTONIC);
my $child = fork;
die unless defined $child;
if ($child == 0) { exec '/bin/sh', '-c', $ARGV[0]; exit 127; }
waitpid $child, 0;
my $ms = (clock_gettime(CLOCK_MONOTONIC) - $began) * 1000;
print $report $ms;
exit($? & 127 ? 1 : $? >> 8);
`;

const WARM_UP_ROUNDS = 5;
/** The size of a usual call: a payload of about 1 KB. */
const COMMAND = `npm test -- --reporter=dot && git status --short && echo ${'"checked the build, the types and the tests of this package"'.repeat(8)}`;

async function main(args: readonly string[]): Promise<void> {
  const rounds = Number(args.find((arg) => arg.startsWith('--rounds='))?.slice('--rounds='.length) ?? 60);
  const served = sandbox();
  const alone = sandbox();
  const warm = (await installGate(served)).command('claude');
  const offline = (await installGate(alone)).command('claude');
  const broker = await serve(served);
  try {
    const rows: Row[] = [
      { name: 'true', command: '/bin/true', box: alone, times: [] },
      { name: 'node', command: `${quote(process.execPath)} -e 0`, box: alone, times: [] },
      { name: 'warm', command: warm, box: served, times: [] },
      { name: 'offline', command: offline, box: alone, times: [] },
      { name: 'peer', command: peerCommand(), box: alone, times: [] },
    ];
    for (const row of rows) await insistThatItWorks(row);
    for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
      for (const row of rows) {
        const { ms } = await runOnce(row, COMMAND);
        if (round >= 0) row.times.push(ms);
      }
    }
    // The hook falls back to its own process without a word: only the broker's journal tells who judged.
    insistThatBrokerJudged(served, broker.pid, rounds);
    const all = figures(rows);
    console.log(args.includes('--json') ? JSON.stringify({ bench: 'hook', rows: all }) : table(all, rounds));
  } finally {
    await broker.stop();
    served.remove();
    alone.remove();
  }
}

/** @throws unless every entry of the journal was written by the broker. */
function insistThatBrokerJudged(box: Sandbox, pid: number, rounds: number): void {
  const writers = journalEntries(box)
    .filter((entry) => entry.kind === 'call')
    .map((entry) => entry.writer);
  const others = writers.filter((writer) => !writer.startsWith(`${pid}:`));
  if (others.length > 0 || writers.length < rounds)
    throw new Error(
      `the broker (${pid}) judged ${writers.length - others.length} of ${writers.length} calls: the warm row did not measure it`,
    );
}

interface Ran {
  readonly ms: number;
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runOnce(row: Row, command: string): Promise<Ran> {
  const payload = JSON.stringify({
    session_id: '5b1c7a54-6c7c-4c0b-8b0e-7f4f3a4f5d11',
    transcript_path: join(row.box.home, '.claude/projects/work/5b1c7a54-6c7c-4c0b-8b0e-7f4f3a4f5d11.jsonl'),
    cwd: row.box.work,
    prompt_id: '0c6b7c1e-7a6b-4b53-9c59-3a1c1f3f6f0a',
    permission_mode: 'default',
    effort: { level: 'medium' },
    hook_event_name: 'PreToolUse',
    tool_name: 'Bash',
    tool_input: { command, description: 'Run the tests and show what changed' },
    tool_use_id: 'toolu_01A09q90qw90lq917835lq9',
  });
  const env = sandboxEnvironment(row.box);
  return new Promise((resolve, reject) => {
    const child = spawn('/usr/bin/perl', ['-e', STOPWATCH, row.command], {
      cwd: row.box.work,
      env,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    const report = child.stdio[3] as Readable;
    let ms = '';
    report.on('data', (chunk: Buffer) => (ms += chunk.toString()));
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    // Not everybody reads it: /bin/true ends first.
    child.stdin.on('error', () => child.stdin.destroy());
    child.on('close', (status) =>
      resolve({ ms: Number.parseFloat(ms), status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    );
    child.stdin.end(payload);
  });
}

/** A hook that fails at once would look fast: each must let a harmless call pass and refuse a harmful one first. */
async function insistThatItWorks(row: Row): Promise<void> {
  const clean = await runOnce(row, COMMAND);
  if (clean.status !== 0 || clean.stdout !== '')
    throw new Error(`${row.name}: a harmless call gave status ${String(clean.status)} and: ${clean.stdout}${clean.stderr}`);
  if (row.name === 'true' || row.name === 'node') return;
  if (!(clean.ms > 0)) throw new Error(`${row.name}: the stopwatch said nothing`);
  const harmful = await runOnce(row, 'rm -rf / --no-preserve-root');
  const refused = harmful.status === 2 ? harmful.stderr !== '' : harmful.stdout.includes('"deny"');
  if (!refused)
    throw new Error(`${row.name}: a harmful call gave status ${String(harmful.status)} and: ${harmful.stdout}${harmful.stderr}`);
}

function peerCommand(): string {
  const folder = dirname(createRequire(import.meta.url).resolve('cc-safety-net/package.json'));
  return `${quote(process.execPath)} ${quote(join(folder, 'dist', 'bin', 'cc-safety-net.js'))} hook --claude-code`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function quantile(times: readonly number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

interface Figure {
  readonly name: Name;
  /** What a machine that has other work as well says least wrong. */
  readonly least: number;
  readonly median: number;
  readonly p90: number;
  readonly unit: 'ms';
}

function figures(rows: readonly Row[]): Figure[] {
  const rounded = (ms: number): number => Math.round(ms * 100) / 100;
  return rows.map(({ name, times }) => ({
    name,
    least: rounded(quantile(times, 0)),
    median: rounded(quantile(times, 0.5)),
    p90: rounded(quantile(times, 0.9)),
    unit: 'ms',
  }));
}

function table(all: readonly Figure[], rounds: number): string {
  const of = (name: Name, key: 'least' | 'median'): number => all.find((figure) => figure.name === name)?.[key] ?? Number.NaN;
  const lines = all.map(({ name, least, median: own, p90 }) => {
    const times = [least, own, p90].map((ms) => ms.toFixed(2).padStart(10)).join('');
    const ratios = [own / of('true', 'median'), own / of('node', 'median'), least / of('node', 'least'), own / of('peer', 'median')];
    return `${name.padEnd(10)}${times}${ratios.map((ratio) => ratio.toFixed(2).padStart(10)).join('')}`;
  });
  return [
    `${''.padEnd(10)}${['least ms', 'median ms', 'p90 ms', '× true', '× node', 'at least', '× peer'].map((name) => name.padStart(10)).join('')}`,
    ...lines,
    `${rounds} rounds, taking turns, Node ${process.versions.node}`,
  ].join('\n');
}

await main(process.argv.slice(2));
