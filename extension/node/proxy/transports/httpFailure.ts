/** Why a request to a server failed, in words for the client's user. Nothing here repeats headers: they may be secrets. */
import { isObject } from '#core/model/json.ts';

/** Codes of Node's TLS and socket errors that leave people alone with a word of OpenSSL's. */
const EXPLAINED: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an authority this machine does not know; name its file in NODE_EXTRA_CA_CERTS',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself; name its file in NODE_EXTRA_CA_CERTS if you trust it',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate comes from an authority this machine does not know; name that authority’s file in NODE_EXTRA_CA_CERTS',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate comes from an authority this machine does not know; name that authority’s file in NODE_EXTRA_CA_CERTS',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; is the clock of this machine right?',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  EPROTO: 'it does not speak TLS as we do; is it an http address?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS; is it an http address?',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS; is it an http address?',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name could not be looked up',
  ECONNREFUSED: 'nothing listens there; is the server running?',
  HPE_HEADER_OVERFLOW: 'its headers are too long',
};

export function failureText(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(failureText).join('; ');
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const why = EXPLAINED[code] ?? (code.startsWith('HPE_') ? 'it does not speak HTTP' : undefined);
  return why === undefined ? error.message : `${why} (${code}: ${error.message.split('\n')[0]?.slice(0, 200) ?? ''})`;
}

export interface RefusedRequest {
  /** The address without credentials and query. */
  readonly shown: string;
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
  /** Somebody could have signed in, and it did not help. */
  readonly triedToSignIn: boolean;
}

export function refusalText({ shown, status, location, body, triedToSignIn }: RefusedRequest): string {
  const said = saidIn(body);
  if (status === 401 || status === 403) {
    const advice = triedToSignIn
      ? 'Signing in did not help or was not finished: finish it in the browser (your editor offers the page, and its address stands in the log of this server), then try again.'
      : 'Callgate cannot sign in here: put a token as an Authorization header into the client’s configuration of this server and protect it again, or undo the protection of this server in the editor.';
    return `the MCP server at ${shown} wants authorization (HTTP ${status}${said}). ${advice}`;
  }
  if (status === 407) return `the proxy before the MCP server at ${shown} wants authorization (HTTP 407${said})`;
  if (status >= 300 && status < 400)
    return `the MCP server at ${shown} redirects to ${String(location ?? 'nowhere').slice(0, 200)}, which is another host or method; if that is right, put that address into the client's configuration`;
  return `the MCP server at ${shown} answered HTTP ${status}${said}`;
}

function saidIn(body: string): string {
  let said = body.trim();
  try {
    const parsed: unknown = JSON.parse(body);
    const error = isObject(parsed) ? parsed['error'] : undefined;
    if (isObject(error) && typeof error['message'] === 'string') said = error['message'];
  } catch {
    // Not JSON: the text itself is what the server said.
    said = said.replace(/<[^>]*>/g, ' ');
  }
  said = said.replace(/\s+/g, ' ').trim().slice(0, 300);
  return said === '' ? '' : `: ${said}`;
}
