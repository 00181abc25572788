import { expect, test } from 'vitest';
import { addSessionEntry, addSessionPage, openSession, sessionQuery, wantsMore, type Session } from '#webview/session.ts';
import { initialState, reduce, type PanelState } from '#webview/state.ts';
import { NOW, sampleEntry } from './samples.ts';

const ID = 'session-1';
const page = (numbers: readonly number[], next: number | null) => ({
  entries: numbers.map((seq) => sampleEntry(seq, { session: ID })),
  next,
  indexing: false,
});
const seqs = (session: Session | null): number[] => (session?.entries ?? []).map(({ seq }) => seq);

test('pages stand in the order of the record, live entries at the end, doubles and strangers nowhere', () => {
  let session = addSessionPage(openSession(ID, 9), sessionQuery(ID, null), page([9, 8, 7], 7));
  session = addSessionEntry(session, sampleEntry(10, { session: ID }));
  session = addSessionEntry(session, sampleEntry(10, { session: ID }));
  session = addSessionEntry(session, sampleEntry(11, { session: 'session-2' }));
  session = addSessionPage(session, sessionQuery(ID, 7), page([7, 6, 5], null));
  expect(seqs(session)).toEqual([5, 6, 7, 8, 9, 10]);
  expect(addSessionPage(session, sessionQuery('session-2', null), page([1], null))).toBe(session);
});

test.each([
  ['the entry is there', 8, [9, 8, 7], 7, false],
  ['it is further back', 3, [9, 8, 7], 7, true],
  ['there is nothing further back', 3, [9, 8, 7], null, false],
  ['nothing came', 3, [], null, false],
  ['too much came already', 3, Array.from({ length: 2000 }, (_, at) => 9000 - at), 7000, false],
] as const)('earlier pages are fetched until the entry is there: %s', (_name, opened, numbers, next, expected) => {
  expect(wantsMore(addSessionPage(openSession(ID, opened), sessionQuery(ID, null), page(numbers, next)))).toBe(expected);
});

test('the panel keeps its timeline while a session is on show, and forgets the session when it is closed', () => {
  const step = (state: PanelState, message: Parameters<typeof reduce>[1]): PanelState => reduce(state, message, NOW);
  let state = step(initialState, { type: 'timeline', query: { limit: 50 }, page: page([9, 8], null) });
  state = step(state, { type: 'sessionOpened', id: ID, seq: 8 });
  state = step(state, { type: 'timeline', query: sessionQuery(ID, null), page: page([9, 8, 7], null) });
  state = step(state, { type: 'entry', entry: sampleEntry(10, { session: ID }) });
  expect([seqs(state.session), state.timeline.entries.map(({ seq }) => seq)]).toEqual([
    [7, 8, 9, 10],
    [10, 9, 8],
  ]);
  state = step(step(state, { type: 'sessionMoreAsked' }), { type: 'failed', what: 'x', message: 'y' });
  expect(state.session?.loading).toBe(false);
  state = step(state, { type: 'sessionClosed' });
  expect(state.session).toBeNull();
  expect(step(state, { type: 'timeline', query: sessionQuery(ID, null), page: page([7], null) }).timeline).toBe(state.timeline);
});
