/** The messages the relay writes itself, as lines. */
import { isObject } from '#core/model/json.ts';
import type { JsonObject, JsonValue } from '#core/model/json.ts';
import type { RequestId } from '#node/proxy/messages/sortMessage.ts';

/** Codes from JSON-RPC 2.0; -32000 is the first one left to implementations. */
export type ErrorCode = -32700 | -32600 | -32602 | -32603 | -32000;

function line(message: JsonValue): Buffer {
  return Buffer.from(`${JSON.stringify(message)}\n`);
}

export function errorLine(id: RequestId | null, code: ErrorCode, message: string): Buffer {
  return line({ jsonrpc: '2.0', id, error: { code, message } });
}

/** Requests of 2026-07-28 name their version themselves, and their results must say that they are complete. */
function isStateless({ _meta: meta }: JsonObject): boolean {
  return isObject(meta) && typeof meta['io.modelcontextprotocol/protocolVersion'] === 'string';
}

/** A refused call is a tool result, not a protocol error: clients hand results to the model, errors often not. */
export function toolErrorLine(id: RequestId, reason: string, params: JsonObject = {}): Buffer {
  // A call that asked to become a task is answered with a task or an error; a result would be read as a broken task.
  if (isObject(params['task'])) return errorLine(id, -32000, reason);
  const result = { content: [{ type: 'text', text: reason }], isError: true };
  return line({ jsonrpc: '2.0', id, result: isStateless(params) ? { resultType: 'complete', ...result } : result });
}

export function progressLine(token: RequestId, progress: number, message: string): Buffer {
  return line({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: token, progress, message } });
}
