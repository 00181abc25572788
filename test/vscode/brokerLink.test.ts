import { expect, test, vi } from 'vitest';
import type { BrokerStatus, Hold, RequestName } from '#contract/ipc.ts';
import { type LineEvents, openBrokerLink } from '../../extension/vscode/brokerLink.ts';
import { decideThrough } from '../../extension/vscode/decideHold.ts';
import { holdBook } from '../../extension/vscode/holdBook.ts';
import { statusText } from '../../extension/vscode/statusText.ts';
import { sampleEntry, sampleHold } from '../webview/samples.ts';

const status: BrokerStatus = {
  version: '1',
  pid: 7,
  startedAt: 0,
  windows: 1,
  rules: 60,
  waiting: 0,
  journalProblem: null,
  rulesProblem: null,
};
const held = (change: { readonly holds: readonly Hold[] }): string[] => change.holds.map((hold) => `${hold.id}:${hold.state}`);

/** A broker line that answers from a table and lets the test speak for the broker. */
async function linked(answers: Partial<Record<RequestName, () => unknown>>) {
  let events: LineEvents | null = null;
  const asked: RequestName[] = [];
  const disposed = vi.fn<() => void>();
  const book = holdBook();
  const warned: string[] = [];
  const link = openBrokerLink({
    open: async (given) => {
      events = given;
      const request = async (name: RequestName): Promise<unknown> => {
        asked.push(name);
        return await (answers[name] ?? (() => []))();
      };
      return { request: request as never, dispose: disposed };
    },
    settings: () => ({ holdSeconds: 300, onJournalFailure: 'deny', recordConversation: true }),
    book,
    log: { info: () => undefined, warn: (message) => warned.push(message) },
  });
  const shown: string[][] = [];
  link.onHolds((change) => shown.push(held(change)));
  await vi.waitFor(() => expect(events).not.toBeNull());
  const broker = events as unknown as LineEvents;
  return { link, broker, book, asked, shown, warned, disposed, connect: () => broker.onState({ state: 'connected', status }) };
}

test('a connection brings the settings over and the holds, grants and status back', async () => {
  const { link, connect, asked, shown } = await linked({ holds: () => [sampleHold('a')], grants: () => [{ id: 'g' }] });
  connect();
  await vi.waitFor(() => expect(link.grants()).toEqual([{ id: 'g' }]));
  expect(asked.sort()).toEqual(['configure', 'grants', 'holds']);
  expect([link.state().state, link.status()?.rules, shown]).toEqual(['connected', 60, [['a:waiting']]]);
});

test('a held call is passed on in the very turn its event arrives', async () => {
  const { connect, broker, shown } = await linked({});
  connect();
  broker.onEvent('hold', sampleHold('b'));
  expect(shown.at(-1)).toEqual(['b:waiting']);
});

test('an event that overtakes the list is not undone by it', async () => {
  let answer: (holds: readonly Hold[]) => void = () => undefined;
  const { connect, broker, book, asked } = await linked({ holds: () => new Promise((resolve) => (answer = resolve)) });
  connect();
  await vi.waitFor(() => expect(answer.length).toBe(1));
  broker.onEvent('hold', sampleHold('new'));
  broker.onEvent('hold', sampleHold('old', { state: 'rejected' }));
  answer([sampleHold('old')]);
  // The grants are read after the list was taken in.
  await vi.waitFor(() => expect(asked).toContain('grants'));
  expect(book.waiting().map((hold) => hold.id)).toEqual(['new']);
});

test('settings that are turned down do not keep the holds away', async () => {
  const { connect, book, warned } = await linked({ configure: () => Promise.reject(new Error('no')), holds: () => [sampleHold('a')] });
  connect();
  await vi.waitFor(() => expect(book.waiting()).toHaveLength(1));
  expect(warned.join()).toContain('did not take the settings');
});

test('without a connection requests fail with words for the person, and the state says so', async () => {
  const { link, broker, connect } = await linked({});
  await expect(link.request('status', {})).rejects.toThrow('cannot be reached');
  connect();
  broker.onState({ state: 'lost', message: 'it ended' });
  expect(link.state()).toMatchObject({ state: 'lost', message: expect.stringContaining('it ended') });
  await expect(link.request('status', {})).rejects.toThrow('cannot be reached');
});

test('a launcher that cannot be installed shows as lost', async () => {
  const link = openBrokerLink({
    open: () => Promise.reject(new Error('disk full')),
    settings: () => ({ holdSeconds: 300, onJournalFailure: 'deny', recordConversation: true }),
    book: holdBook(),
    log: { info: () => undefined, warn: () => undefined },
  });
  await vi.waitFor(() => expect(link.state()).toMatchObject({ state: 'lost', message: expect.stringContaining('disk full') }));
});

test('closing lets the broker go, also when it came up later', async () => {
  const { link, disposed } = await linked({});
  link.close();
  expect(disposed).toHaveBeenCalledOnce();
});

test('a listener that fails does not keep the news from the others', async () => {
  const { link, broker, warned } = await linked({});
  const heard: number[] = [];
  link.onEntry(() => {
    throw new Error('mine');
  });
  const stop = link.onEntry((entry) => heard.push(entry.seq));
  broker.onEvent('entry', sampleEntry(1));
  stop();
  broker.onEvent('entry', sampleEntry(2));
  expect([heard, warned]).toEqual([[1], expect.arrayContaining([expect.stringContaining('mine')])]);
});

test.each([
  ['ALREADY_SETTLED', 'late'],
  ['UNKNOWN_HOLD', 'late'],
  ['INTERNAL', 'failed'],
])('a decision answered with %s is %s', async (code, kind) => {
  const { link, book, connect } = await linked({ approve: () => Promise.reject(Object.assign(new Error('m'), { code })) });
  connect();
  expect(await decideThrough(link, book).approve('a', 'once', '')).toMatchObject({ kind, message: expect.stringMatching(/./) });
});

test('a decision shows at once, before its event', async () => {
  const { link, book, broker, connect, shown } = await linked({ reject: () => sampleHold('a', { state: 'rejected' }) });
  connect();
  broker.onEvent('hold', sampleHold('a'));
  expect(await decideThrough(link, book).reject('a', 'no')).toMatchObject({ kind: 'done' });
  expect(shown).toContainEqual(['a:rejected']);
});

test.each([
  ['waiting', false],
  ['expired', true],
] as const)('an approval of a call that is %s is told as late: %s', async (state, late) => {
  const { link, book, broker, connect } = await linked({ approve: () => sampleHold('a', { state: 'approved' }) });
  connect();
  broker.onEvent('hold', sampleHold('a', { state }));
  expect(await decideThrough(link, book).approve('a', 'once', '')).toMatchObject({ kind: 'done', late });
});

test.each([
  ['connected', 0, null, '$(shield) Callgate', 'none'],
  ['connected', 1, null, '$(shield) Callgate: 1 held', 'warning'],
  ['connected', 3, 'disk full', '$(shield) Callgate: 3 held', 'warning'],
  ['connected', 0, 'disk full', '$(warning) Callgate: problem', 'error'],
  ['starting', 0, null, '$(shield) Callgate: starting', 'none'],
  ['lost', 2, null, '$(error) Callgate: broker lost', 'error'],
] as const)('the status bar when %s with %d held and problem %s', (state, waiting, problem, text, colour) => {
  const item = statusText({ state, message: 'm' }, waiting, problem);
  expect([item.text, item.colour]).toEqual([text, colour]);
  expect(item.label).toMatch(/^Callgate, /);
  expect(item.label).not.toContain('$(');
});
