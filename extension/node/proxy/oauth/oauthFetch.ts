/**
 * `fetch` for the OAuth client. It reaches the network as the client's environment says, every request is bounded in time and size, and
 * a server that names addresses to be asked cannot have this machine's own services or its cloud's asked in its stead.
 */
import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import type { OAuthFetch } from '#node/proxy/oauth/signIn.ts';
import { httpClient, readBody } from '#node/proxy/transports/httpClient.ts';
import { failureText } from '#node/proxy/transports/httpFailure.ts';

const REQUEST_MS = 10_000;
/** Metadata and tokens take a few kilobytes. */
const MAX_BYTES = 1024 * 1024;
const BODILESS = [204, 205, 304];

const NOT_FOR_OTHERS = 'is an address of this machine, to which a server elsewhere must not send anybody';

/** Loopback and link-local: what answers there knows its callers by their being here. */
const local = new BlockList();
local.addSubnet('127.0.0.0', 8, 'ipv4');
local.addSubnet('0.0.0.0', 8, 'ipv4');
local.addSubnet('169.254.0.0', 16, 'ipv4');
local.addSubnet('fe80::', 10, 'ipv6');
local.addAddress('::1', 'ipv6');
local.addAddress('::', 'ipv6');

export interface OAuthFetchOptions {
  readonly serverUrl: string;
  readonly network: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
  /** Stands for the system's in tests. */
  readonly resolve?: LookupFunction;
  readonly requestMs?: number;
}

export function oauthFetch({
  serverUrl,
  network,
  log,
  resolve = lookup as LookupFunction,
  requestMs = REQUEST_MS,
}: OAuthFetchOptions): OAuthFetch {
  const server = new URL(serverUrl);
  let here: Promise<boolean> | null = null;
  const serverIsHere = (): Promise<boolean> => (here ??= isHere(server.hostname, resolve));

  return async (input, init = {}) => {
    const url = new URL(input);
    const guarded = url.hostname !== server.hostname && !(await serverIsHere());
    const fault = guarded && isLocalName(url.hostname) ? NOT_FOR_OTHERS : schemeFault(url, server);
    if (fault !== null) throw new Error(`${url.origin} ${fault}`);
    const headers = new Headers(init.headers);
    if (init.body instanceof URLSearchParams && !headers.has('content-type'))
      headers.set('content-type', 'application/x-www-form-urlencoded');
    const body = init.body ?? null;
    const client = httpClient({ url: url.href, headers: {}, network, log, ...(guarded && { lookup: withoutLocal(resolve) }) });
    const signal = AbortSignal.timeout(requestMs);
    try {
      const answer = await client.request({
        method: init.method === 'POST' ? 'POST' : 'GET',
        headers: Object.fromEntries(headers),
        signal,
        ...(body === null ? {} : { body: Buffer.from(String(body as string | URLSearchParams)) }),
      });
      const { status } = answer;
      const text = await readBody(answer, MAX_BYTES);
      if (text === null) throw new Error(`${url.origin} answered with more than ${MAX_BYTES} bytes`);
      const given = Object.entries(answer.headers).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value] as [string, string]] : [],
      );
      const response = new Response(BODILESS.includes(status) ? null : text, { status, headers: given });
      return Object.defineProperty(response, 'url', { value: url.href });
    } catch (error) {
      if (signal.aborted) throw new Error(`${url.origin} gave no answer within ${requestMs / 1000} s`, { cause: error });
      if (error instanceof Error && error.message.startsWith(url.origin)) throw error;
      if (failureText(error).includes(NOT_FOR_OTHERS)) throw new Error(`${url.origin} ${NOT_FOR_OTHERS}`, { cause: error });
      // As `fetch` itself has it: the OAuth client then tries the next address.
      throw new TypeError(`${url.origin} cannot be reached: ${failureText(error)}`, { cause: error });
    } finally {
      client.destroy();
    }
  };
}

/** Tokens and secrets pass here. A server without TLS of its own has none to lose. */
function schemeFault({ protocol }: URL, server: URL): string | null {
  if (protocol === 'https:' || (protocol === 'http:' && server.protocol === 'http:')) return null;
  return protocol === 'http:' ? 'would be asked without TLS, and the MCP server is reached with it' : 'is no web address';
}

function isLocalName(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 ? /(?:^|\.)localhost\.?$/i.test(host) : isLocal(host);
}

const isLocal = (address: string): boolean => local.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** One whose name leads here is being developed here, and its authorization server may be, too. */
function isHere(hostname: string, resolve: LookupFunction): Promise<boolean> {
  if (isLocalName(hostname)) return Promise.resolve(true);
  return new Promise((settle) => {
    resolve(hostname, { all: true }, (error, found) =>
      settle(error === null && Array.isArray(found) && found.some((one) => isLocal(one.address))),
    );
  });
}

/** At the moment of connecting: a name may lead elsewhere than a moment ago. */
function withoutLocal(resolve: LookupFunction): LookupFunction {
  return (hostname, options, done) =>
    resolve(hostname, options, (error, found, family) => {
      const addresses = Array.isArray(found) ? found.map((one) => one.address) : [found];
      if (error === null && addresses.some(isLocal)) done(new Error(NOT_FOR_OTHERS), '', 0);
      else done(error, found, family);
    });
}
