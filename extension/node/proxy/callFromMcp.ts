/** From MCP's `tools/call` and its result to the call the gate judges. Sources of the `_meta` fields: docs of the clients, as recorded from them. */
import { isObject } from '#core/model/json.ts';
import type { JsonObject, JsonValue } from '#core/model/json.ts';
import type { ToolCall } from '#core/model/call.ts';
import { memberObject } from '#node/proxy/readLine.ts';
import { asRequestId } from '#node/proxy/sortMessage.ts';
import type { RequestId } from '#node/proxy/sortMessage.ts';

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

export function progressTokenOf(message: JsonObject): RequestId | null {
  return asRequestId(memberObject(memberObject(message, 'params'), '_meta')['progressToken']);
}

/** Characters of a result that are judged at a time: the broker serves everybody, and matching time grows with the text. */
const PIECE = 512 * 1024;
/** What stands across the border of two pieces is seen whole in the second. */
const OVERLAP = 4 * 1024;

/** Judged by themselves, or never shown to a model. */
const RESULT_FIELDS: ReadonlySet<string> = new Set(['content', 'structuredContent', 'isError', '_meta']);

/**
 * Everything in a response that a client shows to the model, as arguments to judge one after the other: text joined
 * over blocks, structured content, error text. Empty when there is nothing a model could read.
 */
export function resultPieces(message: JsonObject): readonly JsonObject[] {
  const texts: string[] = [];
  const result = message['result'];
  const error = message['error'];
  if (error !== undefined)
    texts.push(isObject(error) && typeof error['message'] === 'string' ? error['message'] : '', JSON.stringify(error));
  if (result !== undefined && !isObject(result)) texts.push(JSON.stringify(result));
  if (isObject(result)) {
    const blocks = result['content'];
    if (Array.isArray(blocks)) for (const block of blocks as readonly JsonValue[]) texts.push(...blockTexts(block));
    else if (blocks !== undefined) texts.push(JSON.stringify(blocks));
    // Fields we do not know may be shown too (`toolResult` of the first protocol versions was).
    for (const [key, value] of Object.entries(result)) if (!RESULT_FIELDS.has(key)) texts.push(JSON.stringify(value));
  }
  const content = texts.filter((text) => text !== '').join('\n');
  const structured = isObject(result) ? result['structuredContent'] : undefined;
  const structuredText = structured === undefined ? '' : JSON.stringify(structured);
  if (content.length + structuredText.length <= PIECE) {
    return content === '' && structured === undefined
      ? []
      : [{ content, ...(structured === undefined ? {} : { structuredContent: structured }) }];
  }
  return [...cut(content).map((piece) => ({ content: piece })), ...cut(structuredText).map((piece) => ({ structuredContent: piece }))];
}

function cut(text: string): readonly string[] {
  const pieces: string[] = [];
  for (let from = 0; from < text.length; from += PIECE - OVERLAP) {
    pieces.push(text.slice(from, from + PIECE));
    if (from + PIECE >= text.length) break;
  }
  return pieces;
}

/** Base64 of pictures and sounds is no text, nor is a plain word that names a kind; anything else in their place is. */
const NO_TEXT: Readonly<Record<string, RegExp>> = {
  data: /^[A-Za-z0-9+/_=\r\n-]*$/,
  blob: /^[A-Za-z0-9+/_=\r\n-]*$/,
  type: /^[\w-]{0,40}$/,
  mimeType: /^[\w.+/-]{0,100}$/,
};
const PLAIN_KEY = /^[\w.$-]{0,64}$/;

function blockTexts(block: JsonValue): string[] {
  if (!isObject(block)) return [JSON.stringify(block)];
  const texts: string[] = [];
  for (const [key, value] of Object.entries(block)) {
    if (!PLAIN_KEY.test(key)) texts.push(key);
    if (typeof value === 'string') {
      if (!(Object.hasOwn(NO_TEXT, key) && NO_TEXT[key]?.test(value))) texts.push(value);
    } else if (isObject(value)) texts.push(...blockTexts(value));
    else if (Array.isArray(value)) texts.push(JSON.stringify(value));
  }
  return texts;
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
