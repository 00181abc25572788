/** A hook's standard input, from bytes to a JSON object, or why it is not one. */
import { MAX_PAYLOAD_BYTES } from '#contract/hookReply.ts';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';

export type PayloadProblem = 'EMPTY' | 'OVERSIZE' | 'BOM' | 'NUL' | 'NOT_UTF8' | 'NOT_JSON' | 'TOO_DEEP' | 'UNKNOWN_SHAPE';

export type Payload =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly code: PayloadProblem; readonly reason: string };

/** Nesting that no client produces, but deep enough to exhaust the stack of whatever walks it. */
export const MAX_DEPTH = 200;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function badPayload(code: PayloadProblem, what: string): Payload & { ok: false } {
  return {
    ok: false,
    code,
    reason: `Callgate refused this call because it could not be read: ${what}. Try again; if it happens again, report it to Callgate (${code}).`,
  };
}

export function readPayload(bytes: Uint8Array): Payload {
  if (bytes.length === 0)
    return badPayload('EMPTY', 'the client sent nothing, or the broker stopped answering after it had taken the input');
  if (bytes.length > MAX_PAYLOAD_BYTES) return badPayload('OVERSIZE', `it is larger than ${MAX_PAYLOAD_BYTES} bytes`);
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return badPayload('BOM', 'it begins with a byte order mark');
  if (bytes.includes(0)) return badPayload('NUL', 'it holds a NUL byte');
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return badPayload('NOT_UTF8', 'it is not UTF-8 text');
  }
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    return badPayload('NOT_JSON', 'it is not whole JSON');
  }
  if (!isObject(value)) return badPayload('UNKNOWN_SHAPE', 'it is not a JSON object');
  if (isDeeperThan(value, MAX_DEPTH)) return badPayload('TOO_DEEP', `it is nested more than ${MAX_DEPTH} levels deep`);
  return { ok: true, value };
}

/** Level by level: recursion is what the bound protects from. */
export function isDeeperThan(value: JsonValue, limit: number): boolean {
  let level: JsonValue[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    const next: JsonValue[] = [];
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue;
      for (const member of Object.values(item)) if (typeof member === 'object' && member !== null) next.push(member);
    }
    level = next;
  }
  return false;
}
