/**
 * OAuth 2.1 as MCP asks for it (specification 2025-11-25, authorization): discovery, client metadata documents and dynamic registration,
 * PKCE, resource indicators, refresh and step-up are the MCP SDK's; here is where its pieces are kept, how a person is asked, and how often.
 */
import { randomBytes } from 'node:crypto';
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { auth, extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js';
import { allowance } from '#node/proxy/oauth/allowance.ts';
import { issuerFault } from '#node/proxy/oauth/issuer.ts';
import { keptSignIn } from '#node/proxy/oauth/keptSignIn.ts';
import { providers } from '#node/proxy/oauth/providers.ts';
import { listenForRedirect, type RedirectListener } from '#node/proxy/oauth/redirectListener.ts';
import { secretKey, type SignIn, type SignInParts } from '#node/proxy/oauth/signIn.ts';
import type { HttpHead } from '#node/proxy/transports/httpClient.ts';

/** Shorter than the half minute that clients give a server to start. */
const WAIT_MS = 25_000;
const LISTEN_MS = 10 * 60_000;
/** A page that nobody came back from is shown again when the server asks again, but not with every message. */
const SHOW_AGAIN_MS = 60_000;
/** A server that refuses what it has just been given would ask a person, or its authorization server, for ever. */
const PAGES = { most: 3, windowMs: LISTEN_MS };
const RENEWALS = { most: 10, windowMs: 60_000 };

interface Pending {
  readonly page: URL;
  readonly listener: RedirectListener;
  readonly done: Promise<void>;
  shownAt: number;
  /** Messages that wait for it now. */
  waiters: number;
  /** A newer page took its place. */
  superseded: boolean;
}

export function oauthSignIn(parts: SignInParts): SignIn {
  const { settings, log, server } = parts;
  const { load, keep, forget } = keptSignIn(parts.secrets, secretKey(parts.serverUrl, settings));
  let running: Promise<boolean> | null = null;
  let pending: Pending | null = null;
  /** The tokens of a step-up's beginning are not refreshed: they would come back with the scopes they had. */
  let steppingUp = false;
  const mayShowPage = allowance(PAGES);
  const mayRenew = allowance(RENEWALS);

  async function header(): Promise<string | null> {
    const token = ((await forItself()?.tokens()) ?? (await load()).tokens)?.access_token ?? '';
    // What fits no header would fail every request, and with it the way to a better one.
    return /^[\x21-\x7e]+$/.test(token) ? `Bearer ${token}` : null;
  }

  const { interactive, byItself, forItself } = providers(settings, { load, keep }, () => steppingUp);

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
    const itself = byItself();
    if (itself !== null) return (await auth(itself, asked)) === 'AUTHORIZED';

    // A person who comes back to an older page is answered by nobody: the newer page is the one that counts.
    const older = pending;
    pending = null;
    if (older !== null) {
      older.superseded = true;
      older.listener.close();
    }
    const listener = await listenForRedirect(Number(settings.callbackPort ?? 0) || portOf((await load()).redirectUrl));
    const state = randomBytes(16).toString('hex');
    let page: URL | null = null;
    const provider = interactive(listener, state, (url) => (page = url));
    try {
      if ((await auth(provider, asked)) === 'AUTHORIZED' || page === null) {
        listener.close();
        return page === null;
      }
      if (!mayShowPage()) {
        log(
          `${server}: it asked you to sign in ${PAGES.most} times within ${PAGES.windowMs / 60_000} minutes; you are not asked again for now`,
        );
        listener.close();
        return false;
      }
    } catch (error) {
      listener.close();
      throw error;
    }
    return waitFor(await present(provider, asked, listener, state, page));
  }

  async function present(
    provider: OAuthClientProvider,
    asked: Parameters<typeof auth>[1],
    listener: RedirectListener,
    state: string,
    page: URL,
  ): Promise<Pending> {
    const finish = async (): Promise<void> => {
      const { code, issuer } = await listener.code(state, parts.listenMs ?? LISTEN_MS);
      const fault = issuerFault(issuer, await provider.discoveryState?.());
      if (fault !== null) throw new Error(fault);
      await auth(provider, { ...asked, authorizationCode: code });
      log(`${server}: signed in at ${page.host}`);
    };
    const mine: Pending = {
      page,
      listener,
      shownAt: 0,
      waiters: 0,
      superseded: false,
      done: finish()
        .catch(async (error: unknown) => {
          // A registration that the authorization server has forgotten shows as a page nobody comes back from.
          if (!mine.superseded && settings.clientId === undefined) await keep({ client: undefined });
          throw error;
        })
        .finally(() => {
          listener.close();
          if (pending === mine) pending = null;
        }),
    };
    pending = mine;
    mine.done.then(
      () => mine.waiters === 0 && parts.told(null),
      (error: unknown) => mine.waiters === 0 && !mine.superseded && parts.told(textOf(error)),
    );
    log(`${server}: it asks you to sign in at ${page.host}`);
    return mine;
  }

  async function waitFor(one: Pending): Promise<boolean> {
    one.waiters++;
    let timer: NodeJS.Timeout | undefined;
    try {
      if (Date.now() - one.shownAt > SHOW_AGAIN_MS) {
        one.shownAt = Date.now();
        await parts.showPage({ server, host: one.page.host, url: one.page.href }).catch((error: unknown) => {
          one.listener.close();
          throw error;
        });
      }
      const late = new Promise<false>((resolve) => {
        timer = setTimeout(() => resolve(false), parts.waitMs ?? WAIT_MS).unref();
      });
      return await Promise.race([one.done.then(() => true), late]);
    } finally {
      clearTimeout(timer);
      one.waiters--;
    }
  }

  async function answer(head: HttpHead, sent: string | null): Promise<boolean> {
    forget();
    const now = await header();
    // Somebody signed in while this request was on its way.
    if (now !== null && now !== sent) return true;
    steppingUp = head.status === 403;
    if (pending !== null && !steppingUp) return waitFor(pending);
    if (!mayRenew()) {
      log(`${server}: it refuses every token it is shown; it gets no new one for now`);
      return false;
    }
    return signIn(head);
  }

  return {
    header,
    challenged(head, sent) {
      running ??= answer(head, sent)
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

/** Some authorization servers answer with what they were sent, secrets and all; the SDK puts that behind "Raw body". */
function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/ ?Raw body:.*/su, '')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 300);
}
