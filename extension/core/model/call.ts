import type { JsonValue } from '#core/model/json.ts';

/** What kind of effect a call asks for; decides which normalizer reads its arguments. */
export type Channel =
  | 'shell' // a command line
  | 'read' // a path to be read
  | 'write' // a path and new content (Write, Edit, apply_patch)
  | 'fetch' // a URL
  | 'mcp' // an MCP tool call; every string in the arguments counts
  | 'response' // what a tool gave back, before the agent sees it
  | 'definition' // an MCP tool definition, before the agent sees it
  | 'other'; // a tool we do not know: every string in the arguments counts

export const CHANNELS: readonly Channel[] = ['shell', 'read', 'write', 'fetch', 'mcp', 'response', 'definition', 'other'];

/** The program whose wire format the call arrived in. */
export type ClientId = 'claude' | 'codex' | 'mcp' | 'cli';

/** One tool call, in the same shape whichever client asked. */
export interface ToolCall {
  readonly client: ClientId;
  /** `main`, or the client's id of a subagent. */
  readonly agent: string;
  /** The client's session id; empty if it has none. */
  readonly session: string;
  /** The client's id of this call (`toolu_…`, `call_…`); joins hook and relay. Null if it has none. */
  readonly useId: string | null;
  readonly channel: Channel;
  /** The tool's own name: `Bash`, `Read`; for MCP the name on its server, without prefix. */
  readonly tool: string;
  /** The MCP server's name; null for built-in tools. */
  readonly server: string | null;
  /** Arguments exactly as sent. */
  readonly args: JsonValue;
  /** Absolute directory the call would run in; empty if unknown. */
  readonly cwd: string;
}
