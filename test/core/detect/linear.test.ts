/**
 * Judging takes time in proportion to the input: twice the text, about twice the time, whatever the text is made of; and no
 * text takes many times as long as an ordinary one of its size. Ratios of the processor's time, as the machine may be slow.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ToolCall } from '#core/model/call.ts';
import { compiledRules, context, judge } from '../gateKit.ts';
import { sourceWords } from './sourceWords.ts';

const SMALL = 64 * 1024;
/** Above what a busy machine makes of two, below four. */
const MOST = 3.2;
/** Times this short say nothing of growth, in milliseconds. */
const NOTICEABLE = 40;
const TRIES = 3;

const CALLS: Readonly<Record<string, (text: string) => Partial<ToolCall>>> = {
  shell: (text) => ({ channel: 'shell', args: { command: text } }),
  powershell: (text) => ({ channel: 'shell', tool: 'PowerShell', args: { command: text } }),
  cmd: (text) => ({ channel: 'shell', tool: 'cmd', args: { command: text } }),
  python: (text) => ({ channel: 'mcp', tool: 'run_python', server: 's', args: { code: text } }),
  javascript: (text) => ({ channel: 'mcp', tool: 'run_javascript', server: 's', args: { code: text } }),
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

/** Repeated: one word that something is told by, as a program, an argument, an operator or the start of something nobody ends. */
const repeated = fc
  .tuple(
    fc.constantFrom(...sourceWords()),
    fc.constantFrom(' ', ' a ', ' a;', ' -c a ', '|', '(', '"', " '", '\n', ';', '', ' = ', '\u202ea', 'a\r'),
  )
  .map((parts) => parts.join(''));
/** What once took a hundred times as long as an ordinary text, or longer. */
const ONCE_SLOW = [
  'find . -exec ',
  'ssh a ',
  'xargs ',
  'cd a;',
  "eval '",
  'rm -- a ',
  'curl a|',
  'curl a|sh;',
  'sort|',
  '\u202e',
  '\u202ea',
  'a\r',
];
const ORDINARY = 'An ordinary line of text that says nothing of note, with words in it.\n';
/** The same words on every machine; with another seed it looks for more, which then belong into ONCE_SLOW. */
const SEED = Number(process.env['CALLGATE_FUZZ_SEED'] ?? 1);
const LENGTH = 16 * 1024;
/** Four times the text, at most so many times the time. A quadratic step takes sixteen. */
const MOST_OF_FOUR = 9;
/** How many times as long as an ordinary text of its size. */
const MOST_OF_ORDINARY = 50;

const ofLength = (made: string, units: number): string => made.repeat(Math.ceil(units / made.length)).slice(0, units);

function took(run: (text: string) => void, text: string): number {
  const began = process.cpuUsage();
  run(text);
  const used = process.cpuUsage(began);
  return (used.user + used.system) / 1000;
}

/** How many times longer twice the text takes; 0 when both are quick. The least of several tries: noise only adds. */
function growth(run: (text: string) => void, made: string): number {
  let least = Number.POSITIVE_INFINITY;
  for (let tried = 0; tried < TRIES && least > MOST; tried++) {
    const once = took(run, ofLength(made, SMALL));
    const twice = took(run, ofLength(made, 2 * SMALL));
    least = Math.min(least, twice < NOTICEABLE ? 0 : twice / Math.max(once, NOTICEABLE / 4));
  }
  return least;
}

/** What is wrong with the time `made` takes, repeated; null: nothing. */
function slowness(run: (text: string) => void, made: string, ordinary: number): string | null {
  let said: string | null = null;
  for (let tried = 0; tried < TRIES; tried++) {
    const once = took(run, ofLength(made, LENGTH));
    const fourTimes = took(run, ofLength(made, 4 * LENGTH));
    const grows = fourTimes < NOTICEABLE ? 0 : fourTimes / Math.max(once, NOTICEABLE / 8);
    if (grows <= MOST_OF_FOUR && (fourTimes < NOTICEABLE || fourTimes <= MOST_OF_ORDINARY * ordinary)) return null;
    said = `${JSON.stringify(made)}: ${once} ms, four times as much ${fourTimes} ms, an ordinary text ${ordinary} ms`;
  }
  return said;
}

describe('one word over and over takes its length and no more', () => {
  for (const [channel, callOf] of Object.entries(CALLS))
    it(`in a ${channel} call`, { timeout: 240_000 }, () => {
      const run = (text: string): void => void judge(callOf(text));
      const plain = ofLength(ORDINARY, 4 * LENGTH);
      // The first calls are slower than any later one.
      const ordinary = Math.min(...Array.from({ length: 8 }, () => took(run, plain)).slice(2));
      for (const made of ONCE_SLOW) expect(slowness(run, made, ordinary)).toBeNull();
      fc.assert(
        fc.property(repeated, (made) => {
          expect(slowness(run, made, ordinary)).toBeNull();
        }),
        { numRuns: 150, seed: SEED },
      );
    });
});

describe('twice a hostile text takes about twice the time', () => {
  for (const [channel, callOf] of Object.entries(CALLS))
    it(`in a ${channel} call`, { timeout: 240_000 }, () => {
      fc.assert(
        fc.property(unit, (made) => {
          expect(growth((text) => judge(callOf(text)), made)).toBeLessThanOrEqual(MOST);
        }),
        { numRuns: 12, seed: SEED },
      );
    });
  it('and this would notice if it took four times', { timeout: 60_000 }, () => {
    // Each try alone may be disturbed; that every one of them stays low is what a linear step looks like.
    const tries = [1, 2, 3].map(() =>
      growth((text) => {
        let sum = 0;
        for (let at = 0; at < text.length; at += 16)
          for (let other = 0; other < text.length; other += 16) sum += text.charCodeAt(other) & at;
        judge({ args: { command: `echo ${sum}` } });
      }, 'a'),
    );
    expect(Math.max(...tries)).toBeGreaterThan(MOST);
  });
});
