/** Waits on the loopback interface for the browser to come back from the authorization server (RFC 8252, section 7.3). */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RedirectListener {
  readonly url: string;
  /** Rejects with the authorization server's own error, or when `ms` are over, or after `close`. */
  readonly code: (state: string, ms: number) => Promise<RedirectAnswer>;
  readonly close: () => void;
}

export interface RedirectAnswer {
  readonly code: string;
  /** Who says it is (RFC 9207). */
  readonly issuer: string | null;
}

const PATH = '/callback';
const ORIGIN = 'http://127.0.0.1';

/** @param wanted port of an earlier listener, whose redirect address is registered; another one is taken when it is not free. */
export async function listenForRedirect(wanted: number): Promise<RedirectListener> {
  let settle: ((query: URLSearchParams) => string) | null = null;
  let giveUp: ((why: Error) => void) | null = null;
  const server = createServer((request, response) => {
    // Any page and any user of this machine can ask for anything: `//` is a path to HTTP, and no address.
    const path = request.url ?? '/';
    const url = URL.canParse(path, ORIGIN) ? new URL(path, ORIGIN) : new URL(ORIGIN);
    const answer = (status: number, title: string, text: string): void => {
      response.writeHead(status, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': "default-src 'none'",
        'cache-control': 'no-store',
        connection: 'close',
      });
      response.end(`<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1><p>${text}</p>`);
    };
    if (request.method !== 'GET' || url.pathname !== PATH || settle === null) {
      answer(404, 'Nothing here', 'Callgate waits for nobody at this address.');
      return;
    }
    const problem = settle(url.searchParams);
    if (problem === '') answer(200, 'Signed in', 'You can close this page and go back to your editor.');
    else answer(400, 'Not signed in', problem);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  try {
    await listen(wanted);
  } catch (error) {
    if (wanted === 0) throw error;
    await listen(0);
  }
  // A shim without an editor ends with its client, whoever may still be about to sign in.
  server.unref();
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    giveUp?.(new Error('it was given up'));
    server.close();
    server.closeAllConnections();
  };
  return {
    url: `http://127.0.0.1:${port}${PATH}`,
    close,
    code: (state, ms) =>
      new Promise<RedirectAnswer>((resolve, reject) => {
        const timer = setTimeout(() => giveUp?.(new Error('nobody signed in')), ms);
        timer.unref();
        const over = (): void => {
          clearTimeout(timer);
          settle = null;
          giveUp = null;
        };
        giveUp = (why) => {
          over();
          reject(why);
        };
        settle = (query) => {
          // Somebody else's page may send the browser here with a code of its own.
          if (query.get('state') !== state) return 'This answer does not belong to the question that was asked.';
          const code = query.get('code');
          const error = query.get('error');
          if (code === null && error === null) return 'The authorization server sent neither a code nor an error.';
          over();
          if (code !== null) {
            resolve({ code, issuer: query.get('iss') });
            return '';
          }
          reject(new Error(`the authorization server said ${plain(error ?? '')}${plain(query.get('error_description') ?? '', ': ')}`));
          return 'The authorization server refused. The reason is in Callgate’s log.';
        };
      }),
  };
}

function plain(text: string, before = ''): string {
  const shown = text
    .replaceAll(/[^\x20-\x7e]/g, ' ')
    .trim()
    .slice(0, 200);
  return shown === '' ? '' : before + shown;
}
