/**
 * Judging takes time in proportion to the input: twice the text, about twice the time, whatever the text is made of.
 * Ratios, as the machine may be slow; a quadratic step would show as four.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ToolCall } from '#core/model/call.ts';
import { compiledRules, context, judge } from '../gateKit.ts';

const SMALL = 64 * 1024;
/** Above what a busy machine makes of two, below four. */
const MOST = 3.2;
/** Times this short say nothing of growth, in milliseconds. */
const NOTICEABLE = 40;
const TRIES = 3;

const CALLS: Readonly<Record<string, (text: string) => Partial<ToolCall>>> = {
  shell: (text) => ({ channel: 'shell', args: { command: text } }),
  write: (text) => ({ channel: 'write', tool: 'Write', args: { file_path: 'a.ts', content: text } }),
  read: (text) => ({ channel: 'read', tool: 'Read', args: { file_path: text } }),
  fetch: (text) => ({ channel: 'fetch', tool: 'WebFetch', args: { url: text } }),
  mcp: (text) => ({ channel: 'mcp', tool: 'x', server: 's', args: { input: text } }),
  response: (text) => ({ channel: 'response', tool: 'x', args: { content: [{ type: 'text', text }] } }),
  definition: (text) => ({ channel: 'definition', tool: 'x', args: { name: 'x', description: text } }),
};

const { letters, starts } = context.pack.index.texts;
const words = Array.from(starts.slice(1), (end, word) => letters.slice(starts[word], end));
const examples = [...compiledRules.examples.values()].flatMap(({ match }) => match.map((example) => example.text));
/** What hostile texts are made of: words that wake rules, openings nobody closes, and whole examples. */
const unit = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...words) },
      { weight: 2, arbitrary: fc.constantFrom(...examples).map((text) => text.slice(0, 60)) },
      {
        weight: 3,
        arbitrary: fc.constantFrom(
          ' ',
          '\n',
          '"',
          "'",
          '(',
          '$(',
          '{',
          '<',
          '/',
          '../',
          '%2e',
          '\\x41',
          '\u200b',
          'a',
          '0',
          '=',
          ';',
          '|',
          'QUJD',
          '\u0430',
        ),
      },
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.join(''));

function took(run: (text: string) => void, text: string): number {
  const began = process.cpuUsage();
  run(text);
  const used = process.cpuUsage(began);
  return (used.user + used.system) / 1000;
}

/** How many times longer twice the text takes; 0 when both are quick. The least of several tries: noise only adds. */
function growth(run: (text: string) => void, made: string): number {
  const of = (units: number): string => made.repeat(Math.ceil(units / made.length)).slice(0, units);
  let least = Number.POSITIVE_INFINITY;
  for (let tried = 0; tried < TRIES && least > MOST; tried++) {
    const once = took(run, of(SMALL));
    const twice = took(run, of(2 * SMALL));
    least = Math.min(least, twice < NOTICEABLE ? 0 : twice / Math.max(once, NOTICEABLE / 4));
  }
  return least;
}

describe('twice a hostile text takes about twice the time', () => {
  for (const [channel, callOf] of Object.entries(CALLS))
    it(`in a ${channel} call`, { timeout: 240_000 }, () => {
      fc.assert(
        fc.property(unit, (made) => {
          expect(growth((text) => judge(callOf(text)), made)).toBeLessThanOrEqual(MOST);
        }),
        { numRuns: 12 },
      );
    });
  it('and this would notice if it took four times', { timeout: 60_000 }, () => {
    // Each try alone may be disturbed; that every one of them stays low is what a linear step looks like.
    const tries = [1, 2, 3].map(() =>
      growth((text) => {
        let sum = 0;
        for (let at = 0; at < text.length; at += 8) for (let other = 0; other < text.length; other += 8) sum += text.charCodeAt(other) & at;
        judge({ args: { command: `echo ${sum}` } });
      }, 'a'),
    );
    expect(Math.max(...tries)).toBeGreaterThan(MOST);
  });
});
