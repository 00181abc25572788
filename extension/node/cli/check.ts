import { createInterface } from 'node:readline';
import { text as readAll } from 'node:stream/consumers';
import { parseCheckLine, type CheckAnswer } from '#contract/checkLine.ts';
import { openEngine, type Engine } from '#home/engine.ts';
import { errorText } from '#home/privateFile.ts';
import { type Command, print } from '#node/cli/command.ts';
import { join } from 'node:path';

const USAGE = 'usage: callgate check [--jsonl] < CALL';

/**
 * `callgate check`: judges what stands on standard input without running, holding or recording anything.
 * Exit status 0: judged · 1: some line could not be judged, and was answered `block` with its problem.
 */
export const check: Command = async (args, { layout, bundleFolder, cwd, stdin, stdout, stderr }) => {
  if (args.some((arg) => arg !== '--jsonl')) {
    print(stderr, USAGE);
    return 2;
  }
  const engine = openEngine(layout, join(bundleFolder, 'rules.json'));
  if (engine.problem !== null) print(stderr, engine.problem);
  let failed = 0;
  const judge = (source: string, where: string): CheckAnswer => {
    const answer = answerTo(source, engine, cwd);
    if (answer.problem !== undefined) {
      failed++;
      print(stderr, `${where}: ${answer.problem}`);
    }
    return answer;
  };
  if (args.includes('--jsonl')) {
    let number = 0;
    for await (const line of createInterface({ input: stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      if (line.trim() === '') continue;
      // A reader slower than we are must not make us keep every answer in memory.
      if (!stdout.write(`${JSON.stringify(judge(line, `line ${number}`))}\n`) && !stdout.destroyed)
        await new Promise<void>((resolve) => {
          stdout.once('drain', resolve);
          stdout.once('close', resolve);
        });
    }
  } else print(stdout, JSON.stringify(judge(await readAll(stdin), 'standard input')));
  return failed === 0 ? 0 : 1;
};

function answerTo(source: string, engine: Engine, cwd: string): CheckAnswer {
  let line: unknown;
  try {
    line = JSON.parse(source);
  } catch (error) {
    return refused('', `not JSON: ${errorText(error)}`);
  }
  const read = parseCheckLine(line, cwd);
  if ('problem' in read) return refused(read.id, read.problem);
  const began = process.hrtime.bigint();
  const decision = engine.decide(read.call);
  const micros = Number((process.hrtime.bigint() - began) / 1000n);
  return { id: read.id, verdict: decision.verdict, rules: [...new Set(decision.findings.map((finding) => finding.rule))], micros };
}

const refused = (id: string, problem: string): CheckAnswer => ({
  id,
  verdict: 'block',
  rules: ['engine.unreadable-line'],
  micros: 0,
  problem,
});
