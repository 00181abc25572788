import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { MakeSignIn } from '#node/proxy/oauth/signIn.ts';

export const OAUTH_BUNDLE = 'mcp-oauth.cjs';

/** @throws when the bundle is not there or cannot be loaded. */
export function loadOAuth(bundleFolder: string): MakeSignIn {
  const file = join(bundleFolder, OAUTH_BUNDLE);
  return (createRequire(file)(file) as { readonly oauthSignIn: MakeSignIn }).oauthSignIn;
}
