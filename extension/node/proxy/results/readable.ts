/**
 * What of a server's message a model or a person could read, as arguments to judge. A short value is judged as it is, so that
 * findings point into it; of a long one all texts in pieces: the broker serves everybody, and matching time grows with the text.
 */
import { isUtf8 } from 'node:buffer';
import { isObject } from '#core/model/json.ts';
import type { JsonObject, JsonValue } from '#core/model/json.ts';

/** Characters that are judged at a time. */
const PIECE = 512 * 1024;
/** What stands across the border of two pieces is seen whole in the second. */
const OVERLAP = 4 * 1024;
/** Of binary content the engine reads a beginning; in base64 it lies within these characters. */
const BINARY_HEAD = 32 * 1024;
/** Of the blocks of a long result, which are judged one after another, the ends are also judged side by side. */
const BLOCK_END = 1000;

/** Short identifiers say nothing, as a key or in the place of a kind. */
const PLAIN = /^[\w.$/+-]{0,40}$/;
const PLAIN_KEY = /^[\w.$/-]{0,64}$/;
/** Read by programs only where the protocol has them: at the top of a result. */
const PROTOCOL_KEYS: ReadonlySet<string> = new Set(['resultType', 'nextCursor', 'ttlMs', 'cacheScope']);
const BASE64 = /^[A-Za-z0-9+/_=\r\n-]*$/;

/** The client keeps it for the server and shows it to nobody (2026-07-28). Encoded as it is, it would look like a secret. */
const OPAQUE_KEY = 'requestState';
const hasState = (value: JsonObject): boolean => typeof value[OPAQUE_KEY] === 'string' && value['resultType'] === 'input_required';

/** Whether there is anything to judge in a message's value. */
export function saysSomething(value: JsonValue): boolean {
  if (!isObject(value)) return saysAnything(value);
  for (const key of Object.keys(value)) {
    const member = value[key] as JsonValue;
    if (!PLAIN_KEY.test(key)) return true;
    if (key === OPAQUE_KEY && hasState(value)) continue;
    if (!(PROTOCOL_KEYS.has(key) && typeof member === 'string' && PLAIN.test(member)) && saysAnything(member)) return true;
  }
  return false;
}

/** Deeper names are the server's own, whatever they are called. */
function saysAnything(value: JsonValue): boolean {
  if (typeof value === 'string') return value !== '';
  if (Array.isArray(value)) return (value as readonly JsonValue[]).some(saysAnything);
  return isObject(value) && Object.keys(value).some((key) => !PLAIN_KEY.test(key) || saysAnything(value[key] as JsonValue));
}

interface Texts {
  /** Strings and telling keys in their order. */
  readonly texts: string[];
  /** Contents of `data` and `blob` that are base64, cut to the part that is read. */
  readonly binaries: JsonObject[];
  /** Those that are text, and too long to be read as binary content. */
  readonly decoded: string[];
  /** Plain words where base64 should be: the engine takes them for base64 when a `mimeType` stands beside them. */
  readonly odd: string[];
}

/** Members of a message that stand beside what it is there for; judged too, as nobody knows who reads them. Null when they say nothing. */
export function strayMembers(message: JsonObject, purpose: 'params' | 'result' | 'error'): JsonObject | null {
  let stray: Record<string, JsonValue> | null = null;
  for (const key of Object.keys(message)) {
    if (key === 'jsonrpc' || key === 'id' || key === 'method' || key === purpose) continue;
    const value = message[key] as JsonValue;
    if (!PLAIN_KEY.test(key) || saysSomething(value)) (stray ??= {})[key] = value;
  }
  return stray;
}

/** The pieces to judge one after the other; empty when there is nothing anybody could read. `bytes`: size of the message. */
export function readablePieces(whole: JsonValue, bytes: number): readonly JsonValue[] {
  if (!saysSomething(whole)) return [];
  const value = withoutState(whole);
  const found: Texts = { texts: [], binaries: [], decoded: [], odd: [] };
  collect(value, '', found);
  const { texts, binaries, decoded, odd } = found;
  const beside = [...(odd.length === 0 ? [] : [{ content: odd }]), ...decoded.flatMap(cut).map((content) => ({ content }))];
  if (bytes <= PIECE) return [value, ...beside];
  const ends = texts.map((text) => (text.length <= 2 * BLOCK_END ? text : `${text.slice(0, BLOCK_END)} ${text.slice(-BLOCK_END)}`));
  return [
    ...(texts.length > 0 ? cut(texts.join('\n')) : []).map((content) => ({ content })),
    // A word may be split between two blocks.
    ...(texts.length > 1 ? cut(ends.join('')).map((content) => ({ content })) : []),
    ...binaries.map((content) => ({ content: [content] })),
    ...beside,
  ];
}

function withoutState(value: JsonValue): JsonValue {
  if (!isObject(value) || !hasState(value)) return value;
  const { [OPAQUE_KEY]: _state, ...rest } = value;
  return rest;
}

function collect(value: JsonValue, key: string, into: Texts): void {
  if (typeof value === 'string') {
    if (value !== '' && !((key === 'type' || key === 'mimeType' || key === 'method') && PLAIN.test(value))) into.texts.push(value);
  } else if (Array.isArray(value)) for (const item of value as readonly JsonValue[]) collect(item, '', into);
  else if (isObject(value))
    for (const [name, member] of Object.entries(value)) {
      if (!PLAIN_KEY.test(name)) into.texts.push(name);
      if (typeof member === 'string' && member !== '' && (name === 'data' || name === 'blob') && typeof value['mimeType'] === 'string') {
        if (!BASE64.test(member)) into.odd.push(member);
        else {
          into.binaries.push({ mimeType: value['mimeType'], data: member.slice(0, BINARY_HEAD) });
          const text = member.length > BINARY_HEAD ? textIn(value['mimeType'], member) : null;
          if (text !== null) into.decoded.push(text);
        }
      } else collect(member, name, into);
    }
}

/** Clients that decode a blob for their model do so for texts, of which pictures and sounds have none behind their beginning. */
const NO_TEXT = /^(?:image\/(?!svg)|audio\/|video\/|font\/)/iu;
const TEXT = /^text\/|[/+](?:json|xml|svg|ya?ml|javascript|ecmascript|typescript|toml|csv|markdown|x-sh|sql|graphql)/iu;

function textIn(mimeType: string, base64: string): string | null {
  if (NO_TEXT.test(mimeType)) return null;
  const bytes = Buffer.from(base64, 'base64');
  return TEXT.test(mimeType) || isUtf8(bytes) ? bytes.toString('utf8') : null;
}

function cut(text: string): readonly string[] {
  const pieces: string[] = [];
  for (let from = 0; from < text.length; from += PIECE - OVERLAP) {
    pieces.push(text.slice(from, from + PIECE));
    if (from + PIECE >= text.length) break;
  }
  return pieces;
}
