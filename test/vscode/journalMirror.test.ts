/** What a window keeps of the journal outside the data folder, and when it warns. */
import { expect, test } from 'vitest';
import type { JournalStatement } from '#contract/ipc.ts';
import { journalMirror } from '../../extension/vscode/journalMirror.ts';

const statement = (count: number): JournalStatement => ({ count, head: String(count % 10).repeat(64), time: 1, key: 'ab'.repeat(8) });

interface Window {
  readonly kept?: string;
  readonly newest: JournalStatement | null;
  readonly problem: string | null;
  readonly accepts: boolean;
}
interface Outcome {
  readonly kept: string | undefined;
  readonly warned: number;
  readonly asked: readonly (JournalStatement | null)[];
}

async function compared(window: Window, times: number): Promise<Outcome> {
  let kept = window.kept;
  let warned = 0;
  const asked: (JournalStatement | null)[] = [];
  const mirror = journalMirror({
    ask: async (seen) => {
      asked.push(seen);
      return { newest: window.newest, problem: window.problem };
    },
    secrets: { get: async () => kept, store: async (_key, value) => void (kept = value) },
    warn: async () => {
      warned += 1;
      return window.accepts;
    },
    log: () => undefined,
    now: () => 0,
  });
  for (let time = 0; time < times; time += 1) await mirror.compare();
  return { kept, warned, asked };
}

const text = (count: number): string => JSON.stringify(statement(count));
const rows: readonly (readonly [name: string, window: Window, outcome: Outcome])[] = [
  [
    'the first time: kept',
    { newest: statement(3), problem: null, accepts: false },
    { kept: text(3), warned: 0, asked: [null, statement(3)] },
  ],
  [
    'grown since: the newer one is kept',
    { kept: text(2), newest: statement(3), problem: null, accepts: false },
    { kept: text(3), warned: 0, asked: [statement(2), statement(3)] },
  ],
  [
    'put back: one warning, and what was seen stays',
    { kept: text(9), newest: statement(3), problem: 'shorter', accepts: false },
    { kept: text(9), warned: 1, asked: [statement(9), statement(9)] },
  ],
  [
    'put back and taken as it is: kept from now on',
    { kept: text(9), newest: statement(3), problem: 'shorter', accepts: true },
    { kept: text(3), warned: 2, asked: [statement(9), statement(3)] },
  ],
  [
    'what is kept is no statement: as the first time',
    { kept: '{"count":"9"}', newest: statement(3), problem: null, accepts: false },
    { kept: text(3), warned: 0, asked: [null, statement(3)] },
  ],
];
test.each(rows)('%s', async (_name, window, outcome) => {
  expect(await compared(window, 2)).toEqual(outcome);
});

test('entries make it look again, at most once a minute', async () => {
  let now = 0;
  let asked = 0;
  const mirror = journalMirror({
    ask: async () => {
      asked += 1;
      return { newest: statement(asked), problem: null };
    },
    secrets: { get: async () => undefined, store: async () => undefined },
    warn: async () => false,
    log: () => undefined,
    now: () => now,
  });
  await mirror.compare();
  for (; now < 180_000; now += 1000) {
    mirror.noticed();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(asked).toBe(3);
});
