/**
 * The wire between the stdio shim and the relay in the broker: one JSON header line over `mcp.sock`, answered by the
 * greeting line; then the client's MCP bytes one way and the relay's lines the other, until either side closes.
 * A shim that hears no greeting has met a broker that hangs and judges by itself.
 */
export const MCP_LINK_GREETING = '{"callgate":"mcp","protocol":1}';
/** First byte of a relay's line that carries the server's stderr, base64 after it. No JSON begins with it. */
export const STDERR_MARK = 0x02;

/** First byte of a relay's line that names the server's process, for a shim that `watches`: it ends it when the broker is killed. */
export const SERVER_MARK = 0x03;

export interface StdioUpstreamSpec {
  readonly transport: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface WebUpstreamSpec {
  /** `http` is Streamable HTTP, which falls back to `sse` (HTTP+SSE of 2024-11-05) when the server knows only that. */
  readonly transport: 'http' | 'sse' | 'websocket';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Those of the client's variables that say how to reach the network: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS. */
  readonly network?: Readonly<Record<string, string>>;
  readonly oauth?: OAuthSettings;
}

/** What a configuration entry says about signing in; a server that registers its clients by itself needs none of it. */
export interface OAuthSettings {
  /** Of a client registered by hand with the authorization server. */
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** Private key (PEM, PKCS#8) that signs client assertions in place of a secret (RFC 7523), and its JWS algorithm. */
  readonly privateKey?: string;
  readonly keyAlgorithm?: string;
  /** `authorization_code`, or `client_credentials`: a program signs in as itself, no person is asked. */
  readonly grant?: string;
  /** The authorization server that the configured client belongs to; without it, the first one that the server names. */
  readonly issuer?: string;
  /** Scopes, separated by blanks, in place of those the server names. */
  readonly scope?: string;
  /** Address of a client metadata document (https), for servers that take one in place of a registration. */
  readonly clientMetadataUrl?: string;
  /** Of the redirect address on 127.0.0.1, for authorization servers that insist on one. */
  readonly callbackPort?: string;
}

export type UpstreamSpec = StdioUpstreamSpec | WebUpstreamSpec;

export interface McpLinkHeader {
  readonly protocol: 1;
  /** The server's name in the client's config. */
  readonly server: string;
  readonly upstream: UpstreamSpec;
  /** Names of the variables that the server's entry in the client's config sets itself; absent when the entry does not say. */
  readonly entryEnv?: readonly string[];
  /** The shim wants to hear of the server's process; older ones would take the line for a message. */
  readonly watches?: true;
}
