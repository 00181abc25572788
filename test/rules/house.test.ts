/** What every shipped rule has to have beside examples that hold. */
import { describe, expect, it } from 'vitest';
import { compiledRules } from '../core/gateKit.ts';

const { json, info, examples } = compiledRules;
/** Rules of one idea each; the whole rulebook is to have well over this many. */
const LEAST_RULES = 300;

describe('every shipped rule', () => {
  it('is one of enough', () => {
    expect(json.rules.length).toBeGreaterThan(LEAST_RULES);
  });
  it('has an id of its own', () => {
    expect(new Set(json.rules.map((rule) => rule.id)).size).toBe(json.rules.length);
  });
  it('says where it stands, what it refers to and where it belongs', () => {
    const bare = json.rules.filter((rule) => {
      const about = info.get(rule.id);
      return about === undefined || about.references.length === 0 || about.taxonomy.length === 0 || !/^rules\/.+\.yaml$/u.test(about.file) || about.line < 2;
    });
    expect(bare.map((rule) => rule.id)).toEqual([]);
  });
  it('has two examples that match and two that do not', () => {
    expect(
      json.rules.filter((rule) => (examples.get(rule.id)?.match.length ?? 0) < 2 || (examples.get(rule.id)?.noMatch.length ?? 0) < 2),
    ).toEqual([]);
  });
});
