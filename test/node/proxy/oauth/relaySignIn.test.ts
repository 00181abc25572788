/** Which servers signing in is tried with. */
import { expect, test } from 'vitest';
import type { WebUpstreamSpec } from '#contract/mcpLink.ts';
import { relaySignIn } from '#node/proxy/oauth/relaySignIn.ts';
import { memorySecrets, secretKey } from '#node/proxy/oauth/signIn.ts';

const signIn = (said: string[] = [], secrets = memorySecrets()): ReturnType<typeof relaySignIn> =>
  relaySignIn({
    bundleFolder: '/nowhere',
    secrets,
    showPage: () => Promise.reject(new Error('nobody is to be asked')),
    told: (_server, problem) => said.push(String(problem)),
  });

const rows: readonly (readonly [what: string, url: string, headers: Record<string, string>, tried: boolean])[] = [
  ['no credentials', 'https://h.example/mcp', { 'X-A': 'b' }, true],
  ['a token of its own', 'https://h.example/mcp', { Authorization: 'Bearer t' }, false],
  ['one in other letters', 'https://h.example/mcp', { aUTHORIZATION: '' }, false],
  ['an account in its address', 'https://me:secret@h.example/mcp', {}, false],
  ['a name without a password there', 'https://token@h.example/mcp', {}, false],
  ['an account that is no code', 'https://me:100%@h.example/mcp', {}, false],
  ['a WebSocket', 'wss://h.example/mcp', {}, true],
];
test.each(rows)('an entry with %s', (_what, url, headers, tried) => {
  const spec: WebUpstreamSpec = { transport: url.startsWith('ws') ? 'websocket' : 'http', url, headers, cwd: '/' };
  expect(signIn()('s', spec, () => undefined) !== null).toBe(tried);
});

test('an installation without the bundle: it is said, and the message is answered', async () => {
  const said: string[] = [];
  const made = signIn()('s', { transport: 'http', url: 'https://h.example/mcp', headers: {}, cwd: '/' }, (line) => said.push(line));
  expect(await made?.challenged({ status: 401, headers: {} }, null)).toBe(false);
  expect(said.join()).toContain('reinstall Callgate');
});

test('one address, one place for its tokens, whatever else differs but the client', () => {
  expect(secretKey('https://h.example/mcp', { scope: 'a' })).toBe(secretKey('https://h.example/mcp', {}));
  const others = [
    secretKey('https://h.example/mcp', {}),
    secretKey('https://h.example/mcp2', {}),
    secretKey('https://h.example/mcp', { clientId: 'c' }),
  ];
  expect(new Set(others).size).toBe(3);
});
