import { describe, expect, it } from 'vitest';
import { applySplices, type Splice, undoSplices } from '#node/clients/splices.ts';

const at = (offset: number, removed: string, inserted: string): Splice => ({ at: offset, removed, inserted });

interface Row {
  readonly name: string;
  readonly splices: readonly Splice[];
  readonly now: string;
  readonly back: string | null;
}

/** All rows start from `abc`. */
const rows: readonly Row[] = [
  { name: 'untouched', splices: [at(1, 'b', 'XY')], now: 'aXYc', back: 'abc' },
  { name: 'moved', splices: [at(1, 'b', 'XY')], now: '-- aXYc', back: '-- abc' },
  { name: 'one text is part of another', splices: [at(0, '', '[X]'), at(3, '', 'X')], now: '[X]abcX', back: 'abc' },
  { name: 'there once more', splices: [at(1, '', 'X')], now: 'aXbXc', back: null },
  { name: 'gone', splices: [at(1, '', 'X')], now: 'abc', back: null },
  { name: 'in another order', splices: [at(0, '', 'XX1'), at(3, '', 'YY2')], now: 'YY2abcXX1', back: null },
  { name: 'nothing was inserted', splices: [at(1, 'b', '')], now: 'ac', back: null },
];

describe('splices', () => {
  it.each(rows)('$name', ({ splices, now, back }) => {
    expect(undoSplices(now, splices)).toBe(back);
    expect(applySplices('abc', splices)).toHaveLength(
      splices.reduce((length, one) => length + one.inserted.length - one.removed.length, 3),
    );
  });
});
