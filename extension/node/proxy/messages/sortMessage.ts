/** What one JSON-RPC message is. The same for both directions; what to do about it is the relay's business. */
import { isObject } from '#core/model/json.ts';
import type { JsonObject } from '#core/model/json.ts';
import type { Part } from '#node/proxy/messages/readLine.ts';

export type RequestId = string | number;

export type Sorted =
  /** Parsers could disagree about it, or it is not a message at all. `id` is what can be answered. */
  | { readonly kind: 'ambiguous'; readonly id: RequestId | null; readonly why: string }
  | { readonly kind: 'call'; readonly id: RequestId; readonly tool: string; readonly params: JsonObject; readonly message: JsonObject }
  | { readonly kind: 'request'; readonly id: RequestId; readonly method: string; readonly message: JsonObject }
  | { readonly kind: 'cancel'; readonly of: RequestId; readonly message: JsonObject }
  | { readonly kind: 'notification'; readonly method: string; readonly message: JsonObject }
  /** `id` is null for an error about a message whose id could not be read. */
  | { readonly kind: 'response'; readonly id: RequestId | null; readonly message: JsonObject }
  | { readonly kind: 'other'; readonly message: JsonObject };

/** Deeper ones are refused: writing them down again calls a function for each level. */
export const MAX_DEPTH = 500;

const MESSAGE_KEYS = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const CALL_KEYS = new Set(['name', 'arguments', '_meta']);

export function sortMessage(part: Part): Sorted {
  const message = part.value;
  if (!isObject(message)) return { kind: 'ambiguous', id: null, why: 'a message must be a JSON object' };
  const id = asRequestId(message['id']);
  const ambiguous = (why: string): Sorted => ({ kind: 'ambiguous', id, why });

  if (part.repeated?.depth === 1) return { kind: 'ambiguous', id: null, why: `the key ${JSON.stringify(part.repeated.key)} appears twice` };
  const disguised = disguisedKey(message, MESSAGE_KEYS);
  if (disguised !== null) return ambiguous(`the key ${JSON.stringify(disguised)} would be read as another one by some parsers`);

  const method = message['method'];
  if (method === undefined) {
    if (!('result' in message) && !('error' in message)) return { kind: 'other', message };
    if (message['id'] !== null && message['id'] !== undefined && id === null) return ambiguous('an id must be a string or a number');
    return { kind: 'response', id, message };
  }
  if (typeof method !== 'string') return ambiguous('the method must be a string');
  if ('result' in message || 'error' in message) return ambiguous('a message cannot be a request and a response at once');
  if (plainName(method) === 'tools/call') return sortCall(part, message, method, id);

  if (message['id'] !== undefined) {
    if (id === null) return ambiguous('an id must be a string or a number');
    return { kind: 'request', id, method, message };
  }
  if (method === 'notifications/cancelled') {
    const params = message['params'];
    const of = isObject(params) ? asRequestId(params['requestId']) : null;
    if (of !== null) return { kind: 'cancel', of, message };
  }
  return { kind: 'notification', method, message };
}

/** Stricter than the rest: everything in a call is judged, so everything in it must have one reading only. */
function sortCall(part: Part, message: JsonObject, method: string, id: RequestId | null): Sorted {
  const ambiguous = (why: string): Sorted => ({ kind: 'ambiguous', id, why });
  if (method !== 'tools/call') return ambiguous(`the method ${JSON.stringify(method)} could be read as "tools/call"; write it exactly so`);
  if (id === null) return ambiguous('a tools/call needs an id that is a string or a number');
  if (part.repeated !== null) return ambiguous(`the key ${JSON.stringify(part.repeated.key)} appears twice in one object of the call`);
  if (part.depth > MAX_DEPTH) return ambiguous(`its arguments are nested deeper than ${MAX_DEPTH} levels`);
  const params = message['params'];
  if (!isObject(params)) return ambiguous('a tools/call needs a params object');
  const disguised = disguisedKey(params, CALL_KEYS);
  if (disguised !== null) return ambiguous(`the key ${JSON.stringify(disguised)} in params would be read as another one by some parsers`);
  const tool = params['name'];
  if (typeof tool !== 'string' || tool === '') return ambiguous('a tools/call needs params.name, a string');
  return { kind: 'call', id, tool, params, message };
}

/**
 * A key that is not one of `names` but that a lenient parser takes for one: Go's encoding/json ignores case, with
 * U+017F and U+212A as letters; a C string ends at NUL; `__proto__` may become the prototype of a copied object.
 */
function disguisedKey(object: JsonObject, names: ReadonlySet<string>): string | null {
  for (const key of Object.keys(object)) {
    if (names.has(key)) continue;
    if (key === '__proto__' || names.has(plainName(key))) return key.slice(0, 80);
  }
  return null;
}

function plainName(text: string): string {
  const end = text.indexOf('\0');
  return (end === -1 ? text : text.slice(0, end)).trim().toUpperCase().toLowerCase();
}

export function asRequestId(value: unknown): RequestId | null {
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}

/**
 * What two ids have in common when a lenient peer would take them for the same: the TypeScript SDK's client matches
 * answers with `Number(id)`, so `"1"` answers `1`.
 */
export function idKey(id: RequestId): string {
  const number = Number(id);
  return Number.isFinite(number) ? `#${number}` : `"${String(id)}`;
}
