import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldText, spansWithin, splitAtSpans, tidySpans } from '#webview/highlight.ts';
import { hostileText } from './samples.ts';

const spans = fc.array(fc.record({ start: fc.integer({ min: -5, max: 400 }), end: fc.integer({ min: -5, max: 400 }) }), { maxLength: 6 });
const long = fc
  .array(fc.oneof(hostileText, fc.constant('x'.repeat(300)), fc.constant('line\n'.repeat(30))), { maxLength: 8 })
  .map((parts) => parts.join(''));

test.each([
  ['one match', 'abcdef', [{ start: 2, end: 4 }], ['ab', '[cd]', 'ef']],
  [
    'a match at both ends',
    'abc',
    [
      { start: 0, end: 1 },
      { start: 2, end: 3 },
    ],
    ['[a]', 'b', '[c]'],
  ],
  [
    'overlapping matches',
    'abcdef',
    [
      { start: 3, end: 5 },
      { start: 1, end: 4 },
    ],
    ['a', '[bcde]', 'f'],
  ],
  ['a match beyond the text', 'abc', [{ start: 1, end: 99 }], ['a', '[bc]']],
  [
    'senseless matches',
    'abc',
    [
      { start: 2, end: 1 },
      { start: Number.NaN, end: 2 },
    ],
    ['abc'],
  ],
  ['nothing', '', [{ start: 0, end: 1 }], []],
])('marks %s', (_name, text, at, expected) => {
  expect(splitAtSpans(text, at).map((piece) => (piece.marked ? `[${piece.text}]` : piece.text))).toEqual(expected);
});

test('pieces put together are the text, and exactly the spans are marked', () => {
  fc.assert(
    fc.property(long, spans, (text, at) => {
      const pieces = splitAtSpans(text, at);
      expect(pieces.map((piece) => piece.text).join('')).toBe(text);
      const marked = pieces.filter((piece) => piece.marked).reduce((sum, piece) => sum + piece.text.length, 0);
      expect(marked).toBe(tidySpans(text.length, at).reduce((sum, span) => sum + span.end - span.start, 0));
    }),
  );
});

test('folds cover the text, and neither a match, the beginning nor the end is ever hidden', () => {
  fc.assert(
    fc.property(long, spans, (text, at) => {
      const folds = foldText(text, at);
      expect(folds.map((fold) => text.slice(fold.start, fold.end)).join('')).toBe(text);
      for (const fold of folds.filter((one) => one.hidden)) {
        expect(fold.start).toBeGreaterThan(0);
        expect(fold.end).toBeLessThan(text.length);
        expect(spansWithin(tidySpans(text.length, at), fold.start, fold.end)).toEqual([]);
      }
    }),
  );
});

test('a match as long as the text shows its two ends, and says that more is hidden', () => {
  const text = `${'A'.repeat(500_000)}tail`;
  const folds = foldText(text, [{ start: 0, end: text.length }]);
  expect(folds.map((fold) => fold.hidden)).toEqual([false, true, false]);
  expect(folds.filter((fold) => !fold.hidden).reduce((sum, fold) => sum + fold.end - fold.start, 0)).toBeLessThan(3_000);
});

test('a padded command shows its last words and hides the padding', () => {
  const text = `ls${' '.repeat(5000)}; rm -rf ~`;
  const folds = foldText(text, []);
  expect(folds.map((fold) => fold.hidden)).toEqual([false, true, false]);
  expect(text.slice(folds[2]?.start)).toContain('; rm -rf ~');
});
