/**
 * The wire between the stdio shim and the relay in the broker: one JSON header line over `mcp.sock`,
 * then the client's MCP bytes one way and the relay's the other, until either side closes.
 */
export type UpstreamSpec =
  | { readonly transport: 'stdio'; readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>>; readonly cwd: string }
  | { readonly transport: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly cwd: string };

export interface McpLinkHeader {
  readonly protocol: 1;
  /** The server's name in the client's config. */
  readonly server: string;
  readonly upstream: UpstreamSpec;
}
