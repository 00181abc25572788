/**
 * Rules and policies of people's own, of the user and of a workspace: what is in force, and what is wrong with the rest.
 * A file that breaks leaves its last good copy in force; one that never was good gives what is good of it, and says so in every call.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { parseRulePack } from '#core/detect/packFile.ts';
import type { Rule, RulePack } from '#core/detect/rulePack.ts';
import type { Finding } from '#core/model/finding.ts';
import type { PolicyFile } from '#core/policy/policy.ts';
import { copyKey, readCopy, readLastGood, writeCopy, writeLastGood, type Copy } from '#home/customRulesCopies.ts';
import { findCustomFiles, readCustomFile, type CustomFile, type CustomFiles, type CustomPlace } from '#home/customRulesFiles.ts';
import type { Layout } from '#home/layout.ts';
import { errorText } from '#home/privateFile.ts';
import type { RuleCompiler } from '#home/ruleCompiler.ts';

export const MAX_CUSTOM_RULES = 500;

export const userPlace = (layout: Layout): CustomPlace => ({
  holder: null,
  rules: join(layout.root, 'rules'),
  policy: join(layout.root, 'policy.yaml'),
  owner: 'ours',
});

export const workspacePlace = (workspace: string): CustomPlace => {
  const holder = join(workspace, '.callgate');
  return { holder, rules: join(holder, 'rules'), policy: join(holder, 'policy.yaml'), owner: 'anybody' };
};

export interface CustomTools {
  /** Where compiled copies are kept. */
  readonly copies: string;
  /** SHA-256 of the shipped rules, and their ids. */
  readonly shipped: { readonly hash: string; readonly ids: () => ReadonlySet<string> };
  /** @throws when there is none. */
  readonly compiler: () => RuleCompiler;
}

export interface CustomProblem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
  /** `last-good`: an older copy of the file counts · `rest`: what is good of it counts, or nothing. */
  readonly inForce: 'last-good' | 'rest';
}

export interface CustomSet {
  readonly pack: RulePack | null;
  readonly policy: { readonly file: PolicyFile; readonly hash: string } | null;
  readonly problems: readonly CustomProblem[];
  /** See `CustomFiles.signature`. */
  readonly signature: string;
}

const NOTHING: CustomSet = { pack: null, policy: null, problems: [], signature: '' };
/** More problems of one file say nothing new. */
const MAX_PROBLEMS = 20;

/** Never fails. */
export function loadCustom(place: CustomPlace, tools: CustomTools, files: CustomFiles = findCustomFiles(place)): CustomSet {
  if (files.signature === '') return NOTHING;
  const before = readLastGood(tools.copies, place.rules);
  const after: Record<string, string> = {};
  const problems: CustomProblem[] = [];
  const told = new Set<string>();

  /** The copy that counts for a file; null when none does. */
  const settle = (kind: 'rules' | 'policy', { file, name }: CustomFile, trouble: string | null): { copy: Copy; key: string } | null => {
    told.add(name);
    const fresh = trouble === null ? compiledOf(kind, { file, name }, place, tools) : { message: trouble };
    if ('copy' in fresh && fresh.copy.problems.length === 0) {
      after[name] = fresh.key;
      return fresh;
    }
    const key = before[name];
    const old = key === undefined ? null : readCopy(tools.copies, key);
    if (key !== undefined && old !== null) after[name] = key;
    const inForce = old === null ? 'rest' : 'last-good';
    const found = 'copy' in fresh ? fresh.copy.problems : [{ line: 1, message: fresh.message }];
    for (const { line, message } of found.slice(0, MAX_PROBLEMS)) problems.push({ file, line, message, inForce });
    if (old !== null) return { copy: old, key: key as string };
    return 'copy' in fresh ? fresh : null;
  };

  const settled = files.rules.map((file) => settle('rules', file, null));
  let policy = files.policy === null ? null : settle('policy', files.policy, null);
  for (const { file, message } of files.problems) {
    if (file === place.policy) policy = settle('policy', { file, name: 'policy.yaml' }, message);
    // Nobody can tell what is in a folder that cannot be read: all its last good copies count.
    else if (file === place.rules) {
      const names = Object.keys(before).filter((name) => name !== 'policy.yaml' && !told.has(name));
      for (const name of names) settled.push(settle('rules', { file: join(place.rules, name), name }, message));
      if (names.length === 0) problems.push({ file, line: 1, message, inForce: 'rest' });
    } else settled.push(settle('rules', { file, name: file.slice(place.rules.length + 1) }, message));
  }
  const pack = packOf(settled, place, problems);
  if (JSON.stringify(before) !== JSON.stringify(after)) writeLastGood(tools.copies, place.rules, after);
  return {
    pack,
    policy: policy?.copy.policy ? { file: policy.copy.policy, hash: policy.key } : null,
    problems,
    signature: files.signature,
  };
}

function compiledOf(
  kind: 'rules' | 'policy',
  { file, name }: CustomFile,
  place: CustomPlace,
  tools: CustomTools,
): { copy: Copy; key: string } | { message: string } {
  const read = readCustomFile(file, place.owner);
  if ('message' in read) return read;
  const key = copyKey(kind, name, read.text, tools.shipped.hash);
  const kept = readCopy(tools.copies, key);
  if (kept !== null) return { copy: kept, key };
  try {
    const compiler = tools.compiler();
    const copy: Copy =
      kind === 'rules'
        ? { policy: null, ...compiler.compileRuleFile(name, read.text, tools.shipped.ids()) }
        : { rules: [], ...compiler.compilePolicyFile(read.text) };
    writeCopy(tools.copies, key, copy);
    return { copy, key };
  } catch (error) {
    return { message: `it cannot be compiled (${errorText(error)}); reinstall the Callgate extension` };
  }
}

/** One pack of all files of a place: whatever cannot be taken is said. */
function packOf(settled: readonly ({ copy: Copy; key: string } | null)[], place: CustomPlace, problems: CustomProblem[]): RulePack | null {
  const rules = new Map<string, Rule>();
  const hash = createHash('sha256');
  let left = 0;
  for (const item of settled) {
    if (item === null) continue;
    hash.update(item.key);
    for (const rule of item.copy.rules) {
      if (rules.has(rule.id))
        problems.push({
          file: place.rules,
          line: 1,
          message: `the id ${rule.id} is used in two files; give one of them another name`,
          inForce: 'rest',
        });
      else if (rules.size >= MAX_CUSTOM_RULES) left++;
      else rules.set(rule.id, rule);
    }
  }
  if (left > 0)
    problems.push({
      file: place.rules,
      line: 1,
      message: `it holds ${left} rules more than the ${MAX_CUSTOM_RULES} that are read; remove some`,
      inForce: 'rest',
    });
  if (rules.size === 0) return null;
  const parsed = parseRulePack({ version: 1, hash: hash.digest('hex'), rules: [...rules.values()] });
  for (const message of parsed.problems) problems.push({ file: place.rules, line: 1, message, inForce: 'rest' });
  return parsed.pack;
}

/** One line for a log, a status or a terminal. */
export function problemText({ file, line, message, inForce }: CustomProblem): string {
  return `${file}:${line}: ${message}${inForce === 'last-good' ? ' (the last good copy of this file is in force)' : ''}`;
}

/** What has to be said in every call, because somebody may believe to be protected by what is not in force. */
export function standingFindings(problems: readonly CustomProblem[], policyFile: string): readonly Finding[] {
  const lacking = problems.filter((problem) => problem.inForce === 'rest');
  const rules = lacking.find((problem) => problem.file !== policyFile);
  const policy = lacking.find((problem) => problem.file === policyFile);
  return [
    ...(rules ? [standing('engine.custom-rules', 'Rules of your own are not in force', rules)] : []),
    ...(policy ? [standing('engine.policy', 'A policy of your own is not in force', policy)] : []),
  ];
}

function standing(rule: `engine.${string}`, title: string, problem: CustomProblem): Finding {
  return {
    rule,
    title,
    category: 'engine',
    severity: 'medium',
    confidence: 'high',
    status: 'stable',
    at: '',
    span: null,
    matched: problemText(problem),
    decoded: null,
    rationale:
      'A file with rules or a policy is broken, so what it asks for is missing from this verdict. `callgate rules test` says what is wrong.',
  };
}
