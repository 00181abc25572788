/** A rule pack as it is kept on disk, and how it is opened: checked rule by rule, or, where its bytes are known, hardly read at all. */
import { buildIndex, type PackIndex } from '#core/detect/packIndex.ts';
import { packProblems, type Rule, type RulePack, type RulePackJson } from '#core/detect/rulePack.ts';

/** Reads a compiled pack. Any problem makes the pack null: a gate with half its rules would look like a whole one. */
export function parseRulePack(json: unknown): { pack: RulePack | null; problems: string[] } {
  const problems = packProblems(json);
  return { pack: problems.length === 0 ? packOf(json as RulePackJson) : null, problems };
}

/** An index that came with the rules is not looked at: one that does not fit them would disarm them without a word. */
function packOf({ hash, rules }: RulePackJson): RulePack {
  return { hash, size: rules.length, index: buildIndex(rules), rule: (number) => need(rules[number]) };
}

function need(rule: Rule | undefined): Rule {
  if (rule === undefined) throw new Error('the rule pack has no such rule');
  return rule;
}

/** A pack as it is kept: JSON with its index in the first line and a rule in each of the next, so that a reader who trusts it parses few of them. */
export function writeRulePack({ version, hash, rules }: RulePackJson): string {
  const head = JSON.stringify({ version, hash, index: buildIndex(rules) }).slice(0, -1);
  return `${head},"rules":[\n${rules.map((rule) => JSON.stringify(rule)).join(',\n')}\n]}\n`;
}

/**
 * Opens the text of `writeRulePack` when it is known to be exactly that; any other goes through `parseRulePack`.
 * @throws when it is not.
 */
export function openRulePack(text: string): RulePack {
  const lines = text.split('\n');
  const { hash, index } = JSON.parse(`${lines[0]}]}`) as { hash: string; index: PackIndex };
  const rules: Rule[] = [];
  return {
    hash,
    size: index.channels.length,
    index,
    rule: (number) => (rules[number] ??= JSON.parse((lines[number + 1] ?? '').replace(/,$/u, '')) as Rule),
  };
}
