import { expect, test, vi } from 'vitest';
import type { Errand } from '#contract/ipc.ts';
import { createErrands, windowSecrets } from '#node/broker/errands.ts';
import { errandRunner } from '../../../extension/vscode/errands.ts';

const KEY = `callgate.oauth.${'a'.repeat(64)}`;

/** A broker's errands and windows that run them as the editor's do. */
function office(windows: number, stored: Record<string, string> = {}) {
  const secrets = new Map(Object.entries(stored));
  const opened: string[] = [];
  const asked: string[] = [];
  const errands = createErrands(
    (errand) => {
      for (const run of running) void run(errand);
    },
    () => windows,
  );
  const running = Array.from({ length: windows }, () =>
    errandRunner({
      secrets: {
        get: async (key) => secrets.get(key),
        store: async (key, value) => void secrets.set(key, value),
        delete: async (key) => void secrets.delete(key),
      },
      answer: async ({ id, value }) => ({ taken: errands.answered(id, value) }),
      askToSignIn: async (message) => asked.push(message) > 0,
      open: async (url) => opened.push(url),
      say: (message) => asked.push(message),
      inUse: () => true,
      log: (message) => asked.push(message),
    }),
  );
  return { errands, secrets, opened, asked };
}

test('secrets live in the windows, and are asked for once', async () => {
  const { errands, secrets } = office(2, { [KEY]: 'kept' });
  const store = windowSecrets(errands);
  expect(await store.get(KEY)).toBe('kept');
  await store.store(KEY, 'new');
  expect(secrets.get(KEY)).toBe('new');
  secrets.clear();
  expect(await store.get(KEY)).toBe('new');
  await store.store(KEY, null);
  expect(await store.get(KEY)).toBe(null);
});

test('a window whose editor holds nothing does not answer for another editor', async () => {
  const ids: string[] = [];
  const errands = createErrands(
    (errand) => void ids.push(errand.id),
    () => 2,
  );
  const answers = ['kept', null].map(async (value, at) => {
    const answer = errands.ask({ kind: 'secret', key: KEY }, 10_000);
    errands.answered(ids[at] ?? '', null);
    errands.answered(ids[at] ?? '', value);
    return answer;
  });
  expect(await Promise.all(answers)).toEqual(['kept', null]);
});

test('a name that is not of ours is neither read nor written', async () => {
  const { errands, secrets } = office(1, { 'callgate.journalStatement': 'kept' });
  expect(await errands.ask({ kind: 'secret', key: 'callgate.journalStatement' }, 1000)).toBe(null);
  await errands.ask({ kind: 'keepSecret', key: 'callgate.journalStatement', value: 'forged' }, 1000);
  expect(secrets.get('callgate.journalStatement')).toBe('kept');
});

test('without a window: memory only, at once', async () => {
  const { errands } = office(0);
  const store = windowSecrets(errands);
  expect(await store.get(KEY)).toBe(null);
  await store.store(KEY, 'here');
  expect(await store.get(KEY)).toBe('here');
});

test('of several windows exactly one asks the person', async () => {
  const { errands, opened, asked } = office(3);
  const page = { kind: 'signIn', server: 'docs', host: 'id.example', url: 'https://id.example/authorize' } as const;
  expect(await errands.ask(page, 3000)).toBe('shown');
  await vi.waitFor(() => expect(opened).toEqual([page.url]));
  expect(asked).toHaveLength(1);
});

test('where a person signs in is said first, and no name of a server gets in its way', async () => {
  const rows: readonly (readonly [server: string, url: string, message: string])[] = [
    ['docs', 'https://id.example:8443/authorize?x', 'Sign in at id.example:8443? The MCP server “docs” asks for it.'],
    [
      'x” asks for it. Sign in at good.example? The MCP server “y',
      'https://good.example@evil.example/',
      "Sign in at evil.example? The MCP server “x' asks for it. Sign in at good.example? The MCP server 'y” asks for it.",
    ],
    ['n'.repeat(500), 'https://evil.example/', `Sign in at evil.example? The MCP server “${'n'.repeat(60)}…” asks for it.`],
    [
      'docs',
      `https://good.example.${'a.'.repeat(80)}evil.example/`,
      `Sign in at …a${'.a'.repeat(33)}.evil.example? The MCP server “docs” asks for it.`,
    ],
  ];
  for (const [server, url, message] of rows) {
    const { errands, asked } = office(1);
    await errands.ask({ kind: 'signIn', server, host: 'good.example', url }, 3000);
    await vi.waitFor(() => expect(asked).toEqual([message]));
  }
});

test('a page that is no web page is not opened', async () => {
  const { errands, opened, asked } = office(1);
  await errands.ask({ kind: 'signIn', server: 'docs', host: 'x', url: 'file:///etc/passwd' }, 1000);
  await vi.waitFor(() => expect(asked.join()).toContain('no web page'));
  expect(opened).toEqual([]);
});

test('a window that never answers: nothing, and later answers find nobody', async () => {
  let last: Errand | null = null;
  const errands = createErrands(
    (errand) => (last = errand),
    () => 1,
  );
  expect(await errands.ask({ kind: 'secret', key: KEY }, 20)).toBe(null);
  expect(errands.answered((last as Errand | null)?.id ?? '', 'late')).toBe(false);
});
