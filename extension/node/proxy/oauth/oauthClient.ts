/**
 * OAuth 2.1 as MCP asks for it (specification 2025-11-25, authorization): discovery, client metadata documents and dynamic registration,
 * PKCE, resource indicators, refresh and step-up are the MCP SDK's; here is where its pieces are kept and how a person is asked.
 */
import { randomBytes } from 'node:crypto';
import type { OAuthClientProvider, OAuthDiscoveryState } from '@modelcontextprotocol/sdk/client/auth.js';
import { auth, extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js';
import { ClientCredentialsProvider, PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import type { OAuthClientInformationMixed, OAuthClientMetadata, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import type { HttpHead } from '#node/proxy/httpClient.ts';
import { listenForRedirect, type RedirectListener } from '#node/proxy/oauth/redirectListener.ts';
import { secretKey, type SignIn, type SignInParts } from '#node/proxy/oauth/signIn.ts';

/** Shorter than the half minute that clients give a server to start. */
const WAIT_MS = 25_000;
const LISTEN_MS = 10 * 60_000;
/** A server that asks again right after somebody signed in would ask for ever. */
const MAX_STEP_UPS = 2;

/** What is kept of one server in the secret store. */
interface Kept {
  /** The authorization server it all belongs to: another one must not get to see any of it. */
  readonly issuer?: string;
  readonly redirectUrl?: string;
  readonly client?: OAuthClientInformationMixed;
  readonly tokens?: OAuthTokens;
}

export function oauthSignIn(parts: SignInParts): SignIn {
  const { settings, secrets, log, server } = parts;
  const key = secretKey(parts.serverUrl, settings);
  let kept: Kept | null = null;
  let running: Promise<boolean> | null = null;
  let waiting: RedirectListener | null = null;
  let stepUps = 0;
  /** The tokens of a step-up's beginning are not refreshed: they would come back with the scopes they had. */
  let steppingUp = false;

  const load = async (): Promise<Kept> => {
    if (kept !== null) return kept;
    try {
      kept = JSON.parse((await secrets.get(key)) ?? '{}') as Kept;
    } catch {
      kept = {}; // not ours: the person signs in again
    }
    return kept;
  };
  const keep = async (change: Partial<Record<keyof Kept, unknown>>): Promise<void> => {
    kept = { ...(await load()), ...change } as Kept;
    await secrets.store(key, JSON.stringify(kept));
  };

  function interactive(listener: RedirectListener, state: string, page: (url: URL) => void): OAuthClientProvider {
    let verifier = '';
    let discovered: OAuthDiscoveryState | undefined;
    const metadata: OAuthClientMetadata = {
      client_name: 'Callgate',
      redirect_uris: [listener.url],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      ...(settings.scope === undefined ? {} : { scope: settings.scope }),
    };
    return {
      redirectUrl: listener.url,
      clientMetadata: metadata,
      ...(settings.clientMetadataUrl === undefined ? {} : { clientMetadataUrl: settings.clientMetadataUrl }),
      state: () => state,
      clientInformation: async () => {
        if (settings.clientId !== undefined)
          return {
            client_id: settings.clientId,
            ...(settings.clientSecret === undefined ? {} : { client_secret: settings.clientSecret }),
          };
        const { client, redirectUrl } = await load();
        // Registered for another redirect address: most servers compare it to the letter.
        return redirectUrl === listener.url ? client : undefined;
      },
      saveClientInformation: (client) => keep({ client, redirectUrl: listener.url }),
      tokens: async () => (steppingUp ? undefined : (await load()).tokens),
      saveTokens: (tokens) => keep({ tokens }),
      redirectToAuthorization: page,
      saveCodeVerifier: (text) => {
        verifier = text;
      },
      codeVerifier: () => verifier,
      discoveryState: () => discovered,
      saveDiscoveryState: async (state_) => {
        discovered = state_;
        const issuer = state_.authorizationServerUrl;
        const before = (await load()).issuer;
        if (before !== undefined && before !== issuer) await keep({ client: undefined, tokens: undefined });
        if (before !== issuer) await keep({ issuer });
      },
      invalidateCredentials: async (scope) => {
        if (scope === 'all' || scope === 'client') await keep({ client: undefined });
        if (scope === 'all' || scope === 'tokens') await keep({ tokens: undefined });
        if (scope === 'all' || scope === 'discovery') discovered = undefined;
      },
    };
  }

  function byItself(): OAuthClientProvider | null {
    const { clientId, clientSecret, privateKey, keyAlgorithm = 'RS256', scope, grant } = settings;
    if (grant !== 'client_credentials' || clientId === undefined) return null;
    const scoped = scope === undefined ? {} : { scope };
    const provider =
      privateKey === undefined
        ? new ClientCredentialsProvider({ clientId, clientSecret: clientSecret ?? '', ...scoped })
        : new PrivateKeyJwtProvider({ clientId, privateKey, algorithm: keyAlgorithm, ...scoped });
    const save = provider.saveTokens.bind(provider);
    provider.saveTokens = (tokens) => {
      save(tokens);
      kept = { ...kept, tokens };
    };
    return provider;
  }

  /** True when there is a new token. */
  async function signIn(head: HttpHead): Promise<boolean> {
    const response = new Response(null, { status: head.status, headers: webHeaders(head) });
    const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(response);
    const wanted = settings.scope ?? scope;
    const asked = {
      serverUrl: parts.serverUrl,
      fetchFn: parts.fetch,
      ...(resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl }),
      ...(wanted === undefined ? {} : { scope: wanted }),
    };
    const alone = byItself();
    if (alone !== null) return (await auth(alone, asked)) === 'AUTHORIZED';

    // A person who comes back to an older page is answered by nobody: the newer page is the one that counts.
    waiting?.close();
    const listener = await listenForRedirect(Number(settings.callbackPort ?? 0) || portOf((await load()).redirectUrl));
    waiting = listener;
    const state = randomBytes(16).toString('hex');
    let page: URL | null = null;
    const provider = interactive(listener, state, (url) => (page = url));
    try {
      if ((await auth(provider, asked)) === 'AUTHORIZED' || page === null) {
        listener.close();
        return page === null;
      }
    } catch (error) {
      listener.close();
      throw error;
    }
    return waitForPerson(provider, asked, listener, state, page);
  }

  async function waitForPerson(
    provider: OAuthClientProvider,
    asked: Parameters<typeof auth>[1],
    listener: RedirectListener,
    state: string,
    page: URL,
  ): Promise<boolean> {
    const done = listener
      .code(state, parts.listenMs ?? LISTEN_MS)
      .then(async (authorizationCode) => {
        await auth(provider, { ...asked, authorizationCode });
        log(`${server}: signed in at ${page.host}`);
      })
      .finally(() => listener.close());
    let late = false;
    done.then(
      () => late && parts.told(null),
      (error: unknown) => late && parts.told(textOf(error)),
    );
    log(`${server}: it asks you to sign in at ${page.host}`);
    await parts.showPage({ server, host: page.host, url: page.href });
    const patience = new Promise<'late'>((resolve) => {
      setTimeout(() => resolve('late'), parts.waitMs ?? WAIT_MS).unref();
    });
    if ((await Promise.race([done, patience])) !== 'late') return true;
    late = true;
    return false;
  }

  return {
    async header() {
      const { tokens } = await load();
      return tokens === undefined ? null : `Bearer ${tokens.access_token}`;
    },
    challenged(head) {
      if (running !== null) return running;
      steppingUp = head.status === 403;
      stepUps = steppingUp ? stepUps + 1 : 0;
      if (stepUps > MAX_STEP_UPS) {
        log(`${server}: it asks for more rights again and again (${stepUps} times); it is not asked for any more`);
        return Promise.resolve(false);
      }
      running = signIn(head)
        .catch((error: unknown) => {
          log(`${server}: signing in failed: ${textOf(error)}`);
          return false;
        })
        .finally(() => {
          running = null;
          steppingUp = false;
        });
      return running;
    },
  };
}

function webHeaders({ headers }: HttpHead): Headers {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers))
    for (const one of Array.isArray(value) ? value : [value]) if (typeof one === 'string') all.append(name, one);
  return all;
}

function portOf(url: string | undefined): number {
  return url === undefined ? 0 : Number(new URL(url).port);
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').slice(0, 300);
}
