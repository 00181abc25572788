/** The command line and environment of `callgate mcp`, as the rewritten configuration entries call it. */
import type { McpLinkHeader, OAuthSettings, WebUpstreamSpec } from '#contract/mcpLink.ts';
import { NETWORK_VARIABLES } from '#node/proxy/transports/httpAgent.ts';

export const SHIM_USAGE =
  'usage: callgate mcp --server NAME [--cwd DIR] -- COMMAND [ARGUMENT…]\n       callgate mcp --server NAME --url URL [--transport http|sse|websocket]';

/** Marks of our own; no server gets to see them. */
const OWN_PREFIX = 'CALLGATE_';
const HEADER_VARIABLE = /^CALLGATE_HEADER_(\d+)$/;
/** `CALLGATE_HEADER_FROM_1="Authorization: Bearer TOKEN"`: the last word names the variable that holds it, for clients that expand nothing. */
const HEADER_FROM_VARIABLE = /^CALLGATE_HEADER_FROM_\d+$/;
/** A rewritten entry names here, separated by blanks, the variables it sets itself: the others are only inherited (modelKeys.ts). */
const ENTRY_ENV = 'CALLGATE_ENTRY_ENV';
/** How to sign in (OAuthSettings), kept out of argv as some of it is secret. */
const OAUTH_VARIABLES: Readonly<Record<keyof OAuthSettings, string>> = {
  clientId: 'CALLGATE_OAUTH_CLIENT_ID',
  clientSecret: 'CALLGATE_OAUTH_CLIENT_SECRET',
  privateKey: 'CALLGATE_OAUTH_PRIVATE_KEY',
  keyAlgorithm: 'CALLGATE_OAUTH_KEY_ALGORITHM',
  grant: 'CALLGATE_OAUTH_GRANT',
  issuer: 'CALLGATE_OAUTH_ISSUER',
  scope: 'CALLGATE_OAUTH_SCOPE',
  clientMetadataUrl: 'CALLGATE_OAUTH_CLIENT_METADATA_URL',
  callbackPort: 'CALLGATE_OAUTH_CALLBACK_PORT',
};
/** The launcher names here, separated by blanks, the variables it set to start us. */
const LAUNCHER_SET = 'CALLGATE_SET';
/** `CALLGATE_KEPT_NODE_OPTIONS` is the client's NODE_OPTIONS, which the launcher keeps from us but not from the server. */
const KEPT_PREFIX = 'CALLGATE_KEPT_';

/** The header for the broker, or a sentence that says what is wrong with the command line. */
export function parseShimCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): McpLinkHeader | string {
  let server: string | null = null;
  let url: string | null = null;
  let transport: string | null = null;
  let folder = cwd;
  let command: readonly string[] | null = null;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at];
    if (word === '--') {
      command = argv.slice(at + 1);
      break;
    }
    const value = argv[at + 1];
    if (word !== '--server' && word !== '--cwd' && word !== '--url' && word !== '--transport')
      return `callgate mcp does not know ${JSON.stringify(word)}`;
    if (value === undefined || value === '' || value === '--') return `${word} needs a value`;
    if (word === '--server') server = value;
    else if (word === '--cwd') folder = value;
    else if (word === '--transport') transport = value;
    else url = value;
    at++;
  }
  if (server === null) return '--server is missing';
  if (url !== null) {
    if (command !== null) return '--url and a command exclude each other';
    // An address alone names its transport, as in the clients' own configuration.
    const chosen = transport ?? (/^wss?:/i.test(url) ? 'websocket' : 'http');
    if (chosen !== 'http' && chosen !== 'sse' && chosen !== 'websocket') return '--transport must be http, sse or websocket';
    const fault = webAddressFault(chosen, url);
    if (fault !== null) return `--url ${fault}`;
    const headers = headersFrom(env);
    if (typeof headers === 'string') return headers;
    const network = networkFrom(env);
    return {
      protocol: 1,
      server,
      upstream: { transport: chosen, url, headers, cwd: folder, ...(network && { network }), ...oauthFrom(env) },
    };
  }
  if (transport !== null) return '--transport needs --url';
  const [program, ...args] = command ?? [];
  if (program === undefined || program === '') return 'the command of the server is missing after --';
  const named = env[ENTRY_ENV];
  return {
    protocol: 1,
    server,
    upstream: { transport: 'stdio', command: program, args, env: serverEnvironment(env), cwd: folder },
    ...(named === undefined ? {} : { entryEnv: named.split(' ').filter((name) => name !== '') }),
  };
}

/** What is wrong with an address, to be put behind its name; null when nothing is. */
export function webAddressFault(transport: WebUpstreamSpec['transport'], url: string): string | null {
  if (!URL.canParse(url)) return 'is not an address';
  if (transport === 'websocket') return /^wss?:\/\//i.test(url) ? null : 'needs a ws or wss address';
  return /^https?:\/\//i.test(url) ? null : 'needs an http or https address';
}

function oauthFrom(env: Readonly<Record<string, string | undefined>>): { oauth?: OAuthSettings } {
  const found = Object.entries(OAUTH_VARIABLES).flatMap(([name, variable]) => (env[variable] ? [[name, env[variable]] as const] : []));
  return found.length === 0 ? {} : { oauth: Object.fromEntries(found) };
}

function networkFrom(env: Readonly<Record<string, string | undefined>>): Record<string, string> | null {
  const found = NETWORK_VARIABLES.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  return found.length === 0 ? null : Object.fromEntries(found);
}

/** `CALLGATE_HEADER_1="Authorization: Bearer …"`, in the order of their numbers; kept out of argv, which others can read. */
function headersFrom(env: Readonly<Record<string, string | undefined>>): Record<string, string> | string {
  const headers: Record<string, string> = {};
  const names = Object.keys(env).filter((name) => HEADER_VARIABLE.test(name));
  names.sort((a, b) => Number(HEADER_VARIABLE.exec(a)?.[1]) - Number(HEADER_VARIABLE.exec(b)?.[1]));
  for (const variable of names) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(env[variable] ?? '');
    if (!match?.[1]) return `${variable} must hold one header as "Name: value"`;
    headers[match[1]] = match[2] ?? '';
  }
  for (const variable of Object.keys(env).filter((name) => HEADER_FROM_VARIABLE.test(name))) {
    const [, name, scheme = '', source = ''] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ((?:[\x21-\x7e]+ )?)(\S+)$/.exec(env[variable] ?? '') ?? [];
    if (name === undefined) return `${variable} must hold a header and the name of a variable as "Name: VARIABLE"`;
    const value = env[source] ?? '';
    if (value === '') return `the variable ${source}, which holds the header ${name}, is not set`;
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return `the variable ${source} holds what cannot be sent as the header ${name}`;
    headers[name] = scheme + value;
  }
  return headers;
}

/**
 * What the client gave us, minus our own variables and those the launcher set, with those back that it took away. ELECTRON_RUN_AS_NODE goes in any case:
 * with it, every Electron program the server starts would run as a bare Node.
 */
export function serverEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const dropped = new Set(['ELECTRON_RUN_AS_NODE', ...(env[LAUNCHER_SET] ?? '').split(' ')]);
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !name.startsWith(OWN_PREFIX) && !dropped.has(name)) kept[name] = value;
  }
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && name.length > KEPT_PREFIX.length && name.startsWith(KEPT_PREFIX))
      kept[name.slice(KEPT_PREFIX.length)] = value;
  }
  return kept;
}
