/** Runs the examples of rule files and says which rule saw what it should not, or not what it should. */
import { parseRulePack } from '#core/detect/packFile.ts';
import type { RulePack } from '#core/detect/rulePack.ts';
import { decide } from '#core/gate.ts';
import { stringAt } from '#core/normalize/pointer.ts';
import { MAX_CUSTOM_RULES } from '#home/customRules.ts';
import { compileRules, type RuleProblem } from '#node/rulepack/compile.ts';
import { compileRuleFile } from '#node/rulepack/customCompile.ts';
import { callOf, EXAMPLE_HOME, type RuleExample } from '#node/rulepack/examples.ts';

export interface ExampleReport {
  /** Rules and examples that were run. */
  readonly rules: number;
  readonly examples: number;
  /** What is wrong with the file, and every example that does not hold. Empty: all passed. */
  readonly problems: readonly RuleProblem[];
}

/** `shipped`: ids the file may not use; null for the shipped files themselves, which need no stranger's checks. */
export function testRuleFile(file: string, name: string, text: string, shipped: ReadonlySet<string> | null): ExampleReport {
  const compiled = compileRules([{ file: name, text }]);
  const checked = shipped === null ? { rules: compiled.json.rules, problems: compiled.problems } : compileRuleFile(name, text, shipped);
  const problems: RuleProblem[] = checked.problems.map(({ line, message }) => ({ file, line, message }));
  const rules = checked.rules.slice(0, MAX_CUSTOM_RULES);
  const { pack } = parseRulePack({ version: 1, hash: compiled.json.hash, rules });
  let examples = 0;
  if (pack !== null)
    for (const { id } of rules) {
      const own = compiled.examples.get(id);
      for (const example of [...(own?.match ?? []), ...(own?.noMatch ?? [])]) {
        examples++;
        const wrong = whatIsWrong(id, example, own?.match.includes(example) ? 'match' : 'no_match', pack);
        if (wrong !== null) problems.push({ file, line: example.line, message: wrong });
      }
    }
  return { rules: rules.length, examples, problems: problems.sort((a, b) => a.line - b.line) };
}

function whatIsWrong(id: string, example: RuleExample, kind: 'match' | 'no_match', pack: RulePack): string | null {
  const call = callOf(example);
  const found = decide(call, {
    pack,
    custom: [],
    home: EXAMPLE_HOME,
    dataFolder: `${EXAMPLE_HOME}/.callgate`,
    caseInsensitivePaths: false,
    realpath: () => null,
    readText: () => null,
  }).findings.filter((finding) => finding.rule === id);
  if (kind === 'no_match')
    return found.length === 0
      ? null
      : `${id} sees this \`no_match\` example, which it must not: ${JSON.stringify(example.text.slice(0, 120))}`;
  if (found.length === 0) return `${id} does not see this \`match\` example: ${JSON.stringify(example.text.slice(0, 120))}`;
  if (example.span === null) return null;
  const spans = found.map(({ at, span }) => (span === null ? '' : (stringAt(call.args, at) ?? '').slice(span.start, span.end)));
  return spans.includes(example.span)
    ? null
    : `${id} points at ${JSON.stringify(spans[0] ?? '')}, not at the \`span\` ${JSON.stringify(example.span)}`;
}
