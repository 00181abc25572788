/** Rules and policies of people's own on a real disk: what counts, what is said, and what happens to what is broken. */
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Verdict } from '#core/model/verdict.ts';
import { openEngine, type Engine } from '#home/engine.ts';
import { compileRuleFile } from '#node/rulepack/customCompile.ts';
import { compilePolicyFile } from '#node/rulepack/customPolicy.ts';
import { gateBox, HELD, shellCall, type GateBox } from './gateBox.ts';

let box: GateBox;
let project: string;
let compiled = 0;
beforeEach(() => {
  box = gateBox();
  compiled = 0;
  project = join(box.folder, 'project');
  mkdirSync(join(project, '.git'), { recursive: true });
});
afterEach(() => box.remove());

const rule = (id: string, over: { severity?: string; word?: string; category?: string; regex?: string } = {}): string => `
  - id: ${id}
    title: Says ${id}
    category: ${over.category ?? 'destruction'}
    severity: ${over.severity ?? 'high'}
    confidence: high
    status: stable
    match: { field: [command, text], regex: '${over.regex ?? over.word ?? 'my-word'}' }
    rationale: It is wanted.
    examples:
      match: [{ text: my-word }, { text: a my-word }]
      no_match: [{ text: a, why: other }, { text: b, why: other }]`;
const file = (...rules: string[]): string => `version: 1\nrules:${rules.join('')}\n`;
const put = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};
const userFile = (name = 'mine.yaml'): string => join(box.layout.root, 'rules', name);
const theirFile = (name = 'theirs.yaml'): string => join(project, '.callgate', 'rules', name);
const compiler = () => ({
  compilePolicyFile,
  compileRuleFile: (...args: Parameters<typeof compileRuleFile>) => {
    compiled++;
    return compileRuleFile(...args);
  },
});
const open = (): Engine => openEngine(box.layout, box.rulesFile, { compiler });
const judged = (engine: Engine, command = 'echo my-word'): [Verdict, ...string[]] => {
  const { verdict, findings } = engine.decide(shellCall(command, { cwd: project }));
  return [verdict, ...new Set(findings.map((finding) => finding.rule))];
};
const CUSTOM = 'engine.custom-rules';

describe('rules', () => {
  it('of the user and of the project add findings; the same text is compiled once', () => {
    put(userFile(), file(rule('mine.a')));
    put(theirFile(), file(rule('theirs.a', { severity: 'critical' })));
    expect(judged(open())).toEqual(['block', 'theirs.a', 'mine.a']);
    expect(compiled).toBe(2);
    expect(judged(open())).toEqual(['block', 'theirs.a', 'mine.a']);
    expect(compiled).toBe(2);
    const engine = open();
    expect([engine.rules(), engine.problem()]).toEqual([4, null]);
    expect(engine.decide(shellCall('x', { cwd: project })).rules.split('+')).toHaveLength(3);
    expect(readdirSync(join(box.layout.root, 'rules-compiled')).filter((name) => /^[0-9a-f]{64}\.json$/u.test(name))).toHaveLength(2);
  });
  it('of another project do not count', () => {
    put(theirFile(), file(rule('theirs.a')));
    expect(open().decide(shellCall('my-word', { cwd: box.folder })).verdict).toBe('clean');
  });
  it('change while a process runs, half a second later at most', () => {
    let at = 0;
    const original = performance.now.bind(performance);
    performance.now = () => original() + at;
    try {
      const engine = open();
      const steps: readonly (readonly [() => void, Verdict])[] = [
        [() => undefined, 'clean'],
        [() => put(userFile(), file(rule('mine.a'))), 'quarantine'],
        [() => put(userFile(), file(rule('mine.a', { severity: 'medium' }))), 'flag'],
        [() => put(userFile('more.yaml'), file(rule('more.a', { severity: 'critical' }))), 'block'],
        [() => rmSync(userFile('more.yaml')), 'flag'],
        [() => put(theirFile(), file(rule('theirs.a'))), 'quarantine'],
        [() => rmSync(join(project, '.callgate'), { recursive: true }), 'flag'],
        [() => put(join(box.layout.root, 'policy.yaml'), 'version: 1\nseverity: { medium: block }'), 'block'],
      ];
      for (const [change, verdict] of steps) {
        change();
        at += 500;
        expect([String(change), judged(engine)[0]]).toEqual([String(change), verdict]);
      }
    } finally {
      performance.now = original;
    }
  });
});

describe('a broken file', () => {
  const broken: readonly (readonly [says: string, text: string, line: number, message: string])[] = [
    ['half written', file(rule('mine.a'), rule('mine.b')).slice(0, -150), 0, ''],
    ['no YAML', 'version: 1\nrules: [', 2, 'Flow sequence'],
    ['a misspelt key', file(rule('mine.a').replace('rationale', 'rationle')), 3, 'did you mean `rationale`?'],
    ['two of one id', file(rule('mine.a'), rule('mine.a')), 14, 'is already used'],
    ['an id of a shipped rule', file(rule('mine.a'), rule('mine.a')).replaceAll('mine.', 'test.'), 0, ''],
    ['a bomb', 'a: &a [1,1]\nb: &b [*a,*a]\n', 1, 'anchors and aliases'],
    ['nested without end', '['.repeat(100_000), 1, 'brackets'],
    ['a slow regex', file(rule('mine.a', { regex: '(?:a{0,90}){0,90}b' })), 9, ''],
    ['an unbounded regex', file(rule('mine.a', { regex: 'a+' })), 9, 'unbounded'],
    ['empty', '', 1, 'mapping'],
    ['binary', '\u0000\u0001\u0002'.repeat(100), 1, ''],
    ['over a megabyte', `#${'x'.repeat(10 * 1024 * 1024)}`, 1, 'bytes'],
  ];
  it.each(broken)('%s: its last good copy stays in force, and that is said', (_says, text, line, message) => {
    put(userFile(), file(rule('mine.a')));
    expect(judged(open())).toEqual(['quarantine', 'mine.a']);
    put(userFile(), text);
    const engine = open();
    expect(judged(engine)).toEqual(['quarantine', 'mine.a']);
    expect(engine.problem()).toContain(message);
    expect(engine.problem()).toContain('the last good copy of this file is in force');
    expect(engine.problem()).toMatch(new RegExp(`^${userFile()}:${line === 0 ? '\\d+' : line}: `, 'u'));
  });
  it.each(broken)('%s, never good: every call says so', (_says, text) => {
    put(userFile(), text);
    const engine = open();
    expect(judged(engine, 'ls')).toEqual(['flag', CUSTOM]);
    expect(judged(engine, HELD)[0]).toBe('quarantine');
    // The same again without the compiler: what is wrong is kept as well.
    const before = compiled;
    expect(judged(open(), 'ls')).toEqual(['flag', CUSTOM]);
    expect(compiled - before).toBe(0);
  });
  it('keeps what is good of it', () => {
    put(userFile(), file(rule('mine.a'), rule('mine.b').replace('severity: high', 'severity: hihg')));
    expect(judged(open())).toEqual(['quarantine', 'mine.a', CUSTOM]);
  });
  it('redefines no shipped rule and no id of the engine', () => {
    put(userFile('test.yaml'), file(rule('test.hold', { severity: 'low', word: 'please-hold' })));
    put(theirFile('engine.yaml'), file(rule('engine.failed', { severity: 'low' })));
    const engine = open();
    expect(judged(engine, HELD)).toEqual(['quarantine', 'test.hold', CUSTOM]);
    expect(engine.problem()).toContain('cannot be redefined');
    expect(engine.problem()).toContain("Callgate's own");
  });
  it('whose copy is damaged is compiled again', () => {
    put(userFile(), file(rule('mine.a')));
    judged(open());
    const folder = join(box.layout.root, 'rules-compiled');
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name), '{"rules": [{}], "problems": [], "policy": null}');
    expect(judged(open())).toEqual(['quarantine', 'mine.a']);
    expect(compiled).toBe(2);
  });
  it('and no compiler to be had: said, and the rest goes on', () => {
    put(userFile(), file(rule('mine.a')));
    const engine = openEngine(box.layout, box.rulesFile);
    expect(judged(engine, HELD)).toEqual(['quarantine', 'test.hold', CUSTOM]);
    expect(engine.problem()).toContain('cannot be compiled');
  });
  it('of more rules than are read is said', () => {
    put(userFile(), file(...Array.from({ length: 300 }, (_, at) => rule(`mine.a${at}`, { severity: 'low' }))));
    put(userFile('more.yaml'), file(...Array.from({ length: 300 }, (_, at) => rule(`more.a${at}`, { severity: 'low' }))));
    const engine = open();
    expect([engine.rules(), engine.problem()]).toEqual([503, expect.stringContaining('100 rules more than the 500')]);
  });
});

describe('what is not a file of the user', () => {
  const other = (): string => join(box.folder, 'other.yaml');
  const rows: readonly (readonly [says: string, make: () => void, message: string])[] = [
    [
      'a linked file',
      () => (put(other(), file(rule('mine.a'))), mkdirSync(dirname(userFile()), { recursive: true }), symlinkSync(other(), userFile())),
      'symbolic link',
    ],
    [
      'a linked folder',
      () => (
        mkdirSync(join(box.folder, 'rules')),
        mkdirSync(box.layout.root, { recursive: true }),
        symlinkSync(join(box.folder, 'rules'), dirname(userFile()))
      ),
      'symbolic link',
    ],
    ['a file for a folder', () => put(dirname(userFile()), 'x'), 'not a plain folder'],
    ['a folder for a file', () => mkdirSync(userFile(), { recursive: true }), 'not a plain file'],
    [
      'a linked policy',
      () => (
        put(other(), 'version: 1'),
        mkdirSync(box.layout.root, { recursive: true }),
        symlinkSync(other(), join(box.layout.root, 'policy.yaml'))
      ),
      'symbolic link',
    ],
  ];
  it.each(rows)('%s is refused and said', (_says, make, message) => {
    make();
    const engine = open();
    expect(judged(engine, 'ls')).toEqual(['flag', message === 'symbolic link' && _says.includes('policy') ? 'engine.policy' : CUSTOM]);
    expect(engine.problem()).toContain(message);
  });
  it('a folder that cannot be read leaves its last good copies in force', () => {
    put(userFile(), file(rule('mine.a')));
    put(userFile('more.yaml'), file(rule('more.a', { severity: 'medium' })));
    judged(open());
    renameSync(dirname(userFile()), join(box.folder, 'away'));
    put(dirname(userFile()), 'x');
    const engine = open();
    expect(judged(engine)).toEqual(['quarantine', 'mine.a', 'more.a']);
    expect(engine.problem()).toContain('not a plain folder');
  });
  it('a file replaced by a link keeps its last good copy', () => {
    put(userFile(), file(rule('mine.a')));
    judged(open());
    renameSync(userFile(), other());
    symlinkSync(other(), userFile());
    const engine = open();
    expect(judged(engine)).toEqual(['quarantine', 'mine.a']);
    expect(engine.problem()).toContain('symbolic link');
  });
  it('a file changed within the same second and of the same size is another', () => {
    put(userFile(), file(rule('mine.a', { word: 'one-word' })));
    utimesSync(userFile(), 1, 1);
    expect(judged(open(), 'one-word')[0]).toBe('quarantine');
    put(userFile(), file(rule('mine.a', { word: 'two-word' })));
    utimesSync(userFile(), 1, 1);
    expect(judged(open(), 'two-word')[0]).toBe('quarantine');
  });
});

describe('a project that wants too much', () => {
  it('hides nothing: its rules for secrets redact nothing', () => {
    put(theirFile(), file(rule('theirs.a', { category: 'credential-leak', word: 'please-hold', severity: 'low' })));
    const { findings } = open().decide(shellCall(HELD, { cwd: project }));
    expect(findings.map(({ rule: id, category, matched }) => [id, category, matched])).toEqual([
      ['test.hold', 'test', 'please-hold'],
      ['theirs.a', 'credential-access', 'please-hold'],
    ]);
  });
  it('crowds nothing out', () => {
    put(theirFile(), file(...Array.from({ length: 100 }, (_, at) => rule(`theirs.a${at}`, { word: 'please-hold' }))));
    const { findings } = open().decide(shellCall(HELD, { cwd: project }));
    expect([findings.length, findings.some((finding) => finding.rule === 'test.hold')]).toEqual([25, true]);
  });
  it('lowers nothing by its policy, and raises', () => {
    put(join(project, '.callgate', 'policy.yaml'), 'version: 1\nseverity: { high: clean }\nrules: [{ rule: test.flag, verdict: block }]');
    expect(judged(open(), HELD)[0]).toBe('quarantine');
    expect(judged(open(), 'please-flag')[0]).toBe('block');
  });
});

describe('the policy', () => {
  const policy = (): string => join(box.layout.root, 'policy.yaml');
  it('counts, and is named in the record', () => {
    put(policy(), 'version: 1\nrules: [{ rule: test.hold, verdict: flag, workspaces: ["*/project"] }]');
    const decision = open().decide(shellCall(HELD, { cwd: project }));
    expect([decision.verdict, decision.policy]).toEqual(['flag', expect.stringMatching(/^[0-9a-f]{64}$/u)]);
    expect(open().decide(shellCall(HELD, { cwd: box.folder })).verdict).toBe('quarantine');
  });
  it('that breaks stays as it was', () => {
    put(policy(), 'version: 1\nseverity: { high: block }');
    expect(judged(open(), HELD)).toEqual(['block', 'test.hold']);
    put(policy(), 'version: 1\nseverity: { high: blok }');
    const engine = open();
    expect(judged(engine, HELD)).toEqual(['block', 'test.hold']);
    expect(engine.problem()).toContain(`${policy()}:2: \`high\` must be one of clean, flag, quarantine, block (the last good copy`);
  });
  it('that never was good is the built-in one, said in every call', () => {
    put(policy(), 'version: 1\nseverity: { high: blok, medium: clean }');
    expect(judged(open(), 'please-flag')).toEqual(['flag', 'engine.policy', 'test.flag']);
  });
  it('home folders are written out', () => {
    put(policy(), 'version: 1\nrules: [{ rule: test.hold, verdict: flag, workspaces: ~/work }]');
    const work = join(box.layout.home, 'work');
    mkdirSync(join(work, '.git'), { recursive: true });
    expect(open().decide(shellCall(HELD, { cwd: work })).verdict).toBe('flag');
  });
});
