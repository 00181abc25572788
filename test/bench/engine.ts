/**
 * What judging a call costs inside a process: `decide` over every shipped rule, on one core, from the built `dist/rules.json`.
 * All rows take turns in one run, so that a noisy machine harms them alike. Inputs are made here, the same every time, and no
 * two calls of a row are the same.
 *
 *   node test/bench/engine.ts [--json] [--rounds=400]
 *
 * clean-1k       1 KB of ordinary text, code or JSON, as results and written contents hold it
 * malicious-1k   the same with an attack in the middle
 * result-10k, result-100k   a tool's result of that size
 * sequential-1k  the inputs of clean-1k, only searched, with every regex of every rule in turn
 * shell-1k       a long command line of many commands
 * ls             `ls -la`
 * cold-start     a process of its own per call: reading the rules and the first decision, without Node's own start
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseRulePack } from '#core/detect/packFile.ts';
import type { RulePackJson } from '#core/detect/rulePack.ts';
import { decide, type GateContext } from '#core/gate.ts';
import type { Channel, ToolCall } from '#core/model/call.ts';
import type { JsonValue } from '#core/model/json.ts';
import type { Verdict } from '#core/model/verdict.ts';
import { attackIn, ordinaryText } from './engineInputs.ts';

const RULES = fileURLToPath(new URL('../../dist/rules.json', import.meta.url));
const HOOK_STARTS = 9;
const VARIANTS = 48;
const WARM_UP = 60;

interface Row {
  readonly name: string;
  readonly run: (variant: number) => unknown;
  /** Taking turns, one round of a long row would last as long as many of a short one. */
  readonly every: number;
  /** Microseconds. */
  readonly times: number[];
}

interface Figure {
  readonly name: string;
  readonly median: number;
  readonly p99: number;
  /** Calls a second on one core, from the mean. */
  readonly perSecond: number;
  readonly unit: 'µs';
}

function callOf(channel: Channel, args: JsonValue): ToolCall {
  const tool = channel === 'shell' ? 'Bash' : channel === 'write' ? 'Write' : 'mcp__files__read';
  return { client: 'claude', agent: 'main', session: 'bench', useId: null, channel, tool, server: null, args, cwd: '/home/dev/app' };
}

const result = (text: string): ToolCall => callOf('response', { content: [{ type: 'text', text }] });
const written = (text: string, variant: number): ToolCall =>
  callOf('write', { file_path: `/home/dev/app/src/part${variant}.ts`, content: text });

/** Every other call is a result, every other a file that is written. */
const ordinary = (units: number): readonly ToolCall[] =>
  Array.from({ length: VARIANTS }, (_, variant) => {
    const text = ordinaryText(units, variant);
    return variant % 2 === 0 ? result(text) : written(text, variant);
  });

const commandLine = (variant: number): string =>
  Array.from(
    { length: 9 },
    (_, at) =>
      [
        `cd packages/part${variant + at} && npm test -- --reporter=dot --filter "case ${at}"`,
        `git add -A && git commit -m "Part ${variant}: step ${at}" && git log --oneline -n ${at + 3}`,
        `grep -rn "total${at}" src --include='*.ts' | sort | uniq -c | head -n ${at + 5} > out${variant}.txt`,
        `for f in src/*.ts; do wc -l "$f"; done; find . -name '*.map' -newer package.json -print`,
      ][(variant + at) % 4] ?? '',
  )
    .join(' && ')
    .slice(0, 1024)
    .replace(/\s\S*$/u, '');

function main(args: readonly string[]): void {
  const rounds = Number(args.find((arg) => arg.startsWith('--rounds='))?.slice('--rounds='.length) ?? 400);
  const json = JSON.parse(readFileSync(RULES, 'utf8')) as RulePackJson;
  const { pack, problems } = parseRulePack(json);
  if (pack === null) throw new Error(problems.join('\n'));
  const context: GateContext = {
    pack,
    custom: [],
    home: '/home/dev',
    dataFolder: '/home/dev/.callgate',
    caseInsensitivePaths: false,
    realpath: () => null,
    readText: () => null,
  };
  const clean = ordinary(1024);
  const malicious = clean.map((_, variant) => result(attackIn(ordinaryText(1024, variant), variant)));
  const regexes = everyRegex(json);
  insist(clean, context, (verdict) => verdict === 'clean');
  insist(malicious, context, (verdict) => verdict !== 'clean');
  const deciding = (name: string, every: number, calls: readonly ToolCall[]): Row => ({
    name,
    every,
    times: [],
    run: (variant) => decide(calls[variant % calls.length] as ToolCall, context),
  });
  const texts = Array.from({ length: VARIANTS }, (_, variant) => ordinaryText(1024, variant));
  const rows: Row[] = [
    deciding('clean-1k', 1, clean),
    deciding('malicious-1k', 1, malicious),
    deciding('result-10k', 1, ordinary(10 * 1024)),
    deciding('result-100k', 8, ordinary(100 * 1024)),
    {
      name: 'sequential-1k',
      every: 1,
      times: [],
      run: (variant) => regexes.filter((regex) => regex.test(texts[variant % texts.length] ?? '')).length,
    },
    deciding(
      'shell-1k',
      1,
      Array.from({ length: VARIANTS }, (_, variant) => callOf('shell', { command: commandLine(variant) })),
    ),
    deciding('ls', 1, [callOf('shell', { command: 'ls -la' })]),
  ];
  const many = rounds * 10;
  for (let round = -WARM_UP; round < many; round++) {
    for (const row of rows) {
      if (round % row.every !== 0) continue;
      const began = process.hrtime.bigint();
      row.run(Math.abs(round));
      if (round >= 0) row.times.push(Number(process.hrtime.bigint() - began) / 1000);
    }
  }
  const figures = rows.map(figureOf);
  figures.push(figureOf({ name: 'cold-start', times: Array.from({ length: HOOK_STARTS }, coldStart) }));
  console.log(
    args.includes('--json')
      ? JSON.stringify({ bench: 'engine', rules: json.rules.length, rows: figures })
      : table(figures, many, json.rules.length),
  );
}

/** Every regex over texts, as the plainest engine would run them. */
function everyRegex(json: RulePackJson): RegExp[] {
  const out: RegExp[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (typeof value === 'object' && value !== null) {
      if ('kind' in value && value.kind === 'regex' && 'regex' in value && 'flags' in value)
        out.push(new RegExp(String(value.regex), `${String(value.flags)}u`));
      Object.values(value).forEach(walk);
    }
  };
  walk(json.rules.map((rule) => rule.match));
  return out;
}

/** Figures of calls that are not judged as they are meant would say nothing. */
function insist(calls: readonly ToolCall[], context: GateContext, right: (verdict: Verdict) => boolean): void {
  for (const call of calls) {
    const { verdict, findings } = decide(call, context);
    if (!right(verdict))
      throw new Error(`judged ${verdict} (${findings.map((finding) => finding.rule).join(' ')}): ${JSON.stringify(call.args)}`);
  }
}

/** Microseconds a fresh process needs for its first decision. */
function coldStart(): number {
  const ran = spawnSync(process.execPath, [fileURLToPath(new URL('engineColdStart.ts', import.meta.url)), RULES], { encoding: 'utf8' });
  const took = Number(ran.stdout);
  if (ran.status !== 0 || !(took > 0)) throw new Error(`the cold start failed: ${ran.stderr}`);
  return took;
}

function quantile(times: readonly number[], part: number): number {
  const ascending = [...times].sort((a, b) => a - b);
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * part))] ?? Number.NaN;
}

function figureOf({ name, times }: Pick<Row, 'name' | 'times'>): Figure {
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  const rounded = (value: number): number => Math.round(value * 10) / 10;
  return {
    name,
    median: rounded(quantile(times, 0.5)),
    p99: rounded(quantile(times, 0.99)),
    perSecond: Math.round(1e6 / mean),
    unit: 'µs',
  };
}

function table(figures: readonly Figure[], rounds: number, rules: number): string {
  const head = `${''.padEnd(14)}${'median µs'.padStart(12)}${'p99 µs'.padStart(12)}${'a second'.padStart(12)}`;
  const lines = figures.map(
    ({ name, median, p99, perSecond }) =>
      `${name.padEnd(14)}${median.toFixed(1).padStart(12)}${p99.toFixed(1).padStart(12)}${String(perSecond).padStart(12)}`,
  );
  return [head, ...lines, `${rounds} rounds, taking turns, ${rules} rules, Node ${process.versions.node}`].join('\n');
}

main(process.argv.slice(2));
