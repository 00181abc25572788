/** Signing in, as a relay uses it: which servers it is tried with, and where the person is asked. */
import type { WebUpstreamSpec } from '#contract/mcpLink.ts';
import { loadOAuth } from '#node/proxy/oauth/oauthBundle.ts';
import { oauthFetch } from '#node/proxy/oauth/oauthFetch.ts';
import { signIns, type SecretStore, type SignInPage } from '#node/proxy/oauth/signIn.ts';
import { type Authorize, configuredHeaders } from '#node/proxy/transports/httpClient.ts';

/** `say` reaches the client's user, on the standard error of what the client started. Null: the entry brings its own credentials. */
export type RelaySignIn = (server: string, spec: WebUpstreamSpec, say: (line: string) => void) => Authorize | null;

export interface RelaySignInOptions {
  /** Where `mcp-oauth.cjs` lies. */
  readonly bundleFolder: string;
  readonly secrets: SecretStore;
  readonly showPage: (page: SignInPage, say: (line: string) => void) => Promise<void>;
  readonly told: (server: string, problem: string | null) => void;
}

export function relaySignIn({ bundleFolder, secrets, showPage, told }: RelaySignInOptions): RelaySignIn {
  const make = signIns(() => loadOAuth(bundleFolder));
  return (server, spec, say) => {
    // Whoever configured a key means it: a page to sign in at would only hide that it is refused.
    if (configuredHeaders(new URL(spec.url), spec.headers)['authorization'] !== undefined) return null;
    // A WebSocket's address has no well-known places beside it.
    const serverUrl = spec.url.replace(/^ws/i, 'http');
    const network = spec.network ?? {};
    return make({
      server,
      serverUrl,
      network,
      settings: spec.oauth ?? {},
      secrets,
      showPage: (page) => showPage(page, say),
      told: (problem) => told(server, problem),
      fetch: oauthFetch({ serverUrl, network, log: say }),
      log: say,
    });
  };
}
