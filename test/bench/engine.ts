/**
 * What judging a call costs inside a process: `decide` over every shipped rule, on one core, from the built `dist/rules.json`.
 * The engine is warm, as in a process that serves a stream of calls: each row runs in blocks of its own, each block long enough
 * for caches to fill and begun by calls that are not counted. The rows' blocks take turns, so that a noisy machine harms them
 * alike; figures are over the calls of all blocks. Half of the texts are made here, the same every time; half are pieces of the
 * packages installed beside this repository: manuals, source code, declarations, JSON. A row goes through some hundred of them.
 *
 *   node test/bench/engine.ts [--json] [--blocks=7] [--block-ms=400]
 *
 * clean-1k       1 KB of ordinary text, code, JSON or logs, as results and written contents hold it
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
import { attackIn, ordinaryText, packageTexts } from './engineInputs.ts';

const RULES = fileURLToPath(new URL('../../dist/rules.json', import.meta.url));
const HOOK_STARTS = 9;
const VARIANTS = 256;
const WARM_UP_MS = 2000;
/** Part of a block that is not counted. */
const WARM_IN = 0.2;

interface Row {
  readonly name: string;
  readonly run: (variant: number) => unknown;
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

/** Two of four calls are results, two are files that are written: of made texts and of real ones each. */
const ordinary = (texts: readonly string[]): readonly ToolCall[] =>
  texts.map((text, variant) => (variant % 4 < 2 ? result(text) : written(text, variant)));

/** Made ones and real ones. */
const textsOf = (units: number, each: number): readonly string[] => {
  const real = packageTexts(units, each);
  return Array.from({ length: each }, (_, variant) => [ordinaryText(units, variant), ...real.slice(variant, variant + 1)]).flat();
};

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
  const option = (name: string, otherwise: number): number =>
    Number(args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise);
  const blocks = option('blocks', 7);
  const blockMs = option('block-ms', 400);
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
  // Texts of packages may well speak of what a rule is about.
  const clean = (calls: readonly ToolCall[]): readonly ToolCall[] => calls.filter((call) => decide(call, context).verdict === 'clean');
  const made = Array.from({ length: VARIANTS }, (_, variant) => ordinaryText(1024, variant));
  insist(ordinary(made), context, (verdict) => verdict === 'clean');
  const malicious = made.map((text, variant) => result(attackIn(text, variant)));
  insist(malicious, context, (verdict) => verdict !== 'clean');
  const regexes = everyRegex(json);
  const deciding = (name: string, calls: readonly ToolCall[]): Row => ({
    name,
    times: [],
    run: (variant) => decide(calls[variant % calls.length] as ToolCall, context),
  });
  const texts = textsOf(1024, VARIANTS);
  const rows: Row[] = [
    deciding('clean-1k', clean(ordinary(texts))),
    deciding('malicious-1k', malicious),
    deciding('result-10k', clean(ordinary(textsOf(10 * 1024, 64)))),
    deciding('result-100k', clean(ordinary(textsOf(100 * 1024, 8)))),
    {
      name: 'sequential-1k',
      times: [],
      run: (variant) => regexes.filter((regex) => regex.test(texts[variant % texts.length] ?? '')).length,
    },
    deciding(
      'shell-1k',
      Array.from({ length: VARIANTS }, (_, variant) => callOf('shell', { command: commandLine(variant) })),
    ),
    deciding('ls', [callOf('shell', { command: 'ls -la' })]),
  ];
  for (const row of rows) block(row, WARM_UP_MS, 1);
  for (let count = 0; count < blocks; count++) for (const row of rows) block(row, blockMs, WARM_IN);
  const figures = rows.map(figureOf);
  figures.push(figureOf({ name: 'cold-start', times: Array.from({ length: HOOK_STARTS }, coldStart) }));
  console.log(
    args.includes('--json')
      ? JSON.stringify({ bench: 'engine', rules: json.rules.length, rows: figures })
      : table(figures, blocks, json.rules.length),
  );
}

/** Calls one after the other for `ms`, of which the first part is not counted. */
function block(row: Row, ms: number, uncounted: number): void {
  const began = performance.now();
  let variant = 0;
  for (let now = began; now < began + ms;) {
    row.run(variant++);
    const done = performance.now();
    if (now >= began + ms * uncounted) row.times.push((done - now) * 1000);
    now = done;
  }
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

function table(figures: readonly Figure[], blocks: number, rules: number): string {
  const head = `${''.padEnd(14)}${'median µs'.padStart(12)}${'p99 µs'.padStart(12)}${'a second'.padStart(12)}`;
  const lines = figures.map(
    ({ name, median, p99, perSecond }) =>
      `${name.padEnd(14)}${median.toFixed(1).padStart(12)}${p99.toFixed(1).padStart(12)}${String(perSecond).padStart(12)}`,
  );
  return [head, ...lines, `warm, ${blocks} blocks of each row, taking turns, ${rules} rules, Node ${process.versions.node}`].join('\n');
}

main(process.argv.slice(2));
