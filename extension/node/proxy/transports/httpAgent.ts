/** How to reach a server over the network: proxies and certificates as the client's environment names them. */
import { readFileSync, statSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { BlockList, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect, rootCertificates } from 'node:tls';

export const NETWORK_VARIABLES = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
] as const;

export interface Route {
  readonly agent: HttpAgent;
  /** Set when requests go to this proxy with the whole address as their path; tunnels are the agent's own business. */
  readonly forward: { readonly proxy: URL; readonly headers: Readonly<Record<string, string>> } | null;
}

/**
 * Servers drop idle connections after 5 s (Node's own) or more. Being earlier keeps a request from going into one that
 * is just being closed, where nobody could tell whether it was taken.
 */
const IDLE_MS = 4_000;
const TUNNEL_MS = 30_000;
/** All authorities that browsers trust take a quarter of a megabyte. */
const MAX_CERTIFICATES_BYTES = 8 * 1024 * 1024;

/** @param tunnel also for plain addresses: WebSockets cannot be forwarded by proxies that read HTTP. */
export function routeTo(url: URL, network: Readonly<Record<string, string>>, log: (line: string) => void, tunnel = false): Route {
  const secure = url.protocol === 'https:' || url.protocol === 'wss:';
  const base = { keepAlive: true, timeout: IDLE_MS };
  const ca = secure ? extraCertificates(network, log) : null;
  const proxy = proxyFor(url, network, log);
  if (proxy === null) return { agent: secure ? new HttpsAgent({ ...base, ...(ca && { ca }) }) : new HttpAgent(base), forward: null };
  if (secure || tunnel) return { agent: tunnelAgent(proxy, secure, ca), forward: null };
  const agent = proxy.protocol === 'https:' ? new HttpsAgent(base) : new HttpAgent(base);
  const headers = proxyHeaders(proxy);
  // Node would read the account once more, and stumble over a bare %.
  proxy.username = '';
  proxy.password = '';
  return { agent, forward: { proxy, headers } };
}

/** Null when the address is reached directly. Names in lower case win, as with Node's own clients. */
export function proxyFor(url: URL, network: Readonly<Record<string, string>>, log: (line: string) => void): URL | null {
  const kind = url.protocol === 'https:' || url.protocol === 'wss:' ? 'https_proxy' : 'http_proxy';
  const text = network[kind] || network[kind.toUpperCase()] || '';
  if (text === '' || isLoopback(url.hostname)) return null;
  const address = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(address) || !/^https?:\/\//i.test(address)) {
    log(`${kind.toUpperCase()} is no http or https address; the MCP server is reached directly`);
    return null;
  }
  return isExcluded(url, network['no_proxy'] || network['NO_PROXY'] || '') ? null : new URL(address);
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i.test(host);
}

function isExcluded(url: URL, list: string): boolean {
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' || url.protocol === 'wss:' ? '443' : '80');
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      if (isIP(host) !== 0 && holdsAddress(entry, host)) return true;
      const [, name = '', wanted] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (wanted !== undefined && wanted !== port) return false;
      if (/^\*?\./.test(name)) return host.endsWith(name.replace(/^\*/, ''));
      return host === name;
    });
}

/** `10.0.0.1-10.0.0.9` as Node reads it, `10.0.0.0/8` as most others do. */
function holdsAddress(entry: string, host: string): boolean {
  const list = new BlockList();
  const family = isIP(host) === 6 ? 'ipv6' : 'ipv4';
  const [from = '', to] = entry.split('-');
  const [subnet = '', bits] = entry.split('/');
  try {
    if (to !== undefined && isIP(from) !== 0 && isIP(from) === isIP(to)) list.addRange(from, to, isIP(from) === 6 ? 'ipv6' : 'ipv4');
    else if (bits !== undefined && isIP(subnet) !== 0) list.addSubnet(subnet, Number(bits), isIP(subnet) === 6 ? 'ipv6' : 'ipv4');
    else return isIP(entry) !== 0 && entry === host;
  } catch {
    // A range that ends before it begins, a prefix that is too long: it holds nothing.
    return false;
  }
  return list.check(host, family);
}

/** Node reads NODE_EXTRA_CA_CERTS when it starts, and the broker was not started by this client. */
function extraCertificates(network: Readonly<Record<string, string>>, log: (line: string) => void): string[] | null {
  const file = network['NODE_EXTRA_CA_CERTS'] ?? '';
  if (file === '') return null;
  try {
    const stat = statSync(file);
    // Reading would hold up every relay of the broker, from a pipe for ever.
    if (!stat.isFile() || stat.size > MAX_CERTIFICATES_BYTES) throw new Error('it is no file of certificates');
    return [...rootCertificates, readFileSync(file, 'utf8')];
  } catch (error) {
    log(`NODE_EXTRA_CA_CERTS cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

function proxyHeaders(proxy: URL): Record<string, string> {
  const account = basicAccount(proxy);
  return account === null ? {} : { 'proxy-authorization': account };
}

/** The account that an address names, as a header's value; null when it names none. */
export function basicAccount({ username, password }: URL): string | null {
  if (username === '' && password === '') return null;
  return `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a bare % is part of the password
  }
}

type Connected = (error: Error | null, socket?: Duplex) => void;

/** Connections through CONNECT: what passes the proxy is the server's own TLS. */
function tunnelAgent(proxy: URL, secure: boolean, ca: string[] | null): HttpAgent {
  const agent = secure ? new HttpsAgent({ keepAlive: true, timeout: IDLE_MS }) : new HttpAgent({ keepAlive: true, timeout: IDLE_MS });
  const connect = (options: Readonly<Record<string, unknown>>, connected: Connected): void => {
    const target = `${String(options['host'])}:${String(options['port'])}`;
    const asked = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...proxyHeaders(proxy) },
      agent: false,
    });
    const timer = setTimeout(() => asked.destroy(new Error(`the proxy ${proxy.host} did not connect in time`)), TUNNEL_MS);
    asked.on('connect', (head, socket) => {
      clearTimeout(timer);
      if (head.statusCode !== 200) {
        socket.destroy();
        connected(new Error(`the proxy ${proxy.host} refused to connect to ${target} (HTTP ${head.statusCode ?? 0})`));
        return;
      }
      if (!secure) {
        connected(null, socket);
        return;
      }
      const tls = tlsConnect({ ...options, ...(ca && { ca }), socket });
      tls.once('secureConnect', () => connected(null, tls));
      tls.once('error', (error) => connected(error));
    });
    asked.on('response', (response) => {
      response.resume();
      clearTimeout(timer);
      connected(new Error(`the proxy ${proxy.host} refused to connect to ${target} (HTTP ${response.statusCode ?? 0})`));
    });
    asked.on('error', (error) => {
      clearTimeout(timer);
      connected(new Error(`the proxy ${proxy.host} cannot be used: ${error.message}`));
    });
    asked.end();
  };
  // Node calls it with a callback when it returns nothing; its types know only the form that returns a socket at once.
  Object.assign(agent, { createConnection: connect });
  return agent;
}
