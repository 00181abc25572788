/** Signing in to a server through the relay's own HTTP client, with an authorization server that can be told to misbehave. */
import type { LookupFunction } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { oauthFetch } from '#node/proxy/oauth/oauthFetch.ts';
import { oauthSignIn } from '#node/proxy/oauth/oauthClient.ts';
import { memorySecrets, secretKey, signIns, type SecretStore, type SignInParts } from '#node/proxy/oauth/signIn.ts';
import { callLine, until } from '../harness.ts';
import { endAll, json, result, serve, session } from '../webHarness.ts';
import type { WebSession } from '../webHarness.ts';
import { authWorld, type AuthWorld } from './authServer.ts';

afterEach(endAll);

interface Person {
  readonly s: WebSession;
  readonly pages: string[];
  readonly said: string[];
  readonly told: (string | null)[];
  readonly secrets: SecretStore;
  readonly parts: SignInParts;
}

/** A relay of one message after the other, and a person who signs in wherever they are sent to. */
function person(world: AuthWorld, change: Partial<SignInParts> = {}, make = signIns(() => oauthSignIn)): Person {
  const pages: string[] = [];
  const said: string[] = [];
  const told: (string | null)[] = [];
  const secrets = change.secrets ?? memorySecrets();
  const parts: SignInParts = {
    server: 'web',
    serverUrl: world.url,
    settings: {},
    secrets,
    network: {},
    showPage: async ({ url }) => {
      pages.push(url);
      // The page that a listener was just closed to stays empty.
      fetch(url).then(
        (response) => response.text(),
        () => undefined,
      );
    },
    told: (problem) => told.push(problem),
    fetch: oauthFetch({ serverUrl: world.url, network: {}, log: (text) => said.push(text) }),
    log: (text) => said.push(text),
    waitMs: 5_000,
    ...change,
  };
  return { s: session(world.url, {}, { authorize: make(parts) }), pages, said, told, secrets, parts };
}

async function call({ s }: Person, id: number): Promise<string> {
  s.send(callLine(id, 'x'));
  return JSON.stringify(await s.answerTo(id));
}

const WELL = /"said":"tools\/call"/;
const REFUSED = /wants authorization/;

test('signs in, refreshes, registers anew and signs in again when the refresh token is revoked', async () => {
  const world = await authWorld();
  const one = person(world);
  expect(await call(one, 1)).toMatch(WELL);
  expect(one.pages).toHaveLength(1);

  world.tokens.clear();
  expect(await call(one, 2)).toMatch(WELL);
  expect(one.pages).toHaveLength(1);

  world.tokens.clear();
  world.refreshTokens.clear();
  expect(await call(one, 3)).toMatch(WELL);
  expect(one.pages).toHaveLength(2);
  expect(world.clients.size).toBe(1);

  world.tokens.clear();
  world.clients.clear();
  expect(await call(one, 4)).toMatch(WELL);
  expect(one.pages).toHaveLength(3);
  expect(world.times('/register')).toBe(2);
});

test('a wider token is asked for when the server wants one', async () => {
  const world = await authWorld();
  let narrow = '';
  world.mcp = (seen, response, token) => {
    narrow ||= token;
    if (token !== narrow) json(response, 200, result(seen, { said: 'tools/call' }));
    else response.writeHead(403, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="write"' }).end();
  };
  const one = person(world);
  // What the new token is refused for is told; the next message asks for more.
  expect(await call(one, 1)).toMatch(/HTTP 403/);
  expect(await call(one, 2)).toMatch(WELL);
  expect(one.pages).toHaveLength(2);
  expect(one.pages[1]).toContain('scope=write');
});

test('a registration that the authorization server has forgotten is made anew after a page nobody came back from', async () => {
  const world = await authWorld();
  const one = person(world, { listenMs: 1_000 });
  await call(one, 1);
  world.tokens.clear();
  world.refreshTokens.clear();
  world.clients.clear();
  // As servers do that show an error page: the refresh is refused for another reason than the client's.
  world.at.set('/token', (_seen, response) => json(response, 400, { error: 'invalid_grant' }));
  expect(await call(one, 2)).toMatch(REFUSED);
  world.at.clear();
  expect(await call(one, 3)).toMatch(WELL);
  expect(world.times('/register')).toBe(2);
});

test('a server that refuses every token asks neither the person nor the authorization server for ever', async () => {
  const world = await authWorld();
  const one = person(world);
  world.mcp = (_seen, response) => response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
  for (let id = 1; id <= 20; id++) expect(await call(one, id)).toMatch(REFUSED);
  expect(one.pages.length).toBeLessThanOrEqual(3);
  expect(world.times('/token')).toBeLessThanOrEqual(13);
  expect(one.said.join()).toContain('refuses every token');
});

test('one that gives no refresh tokens and refuses what it gave does not open page after page', async () => {
  const world = await authWorld();
  world.at.set('/token', (_seen, response) => json(response, 200, { access_token: 'useless', token_type: 'Bearer' }));
  const one = person(world);
  for (let id = 1; id <= 8; id++) expect(await call(one, id)).toMatch(REFUSED);
  expect(one.pages).toHaveLength(3);
  expect(one.said.join()).toContain('you are not asked again for now');
});

test('the page stays the same while nobody has signed in, and the late sign-in is told', async () => {
  const world = await authWorld();
  const shown: string[] = [];
  const one = person(world, { waitMs: 50, showPage: async ({ url }) => void shown.push(url) });
  expect(await call(one, 1)).toMatch(REFUSED);
  expect(await call(one, 2)).toMatch(REFUSED);
  expect(shown).toHaveLength(1);
  await fetch(shown[0] ?? '');
  await until('the news', () => one.told.length > 0);
  expect(one.told).toEqual([null]);
  expect(await call(one, 3)).toMatch(WELL);
});

test('messages that were on their way while somebody signed in are sent again with the new token, and no page is opened for them', async () => {
  const world = await authWorld();
  const one = person(world);
  await call(one, 1);
  const token = (await one.parts.secrets.get(secretKey(world.url, {}))) ?? '';
  expect(token).toContain('access-');
  const late = oauthSignIn(one.parts);
  expect(await late.challenged({ status: 401, headers: {} }, null)).toBe(true);
  expect(one.pages).toHaveLength(1);
  expect(world.times('/token')).toBe(1);
});

test('the relay that is challenged is the one that is told, not the first of the process', async () => {
  const world = await authWorld();
  const make = signIns(() => oauthSignIn);
  const first = person(world, {}, make);
  await call(first, 1);
  world.tokens.clear();
  world.refreshTokens.clear();
  const second = person(world, { secrets: first.secrets, server: 'second' }, make);
  expect(await call(second, 1)).toMatch(WELL);
  expect([first.pages.length, second.pages.length]).toEqual([1, 1]);
});

const endless = (response: { write: (text: string) => boolean; on: (event: 'close', done: () => void) => unknown }): void => {
  const timer = setInterval(() => response.write(' '.repeat(64 * 1024)), 1);
  response.on('close', () => clearInterval(timer));
};

test.each([
  ['/.well-known/oauth-authorization-server', 'discovery'],
  ['/register', 'registration'],
])('an authorization server whose answer at %s does not end', async (path) => {
  const world = await authWorld();
  world.at.set(path, (_seen, response) => endless(response.writeHead(200, { 'content-type': 'application/json' })));
  const one = person(world);
  expect(await call(one, 1)).toMatch(REFUSED);
  expect(one.said.join()).toContain('answered with more than');
});

test.each(['/.well-known/oauth-authorization-server', '/register', '/token'])(
  'an authorization server that never answers at %s is given up',
  async (path) => {
    const world = await authWorld();
    world.at.set(path, () => undefined);
    const one = person(world, { fetch: oauthFetch({ serverUrl: world.url, network: {}, log: () => undefined, requestMs: 300 }) });
    expect(await call(one, 1)).toMatch(REFUSED);
    expect(one.said.join()).toContain('gave no answer within');
  },
);

test('what an authorization server says of its own request is not repeated: it may hold the secret it was sent', async () => {
  const world = await authWorld();
  world.at.set('/token', (seen, response) => response.writeHead(400).end(`you sent ${seen.body}`));
  const one = person(world, { settings: { clientId: 'known', clientSecret: 'very-secret' } });
  world.clients.add('known');
  expect(await call(one, 1)).toMatch(REFUSED);
  expect(one.said.join()).toContain('signing in failed');
  expect(one.said.join() + one.s.log.join()).not.toMatch(/very-secret|code-|code_verifier/);
});

const issuers: readonly (readonly [string, Record<string, string>, Record<string, unknown>, RegExp])[] = [
  ['its own name', { iss: 'SELF' }, {}, WELL],
  ['none, and it says that it sends one', {}, { authorization_response_iss_parameter_supported: true }, REFUSED],
  ["another's name", { iss: 'https://honest.example' }, {}, REFUSED],
  ["another's name, which it also claims as its own", { iss: 'https://honest.example' }, { issuer: 'https://honest.example' }, REFUSED],
];
test.each(issuers)('a code that comes with %s', async (_name, beside, metadata, expected) => {
  const world = await authWorld();
  Object.assign(world.metadata, metadata);
  for (const [name, value] of Object.entries(beside)) world.beside[name] = value === 'SELF' ? world.issuer : value;
  const one = person(world);
  expect(await call(one, 1)).toMatch(expected);
  expect(world.times('/token')).toBe(expected === WELL ? 1 : 0);
});

test.each(['null', '[]', '7', '"x"', '{', '{"tokens":null}', '{"tokens":{"access_token":"a\\r\\nb"}}', '{"redirectUrl":"x","tokens":7}'])(
  'a secret store that holds %s: the person signs in',
  async (text) => {
    const world = await authWorld();
    const secrets = memorySecrets();
    await secrets.store(secretKey(world.url, {}), text);
    const one = person(world, { secrets });
    expect(await call(one, 1)).toMatch(WELL);
    expect(one.pages).toHaveLength(1);
  },
);

test.each(['authorization_code', 'client_credentials'])(
  "a server that names another authorization server does not get the configured client's secret there (%s)",
  async (grant) => {
    const [world, other] = [await authWorld(), await authWorld()];
    for (const { clients, metadata, at, tokens } of [world, other]) {
      clients.add('known');
      metadata['token_endpoint_auth_methods_supported'] = ['client_secret_basic', 'client_secret_post'];
      at.set('/token', (_seen, response) => {
        tokens.add('good');
        json(response, 200, { access_token: 'good', token_type: 'Bearer' });
      });
    }
    const settings = { clientId: 'known', clientSecret: 'very-secret', grant };
    const one = person(world, { settings });
    expect(await call(one, 1)).toMatch(WELL);
    world.tokens.clear();
    world.named = other.issuer;
    expect(await call(one, 2)).toMatch(REFUSED);
    expect(other.times('/token')).toBe(0);
    expect(one.said.join()).toContain('CALLGATE_OAUTH_ISSUER');

    const moved = person(world, { settings: { ...settings, issuer: other.issuer }, secrets: one.secrets });
    await call(moved, 1);
    expect(other.times('/token')).toBe(1);
  },
);

const elsewhere: LookupFunction = (hostname, options, done) => {
  const address =
    { 'metadata.example': '169.254.169.254', 'inside.example': '127.0.0.1', localhost: '127.0.0.1' }[hostname] ?? '203.0.113.7';
  if (options.all === true) done(null, [{ address, family: 4 }]);
  else done(null, address, 4);
};
const targets: readonly (readonly [string, string, RegExp | null])[] = [
  ['https://mcp.example/mcp', 'http://auth.example/token', /without TLS/],
  ['https://mcp.example/mcp', 'https://127.0.0.1:1/token', /an address of this machine/],
  ['https://mcp.example/mcp', 'https://[::ffff:127.0.0.1]:1/token', /an address of this machine/],
  ['https://mcp.example/mcp', 'https://2130706433:1/token', /an address of this machine/],
  ['https://mcp.example/mcp', 'https://localhost:1/token', /an address of this machine/],
  ['https://mcp.example/mcp', 'https://169.254.169.254/latest', /an address of this machine/],
  ['https://mcp.example/mcp', 'https://metadata.example/latest', /an address of this machine/],
  ['https://mcp.example/mcp', 'https://inside.example:1/token', /an address of this machine/],
  ['https://mcp.example/mcp', 'file:///etc/passwd', /no web address/],
  ['https://mcp.example/mcp', 'data:application/json,{}', /no web address/],
  ['http://localhost:9/mcp', 'http://127.0.0.1:1/token', /nothing listens there/],
  ['http://inside.example/mcp', 'http://127.0.0.1:1/token', /nothing listens there/],
];
test.each(targets)('%s may have %s asked: %s', async (serverUrl, target, fault) => {
  const asked = oauthFetch({ serverUrl, network: {}, log: () => undefined, resolve: elsewhere })(target, { method: 'POST', body: 'x' });
  await expect(asked).rejects.toThrow(fault ?? '');
});

test.each(['127.0.0.1', 'localhost'])("a sign-in goes through the client's own proxy at %s", async (host) => {
  const { url, seen } = await serve((_one, response) => json(response, 200, { fine: true }));
  const network = { HTTP_PROXY: `http://me:secret@${host}:${new URL(url).port}` };
  const ask = oauthFetch({ serverUrl: 'http://mcp.example/mcp', network, log: () => undefined, resolve: elsewhere });
  const answer = await ask('http://auth.example/token', { method: 'POST', body: new URLSearchParams({ a: 'b' }) });
  expect(await answer.json()).toEqual({ fine: true });
  expect(seen).toMatchObject([{ method: 'POST', url: 'http://auth.example/token', body: 'a=b', headers: { host: 'auth.example' } }]);
});
