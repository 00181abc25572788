/** Recorded calls under other rules and another policy. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AuditEntry, AuditEvent } from '#contract/auditRecord.ts';
import type { Finding } from '#core/model/finding.ts';
import type { Decision, Verdict } from '#core/model/verdict.ts';
import { replayCalls } from '#node/audit/replayCalls.ts';
import { cpuMs } from '#kit/cpuTime.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';
import { buildCompiler } from '../rulepack/buildCompiler.ts';
import { auditBox } from './auditBox.ts';

const call = (command: string, verdict: Verdict, over: Partial<AuditEvent> = {}): AuditEvent =>
  sampleEvent({ args: { command }, verdict, outcome: verdict === 'quarantine' ? 'held' : 'delivered', ...over });
const KEY = 'a'.repeat(64);

const RECORD: readonly AuditEvent[] = [
  call('echo hi', 'clean'),
  call('echo please-hold', 'clean'),
  call('echo please-hold', 'quarantine'),
  call('echo please-flag', 'quarantine'),
  call('echo please-block', 'clean', { by: 'grant' }),
  sampleEvent({ kind: 'hold', verdict: 'quarantine' }),
  sampleEvent({ kind: 'response', channel: 'response', by: 'client', args: { stdout: 'please-hold' } }),
  call('', 'clean', { args: { cut: '{"command":"x', bytes: 90_000 } }),
  call('', 'block', { tool: '', outcome: 'refused', by: 'failure' }),
  sampleEvent({ kind: 'prompt', tool: '', args: { prompt: 'please-block' } }),
];

test('what would have changed, and how often a person would have been asked', async () => {
  const { audit } = auditBox(RECORD);
  const { code, out, err } = await audit('replay');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME')).toBe(`6 judged again, 4 would have come out otherwise.

 then \\ now      clean       flag quarantine      block
      clean          1          0          2          1
       flag          0          0          0          0
 quarantine          0          1          1          0
      block          0          0          0          0

A person was asked about 2 of them, and would have been asked about 2: as often.
1 could not be judged: only their beginning is in the record.
1 could not be judged: they were never calls that could be read.

#2  TIME  Bash  clean -> quarantine  +test.hold
#4  TIME  Bash  quarantine -> flag  +test.flag
#5  TIME  Bash  clean -> block  +test.block
#7  TIME  Bash (result)  clean -> quarantine  +test.hold
`);
});

test.each([
  [['replay', '--seq', '1..2', '--json'], 0, /^\{"judged":2,.*"prompts":\{"before":0,"after":1\}.*"changes":\[\{"seq":2,/],
  [['replay', '--limit', '1'], 0, /#2 .*\n$/],
  [['replay', '--policy', 'nowhere.yaml'], 1, /nowhere\.yaml does not exist/],
  [['replay', 'word'], 2, /^usage: callgate audit replay/],
  [['replay', '--kind', 'prompt'], 0, /^0 judged again/],
] as const)('%j', async (args, code, text) => {
  const ran = await auditBox(RECORD).audit(...args);
  expect(ran.code).toBe(code);
  expect(code === 0 ? ran.out : ran.err).toMatch(text);
});

const secret = (over: Partial<Finding> = {}): Finding => ({
  rule: 'secrets.key',
  title: 'A key',
  category: 'credential-leak',
  severity: 'high',
  confidence: 'high',
  status: 'stable',
  rationale: 'The test wants it.',
  at: '/command',
  span: { start: 5, end: 9 },
  matched: '',
  decoded: null,
  ...over,
});
const entry = (event: AuditEvent): AuditEntry => ({ ...event, v: 2, seq: 1, time: 0, writer: '', prev: '', key: '', hash: '' });
const judgeAs =
  (verdict: Verdict, seen: unknown[]) =>
  (...given: readonly unknown[]): Decision => {
    seen.push(given);
    return { verdict, findings: [], reason: '', rules: '', policy: '' };
  };

describe('secrets that are not in the record', () => {
  test('count as what their rule saw then, and leave nothing that another rule could see', () => {
    const seen: [{ args: unknown }, readonly Finding[]][] = [];
    const replaying = replayCalls(judgeAs('quarantine', seen));
    const args = { command: `echo [secret secrets.key ${KEY}]`, [`[secret secrets.key ${KEY}]`]: [`x[secret secrets.gone ${KEY}]y`] };
    replaying.add(entry(sampleEvent({ args, verdict: 'quarantine', findings: [secret(), secret({ rule: 'test.other' })] })));
    expect(seen[0]?.[0].args).toEqual({ command: 'echo redacted', redacted: ['xredactedy'] });
    expect(seen[0]?.[1]).toEqual([{ ...secret(), at: '', span: null }]);
    expect(replaying.report()).toMatchObject({ judged: 1, redacted: 1, changed: 0 });
  });

  test('a mark that no finding stands for is no finding', () => {
    const seen: [unknown, readonly Finding[]][] = [];
    replayCalls(judgeAs('clean', seen)).add(entry(sampleEvent({ args: { command: `echo [secret secrets.key ${KEY}]` } })));
    expect(seen[0]?.[1]).toEqual([]);
  });

  test('by the engine: a rule that is in force counts, one that is gone does not', async () => {
    const marked = (rule: string): AuditEvent =>
      sampleEvent({
        args: { command: `echo [secret ${rule} ${KEY}]` },
        verdict: 'quarantine',
        outcome: 'held',
        findings: [secret({ rule })],
      });
    const { out } = await auditBox([marked('test.hold'), marked('test.gone'), marked('test.flag')]).audit('replay', '--json');
    expect(JSON.parse(out)).toMatchObject({ table: { quarantine: { quarantine: 1, clean: 1, flag: 1 } }, redacted: 3 });
  });
});

const MINE = `version: 1
rules:
  - id: mine.greeting
    title: A greeting
    category: destruction
    severity: critical
    confidence: high
    status: stable
    match: { field: [command, text], regex: 'echo hi' }
    rationale: The test wants it.
    examples:
      match: [{ text: echo hi }, { text: echo hi there }]
      no_match: [{ text: a, why: other }, { text: b, why: other }]
`;
const LENIENT = 'version: 1\nseverity: { high: flag }\nrules: [{ rule: test.block, verdict: clean }]\n';
/** Without the answers' time and tool: `seq: then -> now rules`. */
const others: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['rules', ['--rules', 'mine'], ['#1 clean -> block +mine.greeting', '#2 clean -> quarantine +test.hold']],
  ['a policy', ['--policy', 'lenient.yaml'], ['#2 clean -> flag +test.hold', '#3 quarantine -> flag +test.hold']],
  [
    'both',
    ['--policy', 'lenient.yaml', '--rules', 'mine'],
    ['#1 clean -> block +mine.greeting', '#2 clean -> flag +test.hold', '#3 quarantine -> flag +test.hold'],
  ],
];
test.each(others)('by other %s: what would have come out otherwise', async (_name, args, changes) => {
  const box = auditBox(RECORD.slice(0, 3));
  await buildCompiler(box.folder);
  mkdirSync(join(box.work, 'mine'));
  writeFileSync(join(box.work, 'mine', 'mine.yaml'), MINE);
  writeFileSync(join(box.work, 'lenient.yaml'), LENIENT);
  const { code, out, err } = await box.audit('replay', '--seq', '1..3', ...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const listed = out.split('\n').filter((line) => line.startsWith('#'));
  expect(listed.map((line) => line.replace(/  .*  Bash  /, ' ').replace('  ', ' '))).toEqual(changes);
});

test('what is said of the folder of a recorded call does nothing to the terminal', async () => {
  const box = auditBox([sampleEvent({ cwd: '/w\u0000\u001b]0;x\u0007', workspace: '', args: { command: 'echo hi' } })]);
  const { err } = await box.audit('replay');
  expect(err).toContain('cannot be looked at');
  expect(err).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
});

test('rules of a folder are asked too', async () => {
  const box = auditBox(RECORD.slice(0, 1));
  const folder = join(box.work, 'mine');
  mkdirSync(folder);
  writeFileSync(join(folder, 'mine.yaml'), 'version: 1\nrules: [broken\n');
  const ran = await box.audit('replay', '--rules', 'mine');
  // What is broken is said, and no success: somebody asked for exactly these rules.
  expect(ran.code).toBe(1);
  expect(ran.err).toContain('mine.yaml');
});

test('a hundred thousand calls are counted in well under a minute', { timeout: 60_000 }, () => {
  const replaying = replayCalls(judgeAs('clean', []));
  const took = cpuMs(() => {
    for (let at = 0; at < 100_000; at += 1) replaying.add(entry(RECORD[at % RECORD.length] as AuditEvent));
  });
  expect(replaying.report().judged).toBe(60_000);
  expect(took).toBeLessThan(10_000);
});
