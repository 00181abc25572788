import { expect, test } from 'vitest';
import { timeLeft, timeLeftSpoken } from '#webview/clock.ts';

test.each([
  [300_000, '5:00', '5 minutes 0 seconds'],
  [299_001, '5:00', '5 minutes 0 seconds'],
  [61_000, '1:01', '1 minute 1 second'],
  [9_000, '0:09', '9 seconds'],
  [0, '0:00', '0 seconds'],
  [-5_000, '0:00', '0 seconds'],
])('%d ms left', (left, text, spoken) => {
  expect(timeLeft(left, 0)).toBe(text);
  expect(timeLeftSpoken(left, 0)).toBe(spoken);
});
