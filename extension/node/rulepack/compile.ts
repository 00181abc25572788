/**
 * `rules/*.yaml` → validated → one compiled pack. Runs at build time and in tests; hooks only ever read its result.
 */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { isMap, isSeq, LineCounter, type Node } from 'yaml';
import { canonicalJson, type JsonValue } from '#core/model/json.ts';
import { parseRulePack } from '#core/detect/packFile.ts';
import type { Rule, RulePackJson } from '#core/detect/rulePack.ts';
import { readRule, type RuleNotes } from '#node/rulepack/readRule.ts';
import type { RuleExamples } from '#node/rulepack/examples.ts';
import { FILE_KEYS } from '#node/rulepack/ruleShape.ts';
import { parseYaml } from '#node/rulepack/yamlText.ts';
import { checkKeys, type Reader } from '#node/rulepack/yamlReader.ts';

/** What is wrong in a rule file, and where: `line` counts from 1. */
export interface RuleProblem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** What a person may want to know of a rule beside the rule; hooks never read it. */
export interface RuleInfo extends RuleNotes {
  /** As `RuleProblem`: where the rule stands. */
  readonly file: string;
  readonly line: number;
}

export interface CompiledRules {
  readonly json: RulePackJson;
  /** Empty when the pack may be shipped. */
  readonly problems: readonly RuleProblem[];
  /** The examples of every rule, by id; they are not shipped. */
  readonly examples: ReadonlyMap<string, RuleExamples>;
  /** By id. The build writes it as `rule-info.json`, an object with the ids for keys. */
  readonly info: ReadonlyMap<string, RuleInfo>;
  /** Ids of rules that something is wrong with, though they could be read. */
  readonly flawed: ReadonlySet<string>;
}

/** Compiles rule files. Never throws for bad rules: a bad rule is left out and its problem names file and line. */
export function compileRules(sources: readonly { readonly file: string; readonly text: string }[]): CompiledRules {
  const problems: RuleProblem[] = [];
  const examples = new Map<string, RuleExamples>();
  const info = new Map<string, RuleInfo>();
  const rules: Rule[] = [];
  const seen = new Map<string, string>();
  const flawed = new Set<string>();
  for (const source of [...sources].sort((a, b) => (a.file < b.file ? -1 : 1))) {
    const lines = new LineCounter();
    const document = parseYaml(source.text, lines);
    const lineOf = (node: unknown): number => {
      const range = (node as Node | null | undefined)?.range;
      return range ? lines.linePos(range[0]).line : 1;
    };
    const report = (node: unknown, message: string): void => void problems.push({ file: source.file, line: lineOf(node), message });
    for (const problem of document.problems) problems.push({ file: source.file, ...problem });
    if (document.problems.length > 0) continue;
    const reader: Reader = { file: source.file, report, lineOf };
    const root = document.root;
    if (!isMap(root)) {
      report(root, 'a rule file is a mapping with `version` and `rules`');
      continue;
    }
    checkKeys(reader, root, FILE_KEYS);
    if ((root.get('version') as unknown) !== 1) report(root, '`version` must be 1');
    const list = root.get('rules', true);
    if (!isSeq(list) || list.items.length === 0) {
      report(root, '`rules` must be a list with at least one rule');
      continue;
    }
    const prefix = `${basename(source.file).replace(/\.ya?ml$/u, '')}.`;
    for (const item of list.items) {
      const before = problems.length;
      const read = readRule(reader, item, prefix);
      if (!read) continue;
      if (problems.length > before) flawed.add(read.rule.id);
      const first = seen.get(read.rule.id);
      if (first !== undefined) report(item, `the id ${read.rule.id} is already used in ${first}; ids are never reused`);
      else {
        seen.set(read.rule.id, source.file);
        rules.push(read.rule);
        examples.set(read.rule.id, read.examples);
        info.set(read.rule.id, { ...read.notes, file: source.file, line: lineOf(item) });
      }
    }
  }
  rules.sort((a, b) => (a.id < b.id ? -1 : 1));
  const json: RulePackJson = {
    version: 1,
    hash: createHash('sha256')
      .update(canonicalJson(rules as unknown as JsonValue))
      .digest('hex'),
    rules,
  };
  if (problems.length === 0)
    for (const message of parseRulePack(json).problems) problems.push({ file: '(compiled pack)', line: 1, message });
  return { json, problems, examples, info, flawed };
}
