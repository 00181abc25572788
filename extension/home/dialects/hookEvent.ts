/** What a client's hook payload says, whichever client wrote it. Shapes as recorded from the real clients. */
import type { Channel, ClientId, ToolCall } from '#core/model/call.ts';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import type { Happened } from '#home/dialects/happened.ts';
import { badPayload, isDeeperThan, MAX_DEPTH, type PayloadProblem } from '#home/hookPayload.ts';

export type HookClient = Extract<ClientId, 'claude' | 'codex'>;

/**
 * Who reads the answer. `native`: the client this hook was installed for. `foreign`: another program that loads the
 * same hook files (VS Code and Copilot read Claude's), of whose answers only "refuse" is known to work.
 * `overruling`: Claude in a mode that does not always honour `ask`.
 */
export type Reader = 'native' | 'overruling' | 'foreign';

export type HookEvent =
  | { readonly kind: 'call'; readonly call: ToolCall; readonly reader: Reader }
  /** A settings file of the client changed while it runs. */
  | { readonly kind: 'config'; readonly source: string; readonly file: string; readonly session: string }
  /** Over already: to be written down, and nothing else. */
  | { readonly kind: 'happened'; readonly happened: Happened }
  /** An event that gates nothing. */
  | { readonly kind: 'other'; readonly name: string }
  | { readonly kind: 'bad'; readonly code: PayloadProblem; readonly reason: string };

export const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

/** Events of the known clients that name a tool but run nothing: what they report has been judged already. */
const NOT_BEFORE: ReadonlySet<string> = new Set(
  'posttooluse posttoolusefailure posttoolbatch permissionrequest permissiondenied notification elicitation elicitationresult aftertool aftershellexecution aftermcpexecution afterfileedit'.split(
    ' ',
  ),
);

/** Whether the event must be judged: one that names a tool, unless it is known to run nothing. */
export function isBefore(name: string, namesTool: boolean): boolean {
  const plain = name.toLowerCase().replaceAll(/[^a-z]/g, '');
  return plain === 'pretooluse' || (namesTool && !NOT_BEFORE.has(plain));
}

const BUILT_IN: ReadonlyMap<string, Channel> = new Map<string, Channel>([
  ...['bash', 'shell', 'powershell', 'exec_command', 'run_in_terminal', 'run_terminal_cmd'].map((name) => [name, 'shell'] as const),
  ...['read', 'notebookread', 'view', 'view_image', 'read_file'].map((name) => [name, 'read'] as const),
  ...['write', 'edit', 'multiedit', 'notebookedit', 'apply_patch', 'create', 'create_file', 'edit_file', 'str_replace'].map(
    (name) => [name, 'write'] as const,
  ),
  ...['webfetch', 'web_fetch', 'fetch'].map((name) => [name, 'fetch'] as const),
]);

/** The argument without which a channel's normalizer would find nothing to read. */
const NEEDED: Readonly<Partial<Record<Channel, readonly string[]>>> = {
  shell: ['command'],
  read: ['file_path', 'path'],
  write: ['file_path', 'path', 'notebook_path', 'command', 'patch', 'input'],
  fetch: ['url'],
};

/** A known tool whose arguments have another client's shape is judged as `other`, where every string counts. */
export function channelOf(tool: string, args: JsonValue): Channel {
  const channel = BUILT_IN.get(tool.toLowerCase());
  if (channel === undefined) return 'other';
  const has = isObject(args) && (NEEDED[channel] ?? []).some((key) => typeof args[key] === 'string' && args[key] !== '');
  return has ? channel : 'other';
}

/** `mcp__<server>__<tool>`, for plugins `mcp__plugin_<plugin>_<server>__<tool>`; null for any other name. */
export function mcpName(name: string, declaredServer: string): { server: string; tool: string } | null {
  if (!name.startsWith('mcp__')) return null;
  const rest = name.slice('mcp__'.length);
  // The declared name tells where a server whose own name holds `__` ends. Clients write other characters as `_`.
  const declared = declaredServer.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  const cut = declared !== '' && rest.startsWith(`${declared}__`) ? declared.length : rest.indexOf('__');
  if (cut <= 0 || cut + 2 >= rest.length) return null;
  return { server: declaredServer !== '' && cut === declared.length ? declaredServer : rest.slice(0, cut), tool: rest.slice(cut + 2) };
}

/** Copilot may send its arguments as JSON in a string, which would hide a command behind that string's escapes. */
function unwrapped(args: JsonValue): JsonValue {
  if (typeof args !== 'string' || !/^\s*\{/.test(args)) return args;
  try {
    const value = JSON.parse(args) as JsonValue;
    return isObject(value) && !isDeeperThan(value, MAX_DEPTH) ? value : args;
  } catch {
    return args; // text that only begins like JSON is judged as text
  }
}

/** The call in a payload with `tool_name` and `tool_input`, or in Copilot's own `toolName` and `toolArgs`. */
export function callIn(client: HookClient, payload: JsonObject): ToolCall | null {
  const name = textOf(payload['tool_name']) || textOf(payload['toolName']);
  if (name === '') return null;
  const sent = unwrapped(payload['tool_input'] ?? payload['toolArgs'] ?? payload['toolInput'] ?? payload['input'] ?? null);
  // A shell that takes a bare text or a list of words runs it; rules look for a command by its name.
  const isBare = BUILT_IN.get(name.toLowerCase()) === 'shell' && (typeof sent === 'string' || Array.isArray(sent));
  const args: JsonValue = isBare ? { command: sent } : sent;
  const server = isObject(payload['mcp_server']) ? textOf(payload['mcp_server']['name']) : '';
  const mcp = mcpName(name, server);
  return {
    client,
    agent: textOf(payload['agent_id']) || 'main',
    session: textOf(payload['session_id']) || textOf(payload['sessionId']) || textOf(payload['conversation_id']),
    useId: textOf(payload['tool_use_id']) || textOf(payload['toolUseId']) || null,
    channel: mcp ? 'mcp' : channelOf(name, args),
    tool: mcp ? mcp.tool : name,
    server: mcp ? mcp.server : null,
    args,
    cwd: textOf(payload['cwd']),
  };
}

/** An event that must not be judged, by its name. */
export function otherEvent(happened: Happened | null, name: string): HookEvent {
  return happened === null ? { kind: 'other', name } : { kind: 'happened', happened };
}

export function unknownShape(): HookEvent {
  const { code, reason } = badPayload('UNKNOWN_SHAPE', 'it names neither an event nor a tool');
  return { kind: 'bad', code, reason };
}
