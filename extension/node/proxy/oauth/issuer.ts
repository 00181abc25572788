/** Whether a code comes from the authorization server that was asked (RFC 9207): another one's code must not be carried to this one. */
import type { OAuthDiscoveryState } from '@modelcontextprotocol/sdk/client/auth.js';

/** What is wrong; null when nothing is. `issuer` is what came with the code. */
export function issuerFault(issuer: string | null, found: OAuthDiscoveryState | undefined): string | null {
  if (found === undefined) return null;
  const metadata = (found.authorizationServerMetadata ?? {}) as Readonly<Record<string, unknown>>;
  if (issuer === null) {
    return metadata['authorization_response_iss_parameter_supported'] === true
      ? 'the answer does not say which authorization server it comes from'
      : null;
  }
  if (isSameIssuer(issuer, found.authorizationServerUrl)) return null;
  // A server found under another address than its own name; the code goes to its token endpoint and nowhere else.
  const { issuer: name, token_endpoint: endpoint } = metadata;
  if (typeof name === 'string' && isSameIssuer(issuer, name) && typeof endpoint === 'string' && originOf(endpoint) === originOf(issuer))
    return null;
  return 'the answer comes from another authorization server than the one that was asked';
}

export const isSameIssuer = (a: string, b: string): boolean => a.replace(/\/$/, '') === b.replace(/\/$/, '');

const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : '');
