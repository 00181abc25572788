/** What the editor offers in rule and policy files, place by place. `|` is the cursor. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compilePolicyFile } from '#node/rulepack/customPolicy.ts';
import { ENTRY_KEYS, POLICY_KEYS, RELAY_KEYS, SEVERITIES } from '#node/rulepack/policyShape.ts';
import { CONDITION_KEYS, EXAMPLE_KEYS, PATH_KEYS, RULE_KEYS, URL_KEYS } from '#node/rulepack/ruleShape.ts';
import { testRuleFile } from '#node/rulepack/runExamples.ts';
import { cpuMs } from '#kit/cpuTime.ts';
import { helpAt, suggestionsAt, type Schema } from '../../extension/vscode/ruleSuggestions.ts';
import { nameProblem, ruleTemplate } from '../../extension/vscode/ruleTemplate.ts';
import { parseReport, reportText } from '../../extension/vscode/ruleTester.ts';
import { yamlPlace } from '../../extension/vscode/yamlPlace.ts';

const schema = (name: string): Schema =>
  JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'rules', `${name}.schema.json`), 'utf8')) as Schema;
const RULE = schema('rule');
const POLICY = schema('policy');

function offered(text: string, root: Schema): string[] {
  const before = text.slice(0, text.indexOf('|'));
  const line = before.split('\n').length - 1;
  const place = yamlPlace(text.replace('|', '').split('\n'), line, before.length - before.lastIndexOf('\n') - 1);
  return place === null ? [] : suggestionsAt(place, root).map(({ label }) => label);
}
const without = (keys: readonly string[], ...gone: string[]): string[] => keys.filter((key) => !gone.includes(key));
const head = 'version: 1\nrules:\n  - id: a.b\n';

const rows: readonly (readonly [text: string, wanted: readonly string[] | 'nothing', root?: Schema])[] = [
  ['|', ['version', 'rules']],
  ['version: 1\n|', ['rules']],
  ['version: |', ['1']],
  ['version: 1\nrules:\n  - |', RULE_KEYS],
  [`${head}    |`, without(RULE_KEYS, 'id')],
  [`${head}    ti|`, without(RULE_KEYS, 'id')],
  [`${head}    |\n    title: x\n    severity: low`, without(RULE_KEYS, 'id', 'title', 'severity')],
  [`${head}    title: x\n  - |`, RULE_KEYS],
  [`${head}    severity: |`, ['low', 'medium', 'high', 'critical']],
  [`${head}    severity-in:\n      response: |`, ['low', 'medium', 'high', 'critical']],
  [`${head}    status: st|`, ['experimental', 'stable', 'deprecated']],
  [`${head}    channels: [shell, |`, ['shell', 'read', 'write', 'fetch', 'mcp', 'response', 'definition', 'other']],
  [`${head}    channels:\n      - |`, ['shell', 'read', 'write', 'fetch', 'mcp', 'response', 'definition', 'other']],
  [`${head}    match:\n      path: { regex: a, access: [|`, ['read', 'write', 'delete', 'execute', 'use']],
  [`${head}    match:\n      path: { regex: 'a{0,2}', |`, without(PATH_KEYS, 'regex')],
  [`${head}    match:\n      any:\n        - |`, CONDITION_KEYS],
  [`${head}    match:\n      any:\n        - url: { |`, URL_KEYS],
  [`${head}    match: { any: [{ url: { |`, URL_KEYS],
  [
    `${head}    match:\n      any:\n        - all:\n            - effect:\n                kind: |`,
    ['send', 'fetch', 'install', 'escalate', 'run', 'evaluate', 'reveal', 'load', 'join-shell'],
  ],
  [`${head}    examples:\n      |`, ['match', 'no_match']],
  [`${head}    examples:\n      match:\n        - text: x\n          |`, without(EXAMPLE_KEYS, 'text')],
  [`${head}    title: |`, 'nothing'],
  [`${head}    # |`, 'nothing'],
  [`${head}    title: 'a, {|`, 'nothing'],
  [`${head}    nonsense:\n      |`, 'nothing'],
  ['|', POLICY_KEYS, POLICY],
  ['version: 1\nseverity:\n  |', SEVERITIES, POLICY],
  ['version: 1\nseverity: { high: |', ['clean', 'flag', 'quarantine', 'block'], POLICY],
  ['version: 1\nrules:\n  - |', ENTRY_KEYS, POLICY],
  ['version: 1\nrules:\n  - { rule: a.*, verdict: |', ['clean', 'flag', 'quarantine', 'block'], POLICY],
  ['version: 1\nexperimental: |', ['report', 'enforce'], POLICY],
  ['version: 1\nrelay:\n  - |', RELAY_KEYS, POLICY],
  ['version: 1\nrelay:\n  - { results: |', ['hold', 'redact', 'replace'], POLICY],
];
it.each(rows.map(([text, wanted, root]) => ({ text, wanted, root })))('$text', ({ text, wanted, root = RULE }) => {
  const sorted = (items: readonly string[]): string[] => [...items].sort((x, y) => (x < y ? -1 : 1));
  expect(sorted(offered(text, root))).toEqual(wanted === 'nothing' ? [] : sorted(wanted));
});

it('no text of any kind makes it fail or take long', () => {
  const took = cpuMs(() => {
    for (const text of ['{'.repeat(5000), '- '.repeat(5000), '"'.repeat(5000), 'a:\n'.repeat(5000), '\t\u0000:{[', ' '.repeat(5000)])
      offered(`${text}|`, RULE);
  });
  expect(took).toBeLessThan(2000);
});

describe('help', () => {
  const every = (root: Schema, at: readonly string[], inner: Schema | undefined, seen: Set<unknown>): string[] => {
    const ref = inner?.$ref === undefined ? inner : root.$defs?.[inner.$ref.replace('#/$defs/', '')];
    if (ref === undefined || seen.has(ref)) return [];
    seen.add(ref);
    return [
      ...Object.entries(ref.properties ?? {}).flatMap(([key, value]) => [
        [...at, key].join(' '),
        ...every(root, [...at, key], value, seen),
      ]),
      ...[ref.items, ...(ref.anyOf ?? [])].flatMap((item) => every(root, at, item, seen)),
    ];
  };
  it.each([
    ['rule', RULE],
    ['policy', POLICY],
  ] as const)('every key of the %s schema is explained', (_name, root) => {
    const keys = every(root, [], root, new Set());
    expect(keys.length).toBeGreaterThan(12);
    expect(keys.filter((key) => helpAt(key.split(' '), root) === null)).toEqual([]);
  });
});

it('the schema of a policy knows the keys the compiler knows', () => {
  expect(Object.keys(POLICY.properties ?? {})).toEqual([...POLICY_KEYS]);
  expect(Object.keys(POLICY.$defs?.['entry']?.properties ?? {})).toEqual([...ENTRY_KEYS]);
  expect(Object.keys(POLICY.$defs?.['relayEntry']?.properties ?? {})).toEqual([...RELAY_KEYS]);
  expect(Object.keys(POLICY.properties?.['severity']?.properties ?? {})).toEqual([...SEVERITIES]);
  expect(
    compilePolicyFile('version: 1\nrules: [{ rule: a.b, verdict: flag, tools: a, servers: [b], agents: main, workspaces: ~/x }]').problems,
  ).toEqual([]);
});

it('a new rule works as it stands', () => {
  expect(testRuleFile('/x/house.yaml', 'house.yaml', ruleTemplate('house'), new Set())).toEqual({ rules: 1, examples: 4, problems: [] });
});
it.each([
  ['house', null],
  ['house-rules-2', null],
  ['House', 'Lower-case'],
  ['a/../b', 'Lower-case'],
  ['', 'Lower-case'],
  ['engine', 'Callgate’s own'],
] as const)('the name %j', (name, problem) => {
  expect(nameProblem(name)).toEqual(problem === null ? null : expect.stringContaining(problem));
});
it.each([
  ['{"files":1,"rules":1,"examples":4,"problems":[],"unread":[]}', '1 file, 1 rule, 4 examples: all hold.'],
  [
    '{"files":2,"rules":3,"examples":4,"problems":[{"file":"a","line":1,"message":"m"}],"unread":["b"]}',
    '2 files, 3 rules, 4 examples: 2 problems.',
  ],
  ['{"files":0,"rules":0,"examples":0,"problems":[],"unread":[]}', 'There are no rules of your own yet. "Callgate: New Rule…" starts one.'],
  ['{"files":1}', null],
  ['{"files":1,"rules":1,"examples":4,"problems":[{}],"unread":[]}', null],
  ['null', null],
  ['', null],
])('the report %s', (text, said) => {
  const report = parseReport(text);
  expect(report === null ? null : reportText(report)).toBe(said);
});
