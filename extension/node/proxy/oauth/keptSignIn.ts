/** What is kept of signing in to one server, as it comes back from the secret store: anybody's text until it was looked at. */
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { isObject, type JsonObject } from '#core/model/json.ts';
import type { SecretStore } from '#node/proxy/oauth/signIn.ts';

export interface Kept {
  /** The authorization server it all belongs to: another one must not get to see any of it. */
  readonly issuer?: string;
  readonly redirectUrl?: string;
  readonly client?: OAuthClientInformationMixed;
  readonly tokens?: OAuthTokens;
}

export interface KeptSignIn {
  readonly load: () => Promise<Kept>;
  readonly keep: (change: Partial<Record<keyof Kept, unknown>>) => Promise<void>;
  /** The next `load` asks the store: others of the same server may have signed in since. */
  readonly forget: () => void;
}

export function keptSignIn(secrets: SecretStore, key: string): KeptSignIn {
  let kept: Kept | null = null;
  const load = async (): Promise<Kept> => {
    if (kept !== null) return kept;
    const text = await secrets.get(key);
    // Not remembered: there may have been nobody to ask.
    if (text === null) return {};
    kept = readKept(text);
    return kept;
  };
  return {
    load,
    keep: async (change) => {
      kept = { ...(await load()), ...change } as Kept;
      await secrets.store(key, JSON.stringify(kept));
    },
    forget: () => {
      kept = null;
    },
  };
}

/** What is not as we wrote it counts as not there: the person signs in again. */
function readKept(text: string): Kept {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {};
  }
  if (!isObject(value)) return {};
  const { issuer, redirectUrl, client, tokens } = value;
  return {
    ...(typeof issuer === 'string' ? { issuer } : {}),
    ...(typeof redirectUrl === 'string' && URL.canParse(redirectUrl) ? { redirectUrl } : {}),
    ...(hasText(client, 'client_id') ? { client: client as unknown as OAuthClientInformationMixed } : {}),
    ...(hasText(tokens, 'access_token') ? { tokens: tokens as unknown as OAuthTokens } : {}),
  };
}

const hasText = (value: unknown, key: string): value is JsonObject => isObject(value) && typeof value[key] === 'string';
