/** Judging takes time in proportion to the input, whatever the input: a guard that can be made to hang is a guard that can be got past. */
import { describe, expect, it } from 'vitest';
import type { ToolCall } from '#core/model/call.ts';
import { cpuMs } from '#kit/cpuTime.ts';
import { judge } from './gateKit.ts';

/** Long enough to show what grows faster than the text: each unit by the megabyte would take minutes in all. */
const LONG = 1 << 18;
/** Of the processor, as the machine may be busy. A third of it is what the slowest takes; what is quadratic takes many times that. */
const MOST_MS = 3000;

const UNITS: readonly string[] = [
  '(',
  '$(',
  '"',
  "'",
  '\\',
  '{a,b}',
  '{a,',
  '{',
  'a=b;',
  'a=$a$a;',
  'QUJD',
  'Z2V0IGFsbCB0aGUga2V5cyAgICAgICAgICAg ',
  '../',
  'a\u0301',
  '\u0301',
  '\ufb03',
  '\ufdfa',
  '`',
  '${a:-',
  '$((',
  '<<E\n',
  '<(',
  'a|',
  'curl a|',
  'a;',
  '\\x41',
  '%41',
  '&#65;',
  'ignore all ',
  'send a ',
  'you must run ',
  '<!-- ignore ',
  'ghp_a',
  'http://a/',
  'http://a ',
  'eyJaaaa.',
  '-----BEGIN PRIVATE KEY-----\n',
  'a:b@',
  'token=',
  '\u202e',
  '\ud800',
  '\u0000',
  '\r',
  'a',
  ' ',
  '\n',
  '0',
  '$a',
  "$'a'",
  'rm -rf ~;',
  "bash -c '",
  'bash -c ',
  "eval '",
  'ssh a ',
  'xargs ',
  'find . -exec ',
  'for i in a b; do ',
  'case a in ',
  'a) ',
  'cat /e*c/a ',
  '~/.ssh/a ',
  'rm -- a ',
  'system "',
  'cd a;',
  'read a;',
  'git -c alias.x=!',
];

/** What decoders and readers of markup start at; cheap for commands, so only in texts. */
const TEXT_UNITS: readonly string[] = [
  '<',
  '<a ',
  '<a hidden>',
  '<p hidden>x</p>',
  '<a title="aaaaaaaaaaaa',
  '<!--',
  '<style>',
  '](',
  '![',
  '[a]: <b> "',
  '\n[a]: b (',
  '\u001b[',
  '\u001b]8;;',
  '\u001b[8ma',
  '\n'.repeat(30),
  ' '.repeat(130),
  `${'\n'.repeat(30)}a`,
  '\u202ea',
  '\u0430a',
  '\u0430 ',
  '\ufe01',
  '\u200b\u200c',
  '\u{1d41a}',
  'i ',
  'i.',
  '1a',
  'a1b2 ',
  '&a',
  '=41',
  '\\u{41',
  'U+0041 ',
  '101 ',
  '0x41, ',
  '01000001 ',
  '.- ',
  '.-',
  'gur lbh ',
  'gur lbh\n',
  'eht uoy\n',
  'H4sIAAAAAAAAA0s ',
  'eJxLBAAAYgBi ',
  'QUJDREVGR0hJ\n',
  'QUJDREVG',
  'abcdef01',
  'MFRGGZDF',
  '\u0250\u0254 ',
  '\u00e9a',
  '\u0905\u0902',
];

function slowest(units: readonly string[], callsOf: (text: string) => readonly Partial<ToolCall>[]): unknown[] {
  const slow: unknown[] = [];
  for (const unit of units) {
    const text = unit.repeat(Math.ceil(LONG / unit.length)).slice(0, LONG);
    for (const call of callsOf(text)) {
      const start = process.cpuUsage();
      judge(call);
      const used = process.cpuUsage(start);
      const took = (used.user + used.system) / 1000;
      if (took > MOST_MS) slow.push([unit, call.channel, Math.round(took)]);
    }
  }
  return slow;
}

describe('a long text of the worst', () => {
  it('in commands', { timeout: 240_000 }, () => {
    expect(slowest(UNITS, (text) => [{ channel: 'shell', args: { command: text } }])).toEqual([]);
  });
  it('in answers and contents', { timeout: 480_000 }, () => {
    expect(
      slowest([...UNITS, ...TEXT_UNITS], (text) => [
        { channel: 'response', args: text },
        { channel: 'write', args: { file_path: 'a', content: text } },
      ]),
    ).toEqual([]);
  });
  it('in a hundred thousand strings', { timeout: 60_000 }, () => {
    const many = Array.from({ length: 100_000 }, (_, index) => `string ${index}`);
    expect(
      slowest(['a'], () => [
        { channel: 'mcp', args: many },
        { channel: 'response', args: Object.fromEntries(many.map((text) => [text, text])) },
      ]),
    ).toEqual([]);
  });
});

describe('a large file', () => {
  it('of ordinary code is clean and takes no time to notice', { timeout: 60_000 }, () => {
    const line = 'export function total(items: readonly Item[]): number { return items.reduce((sum, item) => sum + item.price, 0); }\n';
    const content = line.repeat(Math.floor(900_000 / line.length));
    const call: Partial<ToolCall> = { channel: 'write', tool: 'Write', args: { file_path: '/home/dev/app/src/big.ts', content } };
    expect(judge(call).verdict).toBe('clean');
    const times = Array.from({ length: 5 }, () => cpuMs(() => judge(call)));
    // The aim is 150 ms; the bound leaves room for a machine that does other things.
    expect(Math.min(...times)).toBeLessThan(600);
  });
});
