/** Scripts that lie in files are judged when a command runs them, at the place that runs them. */
import { describe, expect, it } from 'vitest';
import type { Verdict } from '#core/model/verdict.ts';
import { judge, ruleIds } from '../../gateKit.ts';
import { ORDINARY_SCRIPTS } from './ordinaryScripts.ts';

const APP = '/home/dev/app';

function run(command: string, files: Readonly<Record<string, string>>): ReturnType<typeof judge> {
  return judge(
    { args: { command } },
    {
      readText: (absolute, most) => {
        const text = absolute.startsWith(`${APP}/`) ? files[absolute.slice(APP.length + 1)] : undefined;
        return text === undefined ? null : { text: text.slice(0, most), whole: text.length <= most };
      },
    },
  );
}

const BAD = 'rm -rf ~\n';
const CODE = 'import os\nos.system("rm -rf ~")\n';

const RUN: readonly (readonly [string, Readonly<Record<string, string>>, Verdict])[] = [
  ['bash t.sh', { 't.sh': BAD }, 'block'],
  ['sh -x ./t.sh', { 't.sh': BAD }, 'block'],
  ['./t.sh', { 't.sh': `#!/bin/bash\n${BAD}` }, 'block'],
  ['./t', { t: BAD }, 'block'],
  ['source t.sh', { 't.sh': BAD }, 'block'],
  ['. ./t.sh', { 't.sh': BAD }, 'block'],
  ['bash < t.sh', { 't.sh': BAD }, 'block'],
  ['cd sub && bash ../t.sh', { 't.sh': BAD }, 'block'],
  ['sudo bash t.sh', { 't.sh': BAD }, 'block'],
  ['env X=1 nohup ./t.sh &', { 't.sh': BAD }, 'block'],
  ['zsh -e t.sh a b', { 't.sh': BAD }, 'block'],
  ['bash t.sh ~', { 't.sh': 'rm -rf "$1"\n' }, 'block'],
  ['bash a.sh', { 'a.sh': 'bash b.sh', 'b.sh': BAD }, 'block'],
  ['bash a.sh', { 'a.sh': 'f() {\n  rm -rf "$1"\n}\nf ~\n' }, 'block'],
  ['bash a.sh', { 'a.sh': 'bash a.sh\n' }, 'clean'],
  ['make', { Makefile: 'all: x\n\techo a\nx:\n\trm -rf ~\n' }, 'block'],
  ['make -f m.mk clean', { 'm.mk': 'D = ~\nclean:\n\t@rm -rf $(D)\n' }, 'block'],
  ['make clean', { Makefile: 'clean:\n\trm -rf build\nevil:\n\trm -rf ~\n' }, 'clean'],
  ['npm run x', { 'package.json': '{"scripts":{"x":"rm -rf ~"}}' }, 'block'],
  ['npm run x', { 'package.json': '{"scripts":{"prex":"rm -rf ~","x":"tsc"}}' }, 'block'],
  ['npm test', { 'package.json': '{"scripts":{"test":"rm -rf ~"}}' }, 'block'],
  ['npm install', { 'package.json': '{"scripts":{"postinstall":"rm -rf ~"}}' }, 'block'],
  ['yarn evil', { 'package.json': '{"scripts":{"evil":"rm -rf ~"}}' }, 'block'],
  ['npm run y', { 'package.json': '{"scripts":{"x":"rm -rf ~","y":"tsc"}}' }, 'clean'],
  ['npm run x', { 'package.json': '{"scripts":' }, 'clean'],
  ['just x', { justfile: 'x:\n    rm -rf ~\n' }, 'block'],
  ['python3 t.py', { 't.py': CODE }, 'block'],
  ['python3 -u t.py --x', { 't.py': CODE }, 'block'],
  ['./t.py', { 't.py': `#!/usr/bin/env python3\n${CODE}` }, 'block'],
  ['node x.js', { 'x.js': 'require("child_process").execSync("rm -rf ~")' }, 'block'],
  ['node --require ./y.js x.js', { 'x.js': 'require("child_process").execSync("rm -rf ~")' }, 'block'],
  ['npx tsx x.ts', { 'x.ts': 'execSync("rm -rf ~")' }, 'block'],
  ['ruby x.rb', { 'x.rb': 'system("rm -rf ~")' }, 'block'],
  ['bash t.sh', { 't.sh': `echo a\0${BAD}` }, 'clean'],
  ['bash t.sh', { 't.sh': `${'# x\n'.repeat(70_000)}${BAD}` }, 'flag'],
  ['node x.js', { 'x.js': `${'// xyz\n'.repeat(70_000)}` }, 'clean'],
  ['bash -n t.sh', { 't.sh': BAD }, 'clean'],
  ['cat t.sh', { 't.sh': BAD }, 'clean'],
  ['bash missing.sh', {}, 'clean'],
  ['python3 -m pytest t.py', { 't.py': 'print(1)' }, 'clean'],
  [
    `bash ${Array.from({ length: 20 }, (_, n) => `s${n}.sh`).join('; bash ')}`,
    Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`s${n}.sh`, 'ls'])),
    'flag',
  ],
];

describe('a script run by path', () => {
  it.each(RUN)('%s', (command, files, verdict) => {
    const decision = run(command, files);
    expect([decision.verdict, ruleIds(decision)]).toEqual([verdict, expect.anything()]);
  });
  it('is found at the place that runs it', () => {
    const command = 'echo first; bash t.sh; echo last';
    const finding = run(command, { 't.sh': `ls\n${BAD}` }).findings.find((one) => one.severity === 'critical');
    expect(command.slice(finding?.span?.start, finding?.span?.end)).toBe('bash t.sh');
    expect(finding?.decoded).toBe('rm -rf /home/dev');
  });
});

describe('ordinary scripts', () => {
  it('are many', () => expect(ORDINARY_SCRIPTS.length).toBeGreaterThanOrEqual(40));
  it('pass without a word, but for one that deletes on a server', () => {
    const noticed = ORDINARY_SCRIPTS.flatMap(({ file, text, command }) => {
      const decision = run(command ?? `bash ${file}`, { [file]: text });
      return decision.verdict === 'clean'
        ? []
        : [[file, decision.verdict, ...ruleIds(decision), ...decision.findings.map((one) => one.matched)]];
    });
    expect(noticed.map(([file, verdict, ...rest]) => (file === 'deploy.sh' ? [file, verdict] : [file, verdict, ...rest]))).toEqual([
      // `rsync --delete` to a server: delivered, and said, as whatever else lies there is lost.
      ['deploy.sh', 'flag'],
    ]);
  });
});
