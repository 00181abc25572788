/** Signing in to a server that asks for OAuth: what the relay knows of it. The protocol itself is in oauthClient.ts, loaded only when needed. */
import { createHash } from 'node:crypto';
import type { OAuthSettings } from '#contract/mcpLink.ts';
import type { HttpHead } from '#node/proxy/transports/httpClient.ts';

/**
 * Where tokens and client registrations live. With an editor: its secret storage. Without one: this process's memory only, so that
 * the next process asks the person again; never a file.
 */
export interface SecretStore {
  readonly get: (key: string) => Promise<string | null>;
  /** Null deletes. */
  readonly store: (key: string, value: string | null) => Promise<void>;
}

export interface SignInPage {
  /** The server's name in the client's configuration. */
  readonly server: string;
  /** Host of the authorization server. */
  readonly host: string;
  readonly url: string;
}

export interface SignInParts {
  readonly server: string;
  readonly serverUrl: string;
  readonly settings: OAuthSettings;
  readonly secrets: SecretStore;
  /** Shows the page to the person, or tells where it is. Settles when it has been shown, not when somebody has signed in. */
  readonly showPage: (page: SignInPage) => Promise<void>;
  /** Somebody signed in after the message that needed it had been answered, or could not (`problem`). */
  readonly told: (problem: string | null) => void;
  readonly fetch: OAuthFetch;
  /** How `fetch` reaches the network: two relays that reach it differently sign in each for itself. */
  readonly network: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
  /** How long a message waits for the person, and how long the redirect is listened for, in milliseconds. */
  readonly waitMs?: number;
  readonly listenMs?: number;
}

/** As httpClient's `Authorize`. */
export interface SignIn {
  readonly header: () => Promise<string | null>;
  readonly challenged: (head: HttpHead, sent: string | null) => Promise<boolean>;
}

/** What the OAuth client uses of `fetch`. */
export type OAuthFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

export type MakeSignIn = (parts: SignInParts) => SignIn;

/** Name of what is kept of one server, in the secret store. */
export function secretKey(serverUrl: string, { clientId = '' }: OAuthSettings): string {
  return `callgate.oauth.${createHash('sha256')
    .update(JSON.stringify([serverUrl, clientId]))
    .digest('hex')}`;
}

/**
 * Signing in once serves every relay of the same server in this process. `load` brings the protocol, which most servers never need: it is
 * called at the first challenge, or when somebody has signed in before.
 */
export function signIns(load: () => MakeSignIn): MakeSignIn {
  const made = new Map<string, Shared>();
  return (parts) => {
    const key = JSON.stringify([parts.serverUrl, parts.settings, parts.network]);
    let shared = made.get(key);
    if (shared === undefined) {
      shared = sharedSignIn(load, parts);
      made.set(key, shared);
    }
    const { signIn, speaksFor } = shared;
    return {
      header: signIn.header,
      challenged: (head, sent) => {
        speaksFor(parts);
        return signIn.challenged(head, sent);
      },
    };
  };
}

interface Shared {
  readonly signIn: SignIn;
  /** Who was challenged last is told what becomes of it: the first may be gone. */
  readonly speaksFor: (parts: SignInParts) => void;
}

function sharedSignIn(load: () => MakeSignIn, parts: SignInParts): Shared {
  let last = parts;
  return {
    speaksFor: (one) => {
      last = one;
    },
    signIn: whenNeeded(load, {
      ...parts,
      log: (line) => last.log(line),
      showPage: (page) => last.showPage({ ...page, server: last.server }),
      told: (problem) => last.told(problem),
    }),
  };
}

function whenNeeded(load: () => MakeSignIn, parts: SignInParts): SignIn {
  let loaded: SignIn | null = null;
  let asked: Promise<string | null> | null = null;
  const ready = (): SignIn => (loaded ??= load()(parts));
  return {
    async header() {
      if (loaded !== null) return loaded.header();
      asked ??= parts.secrets.get(secretKey(parts.serverUrl, parts.settings));
      return (await asked) === null ? null : ready().header();
    },
    challenged: async (head, sent) => {
      try {
        return await ready().challenged(head, sent);
      } catch (error) {
        parts.log(
          `${parts.server}: signing in cannot begin (${error instanceof Error ? error.message : String(error)}); reinstall Callgate`,
        );
        return false;
      }
    },
  };
}

export function memorySecrets(): SecretStore {
  const kept = new Map<string, string>();
  return {
    get: async (key) => kept.get(key) ?? null,
    store: async (key, value) => {
      if (value === null) kept.delete(key);
      else kept.set(key, value);
    },
  };
}
