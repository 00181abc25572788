/** Runs `callgate rules test` in a process of its own: YAML, regexes and examples of anybody's cost the editor nothing. */
import { spawn } from 'node:child_process';

export interface RuleProblem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface RuleReport {
  readonly files: number;
  readonly rules: number;
  readonly examples: number;
  readonly problems: readonly RuleProblem[];
  /** Files that could not be read, one sentence each. */
  readonly unread: readonly string[];
}

export interface TesterProgram {
  readonly runtime: string;
  readonly cliBundle: string;
}

const DEADLINE_MS = 30_000;
const MAX_OUTPUT = 4 * 1024 * 1024;

/** `file`: tests this text under that name; null: the user's own rules and those of the project around `cwd`. Rejects with what to do. */
export function testRules(
  program: TesterProgram,
  cwd: string,
  file: { readonly name: string; readonly text: string } | null,
): Promise<RuleReport> {
  return new Promise((resolve, reject) => {
    const args = [program.cliBundle, 'rules', 'test', '--json', ...(file === null ? [] : ['--stdin', file.name])];
    const child = spawn(program.runtime, args, {
      cwd,
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    let out = '';
    let said = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out = (out + chunk).slice(0, MAX_OUTPUT)));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said = (said + chunk).slice(0, 2000)));
    // It may have ended before it read everything.
    child.stdin.on('error', () => undefined);
    child.stdin.end(file?.text ?? '');
    child.once('error', (error) => reject(new Error(`The rules could not be tested: ${error.message}`)));
    child.once('close', (status) => {
      clearTimeout(timer);
      const report = parseReport(out);
      if (report !== null) resolve(report);
      else
        reject(
          new Error(
            `The rules could not be tested (${status === null ? `no answer within ${DEADLINE_MS / 1000} s` : said.trim() || `status ${status}`}).`,
          ),
        );
    });
  });
}

export function parseReport(text: string): RuleReport | null {
  try {
    const value = JSON.parse(text) as Partial<RuleReport> | null;
    if (value === null || !Array.isArray(value.problems) || !Array.isArray(value.unread)) return null;
    const numbers = [value.files, value.rules, value.examples];
    if (!numbers.every((item) => typeof item === 'number')) return null;
    return value.problems.every(
      (item) => typeof item?.line === 'number' && typeof item.message === 'string' && typeof item.file === 'string',
    )
      ? (value as RuleReport)
      : null;
  } catch {
    return null; // cut off or not ours: the caller says what the program said
  }
}

export function reportText({ files, rules, examples, problems, unread }: RuleReport): string {
  const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
  if (files + unread.length === 0) return 'There are no rules of your own yet. "Callgate: New Rule…" starts one.';
  const wrong = problems.length + unread.length;
  return `${count(files, 'file')}, ${count(rules, 'rule')}, ${count(examples, 'example')}: ${wrong === 0 ? 'all hold.' : `${count(wrong, 'problem')}.`}`;
}
