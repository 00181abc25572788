import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FromPanel } from '#contract/panel.ts';
import { parseFromPanel } from '../../extension/vscode/fromPanel.ts';

const valid: FromPanel[] = [
  { type: 'ready' },
  { type: 'approve', id: 'a', scope: 'once', note: '' },
  { type: 'approve', id: 'a', scope: 'always', note: 'fine' },
  { type: 'reject', id: 'a', note: 'no' },
  { type: 'timeline', query: { limit: 50 } },
  { type: 'timeline', query: { limit: 500, verdict: 'block', agent: 'main', tool: 'Bash', text: 'x', before: 7 } },
  { type: 'revoke', id: 'g' },
  { type: 'protect', id: 'mcp:/a/.mcp.json' },
  { type: 'unprotect', id: 'claude' },
  { type: 'command', command: 'callgate.verifyAudit' },
];

test.each(valid.map((message) => [JSON.stringify(message), message] as const))('takes %s', (_name, message) => {
  expect(parseFromPanel(message)).toEqual(message);
});

test.each<[string, unknown]>([
  ['no object', 'ready'],
  ['a list', [{ type: 'ready' }]],
  ['an unknown type', { type: 'eval', code: '1' }],
  ['a command outside the list', { type: 'command', command: 'workbench.action.terminal.new' }],
  ['a command of ours that the panel has no use for', { type: 'command', command: 'callgate.approve' }],
  ['an unknown scope', { type: 'approve', id: 'a', scope: 'forever', note: '' }],
  ['no note', { type: 'reject', id: 'a' }],
  ['an empty id', { type: 'revoke', id: '' }],
  ['an id that is no text', { type: 'revoke', id: { toString: 'a' } }],
  ['an endless note', { type: 'reject', id: 'a', note: 'x'.repeat(1001) }],
  ['a page that is too big', { type: 'timeline', query: { limit: 501 } }],
  ['a page of a fraction', { type: 'timeline', query: { limit: 1.5 } }],
  ['an unknown verdict', { type: 'timeline', query: { limit: 1, verdict: 'fine' } }],
  ['a negative place', { type: 'timeline', query: { limit: 1, before: -1 } }],
])('turns down %s', (_name, message) => {
  expect(parseFromPanel(message)).toBeNull();
});

test('drops what the wire does not know', () => {
  expect(parseFromPanel({ type: 'ready', extra: 1 })).toEqual({ type: 'ready' });
  expect(parseFromPanel({ type: 'timeline', query: { limit: 1, sql: 'x' } })).toEqual({ type: 'timeline', query: { limit: 1 } });
});

test('anything at all is turned down or rebuilt into one of our messages, without throwing', () => {
  const types = valid.map((message) => message.type);
  const almost = fc.record(
    {
      type: fc.constantFrom(...types, 'odd'),
      id: fc.anything(),
      scope: fc.anything(),
      note: fc.anything(),
      query: fc.anything(),
      command: fc.anything(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.anything(), almost), (value) => {
      const parsed = parseFromPanel(value);
      // What was taken is taken again and comes out the same.
      expect(parsed === null || types.includes(parsed.type)).toBe(true);
      if (parsed) expect(parseFromPanel(structuredClone(parsed))).toEqual(parsed);
    }),
    { numRuns: 500 },
  );
});
