/** A scan must see a letter in every case in which a regex with `iu` does. */
import { expect, it } from 'vitest';
import { foldable, foldedCode } from '#core/detect/letters.ts';
import { literalSets } from '#core/detect/literals.ts';
import { buildTable, scan } from '#core/detect/scan.ts';

const everyUnit = Array.from({ length: 0x10000 }, (_, code) => (code >= 0xd800 && code <= 0xdfff ? '' : String.fromCharCode(code))).join(
  '',
);

it('folds what the regex engine takes for the same letter', { timeout: 60_000 }, () => {
  const missed: string[] = [];
  for (let code = 0; code < 0x530; code++) {
    const char = String.fromCharCode(code);
    if (!foldable(char)) continue;
    for (const [other] of everyUnit.matchAll(new RegExp(`\\u{${code.toString(16)}}`, 'giu')))
      if (foldedCode(other.charCodeAt(0)) !== foldedCode(code)) missed.push(`${code.toString(16)} ${other.charCodeAt(0).toString(16)}`);
  }
  expect(missed).toEqual([]);
});

/** Regex, text, and where words of its best set are seen. */
const SEEN: readonly (readonly [regex: string, flags: string, text: string, places: readonly number[]])[] = [
  ['\\bread\\b', 'i', 'read threads, READ; reads', [0, 14]],
  ['\\bread', 'i', 'read threads, READ; reads', [0, 14, 20]],
  ['read\\s{1,3}x', 'i', 'thread reads read\u00a0x', [2, 13]],
  ['[ ,]read', 'i', ', read bread', [1]],
  ['\\s-rf\\s', '', 'rm -rf x-rf', [3, 8]],
  ['\\bAKIA', '', 'akia AKIA', [5]],
  ['забудь\\s', 'i', 'ЗАБУДЬ всё', [0]],
  ['\\bkey\\b', 'i', '\u212aey \u017fkey', [0, 5]],
];

for (const [regex, flags, text, places] of SEEN)
  it(`${regex} in ${text}`, () => {
    const words = literalSets(regex, flags)[0]?.words ?? [];
    const table = buildTable(words.map((word) => ({ word, owners: [0], where: 3 })));
    const out: number[] = [];
    scan(table, text, 1, 2, out);
    expect([...new Set(out.filter((_, at) => at % 2 === 1))]).toEqual(places);
  });
