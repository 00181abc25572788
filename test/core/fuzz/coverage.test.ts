/**
 * The gate under the coverage-guided fuzzer. `CALLGATE_FUZZ_SECONDS` makes it search longer, `CALLGATE_FUZZ_SEED` elsewhere.
 * A failing input is printed whole, with the seed that led to it.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CHANNELS } from '#core/model/call.ts';
import { compiledRules, context } from '../gateKit.ts';
import { fuzz, type FuzzInput } from './fuzzer.ts';

const SECONDS = Number(process.env['CALLGATE_FUZZ_SECONDS'] ?? 15);
const SEED = Number(process.env['CALLGATE_FUZZ_SEED'] ?? 1);
const folder = fileURLToPath(new URL('.', import.meta.url));

/** Every third example of every rule: enough to start in all corners. */
const seeds = (): FuzzInput[] =>
  [...compiledRules.examples.values()]
    .flatMap(({ match, noMatch }) => [...match, ...noMatch])
    .filter((_, index) => index % 3 === 0)
    .map((example) => ({ way: example.channel, text: example.text }));

describe('the fuzzer', () => {
  it('finds a throw behind four conditions, which chance alone would not', { timeout: 120_000 }, async () => {
    const source = `export function check(way, text) {
      if (text[0] === 'c') { if (text[1] === 'g') { if (text[2] === '7') { if (text[3] === '!') throw new Error('planted'); } } }
    }`;
    const report = await fuzz({
      source,
      folder,
      ways: ['x'],
      seeds: [{ way: 'x', text: 'aaaa' }],
      seed: 1,
      milliseconds: 60_000,
      given: null,
    });
    expect(report.failures[0]).toMatchObject({ message: 'planted' });
    expect(report.failures[0]?.input.text.slice(0, 4)).toBe('cg7!');
  });
});

describe('the gate', () => {
  it('answers every input, the same twice, in time, with places inside it', { timeout: SECONDS * 1000 + 60_000 }, async () => {
    const source = readFileSync(new URL('fuzzed.ts', import.meta.url), 'utf8');
    const given = { ...context, realpath: null, readText: null };
    const report = await fuzz({ source, folder, ways: CHANNELS, seeds: seeds(), seed: SEED, milliseconds: SECONDS * 1000, given });
    expect({ seed: SEED, failures: report.failures }).toEqual({ seed: SEED, failures: [] });
    expect(report.reached).toBeGreaterThan(50_000);
    expect(report.runs).toBeGreaterThan(report.kept);
  });
});
