/** `policy.yaml` → checked → what the gate reads. Any problem makes the whole file unusable: half a policy is another policy. */
import { isMap, isSeq, LineCounter, type Node } from 'yaml';
import type { Severity } from '#core/model/finding.ts';
import { VERDICTS, type Verdict } from '#core/model/verdict.ts';
import { BLIND, fits, type PolicyEntry, type PolicyFile } from '#core/policy/policy.ts';
import { DRIFTS, FIRST_SIGHTS, RESULTS_POLICIES, type RelayEntry } from '#core/policy/relayPart.ts';
import type { CompiledPolicyFile, SourceProblem } from '#home/ruleCompiler.ts';
import { ENTRY_KEYS, POLICY_KEYS, RELAY_KEYS, SEVERITIES } from '#node/rulepack/policyShape.ts';
import { checkKeys, choice, textOf, textsOf, type Reader } from '#node/rulepack/yamlReader.ts';
import { parseYaml } from '#node/rulepack/yamlText.ts';

const MAX_ENTRIES = 500;
const MAX_PATTERN = 500;

/** See `RuleCompiler`. */
export function compilePolicyFile(text: string): CompiledPolicyFile {
  const problems: SourceProblem[] = [];
  const lines = new LineCounter();
  const { root, problems: wrong } = parseYaml(text, lines);
  if (wrong.length > 0) return { policy: null, problems: wrong };
  const lineOf = (node: unknown): number => {
    const range = (node as Node | null | undefined)?.range;
    return range ? lines.linePos(range[0]).line : 1;
  };
  const reader: Reader = { file: 'policy.yaml', lineOf, report: (node, message) => void problems.push({ line: lineOf(node), message }) };
  const policy = readPolicy(reader, root);
  return { policy: problems.length === 0 ? policy : null, problems };
}

function readPolicy(reader: Reader, root: Node | null): PolicyFile | null {
  if (!isMap(root)) {
    reader.report(root, 'a policy is a mapping with `version: 1` and at least one of `severity`, `rules`, `experimental`, `relay`');
    return null;
  }
  checkKeys(reader, root, POLICY_KEYS);
  if ((root.get('version') as unknown) !== 1) reader.report(root, '`version` must be 1');
  const severity: Partial<Record<Severity, Verdict>> = {};
  const table = root.get('severity', true);
  if (isMap(table)) {
    checkKeys(reader, table, SEVERITIES);
    for (const name of SEVERITIES) {
      const verdict = table.has(name) ? choice(reader, table, name, VERDICTS) : null;
      if (verdict !== null) severity[name] = verdict;
    }
  } else if (table !== undefined) reader.report(table, '`severity` is a mapping such as `{ high: block }`');
  const list = root.get('rules', true);
  const rules: PolicyEntry[] = [];
  if (isSeq(list)) {
    if (list.items.length > MAX_ENTRIES) reader.report(list, `\`rules\` has ${list.items.length} entries; at most ${MAX_ENTRIES} are read`);
    else for (const item of list.items) rules.push(...readEntry(reader, item));
  } else if (list !== undefined) reader.report(list, '`rules` is a list of entries such as `- { rule: secrets.*, verdict: block }`');
  const experimental = root.has('experimental') ? choice(reader, root, 'experimental', ['report', 'enforce'] as const) : 'report';
  const relay = readRelay(reader, root.get('relay', true));
  return { severity, rules, experimental: experimental ?? 'report', ...(relay.length === 0 ? {} : { relay }) };
}

function readEntry(reader: Reader, node: unknown): readonly PolicyEntry[] {
  if (!isMap(node)) {
    reader.report(node, 'an entry is a mapping with `rule` and `verdict`');
    return [];
  }
  checkKeys(reader, node, ENTRY_KEYS);
  const rule = textOf(reader, node, 'rule');
  const verdict = choice(reader, node, 'verdict', VERDICTS);
  const lists = (['tools', 'servers', 'agents', 'workspaces'] as const).map((key) => [key, textsOf(reader, node, key)] as const);
  if (rule !== '' && !/^[a-z0-9.*-]{1,200}$/u.test(rule))
    reader.report(node.get('rule', true), `\`rule\` is the id of a rule, or a pattern such as \`secrets.*\``);
  for (const [key, patterns] of lists)
    if (patterns.some((pattern) => pattern === '' || pattern.length > MAX_PATTERN))
      reader.report(node.get(key, true), `\`${key}\` holds an empty or overlong pattern`);
  if (verdict === null || rule === '') return [];
  if (VERDICTS.indexOf(verdict) < VERDICTS.indexOf('quarantine') && aimsAtGuards(rule))
    reader.report(
      node,
      `\`${rule}\` cannot be lowered to ${verdict}: a call that could not be looked at, or that reaches for Callgate itself, needs a person. Remove this entry`,
    );
  return [{ rule, verdict, ...(Object.fromEntries(lists) as Record<'tools' | 'servers' | 'agents' | 'workspaces', string[]>) }];
}

function readRelay(reader: Reader, list: unknown): readonly RelayEntry[] {
  if (list === undefined) return [];
  if (!isSeq(list) || list.items.length > MAX_ENTRIES) {
    reader.report(list, `\`relay\` is a list of at most ${MAX_ENTRIES} entries such as \`- { servers: github, maskSecrets: true }\``);
    return [];
  }
  return list.items.flatMap((node): readonly RelayEntry[] => {
    if (!isMap(node)) {
      reader.report(node, 'an entry of `relay` is a mapping such as `{ servers: github, maskSecrets: true }`');
      return [];
    }
    checkKeys(reader, node, RELAY_KEYS);
    const servers = textsOf(reader, node, 'servers');
    const giveKeys = textsOf(reader, node, 'giveKeys');
    for (const [key, patterns] of [['servers', servers] as const, ['giveKeys', giveKeys] as const])
      if (patterns.some((pattern) => pattern === '' || pattern.length > MAX_PATTERN))
        reader.report(node.get(key, true), `\`${key}\` holds an empty or overlong pattern`);
    if (!RELAY_KEYS.some((key) => key !== 'servers' && node.has(key)))
      reader.report(node, `this entry says nothing: give it one of ${RELAY_KEYS.slice(1).join(', ')}`);
    const results = node.has('results') ? choice(reader, node, 'results', RESULTS_POLICIES) : null;
    const maskSecrets = node.has('maskSecrets') && choice(reader, node, 'maskSecrets', [true, false] as const) === true;
    const requireHook = node.has('requireHook') && choice(reader, node, 'requireHook', [true, false] as const) === true;
    const firstSight = node.has('firstSight') ? choice(reader, node, 'firstSight', FIRST_SIGHTS) : null;
    const drift = node.has('drift') ? choice(reader, node, 'drift', DRIFTS) : null;
    const definitions = { ...(firstSight === null ? {} : { firstSight }), ...(drift === null ? {} : { drift }) };
    return [{ servers, results, maskSecrets, requireHook, giveKeys, ...definitions }];
  });
}

/** Patterns that only look wide (`*`) may stand: what cannot be lowered is not lowered by them either. */
function aimsAtGuards(rule: string): boolean {
  return rule.startsWith('protect.') || (rule.startsWith('engine.') && rule !== 'engine.*' && BLIND.some((id) => fits(rule, id)));
}
