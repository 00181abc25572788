/** The matcher looks only where a match can be: it must find what trying every rule on everything finds, and the same every time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { detect } from '#core/detect/detect.ts';
import { openRulePack, parseRulePack, writeRulePack } from '#core/detect/packFile.ts';
import type { RulePack } from '#core/detect/rulePack.ts';
import { CHANNELS, type Channel, type ToolCall } from '#core/model/call.ts';
import { decide } from '#core/gate.ts';
import { normalize } from '#core/normalize/normalize.ts';
import { callOf, type RuleExample } from '#node/rulepack/examples.ts';
import { corporaFiles, readSampleFile } from '../../eval/samples.ts';
import { compiledRules, context } from '../gateKit.ts';
import { detectPlainly, type PlainHit } from './sequential.ts';

const { rules } = compiledRules.json;
const sorted = (hits: readonly PlainHit[]): string[] =>
  hits.map((hit) => `${hit.rule} ${hit.at} ${hit.span?.start ?? ''}:${hit.span?.end ?? ''} ${hit.matched}`).sort();

/** What only one of the two engines found in a call. */
function differences(call: ToolCall, pack: RulePack = context.pack): string[] {
  const fields = normalize(call, context);
  const plain = sorted(detectPlainly(fields, call.channel, rules));
  const found = sorted(detect({ ...fields, notes: [] }, call.channel, pack));
  return plain.join('\n') === found.join('\n')
    ? []
    : [`${call.channel} ${JSON.stringify(call.args).slice(0, 2000)}`, '--- plain', ...plain, '--- found', ...found];
}

const examples: readonly RuleExample[] = [...compiledRules.examples.values()].flatMap(({ match, noMatch }) => [...match, ...noMatch]);
const callIn = (channel: Channel, text: string): ToolCall =>
  callOf({ text, channel, path: null, cwd: '/home/dev/app', span: null, why: null, line: 1 });

/** Every so many-th: the plain engine takes its time. */
const each = (step: number): readonly RuleExample[] => examples.filter((_, index) => index % step === 0);

/** Pieces that get far into some rule: examples, and cuts of them. */
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...examples.map((example) => example.text)) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...examples.map((example) => example.text)), fc.nat(), fc.nat(60))
      .map(([text, from, length]) => text.slice(from % (text.length + 1), (from % (text.length + 1)) + length)),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ' ',
      '\n',
      ';',
      '"',
      "'",
      '\u212a',
      '\u017f',
      '\ud83d',
      '\ud83d\ude00',
      '|',
      '&&',
      '\u200b',
      ' '.repeat(300),
    ),
  },
);
const text = fc
  .array(fc.tuple(piece, fc.constantFrom('as it is', 'upper', 'lower')), { maxLength: 14 })
  .map((pieces) =>
    pieces.map(([part, form]) => (form === 'upper' ? part.toUpperCase() : form === 'lower' ? part.toLowerCase() : part)).join(''),
  );
const call = fc.tuple(fc.constantFrom(...CHANNELS), text).map(([channel, made]) => callIn(channel, made));

describe('the matcher finds what the plain engine finds', () => {
  it('in examples of rules', { timeout: 120_000 }, () => {
    expect(each(11).flatMap((example) => differences(callOf(example)))).toEqual([]);
  });
  // What was never compiled is asked for its words first.
  it('in examples, with the rules just read from their file', { timeout: 120_000 }, () => {
    const file = writeRulePack(compiledRules.json);
    const open = (): RulePack => openRulePack(file, (base64) => Buffer.from(base64, 'base64'));
    expect(each(37).flatMap((example) => differences(callOf(example), open()))).toEqual([]);
  });
  it('in examples sent over other channels', { timeout: 60_000 }, () => {
    expect(each(29).flatMap((example, index) => differences(callIn(CHANNELS[index % CHANNELS.length] ?? 'other', example.text)))).toEqual(
      [],
    );
  });
  it('in long texts, where it looks only near the words', { timeout: 60_000 }, () => {
    const filler = 'an ordinary line of text that says nothing of note\n'.repeat(200);
    expect(each(151).flatMap((example) => differences(callIn('response', `${filler}${example.text}\n${filler}${example.text}`)))).toEqual(
      [],
    );
  });
  it('in generated calls', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(call, (made) => {
        expect(differences(made)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
  for (const file of corporaFiles())
    it(`in ${file}`, { timeout: 120_000 }, () => {
      const samples = readSampleFile(file);
      const step = Math.max(1, Math.floor(samples.length / 20));
      expect(samples.filter((_, index) => index % step === 0).flatMap((sample) => differences(sample.call))).toEqual([]);
    });
});

describe('a verdict depends on the call and the rules alone', () => {
  const { pack: reversed } = parseRulePack({ ...compiledRules.json, rules: [...rules].reverse() });
  it('whatever was judged before, and in whatever order the rules stand', { timeout: 120_000 }, () => {
    if (reversed === null) throw new Error('the reversed pack does not parse');
    fc.assert(
      fc.property(call, (made) => {
        const first = decide(made, context);
        expect(decide(made, context)).toEqual(first);
        expect(decide(made, { ...context, pack: reversed })).toEqual(first);
      }),
      { numRuns: 200 },
    );
  });
});
