import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Hold, HoldState } from '#contract/ipc.ts';
import { holdBook } from '../../extension/vscode/holdBook.ts';
import { sampleHold } from '../webview/samples.ts';

const hold = (id: string, state: HoldState = 'waiting', since = 1): Hold => sampleHold(id, { state, since });
const ids = (holds: readonly Hold[]): string[] => holds.map((one) => `${one.id}:${one.state}`);

test('a hold begins once, shows its result once and is then forgotten', () => {
  const book = holdBook();
  expect(ids(book.apply(hold('a')).begun)).toEqual(['a:waiting']);
  expect(book.apply(hold('a')).begun).toEqual([]);
  expect(ids(book.apply(hold('a', 'approved')).holds)).toEqual(['a:approved']);
  expect(book.list()).toEqual([]);
});

test('an expired hold stays, since its next try can still be allowed', () => {
  const book = holdBook();
  book.apply(hold('a'));
  expect(ids(book.apply(hold('a', 'expired')).holds)).toEqual(['a:expired']);
  expect([ids(book.list()), book.waiting()]).toEqual([['a:expired'], []]);
});

test('after a reconnection only holds that were not known begin', () => {
  const book = holdBook();
  book.apply(hold('a'));
  const change = book.replace([hold('a'), hold('b', 'waiting', 2), hold('c', 'rejected')]);
  expect([ids(change.begun), ids(change.holds)]).toEqual([['b:waiting'], ['a:waiting', 'b:waiting']]);
});

test('the book agrees with the last word on every hold', () => {
  const event = fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    state: fc.constantFrom<HoldState>('waiting', 'approved', 'rejected', 'expired', 'cancelled'),
    since: fc.nat(5),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      const book = holdBook();
      const last = new Map<string, HoldState>();
      for (const { id, state, since } of events) {
        book.apply(hold(id, state, since));
        last.set(id, state);
      }
      expect(
        book
          .waiting()
          .map((one) => one.id)
          .sort(),
      ).toEqual(
        [...last]
          .filter(([, state]) => state === 'waiting')
          .map(([id]) => id)
          .sort(),
      );
    }),
  );
});
