/** Does what the broker asks of a window: keeps its secrets in the editor's storage and shows where to sign in. Knows nothing of the editor. */
import type { Errand, Requests } from '#contract/ipc.ts';
import { plainText } from './plainText.ts';

export interface ErrandParts {
  readonly secrets: {
    readonly get: (key: string) => PromiseLike<string | undefined>;
    readonly store: (key: string, value: string) => PromiseLike<void>;
    readonly delete: (key: string) => PromiseLike<void>;
  };
  readonly answer: (params: Requests['errand']['params']) => Promise<Requests['errand']['result']>;
  /** Asks the person; true when the page is to be opened. */
  readonly askToSignIn: (message: string) => Promise<boolean>;
  readonly open: (url: string) => PromiseLike<unknown>;
  readonly say: (message: string) => void;
  /** Whether the person is in this window. */
  readonly inUse: () => boolean;
  readonly log: (message: string) => void;
}

/** The broker waits three seconds for a window. */
const OTHERS_FIRST_MS = 1000;
/** Ours: a broker that was taken over must not read what other extensions' names would give it. */
const OAUTH_KEY = /^callgate\.oauth\.[0-9a-f]{64}$/;

export function errandRunner(parts: ErrandParts): (errand: Errand) => Promise<void> {
  return async (errand) => {
    try {
      await run(errand, parts);
    } catch (error) {
      parts.log(`The broker asked for something that failed here: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
}

async function run(errand: Errand, parts: ErrandParts): Promise<void> {
  const { id } = errand;
  switch (errand.kind) {
    case 'secret':
      await parts.answer({ id, value: OAUTH_KEY.test(errand.key) ? ((await parts.secrets.get(errand.key)) ?? null) : null });
      return;
    case 'keepSecret':
      if (OAUTH_KEY.test(errand.key)) {
        if (errand.value === null) await parts.secrets.delete(errand.key);
        else await parts.secrets.store(errand.key, errand.value);
      }
      await parts.answer({ id, value: 'kept' });
      return;
    case 'signIn':
      if (await isOurs(id, parts)) await signIn(errand, parts);
      return;
    case 'signedIn':
      if (!(await isOurs(id, parts))) return;
      parts.say(
        errand.problem === null
          ? `You are signed in to the MCP server “${shownName(errand.server)}”. Restart it in your client if it gave up waiting.`
          : `Signing in to the MCP server “${shownName(errand.server)}” failed: ${errand.problem}`,
      );
  }
}

/** Exactly one window shows it: the one in use, else the first to come forward. */
async function isOurs(id: string, { inUse, answer }: ErrandParts): Promise<boolean> {
  if (!inUse()) await new Promise((resolve) => setTimeout(resolve, OTHERS_FIRST_MS));
  return (await answer({ id, value: 'shown' })).taken;
}

async function signIn(errand: Extract<Errand, { kind: 'signIn' }>, parts: ErrandParts): Promise<void> {
  const { protocol, host } = new URL(errand.url);
  if (protocol !== 'https:' && protocol !== 'http:') throw new Error(`the page to sign in at is no web page (${protocol})`);
  try {
    if (await parts.askToSignIn(`Sign in at ${shownHost(host)}? The MCP server “${shownName(errand.server)}” asks for it.`))
      await parts.open(errand.url);
  } catch (error) {
    parts.log(`The page to sign in at could not be opened: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A project names its servers as it likes: a name must not go on with our sentence, nor be as long as to push the rest away. */
const shownName = (name: string): string => plainText(name, 60).replaceAll(/[“”"]/g, "'");

const HOST_LENGTH = 80;

/** Whose host it is, its end tells: `login.example.org.….evil.example`. */
const shownHost = (host: string): string => (host.length > HOST_LENGTH ? `…${host.slice(-HOST_LENGTH)}` : host);
