/** Bytes stand for the units of a text: as many, the same for ASCII, and none of ASCII for anything else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BEYOND, TWIN, unitsOf } from '#core/normalize/textUnits.ts';

const asOneByOne = (text: string): number[] =>
  Array.from({ length: text.length }, (_, at) => {
    const code = text.charCodeAt(at);
    return code < 128 ? code : code === 0x17f || code === 0x212a ? TWIN : BEYOND;
  });
const kindsOf = (text: string): number[] =>
  Array.from(unitsOf(text).slice(0, text.length), (unit) => (unit < BEYOND ? unit : unit < TWIN ? BEYOND : TWIN));

describe('the units of a text', () => {
  it('are its own', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('\u017f', '\u212a', 'k', '\ud800', 'é') })),
        (text) => {
          expect(kindsOf(text)).toEqual(asOneByOne(text));
          expect(unitsOf(text)[text.length]).toBe(0);
        },
      ),
    );
  });
  it('of a long text, and of a short one after it', () => {
    for (const text of ['a'.repeat(300_000), `${'a'.repeat(300_000)}é`, 'ab', ''])
      expect(Buffer.from(kindsOf(text)).equals(Buffer.from(asOneByOne(text)))).toBe(true);
  });
});
