/**
 * A small coverage-guided fuzzer: inputs that reach blocks of the program no other reached are kept and changed further.
 * Coverage is V8's own (precise, by block), taken through the inspector from a bundle of what is fuzzed.
 */
import { Session } from 'node:inspector/promises';
import { Script } from 'node:vm';
import { build } from 'esbuild';

export interface FuzzInput {
  /** Chosen by the program under test: which of its ways in the text takes. */
  readonly way: string;
  readonly text: string;
}

export interface FuzzReport {
  readonly runs: number;
  /** Characters of the bundle in blocks that ran. */
  readonly reached: number;
  readonly kept: number;
  /** Inputs for which `check` threw, or took too long, and what it said; at most ten. */
  readonly failures: readonly { readonly input: FuzzInput; readonly message: string }[];
}

export interface FuzzTask {
  /** TypeScript of a module that exports `check(way, text): void`; it throws when something is wrong. */
  readonly source: string;
  readonly folder: string;
  readonly ways: readonly string[];
  readonly seeds: readonly FuzzInput[];
  /** The same seed makes the same inputs in the same order, as long as the same blocks are new. */
  readonly seed: number;
  readonly milliseconds: number;
  /** Given to the module's `prepare`, once. */
  readonly given: unknown;
}

const BATCH = 16;
const MAX_TEXT = 4096;
/** One input of at most 4 Ki characters; what is linear takes a few milliseconds of it. */
const SLOW_MS = 1500;
const FILE = 'callgate-fuzzed.cjs';

type Check = (way: string, text: string) => void;

export async function fuzz(task: FuzzTask): Promise<FuzzReport> {
  const { check, size } = await load(task);
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const random = generator(task.seed);
  const reached = new Uint8Array(size);
  const corpus: FuzzInput[] = [];
  const failures: { input: FuzzInput; message: string }[] = [];
  let runs = 0;

  const run = (input: FuzzInput): void => {
    runs++;
    const start = performance.now();
    try {
      check(input.way, input.text);
      if (performance.now() - start > SLOW_MS) throw new Error(`took ${Math.round(performance.now() - start)} ms`);
    } catch (error) {
      if (failures.length < 10) failures.push({ input, message: error instanceof Error ? error.message : String(error) });
    }
  };
  /** Adds what ran since the last time to `into`; how many characters of it were not in `known`. */
  const collect = async (known: Uint8Array, into: Uint8Array): Promise<number> => {
    const { result } = await session.post('Profiler.takePreciseCoverage');
    const ran = new Uint8Array(size);
    // Outer functions and blocks come first, what lies inside them corrects them.
    for (const script of result)
      if (script.url === FILE)
        for (const { ranges } of script.functions)
          for (const range of ranges) ran.fill(range.count > 0 ? 1 : 0, range.startOffset, range.endOffset);
    let count = 0;
    for (let at = 0; at < size; at++) {
      if (ran[at] === 0) continue;
      if (known[at] === 0) count++;
      into[at] = 1;
    }
    return count;
  };
  /** Runs inputs together; only when they reached something new it is worth finding out which did. */
  const tryAll = async (inputs: readonly FuzzInput[]): Promise<void> => {
    for (const input of inputs) run(input);
    const after = reached.slice();
    if ((await collect(reached, after)) === 0) return;
    for (const input of inputs) {
      run(input);
      if ((await collect(reached, reached)) > 0) corpus.push(input);
    }
    // What only ran in company (caches filled once) is not looked for again.
    reached.set(after);
  };

  const end = performance.now() + task.milliseconds;
  for (let at = 0; at < task.seeds.length && performance.now() < end; at += BATCH) await tryAll(task.seeds.slice(at, at + BATCH));
  while (performance.now() < end && failures.length < 10) {
    const inputs: FuzzInput[] = [];
    while (inputs.length < BATCH) inputs.push(mutated(corpus, task, random));
    await tryAll(inputs);
  }
  await session.post('Profiler.stopPreciseCoverage');
  session.disconnect();
  return { runs, reached: reached.reduce((sum, one) => sum + one, 0), kept: corpus.length, failures };
}

async function load(task: FuzzTask): Promise<{ check: Check; size: number }> {
  const { outputFiles } = await build({
    stdin: { contents: task.source, resolveDir: task.folder, loader: 'ts', sourcefile: 'fuzzed.ts' },
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'neutral',
    target: 'node22',
    logLevel: 'silent',
  });
  const code = outputFiles[0]?.text ?? '';
  const module = { exports: {} as { check: Check; prepare?: (given: unknown) => void } };
  (
    new Script(`(function(module, exports) {${code}\n})`, { filename: FILE }).runInThisContext() as (
      module: object,
      exports: object,
    ) => void
  )(module, module.exports);
  module.exports.prepare?.(task.given);
  return { check: module.exports.check, size: code.length + 100 };
}

/** Mulberry32: small, fast, and the same everywhere. */
export function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const PIECES: readonly string[] = [
  ...'\0\t\n\r\u001b "\'`$(){}[]<>|&;\\/*?!#=~^%@:,.-_+'.split(''),
  '$(',
  '${',
  '$((',
  '<<E\n',
  '<(',
  '&&',
  '||',
  '2>&1',
  '\\x41',
  '\\u{1f600}',
  '%25%41',
  '&#65;',
  '&lt;',
  '<!--',
  '-->',
  '<a hidden>',
  '</a>',
  '](',
  '[//]: # (',
  'aWdub3Jl',
  'H4sIAAAAAAAA',
  'eJxL',
  '0x69 ',
  '105, ',
  '01101001 ',
  '.-.. ',
  'gur lbh nyy ',
  'eht uoy lla ',
  'i g n o r e ',
  '1gn0r3 ',
  '\u202e',
  '\u2066',
  '\u200b',
  '\ufe0f',
  '\u{e0041}',
  '\u{e0101}',
  '\u0301',
  '\u0430',
  '\u041d',
  '\uff21',
  '\ud800',
  '\udc00',
  '\u{1f1e6}',
  '\u3164',
  '~/.ssh/id_rsa',
  '../../',
  'http://0x7f.1/',
  'rm -rf ',
  'curl ',
  ' | sh',
  'eval ',
  "bash -c '",
  '*** Begin Patch\n*** Update File: ',
  '---\n',
  '=3D',
  '{a,b}',
  '\u001b[8m',
  '\u001b]52;c;',
];

function mutated(corpus: readonly FuzzInput[], task: FuzzTask, random: (below: number) => number): FuzzInput {
  const pool = corpus.length > 0 ? corpus : task.seeds;
  const pick = (): FuzzInput => pool[random(Math.max(1, pool.length))] ?? { way: task.ways[0] ?? '', text: '' };
  const from = pick();
  let { text } = from;
  for (let change = random(4); change >= 0; change--) {
    const at = random(text.length + 1);
    const size = random(8) === 0 ? random(200) : random(6);
    switch (random(8)) {
      case 0:
        text = text.slice(0, at) + text.slice(at + size);
        break;
      case 1:
      case 2:
        text = text.slice(0, at) + (PIECES[random(PIECES.length)] ?? '') + text.slice(at);
        break;
      case 3:
        text = text.slice(0, at) + String.fromCharCode(random(10) === 0 ? random(65_536) : random(128)) + text.slice(at + random(2));
        break;
      case 4:
        text = text.slice(0, at) + text.slice(at, at + size).repeat(2 + random(6)) + text.slice(at + size);
        break;
      case 5: {
        const other = pick().text;
        text = text.slice(0, at) + other.slice(random(other.length + 1)).slice(0, 400);
        break;
      }
      case 6: {
        const other = pick().text;
        const cut = random(other.length + 1);
        text = text.slice(0, at) + other.slice(cut, cut + random(60)) + text.slice(at);
        break;
      }
      default:
        text = random(2) === 0 ? Buffer.from(text).toString('base64') : [...text].reverse().join('');
        break;
    }
    if (text.length > MAX_TEXT) text = text.slice(0, MAX_TEXT);
  }
  return { way: random(12) === 0 ? (task.ways[random(task.ways.length)] ?? from.way) : from.way, text };
}
