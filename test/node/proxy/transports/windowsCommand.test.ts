import { expect, test } from 'vitest';
import { windowsSpawnPlan } from '#node/proxy/transports/windowsCommand.ts';

const env = { PATH: 'C:\\bin;C:\\node', PATHEXT: '.COM;.EXE;.BAT;.CMD', ComSpec: 'C:\\Windows\\cmd.exe' };
const files = new Set(['C:\\node\\node.exe', 'C:\\node\\npx.cmd', 'C:\\my tools\\run.bat']);
const plan = (command: string, args: string[]): unknown => windowsSpawnPlan(command, args, env, (path) => files.has(path));

test.each([
  ['a program is started as it is', 'node', ['a b', '"'], { command: 'C:\\node\\node.exe', args: ['a b', '"'], verbatim: false }],
  ['what is not found is left to the system to name', 'nowhere', ['x'], { command: 'nowhere', args: ['x'], verbatim: false }],
  [
    'npx goes through cmd.exe',
    'npx',
    ['-y', '@a/b'],
    { command: 'C:\\Windows\\cmd.exe', args: ['/d', '/s', '/c', '"C:\\node\\npx.cmd ^^^"-y^^^" ^^^"@a/b^^^""'], verbatim: true },
  ],
  [
    'nothing in an argument is a command',
    'npx',
    ['a&calc|%PATH%"'],
    {
      command: 'C:\\Windows\\cmd.exe',
      args: ['/d', '/s', '/c', '"C:\\node\\npx.cmd ^^^"a^^^&calc^^^|^^^%PATH^^^%\\^^^"^^^""'],
      verbatim: true,
    },
  ],
  [
    'a folder with a blank',
    'C:\\my tools\\run.bat',
    [],
    { command: 'C:\\Windows\\cmd.exe', args: ['/d', '/s', '/c', '"C:\\my^ tools\\run.bat"'], verbatim: true },
  ],
])('%s', (_name, command, args, expected) => expect(plan(command, args)).toEqual(expected));

test('a line break cannot be handed to a batch file', () => expect(() => plan('npx', ['a\r\ncalc'])).toThrow(/line break/));
