/** From MCP's `tools/call` to the call the gate judges. Sources of the `_meta` fields: docs of the clients, as recorded from them. */
import type { JsonObject, JsonValue } from '#core/model/json.ts';
import type { ToolCall } from '#core/model/call.ts';
import { memberObject } from '#node/proxy/messages/readLine.ts';
import { asRequestId } from '#node/proxy/messages/sortMessage.ts';
import type { RequestId } from '#node/proxy/messages/sortMessage.ts';

export interface CallOrigin {
  readonly server: string;
  readonly cwd: string;
  /** The client's session when a call does not carry one; empty if unknown. */
  readonly session: string;
}

export function callFromMcp(tool: string, params: JsonObject, origin: CallOrigin): ToolCall {
  const meta = memberObject(params, '_meta');
  return {
    client: 'mcp',
    agent: 'main',
    session: text(memberObject(meta, 'x-codex-turn-metadata')['session_id']) ?? text(meta['threadId']) ?? origin.session,
    useId: text(meta['claudecode/toolUseId']) ?? text(meta['callId']),
    channel: 'mcp',
    tool,
    server: origin.server,
    args: params['arguments'] ?? {},
    cwd: origin.cwd,
  };
}

/** Addresses that lead out of the server. Of others only the server knows what they mean, and their first word is no host. */
const OUTWARD = /^(?:https?|file|wss?|s?ftp|data)$/iu;

/** `resources/read` as a call: its address, or what stands behind a scheme of the server's own. */
export function readFromMcp(method: string, params: JsonObject, origin: CallOrigin): ToolCall {
  const { _meta: meta, ...rest } = params;
  const call = callFromMcp(method, meta === undefined ? {} : { _meta: meta }, origin);
  const { uri, ...others } = rest;
  const [, scheme, resource] = (typeof uri === 'string' ? /^([a-z][a-z0-9+.-]*):\/\/(.*)$/isu.exec(uri) : null) ?? [];
  if (scheme === undefined || resource === undefined || OUTWARD.test(scheme)) return { ...call, args: rest };
  return { ...call, args: { ...others, scheme, resource } };
}

export function progressTokenOf(message: JsonObject): RequestId | null {
  return asRequestId(memberObject(memberObject(message, 'params'), '_meta')['progressToken']);
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
