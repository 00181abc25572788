import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HoldState } from '#contract/ipc.ts';
import type { ToPanel } from '#contract/panel.ts';
import { type PanelAction, type PanelState, RESULT_SHOWN_MS, initialState, newlySettled, newlyWaiting, reduce } from '#webview/state.ts';
import { NOW, sampleEntry, sampleHold } from './samples.ts';

type Step = [message: ToPanel | PanelAction, at?: number];
const holds = (...items: [id: string, state?: HoldState, since?: number][]): Step => [
  { type: 'holds', holds: items.map(([id, state, since]) => sampleHold(id, { state: state ?? 'waiting', since: since ?? NOW })) },
];
const run = (steps: readonly Step[]): PanelState => steps.reduce((state, [message, at]) => reduce(state, message, at ?? NOW), initialState);
const looks = (state: PanelState): string[] =>
  state.cards.map((card) => `${card.hold.id}:${card.hold.state}${card.deciding ? ':deciding' : ''}`);

test.each<[string, Step[], string[]]>([
  ['new holds oldest first', [holds(['b', 'waiting', NOW + 1], ['a'])], ['a:waiting', 'b:waiting']],
  [
    'a later hold below, even when it is older',
    [holds(['b', 'waiting', NOW + 1]), holds(['a'], ['b', 'waiting', NOW + 1])],
    ['b:waiting', 'a:waiting'],
  ],
  ['a decision on its way', [holds(['a'], ['b']), [{ type: 'decided', id: 'a' }]], ['a:waiting:deciding', 'b:waiting']],
  ['the result of a decision', [holds(['a']), [{ type: 'decided', id: 'a' }], holds(['a', 'approved'])], ['a:approved']],
  ['the result while the list has dropped it', [holds(['a']), holds(['a', 'rejected']), holds()], ['a:rejected']],
  ['no result after its time', [holds(['a']), holds(['a', 'rejected']), [{ type: 'tick' }, NOW + RESULT_SHOWN_MS]], []],
  ['the result until its time', [holds(['a']), holds(['a', 'rejected']), [{ type: 'tick' }, NOW + RESULT_SHOWN_MS - 1]], ['a:rejected']],
  ['nothing that was settled before the panel opened', [holds(['a', 'approved'], ['b', 'cancelled'])], []],
  ['an expired hold until it is dismissed', [holds(['a', 'expired']), [{ type: 'tick' }, NOW + 1e9]], ['a:expired']],
  [
    'no dismissed hold, also when the list comes again',
    [holds(['a', 'expired']), [{ type: 'dismissed', id: 'a' }], holds(['a', 'expired'])],
    [],
  ],
  ['no hold that vanished while waiting', [holds(['a'], ['b']), holds(['b'])], ['b:waiting']],
  [
    'a failed decision as undecided',
    [holds(['a']), [{ type: 'decided', id: 'a' }], [{ type: 'failed', what: 'x', message: 'y' }]],
    ['a:waiting'],
  ],
])('shows %s', (_name, steps, expected) => {
  expect(looks(run(steps))).toEqual(expected);
});

test('an approval after the time limit is told apart from one that resumes the call', () => {
  expect(run([holds(['a', 'expired']), holds(['a', 'approved'])]).cards[0]?.late).toBe(true);
  expect(run([holds(['a']), holds(['a', 'approved'])]).cards[0]?.late).toBe(false);
});

test('announces what began and what ended', () => {
  const before = run([holds(['a'])]);
  const after = reduce(before, { type: 'holds', holds: [sampleHold('a', { state: 'approved' }), sampleHold('b')] }, NOW);
  expect(newlyWaiting(before, after).map((hold) => hold.id)).toEqual(['b']);
  expect(newlySettled(before, after).map((hold) => hold.id)).toEqual(['a']);
  expect(newlyWaiting(after, after)).toEqual([]);
});

test('cards that stay keep their order whatever messages come', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const state = fc.constantFrom<HoldState>('waiting', 'approved', 'rejected', 'expired', 'cancelled');
  const list = fc.uniqueArray(fc.record({ id, state, since: fc.nat(1000) }), { selector: (hold) => hold.id });
  const step = fc.oneof(
    list.map((items): ToPanel => ({ type: 'holds', holds: items.map((item) => sampleHold(item.id, item)) })),
    id.map((one): PanelAction => ({ type: 'decided', id: one })),
    fc.constant<PanelAction>({ type: 'tick' }),
    fc.constant<ToPanel>({ type: 'failed', what: '', message: '' }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(3000)), { maxLength: 20 }), (steps) => {
      let panel = initialState;
      let now = NOW;
      for (const [message, pause] of steps) {
        now += pause;
        const next = reduce(panel, message, now);
        const ids = next.cards.map((card) => card.hold.id);
        expect(new Set(ids).size).toBe(ids.length);
        const stayed = panel.cards.map((card) => card.hold.id).filter((one) => ids.includes(one));
        expect(ids.slice(0, stayed.length)).toEqual(stayed);
        panel = next;
      }
    }),
  );
});

test('remembers connection, failure and lists as told', () => {
  const state = run([
    [{ type: 'connection', state: 'lost', message: 'gone' }],
    [{ type: 'failed', what: 'Too late', message: 'm' }],
    [{ type: 'protectables', items: [] }],
    [{ type: 'entry', entry: sampleEntry(1) }],
  ]);
  expect(state.connection).toEqual({ state: 'lost', message: 'gone' });
  expect(state.failure).toEqual({ what: 'Too late', message: 'm' });
  expect(state.protectables).toEqual([]);
  expect(reduce(state, { type: 'failureRead' }, NOW).failure).toBeNull();
});
