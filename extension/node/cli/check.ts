import { text as readAll } from 'node:stream/consumers';
import type { Readable, Writable } from 'node:stream';
import { existsSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { join } from 'node:path';
import { parseCheckLine, type CheckAnswer } from '#contract/checkLine.ts';
import type { ToolCall } from '#core/model/call.ts';
import type { Decision } from '#core/model/verdict.ts';
import { visibleLine } from '#core/policy/visibleText.ts';
import { userPlace } from '#home/customRules.ts';
import { openEngine, type Engine } from '#home/engine.ts';
import { errorText } from '#home/privateFile.ts';
import { CHECK_USAGE, readCheckArguments, type CheckArguments } from '#node/cli/checkArguments.ts';
import { type Command, type CommandHost, print } from '#node/cli/command.ts';
import { explain } from '#node/cli/explain.ts';

/** Answers are handed on in pieces of this size: a write a line costs more than judging it. */
const PIECE_UNITS = 32 * 1024;
/** A longer line is no call that any client sends; it is answered, not judged. */
const MAX_LINE_UNITS = 64 * 1024 * 1024;

/**
 * `callgate check`: judges what stands on standard input or the command line without running, holding or recording anything.
 * Exit status 0: judged · 1: some line could not be judged (and was answered `block` with its problem), or a policy or
 * rule that was asked for could not be used.
 */
export const check: Command = async (args, host) => {
  const { layout, bundleFolder, cwd, stdin, stdout, stderr } = host;
  const asked = readCheckArguments(args, cwd);
  if (typeof asked === 'string') {
    print(stderr, `${asked}\n${CHECK_USAGE}`);
    return 2;
  }
  for (const file of [asked.policy, asked.rules])
    if (file !== null && !existsSync(file)) {
      print(stderr, `${file} does not exist`);
      return 1;
    }
  const engine = openEngine(layout, join(bundleFolder, 'rules.json'), { ...ownPlace(asked, host), checkedHash: host.checkedRules ?? '' });
  const whole = asked.form === 'jsonl' ? await checkLines(engine, host) : await checkOne(asked, engine, host);
  const problem = engine.problem(cwd);
  if (problem !== null) print(stderr, problem);
  // What is only mentioned when nobody asked for it is a failure when somebody did.
  return whole && (problem === null || (asked.policy === null && asked.rules === null)) ? 0 : 1;

  async function checkOne({ form, line }: CheckArguments, { decide, fieldsOf }: Engine, { cwd: folder }: CommandHost): Promise<boolean> {
    const source = line === null ? await readAll(stdin) : JSON.stringify(line);
    const read = readLine(source, folder);
    if ('problem' in read) {
      print(stderr, `standard input: ${visibleLine(read.problem, 400)}`);
      if (form === 'json') print(stdout, JSON.stringify(refused(read.id, read.problem)));
      return false;
    }
    if (form === 'explain') print(stdout, explain(read.call, fieldsOf(read.call), decide(read.call)));
    else {
      const answer = answerTo(read.id, read.call, decide);
      print(stdout, isTerminal(stdout) ? JSON.stringify(answer, null, 2) : JSON.stringify(answer));
    }
    return true;
  }
};

const isTerminal = (stream: Writable): boolean => 'isTTY' in stream && stream.isTTY === true;

function ownPlace({ policy, rules }: CheckArguments, { layout }: CommandHost): Parameters<typeof openEngine>[2] {
  if (policy === null && rules === null) return {};
  const own = userPlace(layout);
  // Whoever names a file vouches for it, wherever it lies.
  return { own: { ...own, policy: policy ?? own.policy, rules: rules ?? own.rules, owner: 'anybody' } };
}

/** A line in, a line out, in order; memory does not grow with their number. False: some line could not be judged. */
async function checkLines({ decide }: Engine, { cwd, stdin, stdout, stderr }: CommandHost): Promise<boolean> {
  let number = 0;
  let whole = true;
  let piece = '';
  for await (const lines of linesOf(stdin)) {
    for (const line of lines) {
      number++;
      if (line !== null && line.trim() === '') continue;
      const read = line === null ? { id: '', problem: `longer than ${MAX_LINE_UNITS} characters` } : readLine(line, cwd);
      const answer = 'problem' in read ? refused(read.id, read.problem) : answerTo(read.id, read.call, decide);
      if (answer.problem !== undefined) {
        whole = false;
        print(stderr, `line ${number}: ${visibleLine(answer.problem, 400)}`);
      }
      piece += `${JSON.stringify(answer)}\n`;
      if (piece.length < PIECE_UNITS) continue;
      await handOn(stdout, piece);
      piece = '';
    }
    // Somebody who sends one line and waits for its answer gets it.
    await handOn(stdout, piece);
    piece = '';
  }
  return whole;
}

/** The lines that end in each piece of input; null stands for one that is too long to be kept. */
async function* linesOf(input: Readable): AsyncGenerator<readonly (string | null)[]> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let tooLong = false;
  const take = (text: string): readonly (string | null)[] => {
    const parts = text.split('\n');
    const last = parts.pop() as string;
    const lines: (string | null)[] = parts;
    if (parts.length > 0) {
      lines[0] = tooLong || rest.length + (parts[0] as string).length > MAX_LINE_UNITS ? null : rest + (parts[0] as string);
      rest = '';
      tooLong = false;
    }
    if (!tooLong && rest.length + last.length > MAX_LINE_UNITS) [tooLong, rest] = [true, ''];
    if (!tooLong) rest += last;
    return lines;
  };
  for await (const chunk of input) yield take(typeof chunk === 'string' ? chunk : decoder.write(chunk as Buffer));
  const lines = take(decoder.end());
  yield tooLong ? [...lines, null] : [...lines, rest];
}

/** A reader slower than we are must not make us keep every answer in memory. */
async function handOn(stdout: Writable, text: string): Promise<void> {
  if (text === '' || stdout.write(text) || stdout.destroyed) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      stdout.off('drain', go).off('close', go);
      resolve();
    };
    stdout.on('drain', go).on('close', go);
  });
}

function readLine(source: string, cwd: string): ReturnType<typeof parseCheckLine> {
  if (source.length > MAX_LINE_UNITS) return { id: '', problem: `longer than ${MAX_LINE_UNITS} characters` };
  let line: unknown;
  try {
    line = JSON.parse(source);
  } catch (error) {
    return { id: '', problem: `not JSON: ${errorText(error)}` };
  }
  return parseCheckLine(line, cwd);
}

function answerTo(id: string, call: ToolCall, decide: (call: ToolCall) => Decision): CheckAnswer {
  const began = process.hrtime.bigint();
  const { verdict, findings } = decide(call);
  const micros = Number((process.hrtime.bigint() - began) / 1000n);
  return { id, verdict, rules: [...new Set(findings.map((finding) => finding.rule))], micros };
}

const refused = (id: string, problem: string): CheckAnswer => ({
  id,
  verdict: 'block',
  rules: ['engine.unreadable-line'],
  micros: 0,
  problem,
});
