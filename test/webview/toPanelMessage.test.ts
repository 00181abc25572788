import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseToPanel } from '#webview/toPanelMessage.ts';
import { sampleHold } from './samples.ts';

test.each([
  ['holds', { type: 'holds', holds: [sampleHold('a')] }, true],
  ['a connection', { type: 'connection', state: 'lost', message: '' }, true],
  ['an unknown state', { type: 'connection', state: 'odd', message: '' }, false],
  ['an unknown type', { type: 'evil' }, false],
  ['an inherited name', { type: 'constructor' }, false],
  ['holds that are none', { type: 'holds', holds: [1] }, false],
  ['a page without entries', { type: 'timeline', query: {}, page: {} }, false],
  ['nothing', null, false],
])('reads %s', (_name, data, fits) => {
  expect(parseToPanel(data) !== null).toBe(fits);
});

test('anything else is turned down without throwing', () => {
  fc.assert(
    fc.property(fc.anything(), (data) => {
      expect(parseToPanel(data)).toBeNull();
    }),
  );
});
