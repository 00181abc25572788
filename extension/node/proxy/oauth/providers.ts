/** What the MCP SDK's OAuth client asks about us: who we are, where things are kept, and where a person is sent to. */
import type { OAuthClientProvider, OAuthDiscoveryState } from '@modelcontextprotocol/sdk/client/auth.js';
import { ClientCredentialsProvider, PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import type { OAuthClientMetadata } from '@modelcontextprotocol/sdk/shared/auth.js';
import type { OAuthSettings } from '#contract/mcpLink.ts';
import { isSameIssuer } from '#node/proxy/oauth/issuer.ts';
import type { KeptSignIn } from '#node/proxy/oauth/keptSignIn.ts';
import type { RedirectListener } from '#node/proxy/oauth/redirectListener.ts';

export interface Providers {
  /** Sends a person to a page and hears of it at the listener. */
  readonly interactive: (listener: RedirectListener, state: string, page: (url: URL) => void) => OAuthClientProvider;
  /** Signs in without a person; null when the settings do not say so. */
  readonly byItself: () => OAuthClientProvider | null;
  /** The one that `byItself` made. */
  readonly forItself: () => OAuthClientProvider | null;
}

export function providers(
  settings: OAuthSettings,
  { load, keep }: Pick<KeptSignIn, 'load' | 'keep'>,
  steppingUp: () => boolean,
): Providers {
  let alone: OAuthClientProvider | null = null;

  /** What is kept is of one authorization server; a configured secret is shown to no other, whatever the MCP server says. */
  async function belongTo(issuer: string): Promise<void> {
    const before = (await load()).issuer;
    const expected = settings.issuer ?? (settings.clientSecret === undefined && settings.privateKey === undefined ? undefined : before);
    if (expected !== undefined && !isSameIssuer(expected, issuer))
      throw new Error(
        `the server names ${issuer} as its authorization server, and the configured client belongs to ${expected}; if it has moved, set CALLGATE_OAUTH_ISSUER`,
      );
    if (before !== undefined && before !== issuer) await keep({ client: undefined, tokens: undefined });
    if (before !== issuer) await keep({ issuer });
  }

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
      tokens: async () => (steppingUp() ? undefined : (await load()).tokens),
      saveTokens: (tokens) => keep({ tokens }),
      redirectToAuthorization: page,
      saveCodeVerifier: (text) => {
        verifier = text;
      },
      codeVerifier: () => verifier,
      discoveryState: () => discovered,
      saveDiscoveryState: async (state_) => {
        discovered = state_;
        await belongTo(state_.authorizationServerUrl);
      },
      invalidateCredentials: async (scope) => {
        if (scope === 'all' || scope === 'client') await keep({ client: undefined });
        if (scope === 'all' || scope === 'tokens') await keep({ tokens: undefined });
        if (scope === 'all' || scope === 'discovery') discovered = undefined;
      },
    };
  }

  function byItself(): OAuthClientProvider | null {
    const { clientId, clientSecret, privateKey, keyAlgorithm = 'RS256', scope, grant, issuer } = settings;
    if (grant !== 'client_credentials' || clientId === undefined) return null;
    const scoped = { ...(scope === undefined ? {} : { scope }), ...(issuer === undefined ? {} : { expectedIssuer: issuer }) };
    alone ??=
      privateKey === undefined
        ? new ClientCredentialsProvider({ clientId, clientSecret: clientSecret ?? '', ...scoped })
        : new PrivateKeyJwtProvider({ clientId, privateKey, algorithm: keyAlgorithm, ...scoped });
    alone.saveDiscoveryState = ({ authorizationServerUrl }) => belongTo(authorizationServerUrl);
    return alone;
  }

  return { interactive, byItself, forItself: () => alone };
}
