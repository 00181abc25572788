import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { listenForRedirect } from '#node/proxy/oauth/redirectListener.ts';

const STATE = 'the-state';
/** Longer than a busy machine takes for anything here. */
const LONG_MS = 600_000;

const rows: readonly (readonly [what: string, path: string, status: number, outcome: string])[] = [
  ['a code', `/callback?code=abc&state=${STATE}`, 200, 'abc'],
  ['a refusal', `/callback?error=access_denied&error_description=Not%20today&state=${STATE}`, 400, 'access_denied: Not today'],
  ['a refusal in control characters', `/callback?error=%1b%5b31m&state=${STATE}`, 400, 'said [31m'],
  ["somebody else's code", '/callback?code=abc&state=other', 400, 'given up'],
  ['a code without a state', '/callback?code=abc', 400, 'given up'],
  ['neither code nor error', `/callback?state=${STATE}`, 400, 'given up'],
  ['another path', `/other?code=abc&state=${STATE}`, 404, 'given up'],
];
test.each(rows)('%s', async (_what, path, status, outcome) => {
  const listener = await listenForRedirect(0);
  try {
    const code = listener.code(STATE, LONG_MS).then(
      (answer) => answer.code,
      (error: Error) => error.message,
    );
    const response = await fetch(new URL(path, listener.url));
    expect(response.status).toBe(status);
    expect(await response.text()).not.toContain('abc');
    listener.close();
    expect(await code).toContain(outcome);
  } finally {
    listener.close();
  }
});

test.each(['//', '//[', '/callback//'])('%s, which anybody can ask for', async (path) => {
  const listener = await listenForRedirect(0);
  try {
    expect((await fetch(new URL(listener.url).origin + path)).status).toBe(404);
  } finally {
    listener.close();
  }
});

test('nobody comes', async () => {
  const listener = await listenForRedirect(0);
  await expect(listener.code(STATE, 1)).rejects.toThrow('nobody signed in');
  listener.close();
});

test('a port that is taken: another one', async () => {
  const first = await listenForRedirect(0);
  const second = await listenForRedirect(Number(new URL(first.url).port));
  expect(second.url).not.toBe(first.url);
  first.close();
  second.close();
});

test('whoever waits for nothing else may end', () => {
  const module = new URL('../../../../extension/node/proxy/oauth/redirectListener.ts', import.meta.url);
  const program = `import { listenForRedirect } from '${module.href}'; void listenForRedirect(0).then(({ code }) => code('x', 600_000));`;
  const options = { timeout: 10_000, killSignal: 'SIGKILL' } as const;
  expect(() => execFileSync(process.execPath, ['--input-type=module', '--eval', program], options)).not.toThrow();
});

test('closed while it waits', async () => {
  const listener = await listenForRedirect(0);
  const code = listener.code(STATE, LONG_MS);
  listener.close();
  await expect(code).rejects.toThrow('given up');
});
