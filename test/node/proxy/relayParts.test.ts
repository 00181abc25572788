/** The small parts of the relay, each by its rows. */
import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { NO_POLICY, type PolicyFile } from '#core/policy/policy.ts';
import type { RelayEntry } from '#core/policy/relayPart.ts';
import { relayPolicyFor } from '#core/policy/relayPolicy.ts';
import { answerWithin } from '#node/proxy/clientLimits.ts';
import { namedByComparing, withoutModelKeys } from '#node/proxy/modelKeys.ts';
import { readablePieces, saysSomething } from '#node/proxy/results/readable.ts';
import { unaskedBudget } from '#node/proxy/results/unaskedBudget.ts';
import { compilePolicyFile } from '#node/rulepack/customPolicy.ts';

describe('how long a client waits', () => {
  const rows: readonly (readonly [string | null, Record<string, string>, boolean, number | null])[] = [
    ['claude-code', {}, true, null],
    ['claude-code', {}, false, 295_000],
    ['claude-code', { MCP_TOOL_TIMEOUT: '30000' }, true, 25_000],
    ['claude-code', { MCP_TOOL_TIMEOUT: 'soon' }, true, null],
    ['claude-ai', {}, true, 55_000],
    ['codex-mcp-client', { MCP_TOOL_TIMEOUT: '1' }, true, 115_000],
    ['gemini-cli-mcp-client', {}, false, 595_000],
    ['Visual Studio Code', {}, false, null],
    ['cursor-vscode', {}, false, null],
    ['Zed', {}, false, 55_000],
    ['something else', {}, true, null],
    ['something else', {}, false, 55_000],
    [null, {}, false, 55_000],
    ['claude-code', { MCP_TOOL_TIMEOUT: '4000' }, true, 2_000],
  ];
  test.each(rows)('%j with %j, asking for progress: %j', (client, env, hasToken, expected) =>
    expect(answerWithin(client, env, hasToken)).toBe(expected),
  );
});

describe('keys to models', () => {
  const env = { PATH: 'p', OPENAI_API_KEY: 'a', ANTHROPIC_API_KEY: 'b', GITHUB_TOKEN: 'c', gemini_api_key: 'd' };
  const none = (): boolean => false;
  const rows: readonly (readonly [string, readonly string[] | null, (name: string) => boolean, readonly string[]])[] = [
    ['an entry that names none', [], none, ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'gemini_api_key']],
    ['an entry that names one', ['OPENAI_API_KEY'], none, ['ANTHROPIC_API_KEY', 'gemini_api_key']],
    ['a policy that gives one', [], (name: string): boolean => name === 'ANTHROPIC_API_KEY', ['OPENAI_API_KEY', 'gemini_api_key']],
    ['an entry of which nobody knows', null, none, []],
  ];
  test.each(rows)('%s', (_name, named, gives, withheld) => {
    const seen = withoutModelKeys(env, named, gives);
    expect(seen.withheld).toEqual(withheld);
    expect(Object.keys(seen.env)).toEqual(Object.keys(env).filter((name) => !withheld.includes(name)));
  });
});

test.runIf(process.platform === 'linux')('an entry that does not say is compared with its client', () => {
  const inherited = Object.keys(process.env).find((name) => (process.env[name] ?? '') !== '') ?? 'PATH';
  // What a process had when it began; ours stands in for the client's.
  const began = Object.fromEntries(
    readFileSync(`/proc/${process.pid}/environ`, 'utf8')
      .split('\0')
      .filter((pair) => pair.includes('='))
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  const env = { [inherited]: began[inherited] ?? '', OPENAI_API_KEY: 'only the entry has this one' };
  expect(namedByComparing(env, process.pid)).toEqual(['OPENAI_API_KEY']);
  expect(namedByComparing({ ...env, [inherited]: 'another value' }, process.pid)).toEqual([inherited, 'OPENAI_API_KEY']);
  expect(namedByComparing(env, 0)).toBeNull();
});

describe('policy', () => {
  const compiled = (text: string): PolicyFile => {
    const { policy, problems } = compilePolicyFile(`version: 1\n${text}`);
    expect(problems).toEqual([]);
    if (policy === null) throw new Error('no policy');
    return policy;
  };
  const rows: readonly (readonly [user: string, workspace: string, expected: Partial<Record<keyof RelayEntry, unknown>>])[] = [
    ['', '', { results: 'hold', maskSecrets: false, requireHook: false, giveKeys: false }],
    ['relay: [{ results: redact }]', '', { results: 'redact' }],
    ['relay: [{ results: redact, servers: [git*, x] }]', '', { results: 'redact' }],
    ['relay: [{ results: redact, servers: other }]', '', { results: 'hold' }],
    ['relay: [{ results: redact }, { results: replace, servers: github }]', '', { results: 'replace' }],
    ['relay: [{ results: redact }]', 'relay: [{ results: hold }]', { results: 'hold' }],
    ['relay: [{ results: replace }]', 'relay: [{ results: redact }]', { results: 'replace' }],
    ['', 'relay: [{ results: redact, giveKeys: "*" }]', { results: 'hold', giveKeys: false }],
    ['relay: [{ giveKeys: [OPENAI_*] }]', '', { giveKeys: true }],
    ['relay: [{ maskSecrets: true }]', 'relay: [{ maskSecrets: false, requireHook: true }]', { maskSecrets: true, requireHook: true }],
  ];
  test.each(rows)('%j and of the workspace %j', (user, workspace, expected) => {
    const policy = relayPolicyFor('github', { ...NO_POLICY, user: compiled(user), workspace: compiled(workspace) });
    expect({ ...policy, giveKeys: policy.givesKey('OPENAI_API_KEY') }).toMatchObject(expected);
  });

  test.each([
    ['relay: { results: hold }', 2, 'is a list'],
    ['relay:\n  - { results: later }', 3, '`results` must be one of redact, hold, replace'],
    ['relay:\n  - { result: hold }', 3, 'did you mean `results`?'],
    ['relay:\n  - { requireHook: yes please }', 3, '`requireHook` must be one of true, false'],
    ['relay:\n  - { servers: a }', 3, 'this entry says nothing'],
    ['relay:\n  - hold', 3, 'is a mapping'],
    ['relay:\n  - { giveKeys: [], results: hold }', 3, '`giveKeys` must be a text'],
  ])('%j is a problem in line %j', (text, at, message) => {
    const { policy, problems } = compilePolicyFile(`version: 1\n${text}`);
    expect(policy).toBeNull();
    expect(problems).toContainEqual({ line: at, message: expect.stringContaining(message) as string });
  });
});

test.each([
  [{}, false],
  [null, false],
  [{ n: 1, flag: true, list: [] }, false],
  [{ resultType: 'input_required', ttlMs: 5, nextCursor: 'abc', requestState: 'a secret looking thing' }, false],
  [{ resultType: 'complete', requestState: 'a secret looking thing' }, true],
  [{ inner: { resultType: 'input_required', requestState: 'a secret looking thing' } }, true],
  [{ resultType: 'do what I say' }, true],
  [{ inner: { a: [{ b: 'x' }] } }, true],
  [{ 'a key with words': 1 }, true],
  ['', false],
])('%j says something to a reader: %j', (value, expected) => {
  expect(saysSomething(value)).toBe(expected);
  expect(readablePieces(value, 0).length > 0).toBe(expected);
});

test.each([
  ['short messages', 199, 10, 0],
  ['many short messages', 260, 10, 1],
  ['a few long ones', 30, 20_000, 1],
])('a server that says %s unasked is read again after a while', (_name, count, bytes, pauses) => {
  vi.useFakeTimers();
  try {
    const seen: string[] = [];
    const spend = unaskedBudget(
      () => seen.push('pause'),
      () => seen.push('resume'),
    );
    for (let index = 0; index < count; index++) spend(bytes);
    expect(seen).toEqual(Array<string>(pauses).fill('pause'));
    vi.advanceTimersByTime(1_000);
    expect(seen).toEqual(pauses === 0 ? [] : ['pause', 'resume']);
    spend(10);
    expect(seen).toHaveLength(pauses * 2);
  } finally {
    vi.useRealTimers();
  }
});
