/** Signing in, as a relay uses it: which servers it is tried with, and where the person is asked. */
import type { WebUpstreamSpec } from '#contract/mcpLink.ts';
import type { Authorize } from '#node/proxy/httpClient.ts';
import { loadOAuth } from '#node/proxy/oauth/oauthBundle.ts';
import { signIns, type SecretStore, type SignInPage } from '#node/proxy/oauth/signIn.ts';

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
    if (Object.keys(spec.headers).some((name) => name.toLowerCase() === 'authorization')) return null;
    return make({
      server,
      serverUrl: spec.url,
      settings: spec.oauth ?? {},
      secrets,
      showPage: (page) => showPage(page, say),
      told: (problem) => told(server, problem),
      fetch,
      log: say,
    });
  };
}
