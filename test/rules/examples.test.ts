import { describe, expect, it } from 'vitest';
import { decide } from '#core/gate.ts';
import { stringAt } from '#core/normalize/pointer.ts';
import { callOf, type RuleExample } from '#node/rulepack/examples.ts';
import { compiledRules, context } from '../core/gateKit.ts';

function found(rule: string, example: RuleExample): string[] {
  const call = callOf(example);
  return decide(call, context).findings.filter((finding) => finding.rule === rule).map((finding) => (finding.span ? (stringAt(call.args, finding.at) ?? '').slice(finding.span.start, finding.span.end) : ''));
}

describe('rule files', () => {
  it('have no problems', () => {
    expect(compiledRules.problems).toEqual([]);
    expect(compiledRules.json.rules.length).toBeGreaterThanOrEqual(60);
  });
  for (const [rule, examples] of compiledRules.examples) {
    it(`${rule} sees its examples and only those`, () => {
      const missed = examples.match.filter((example) => found(rule, example).length === 0).map((example) => example.text);
      const wrong = examples.noMatch.filter((example) => found(rule, example).length > 0).map((example) => example.text);
      expect({ missed, wrong }).toEqual({ missed: [], wrong: [] });
      for (const example of examples.match) if (example.span !== null) expect(found(rule, example)).toContain(example.span);
    });
  }
});
