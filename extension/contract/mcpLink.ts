/**
 * The wire between the stdio shim and the relay in the broker: one JSON header line over `mcp.sock`, answered by the
 * greeting line; then the client's MCP bytes one way and the relay's lines the other, until either side closes.
 * A shim that hears no greeting has met a broker that hangs and judges by itself.
 */
export const MCP_LINK_GREETING = '{"callgate":"mcp","protocol":1}';
/** First byte of a relay's line that carries the server's stderr, base64 after it. No JSON begins with it. */
export const STDERR_MARK = 0x02;

export type UpstreamSpec =
  | {
      readonly transport: 'stdio';
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly cwd: string;
    }
  | { readonly transport: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly cwd: string };

export interface McpLinkHeader {
  readonly protocol: 1;
  /** The server's name in the client's config. */
  readonly server: string;
  readonly upstream: UpstreamSpec;
}
