/** A rule pack as it is kept on disk, and how it is opened: checked rule by rule, or, where its bytes are known, hardly read at all. */
import { buildIndex, type PackIndex } from '#core/detect/packIndex.ts';
import { guardsOf, type Guards } from '#core/detect/guards.ts';
import { keepTable, openTable, type KeptTable } from '#core/detect/packTables.ts';
import { packProblems, type Rule, type RulePack, type RulePackJson } from '#core/detect/rulePack.ts';

/** Reads a compiled pack. Any problem makes the pack null: a gate with half its rules would look like a whole one. */
export function parseRulePack(json: unknown): { pack: RulePack | null; problems: string[] } {
  const problems = packProblems(json);
  return { pack: problems.length === 0 ? packOf(json as RulePackJson) : null, problems };
}

/** An index that came with the rules is not looked at: one that does not fit them would disarm them without a word. */
function packOf({ hash, rules }: RulePackJson): RulePack {
  return { hash, size: rules.length, index: buildIndex(rules), rule: (number) => need(rules[number]), guards: () => NO_GUARDS };
}

function need(rule: Rule | undefined): Rule {
  if (rule === undefined) throw new Error('the rule pack has no such rule');
  return rule;
}

const NO_GUARDS: Guards = {};

/**
 * A pack as it is kept: JSON with its index in the first line, a rule in each of the next, and then what its regexes
 * ask for, so that a reader who trusts it parses few of them. ASCII where the rules are.
 */
export function writeRulePack({ version, hash, rules }: RulePackJson): string {
  const index = buildIndex(rules);
  const lines = [...rules, ...rules.map((rule) => guardsOf(rule.match))].map((item) => JSON.stringify(item));
  const kept = { ...index, texts: keepTable(index.texts), others: keepTable(index.others) };
  const head = JSON.stringify({ version, hash, index: kept }).slice(0, -1);
  const of = (from: number, to: number): string => lines.slice(from, to).join(',\n');
  return `${head},"rules":[\n${of(0, rules.length)}\n],"guards":[\n${of(rules.length, lines.length)}\n]}\n`;
}

interface KeptIndex extends Omit<PackIndex, 'texts' | 'others'> {
  readonly texts: KeptTable;
  readonly others: KeptTable;
}

/**
 * Opens the text of `writeRulePack` when it is known to be exactly that; any other goes through `parseRulePack`.
 * `decode`: bytes of base64.
 * @throws when it is not.
 */
export function openRulePack(text: string, decode: (base64: string) => Uint8Array): RulePack {
  const lines = text.split('\n');
  const { hash, index: kept } = JSON.parse(`${lines[0]}]}`) as { hash: string; index: KeptIndex };
  const index = { ...kept, texts: openTable(kept.texts, decode), others: openTable(kept.others, decode) };
  const size = index.channels.length;
  const line = (number: number): unknown => JSON.parse((lines[number] ?? '').replace(/,$/u, ''));
  return {
    hash,
    size,
    index,
    rule: (number) => line(number + 1) as Rule,
    guards: (number) => line(size + number + 2) as Guards,
  };
}
