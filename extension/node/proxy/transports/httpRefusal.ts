/** What the body of a refused request says about the server and the session. */
import { isObject } from '#core/model/json.ts';
import type { JsonObject } from '#core/model/json.ts';
import { memberObject } from '#node/proxy/messages/readLine.ts';

/** MCP's code for headers that differ from the body. */
const HEADER_MISMATCH = -32020;

/** The body as a JSON-RPC error response; null when it is none. */
export function errorIn(body: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(body);
    if (!isObject(value)) return null;
    const error = memberObject(value, 'error');
    return typeof error['code'] === 'number' && typeof error['message'] === 'string' ? value : null;
  } catch {
    // A page, or nothing.
    return null;
  }
}

/** The headers we made of this request are not those the server reads out of its body. */
export function isHeaderMismatch(body: string): boolean {
  return errorOf(body)['code'] === HEADER_MISMATCH;
}

/** 404 is the rule; before it was written down, servers said 400 and "session" or "not initialized". */
export function isSessionLost(status: number, body: string): boolean {
  if (status === 404) return !isModernError(body);
  return status === 400 && /\bsession\b|not initialized/i.test(String(errorOf(body)['message'] ?? ''));
}

/** An error that only servers give which read the message: a method or version they do not know. */
export function isModernError(body: string): boolean {
  const code = errorOf(body)['code'];
  return typeof code === 'number' && (code === -32601 || code === -32602 || (code <= -32020 && code > -32100));
}

function errorOf(body: string): JsonObject {
  return memberObject(errorIn(body) ?? {}, 'error');
}
