/** Judging without a broker: outcomes, records, what is left for a later approval, and every way it can break. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { AuditEntry } from '#contract/auditRecord.ts';
import { clearReleased, markReleased, refuseConfigChange } from '#home/configGuard.ts';
import { realPrefix } from '#home/engine.ts';
import { grantKey, openGrants } from '#home/grants.ts';
import { ensurePrivateFolder } from '#home/layout.ts';
import { judgeAlone, type Unattended } from '#home/localGate.ts';
import { listPending, PENDING_MS } from '#home/pendingCalls.ts';
import { keepLastGood } from '#home/ruleFile.ts';
import { DEFAULT_SETTINGS, parseSettings, readSettings, writeSettings } from '#home/settings.ts';
import { BLOCKED, CLEAN, FLAGGED, gateBox, HELD, shellCall, type GateBox } from './gateBox.ts';

const boxes: GateBox[] = [];
const box = (): GateBox => (boxes.push(gateBox()), boxes.at(-1) as GateBox);
afterEach(() => boxes.splice(0).forEach((item) => item.remove()));

const judge = (at: GateBox, command: string, unattended: Unattended = 'refuse', warn: (text: string) => void = () => undefined) =>
  judgeAlone(shellCall(command), { layout: at.layout, rulesFile: at.rulesFile, warn, unattended });
const lines = (at: GateBox): AuditEntry[] =>
  readdirSync(at.layout.journal)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(at.layout.journal, name), 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line) as AuditEntry);

test.each([
  [CLEAN, 'refuse', 'clean', 'delivered'],
  [FLAGGED, 'refuse', 'flag', 'delivered'],
  [BLOCKED, 'ask', 'block', 'refused'],
  [HELD, 'ask', 'quarantine', 'asked'],
  [HELD, 'refuse', 'quarantine', 'refused'],
] as const)('%s, %s', (command, unattended, verdict, outcome) => {
  const at = box();
  const judgement = judge(at, command, unattended);
  expect(judgement).toMatchObject({ outcome, decision: { verdict } });
  expect(judgement.reason === '').toBe(outcome === 'delivered');
  expect(lines(at)).toMatchObject([{ call: judgement.id, verdict, outcome, args: { command } }]);
  expect(listPending(at.layout, Date.now(), () => undefined).map((left) => left.hold.id)).toEqual(
    verdict === 'quarantine' ? [judgement.id] : [],
  );
  expect(listPending(at.layout, Date.now() + PENDING_MS + 1000, () => undefined)).toEqual([]);
});

test('a grant lets it through once', () => {
  const at = box();
  const { tool, server, cwd, session } = shellCall(HELD);
  openGrants(at.layout, Date.now, () => undefined).add({
    key: grantKey(shellCall(HELD)),
    scope: 'once',
    tool,
    server,
    cwd,
    session,
    summary: '',
  });
  expect(judge(at, HELD)).toMatchObject({ outcome: 'delivered', by: 'grant' });
  expect(judge(at, HELD)).toMatchObject({ outcome: 'refused' });
});

test('what the client asked its user about goes on when the relay is asked for the same call, once', () => {
  const at = box();
  const mcp = shellCall('', { channel: 'mcp', tool: 'put', server: 's', args: { text: HELD } });
  const options = { layout: at.layout, rulesFile: at.rulesFile, warn: () => undefined };
  expect(judgeAlone(mcp, { ...options, unattended: 'ask' })).toMatchObject({ outcome: 'asked' });
  const relayed = { ...mcp, client: 'mcp', cwd: '/other' } as const;
  expect(judgeAlone({ ...relayed, args: { text: `${HELD}!` } }, { ...options, unattended: 'refuse' })).toMatchObject({
    outcome: 'refused',
  });
  expect(judgeAlone(relayed, { ...options, unattended: 'refuse' })).toMatchObject({ outcome: 'delivered', by: 'client' });
  expect(judgeAlone(relayed, { ...options, unattended: 'refuse' })).toMatchObject({ outcome: 'refused' });
});

describe('rules that cannot be used', () => {
  const broken: readonly (readonly [string, string | null])[] = [
    ['missing', null],
    ['not JSON', '{'],
    ['without rules', '{"version":1,"hash":"","rules":[]}'],
    ['of another version', '{"version":9}'],
  ];
  test.each(broken)('%s, and no good copy: only reading', (_name, text) => {
    const at = box();
    if (text === null) rmSync(at.rulesFile);
    else writeFileSync(at.rulesFile, text);
    const judgement = judge(at, CLEAN);
    expect(judgement).toMatchObject({ outcome: 'refused', decision: { verdict: 'block' } });
    expect(judgement.reason).toContain(at.rulesFile);
    expect(judgement.reason).toContain('Reinstall');
    const read = shellCall('', { channel: 'read', tool: 'Read', args: { file_path: '/a' } });
    expect(judgeAlone(read, { layout: at.layout, rulesFile: at.rulesFile, warn: () => undefined, unattended: 'refuse' })).toMatchObject({
      outcome: 'delivered',
    });
  });
  test.each(broken)('%s, with a good copy: as before, and said', (_name, text) => {
    const at = box();
    ensurePrivateFolder(at.layout.root);
    keepLastGood(at.layout, at.rulesFile);
    if (text === null) rmSync(at.rulesFile);
    else writeFileSync(at.rulesFile, text);
    keepLastGood(at.layout, at.rulesFile);
    const said: string[] = [];
    expect(judge(at, BLOCKED, 'refuse', (line) => said.push(line))).toMatchObject({ outcome: 'refused', by: 'gate' });
    expect(judge(at, CLEAN)).toMatchObject({ outcome: 'delivered' });
    expect(said.join()).toContain('last good');
  });
});

test('a journal that cannot be written refuses, or warns when told to', () => {
  const at = box();
  ensurePrivateFolder(at.layout.root);
  writeFileSync(at.layout.journal, 'in the way');
  expect(judge(at, CLEAN)).toMatchObject({ outcome: 'refused', by: 'failure' });
  writeSettings(at.layout, { ...DEFAULT_SETTINGS, onJournalFailure: 'warn' });
  const said: string[] = [];
  expect(judge(at, CLEAN, 'refuse', (line) => said.push(line))).toMatchObject({ outcome: 'delivered' });
  expect(said.join()).toContain('journal');
  expect(judge(at, BLOCKED)).toMatchObject({ outcome: 'refused', by: 'gate' });
});

test('a named pipe in the place of a file is refused at once, not waited for', () => {
  const at = box();
  ensurePrivateFolder(at.layout.root);
  execFileSync('/usr/bin/mkfifo', [at.layout.settings]);
  const script = `import { readSettings } from ${JSON.stringify(resolve(import.meta.dirname, '../../extension/home/settings.ts'))};
    import { layoutFor } from ${JSON.stringify(resolve(import.meta.dirname, '../../extension/home/layout.ts'))};
    console.log(readSettings(layoutFor(${JSON.stringify(at.home)})).problem);`;
  // In a process of its own: waiting would hang this one for ever.
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 10_000,
    killSignal: 'SIGKILL',
  });
  expect({ status: ran.status, said: ran.stdout }).toEqual({ status: 0, said: expect.stringContaining('not a plain file') as string });
});

test.each([
  [{}, null],
  [{ holdSeconds: 10, onJournalFailure: 'warn', recordConversation: false }, null],
  [{ holdSeconds: 9 }, /holdSeconds/],
  [{ holdSeconds: 601 }, /holdSeconds/],
  [{ holdSeconds: 10.5 }, /holdSeconds/],
  [{ holdSeconds: '300' }, /holdSeconds/],
  [{ onJournalFailure: 'allow' }, /onJournalFailure/],
  [{ recordConversation: 'no' }, /recordConversation/],
  [[], /object/],
] as const)('settings %j', (value, problem) => {
  const parsed = parseSettings(value);
  if (problem === null) expect(parsed.problem).toBeNull();
  else expect(parsed).toMatchObject({ settings: DEFAULT_SETTINGS, problem: expect.stringMatching(problem) as string });
});

test('settings that cannot be read leave the defaults, and say where', () => {
  const at = box();
  mkdirSync(at.layout.root);
  for (const text of ['{', '[]', '\0']) {
    writeFileSync(at.layout.settings, text);
    expect(readSettings(at.layout)).toMatchObject({
      settings: DEFAULT_SETTINGS,
      problem: expect.stringContaining(at.layout.settings) as string,
    });
  }
});

describe("a change of the client's settings", () => {
  const hook = (at: GateBox): object => ({
    hooks: { PreToolUse: [{ matcher: '*', hooks: [{ type: 'command', command: command(at), timeout: 900, onFailure: 'block' }] }] },
  });
  const command = (at: GateBox): string => `r=1 '${at.layout.bin}/callgate-hook' claude`;
  const changed = (at: GateBox, from: string, to: string): string => JSON.stringify(hook(at)).replace(from, to);
  const rows: readonly (readonly [string, string, (at: GateBox) => string | null, boolean])[] = [
    ['user settings with our hook', 'settings.json', (at) => JSON.stringify(hook(at)), true],
    ['and something else', 'settings.json', (at) => JSON.stringify({ ...hook(at), model: 'x', disableAllHooks: false }), true],
    ['our hook gone', 'settings.json', () => '{}', false],
    ['our hook narrowed', 'settings.json', (at) => JSON.stringify(hook(at)).replace('"*"', '"Read"'), false],
    ['a word in front of our command', 'settings.json', (at) => changed(at, '"r=1', '"true || r=1'), false],
    ['a condition on our hook', 'settings.json', (at) => changed(at, '"timeout"', '"if":"Bash(ls)","timeout"'), false],
    ['our hook in the background', 'settings.json', (at) => changed(at, '"timeout"', '"async":true,"timeout"'), false],
    ['our hook cut short', 'settings.json', (at) => changed(at, '900', '1'), false],
    ['our hook without effect when it fails', 'settings.json', (at) => changed(at, ',"onFailure":"block"', ''), false],
    ['a shell that does nothing, in local settings', 'settings.local.json', () => '{"env":{"SHELLOPTS":"noexec"}}', false],
    ['another shell, in local settings', 'settings.local.json', () => '{"env":{"CLAUDE_CODE_SHELL_PREFIX":"/tmp/x"}}', false],
    ['other variables in local settings', 'settings.local.json', () => '{"env":{"NODE_ENV":"test","SHELL_COLOR":"1"}}', true],
    ['all hooks off', 'settings.json', (at) => JSON.stringify({ ...hook(at), disableAllHooks: true }), false],
    ['invalid', 'settings.json', (at) => `${JSON.stringify(hook(at))},`, false],
    ['gone', 'settings.json', () => null, false],
    ['local settings without hooks', 'settings.local.json', () => '{"model":"x"}', true],
    ['local settings that switch hooks off', 'settings.local.json', () => '{"disableAllHooks":true}', false],
    ['local settings that switch hooks off in other words', 'settings.local.json', () => '{"disableAllHooks":"yes"}', false],
    ['local settings, invalid', 'settings.local.json', () => '{"a":1,}', false],
    ['local settings, gone', 'settings.local.json', () => null, true],
  ];
  test.each(rows)('%s', (_name, file, text, allowed) => {
    const at = box();
    ensurePrivateFolder(at.layout.bin);
    writeFileSync(join(at.layout.bin, 'launcher.json'), JSON.stringify({ v: 1, claudeCommands: ['another', command(at)] }));
    const path = join(at.home, '.claude', file);
    mkdirSync(join(at.home, '.claude'));
    const content = text(at);
    if (content !== null) writeFileSync(path, content);
    const change = { source: file === 'settings.json' ? 'user_settings' : 'local_settings', file: path };
    const reason = refuseConfigChange(at.layout, change);
    expect(reason === null).toBe(allowed);
    if (!allowed) expect(reason).toContain(path);
    // Callgate itself may always leave.
    markReleased(at.layout, 'claude');
    expect(refuseConfigChange(at.layout, change)).toBeNull();
    clearReleased(at.layout, 'claude');
    expect(refuseConfigChange(at.layout, change) === null).toBe(allowed);
  });
});

test('what the installation wrote down cannot be read: a hook that names our script will do', () => {
  const at = box();
  mkdirSync(join(at.home, '.claude'));
  const path = join(at.home, '.claude', 'settings.json');
  const hook = { type: 'command', command: `r=1 '${at.layout.bin}/callgate-hook' claude`, timeout: 900, onFailure: 'block' };
  writeFileSync(path, JSON.stringify({ hooks: { PreToolUse: [{ matcher: '*', hooks: [hook] }] } }));
  expect(refuseConfigChange(at.layout, { source: 'user_settings', file: path })).toBeNull();
});

test('links are followed, dangling ones too, and loops are not', () => {
  const at = box();
  const inside = (path: string): string => join(at.work, path);
  mkdirSync(inside('real'));
  symlinkSync(inside('real'), inside('link'));
  symlinkSync('real/missing', inside('dangling'));
  symlinkSync(inside('loop'), inside('loop'));
  expect(realPrefix(inside('link/new/file'))).toBe(inside('real/new/file'));
  expect(realPrefix(inside('dangling'))).toBe(inside('real/missing'));
  expect(realPrefix(inside('loop/x'))).toBeNull();
});
