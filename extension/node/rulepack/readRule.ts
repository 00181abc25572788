import { isMap, isScalar, isSeq } from 'yaml';
import { CHANNELS, type Channel } from '#core/model/call.ts';
import type { Severity } from '#core/model/finding.ts';
import type { Rule } from '#core/detect/rulePack.ts';
import { readExamples, type RuleExamples } from '#node/rulepack/examples.ts';
import { readMatch } from '#node/rulepack/readMatch.ts';
import { CATEGORIES, RULE_KEYS, TAXONOMY } from '#node/rulepack/ruleShape.ts';
import { checkKeys, choice, listOf, textOf, textsOf, type Reader } from '#node/rulepack/yamlReader.ts';

const ID = /^[a-z0-9]+(?:-[a-z0-9]+)*\.[a-z0-9]+(?:-[a-z0-9]+)*$/u;

const SEVERITIES: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

/** `severity-in: { response: medium }`; null when there is none. */
function readSeverityIn(reader: Reader, node: unknown): Partial<Record<Channel, Severity>> | null {
  if (node === undefined) return null;
  if (!isMap(node)) {
    reader.report(node, '`severity-in` must be a mapping from channel to severity');
    return null;
  }
  checkKeys(reader, node, CHANNELS);
  const out: Partial<Record<Channel, Severity>> = {};
  for (const channel of CHANNELS) {
    const severity = node.has(channel) ? choice(reader, node, channel, SEVERITIES) : null;
    if (severity !== null) out[channel] = severity;
  }
  return out;
}

/** What stands in a rule file for people only. */
export interface RuleNotes {
  readonly references: readonly string[];
  /** See `TAXONOMY`. */
  readonly taxonomy: readonly string[];
}

interface ReadRule {
  readonly rule: Rule;
  readonly examples: RuleExamples;
  readonly notes: RuleNotes;
}

/** One rule and its examples; null when it cannot be used (the problems are reported). */
export function readRule(reader: Reader, node: unknown, prefix: string): ReadRule | null {
  if (!isMap(node)) {
    reader.report(node, 'a rule is a mapping');
    return null;
  }
  checkKeys(reader, node, RULE_KEYS);
  const id = textOf(reader, node, 'id');
  if (id !== '' && !ID.test(id)) reader.report(node, `the id ${id} is not of the form file.kebab-name`);
  if (id !== '' && !id.startsWith(prefix)) reader.report(node, `the id ${id} must start with the file's name, \`${prefix}\``);
  const references = node.get('references', true);
  if (
    references !== undefined &&
    !(isSeq(references) && references.items.every((item) => isScalar(item) && String(item.value).startsWith('https://')))
  ) {
    reader.report(references, '`references` is a list of https addresses');
  }
  const taxonomy = textsOf(reader, node, 'taxonomy');
  for (const code of taxonomy)
    if (!TAXONOMY.test(code))
      reader.report(
        node.get('taxonomy', true),
        `the taxonomy code ${JSON.stringify(code)} is not one of T1059.004, LLM01, ASI05, MCP03, CWE-78`,
      );
  const channels = listOf(reader, node, 'channels', CHANNELS) as Channel[];
  const matchNode = node.get('match', true);
  const match = readMatch(reader, matchNode ?? node);
  const examples = readExamples(reader, node.get('examples', true) ?? node, channels);
  const rule = {
    id,
    title: textOf(reader, node, 'title'),
    category: choice(reader, node, 'category', CATEGORIES),
    severity: choice(reader, node, 'severity', SEVERITIES),
    severityIn: readSeverityIn(reader, node.get('severity-in', true)),
    confidence: choice(reader, node, 'confidence', ['low', 'medium', 'high']),
    status: choice(reader, node, 'status', ['experimental', 'stable', 'deprecated']),
    channels,
    rationale: textOf(reader, node, 'rationale').replace(/\s+/gu, ' ').trim(),
  };
  if (id === '' || match === null || rule.category === null || rule.severity === null || rule.confidence === null || rule.status === null)
    return null;
  const { severityIn, ...plain } = rule;
  return {
    rule: {
      ...plain,
      ...(severityIn === null ? {} : { severityIn }),
      category: rule.category,
      severity: rule.severity,
      confidence: rule.confidence,
      status: rule.status,
      keywords: match.keywords,
      match: match.condition,
    },
    examples,
    notes: { references: isSeq(references) ? references.items.map((item) => (isScalar(item) ? String(item.value) : '')) : [], taxonomy },
  };
}
