/** Compiles a rule file that did not ship: the same checks as at build time, and those that only a stranger's rules need. */
import type { Condition, Rule } from '#core/detect/rulePack.ts';
import { MAX_CUSTOM_RULES } from '#home/customRules.ts';
import type { CompiledRuleFile, SourceProblem } from '#home/ruleCompiler.ts';
import { compileRules } from '#node/rulepack/compile.ts';
import { slowness } from '#node/rulepack/regexPump.ts';

/** For 4,096 characters, in milliseconds. */
const MOST_MS = 25;
/** For trying the regexes of one file; what is left by then is refused. */
const BUDGET_MS = 4000;

/** See `RuleCompiler`. `file` is what problems call it. */
export function compileRuleFile(name: string, text: string, shipped: ReadonlySet<string>): CompiledRuleFile {
  const { json, problems, info, flawed } = compileRules([{ file: name, text }]);
  const found: SourceProblem[] = problems.map(({ line, message }) => ({ line, message }));
  const began = performance.now();
  const rules: Rule[] = [];
  for (const rule of json.rules) {
    const line = info.get(rule.id)?.line ?? 1;
    // What is wrong with it is among the problems; half a rule is another rule.
    if (flawed.has(rule.id)) continue;
    const problem = whyNot(rule, shipped, rules.length, BUDGET_MS - (performance.now() - began));
    if (problem === null) rules.push(rule);
    else found.push({ line, message: problem });
  }
  return { rules, problems: found.sort((a, b) => a.line - b.line) };
}

function whyNot(rule: Rule, shipped: ReadonlySet<string>, before: number, leftMs: number): string | null {
  if (rule.id.startsWith('engine.'))
    return `the id ${rule.id} is Callgate's own: ids that start with \`engine.\` are; rename the file and the rule`;
  if (shipped.has(rule.id)) return `the id ${rule.id} is one of the shipped rules, which cannot be redefined; choose another`;
  if (before >= MAX_CUSTOM_RULES) return `more than ${MAX_CUSTOM_RULES} rules; remove some`;
  if (leftMs <= 0)
    return `the regexes of this file take longer than ${BUDGET_MS / 1000} s to try; bound their repeats lower, or split the file`;
  for (const [source, flags] of regexesIn(rule.match)) {
    const slow = slowness(source, flags, MOST_MS);
    if (slow !== null) return `the regex ${JSON.stringify(source.slice(0, 60))} ${slow}`;
  }
  return null;
}

/** Every regex of a condition, with the flags it is run with beside `u`. */
export function regexesIn(condition: Condition | null): readonly (readonly [source: string, flags: string])[] {
  const plain = (...sources: readonly (string | null | undefined)[]): [string, string][] =>
    sources.filter((source) => typeof source === 'string').map((source) => [source, '']);
  if (condition === null) return [];
  switch (condition.kind) {
    case 'regex':
      return [[condition.regex, condition.flags]];
    case 'any':
    case 'all':
      return condition.of.flatMap(regexesIn);
    case 'path':
      return plain(condition.regex, condition.not).map(([source]) => [source, 'i']);
    case 'url':
      return plain(condition.port, condition.path, condition.query, condition.userinfo);
    case 'effect':
      return plain(condition.target);
    case 'command':
      return [
        ...plain(condition.operand, condition.argument, condition.line, condition.stdin, condition.assigns),
        ...[condition.path, condition.url, condition.pipedFrom, condition.pipedTo, condition.not].flatMap(regexesIn),
      ];
  }
}
