import { expect, test } from 'vitest';
import { browserCommand, openPage } from '#node/proxy/oauth/openPage.ts';

const PAGE = 'https://sign-in.example/authorize?a=1&b=2';
const rows: readonly (readonly [what: string, env: Record<string, string>, platform: NodeJS.Platform, program: string | null])[] = [
  ['the browser a person names', { BROWSER: '/usr/bin/thing' }, 'linux', '/usr/bin/thing'],
  ['a Linux desktop', { DISPLAY: ':0' }, 'linux', 'xdg-open'],
  ['a Wayland desktop', { WAYLAND_DISPLAY: 'wayland-0' }, 'linux', 'xdg-open'],
  ['a server without a desktop', {}, 'linux', null],
  ['a Mac', {}, 'darwin', '/usr/bin/open'],
  ['Windows', {}, 'win32', 'rundll32.exe'],
];
test.each(rows)('%s', (_what, env, platform, program) => {
  const command = browserCommand(PAGE, { env, platform });
  expect(command?.program ?? null).toBe(program);
  expect(command?.args.at(-1) ?? PAGE).toBe(PAGE);
});

test.each(['file:///etc/passwd', 'javascript:alert(1)', 'vscode://extension/command'])('%s is no page to sign in at', async (url) => {
  const said: string[] = [];
  await expect(openPage(url, { env: {}, platform: 'linux', say: (line) => said.push(line) })).rejects.toThrow('no web page');
  expect(said).toEqual([]);
});
