/** Which words a regex needs, and whether they must begin or end beside something that is no letter. */
import { describe, expect, it } from 'vitest';
import { ENDS, literalSets, STARTS } from '#core/detect/literals.ts';

const BOTH = STARTS | ENDS;
/** More blanks than are spelt out. */
const S = '[ \\t\\r\\n]{1,4}';
type Row = readonly [says: string, source: string, set: readonly (readonly [word: string, marks: number])[]];

const rows: readonly Row[] = [
  [
    'between spaces',
    `\\w{1,9}${S}(?:ai|\\w{2,9}${S}bot)${S}\\w`,
    [
      ['ai', BOTH],
      ['bot', BOTH],
    ],
  ],
  [
    'between boundaries that are said',
    `.{1,9}\\b(?:ai|\\w{2,9}${S}bot)\\b.{1,9}`,
    [
      ['ai', BOTH],
      ['bot', BOTH],
    ],
  ],
  [
    'right behind letters',
    `\\w{1,9}(?:ai|\\w{2,9}${S}bot)${S}\\w`,
    [
      ['ai', ENDS],
      ['bot', BOTH],
    ],
  ],
  [
    'behind spaces that may be missing',
    `\\w{1,9}(?:${S})?(?:ai|\\w{2,9}${S}bot)\\w`,
    [
      ['ai', 0],
      ['bot', STARTS],
    ],
  ],
  [
    'of signs and words behind a space',
    `\\w{1,9}${S}(?:##|\\w{2,9}${S}bot)${S}\\w`,
    [
      ['##', 0],
      ['bot', BOTH],
    ],
  ],
  [
    'in a choice',
    `\\w{1,9}${S}(?:(?:ai|\\w{2,9}${S}bot)|\\w{2,9}${S}(?:gpt|\\w{2,9}${S}llm))${S}\\w`,
    [
      ['ai', BOTH],
      ['bot', BOTH],
      ['gpt', BOTH],
      ['llm', BOTH],
    ],
  ],
];

describe('words of a choice', () => {
  it.each(rows)('%s', (_says, source, set) => {
    const said = (words: readonly (readonly [string, number])[]): string[] => words.map(([text, marks]) => `${text} ${marks}`).sort();
    const sets = literalSets(source, 'i').map(({ words }) => said(words.map(({ text, marks }) => [text, marks] as const)));
    expect(sets).toContainEqual(said(set));
  });
});
