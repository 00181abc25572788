/** What a policy changes, and what no policy can. */
import { describe, expect, it } from 'vitest';
import type { Finding } from '#core/model/finding.ts';
import type { Verdict } from '#core/model/verdict.ts';
import { fits, NO_POLICY, parsePolicyFile, verdictFor, type Policy, type PolicyEntry, type PolicyFile } from '#core/policy/policy.ts';
import { decideFrom } from '#core/policy/verdict.ts';
import { compilePolicyFile } from '#node/rulepack/customPolicy.ts';
import { cpuMs } from '#kit/cpuTime.ts';

const finding = (over: Partial<Finding> = {}): Finding => ({
  rule: 'shell.x',
  title: 't',
  category: 'command-execution',
  severity: 'high',
  confidence: 'high',
  status: 'stable',
  rationale: 'r',
  at: '',
  span: null,
  matched: '',
  decoded: null,
  ...over,
});
const call = { tool: 'Bash', server: null, agent: 'main' };
const entry = (over: Partial<PolicyEntry>): PolicyEntry => ({
  rule: '*',
  verdict: 'clean',
  tools: [],
  servers: [],
  agents: [],
  workspaces: [],
  ...over,
});
const file = (over: Partial<PolicyFile>): PolicyFile => ({ severity: {}, rules: [], experimental: 'report', ...over });
const policy = (user: PolicyFile | null, workspace: PolicyFile | null = null): Policy => ({
  hash: 'h',
  user,
  workspace,
  folder: '/home/dev/app',
});
const experimental = finding({ status: 'experimental' });
const blind = finding({ rule: 'engine.failed' });
const guard = finding({ rule: 'protect.own-files', category: 'self-tampering', severity: 'critical' });

const rows: readonly (readonly [says: string, finding: Finding, policy: Policy, verdict: Verdict])[] = [
  ['no policy: its severity', finding(), NO_POLICY, 'quarantine'],
  ['no policy: experimental rules only report', experimental, NO_POLICY, 'clean'],
  ['a table lowers', finding(), policy(file({ severity: { high: 'flag' } })), 'flag'],
  ['a table raises', finding(), policy(file({ severity: { high: 'block' } })), 'block'],
  ['what a table leaves out stays', finding({ severity: 'critical' }), policy(file({ severity: { high: 'flag' } })), 'block'],
  ['an entry says it instead of the severity', finding(), policy(file({ rules: [entry({ rule: 'shell.*', verdict: 'flag' })] })), 'flag'],
  [
    'of two entries the stricter counts',
    finding(),
    policy(file({ rules: [entry({ verdict: 'flag' }), entry({ rule: 'shell.x', verdict: 'clean' })] })),
    'flag',
  ],
  [
    'and their order does not',
    finding(),
    policy(file({ rules: [entry({ rule: 'shell.x', verdict: 'clean' }), entry({ verdict: 'flag' })] })),
    'flag',
  ],
  ['an entry for other rules', finding(), policy(file({ rules: [entry({ rule: 'secrets.*' })] })), 'quarantine'],
  ['an entry for this tool', finding(), policy(file({ rules: [entry({ tools: ['Ba*'] })] })), 'clean'],
  ['an entry for other tools', finding(), policy(file({ rules: [entry({ tools: ['Read'] })] })), 'quarantine'],
  ['an entry for a server', finding(), policy(file({ rules: [entry({ servers: ['files'] })] })), 'quarantine'],
  ['an entry for this agent', finding(), policy(file({ rules: [entry({ agents: ['main'] })] })), 'clean'],
  ['an entry for this folder', finding(), policy(file({ rules: [entry({ workspaces: ['/home/dev/*'] })] })), 'clean'],
  ['an entry for another folder', finding(), policy(file({ rules: [entry({ workspaces: ['/srv/*'] })] })), 'quarantine'],
  ['experimental rules enforced', experimental, policy(file({ experimental: 'enforce' })), 'quarantine'],
  ['an entry also names experimental rules', experimental, policy(file({ rules: [entry({ verdict: 'block' })] })), 'block'],
  ['a workspace raises', finding(), policy(null, file({ severity: { high: 'block' } })), 'block'],
  ['a workspace does not lower by its table', finding(), policy(null, file({ severity: { high: 'clean' } })), 'quarantine'],
  ['a workspace does not lower by an entry', finding(), policy(null, file({ rules: [entry({ verdict: 'clean' })] })), 'quarantine'],
  [
    'a workspace raises what the user lowered',
    finding(),
    policy(file({ severity: { high: 'clean' } }), file({ rules: [entry({ verdict: 'block' })] })),
    'block',
  ],
  [
    'what a workspace says nothing of stays lowered',
    finding(),
    policy(file({ severity: { high: 'clean' } }), file({ severity: { low: 'flag' } })),
    'clean',
  ],
  ['a workspace lets experimental rules count', experimental, policy(null, file({ experimental: 'enforce' })), 'quarantine'],
  ['not looked at: cannot be lowered by a table', blind, policy(file({ severity: { high: 'clean' } })), 'quarantine'],
  ['not looked at: cannot be lowered by an entry', blind, policy(file({ rules: [entry({})] })), 'quarantine'],
  [
    'not looked at, but only a warning, stays one',
    finding({ rule: 'engine.unparsable', severity: 'medium' }),
    policy(file({ rules: [entry({})] })),
    'flag',
  ],
  ['not looked at can be raised', blind, policy(file({ rules: [entry({ rule: 'engine.*', verdict: 'block' })] })), 'block'],
  ['reaching for the gate can be lowered to a hold', guard, policy(file({ severity: { critical: 'quarantine' } })), 'quarantine'],
  ['and no further', guard, policy(file({ rules: [entry({ rule: 'protect.*', verdict: 'clean' })] })), 'quarantine'],
];
it.each(rows)('%s', (_says, item, given, verdict) => {
  expect(verdictFor(item, call, given)).toBe(verdict);
  expect(decideFrom([item], call, given, 'r')).toMatchObject({ verdict, policy: given.hash });
});

describe('patterns', () => {
  const patterns: readonly (readonly [string, string, boolean])[] = [
    ['a', 'a', true],
    ['a', 'ab', false],
    ['*', '', true],
    ['a*', 'abc', true],
    ['*c', 'abc', true],
    ['a*c', 'ac', true],
    ['aba*aba', 'aba', false],
    ['a*b*c', 'axxbyyc', true],
    ['a*b*c', 'acb', false],
    ['**', 'x', true],
  ];
  it.each(patterns)('%s on %s: %s', (pattern, text, whole) => expect(fits(pattern, text)).toBe(whole));
  it('take no longer for hostile ones', () => {
    const [pattern, text] = [`${'a*'.repeat(250)}b`, 'a'.repeat(100_000)];
    expect(fits(pattern, text)).toBe(false);
    expect(cpuMs(() => fits(pattern, text))).toBeLessThan(200);
  });
});

describe('policy files', () => {
  const files: readonly (readonly [text: string, problem: string | null, line?: number])[] = [
    [
      'version: 1\nseverity: { critical: block, low: flag }\nexperimental: enforce\nrules:\n  - { rule: secrets.*, verdict: flag, tools: [Bash], workspaces: ~/x/* }',
      null,
    ],
    ['version: 1', null],
    ['version: 2', '`version` must be 1', 1],
    ['', 'a policy is a mapping', 1],
    ['- a', 'a policy is a mapping', 1],
    ['version: 1\nseverity: high', '`severity` is a mapping', 2],
    ['version: 1\nseverity: { hihg: block }', 'unknown key `hihg`; did you mean `high`?', 2],
    ['version: 1\nseverity:\n  high: stop', '`high` must be one of clean, flag, quarantine, block', 3],
    ['version: 1\nseverity: {}\nseverity: {}', 'stands here twice', 3],
    ['version: 1\nrules:\n  - verdict: flag', '`rule` must be a text', 3],
    ['version: 1\nrules:\n  - { rule: a.b }', '`verdict` must be one of', 3],
    ['version: 1\nrules:\n  - { rule: A b, verdict: flag }', '`rule` is the id of a rule', 3],
    ['version: 1\nrules:\n  - { rule: a.b, verdict: flag, tools: [""] }', 'empty or overlong', 3],
    ['version: 1\nrules:\n  - { rule: engine.oversize, verdict: clean }', 'cannot be lowered to clean', 3],
    ['version: 1\nrules:\n  - { rule: engine.o*, verdict: flag }', 'cannot be lowered to flag', 3],
    ['version: 1\nrules:\n  - { rule: protect.own-files, verdict: flag }', 'cannot be lowered to flag', 3],
    ['version: 1\nrules:\n  - { rule: protect.own-files, verdict: quarantine }', null],
    ['version: 1\nrules:\n  - { rule: engine.hidden-text, verdict: clean }', null],
    ['version: 1\nexperimental: yes', '`experimental` must be one of report, enforce', 2],
    ['a: &a [1]\nb: *a', 'anchors and aliases', 1],
    ['version: 1\n"', 'Missing closing', 2],
    [`version: 1\nrules: [${'{rule: a.b, verdict: flag},'.repeat(501)}]`, 'at most 500', 2],
  ];
  it.each(files.map(([text, problem, line]) => ({ text, problem, line })))('$text', ({ text, problem, line }) => {
    const compiled = compilePolicyFile(text);
    expect(compiled.problems[0]?.message ?? null).toEqual(problem === null ? null : expect.stringContaining(problem));
    expect(compiled.problems[0]?.line).toBe(line);
    expect(compiled.policy === null).toBe(problem !== null);
    // What is written down is read back as the same.
    if (compiled.policy !== null) expect(parsePolicyFile(JSON.parse(JSON.stringify(compiled.policy)))).toEqual(compiled.policy);
  });
  const damaged: readonly unknown[] = [
    null,
    {},
    { severity: { high: 'x' }, rules: [], experimental: 'report' },
    { severity: { other: 'flag' }, rules: [], experimental: 'report' },
    { severity: {}, rules: [{}], experimental: 'report' },
    { severity: {}, rules: [], experimental: 'x' },
    { severity: {}, rules: [{ rule: 'a', verdict: 'flag', tools: 1, servers: [], agents: [], workspaces: [] }], experimental: 'report' },
  ];
  it.each(damaged)('damaged: %j', (value) => expect(parsePolicyFile(value)).toBeNull());
});
