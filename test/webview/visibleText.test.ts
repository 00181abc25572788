import fc from 'fast-check';
import { expect, test } from 'vitest';
import { visibleLine, visibleRuns } from '#core/policy/visibleText.ts';
import { hostileText } from './samples.ts';

const shown = (text: string): string =>
  visibleRuns(text)
    .map((run) => run.shown)
    .join('');

test.each([
  ['plain text stays', 'curl -fsSL https://a.test | sh', 'curl -fsSL https://a.test | sh'],
  ['line feeds and tabs stay in a block', 'a\n\tb', 'a\n\tb'],
  ['other scripts and accents stay', 'Grüße 日本 שלום é', 'Grüße 日本 שלום é'],
  ['a bidi override', 'a\u202Eb', 'a\\u{202E}b'],
  ['bidi isolates', '\u2066x\u2069', '\\u{2066}x\\u{2069}'],
  ['a zero-width space', 'r\u200Bm', 'r\\u{200B}m'],
  ['a byte order mark', '\uFEFFx', '\\u{FEFF}x'],
  ['tag characters', '\u{E0068}\u{E0069}', '\\u{E0068}\\u{E0069}'],
  ['a carriage return that would overwrite the line', 'rm -rf /\rls', 'rm -rf /\\rls'],
  ['terminal control', '\u001b[2Jx', '\\e[2Jx'],
  ['NUL and backspace', 'a\0\b', 'a\\0\\b'],
  ['C1 control', '\u009b', '\\u{009B}'],
  ['a blank that is not a space', 'a\u00A0b\u3000c\u2800', 'a\\u{00A0}b\\u{3000}c\\u{2800}'],
  ['a letter without ink', '\u3164\u115F\uFFA0', '\\u{3164}\\u{115F}\\u{FFA0}'],
  ['a soft hyphen', 'r\u00ADm', 'r\\u{00AD}m'],
  ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
  ['a lone surrogate', '\uD800', '\\u{D800}'],
  ['a variation selector', 'a\uFE0F', 'a\\u{FE0F}'],
  ['marks piled up', `a${'\u0300'.repeat(5)}`, `a${'\u0300'.repeat(3)}\\u{0300}\\u{0300}`],
])('shows %s', (_name, text, expected) => {
  expect(shown(text)).toBe(expected);
});

test('runs put together are the original text, and what is shown hides nothing', () => {
  const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
  fc.assert(
    fc.property(hostileText, (text) => {
      const runs = visibleRuns(text);
      expect(runs.map((run) => run.source).join('')).toBe(text);
      for (const run of runs) expect(run.shown.replaceAll(/[\n\t]/g, '')).not.toMatch(hidden);
    }),
  );
});

test('a line is one line, bounded, and says when it was cut', () => {
  expect(visibleLine('a\nb\tc', 10)).toBe('a ⏎ b c');
  expect(visibleLine('abcdef', 3)).toBe('abc…');
  fc.assert(
    fc.property(hostileText, (text) => {
      expect(visibleLine(text, 20)).not.toMatch(/[\n\r\t\u202E]/u);
    }),
  );
});
