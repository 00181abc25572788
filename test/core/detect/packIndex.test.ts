/** Which rules a program makes worth trying: the ones whose words the command holds, and every one of which none are known. */
import { describe, expect, it } from 'vitest';
import { buildIndex, rulesOfProgram } from '#core/detect/packIndex.ts';
import { openRulePack, parseRulePack, writeRulePack } from '#core/detect/packFile.ts';
import type { CommandCondition, Condition, Rule } from '#core/detect/rulePack.ts';

const ANY: CommandCondition = {
  kind: 'command',
  program: [],
  subcommand: [],
  flags: [],
  operand: null,
  argument: null,
  line: null,
  stdin: null,
  assigns: null,
  path: null,
  url: null,
  pipedFrom: null,
  pipedTo: null,
  not: null,
};
const command = (over: Partial<CommandCondition>): CommandCondition => ({ ...ANY, ...over });
const rule = (match: Condition, id = 'a.b'): Rule => ({
  id,
  title: 'T',
  category: 'c',
  severity: 'high',
  confidence: 'high',
  status: 'stable',
  channels: ['shell'],
  rationale: 'R',
  keywords: [],
  match,
});
const any = (...of: Condition[]): Condition => ({ kind: 'any', of });

const rows: readonly (readonly [says: string, match: Condition, words: readonly string[] | null])[] = [
  ['nothing but the program', command({ program: ['git'] }), null],
  ['a subcommand', command({ program: ['git'], subcommand: ['push', 'lfs Migrate'] }), ['lfs', 'push']],
  ['a line', command({ program: ['git'], line: '\\s(?:--hard|--Force)\\b' }), ['--force', '--hard']],
  ['an operand that could be anything', command({ program: ['git'], operand: '^.{1,9}$' }), null],
  [
    'one condition or another',
    any(command({ program: ['git'], subcommand: ['push'] }), command({ program: ['git', 'hg'], subcommand: ['pull'] })),
    ['pull', 'push'],
  ],
  ['one of which asks for nothing', any(command({ program: ['git'], subcommand: ['push'] }), command({ program: ['git'] })), null],
  ['words that a file would escape', command({ program: ['git'], subcommand: ['a"b'] }), null],
];

describe('rules of a program', () => {
  it.each(rows)('%s', (_says, match, words) => {
    const { index } = openRulePack(writeRulePack({ version: 1, hash: '', rules: [rule(match)] }), (text) => Buffer.from(text, 'base64'));
    expect(rulesOfProgram(index, 'git')).toEqual([{ rule: 0, words }]);
    expect(rulesOfProgram(buildIndex([rule(match)]), 'git')).toEqual([{ rule: 0, words }]);
  });

  it('finds no names but those that are asked for', () => {
    const index = buildIndex([rule(command({ program: ['git', '7'], subcommand: ['push'] })), rule(command({ program: ['7'] }), 'a.c')]);
    expect(rulesOfProgram(index, '7')).toEqual([
      { rule: 0, words: ['push'] },
      { rule: 1, words: null },
    ]);
    for (const name of [
      '',
      ' ',
      'gi',
      'it',
      'push',
      ' 0',
      ' 0.0',
      '0',
      '\u007f',
      'git\u007f 0.0\u007f7',
      '\u007fgit',
      '__proto__',
      'constructor',
    ])
      expect(rulesOfProgram(index, name)).toBeUndefined();
  });

  it('a name that a file would escape is no name for a file', () => {
    const json = { version: 1, hash: '', rules: [rule(command({ program: ['a"b'] }))] } as const;
    expect(() => writeRulePack(json)).toThrow(/a name that the rule pack cannot hold/u);
    expect(rulesOfProgram(parseRulePack(json).pack?.index ?? buildIndex([]), 'a"b')).toEqual([{ rule: 0, words: null }]);
  });
});
