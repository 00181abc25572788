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

/** Characters of a result that are judged; matching time grows with the text and the broker serves everybody. */
export const MAX_JUDGED_RESULT = 256 * 1024;

/** Judged by themselves, or never shown to a model. */
const RESULT_FIELDS: ReadonlySet<string> = new Set(['content', 'structuredContent', 'isError', '_meta']);

export interface ResultText {
  readonly args: JsonObject;
  /** True when there is nothing a model could read as text. */
  readonly empty: boolean;
  /** Characters that were left out because the result is too long. */
  readonly unjudged: number;
}

/** Everything in a response that a client shows to the model: text joined over blocks, structured content, error text. */
export function resultText(message: JsonObject): ResultText {
  const pieces: string[] = [];
  const result = message['result'];
  const error = message['error'];
  if (error !== undefined) pieces.push(isObject(error) && typeof error['message'] === 'string' ? error['message'] : '', JSON.stringify(error));
  if (result !== undefined && !isObject(result)) pieces.push(JSON.stringify(result));
  if (isObject(result)) {
    const blocks = result['content'];
    if (Array.isArray(blocks)) for (const block of blocks as readonly JsonValue[]) pieces.push(...blockTexts(block));
    else if (blocks !== undefined) pieces.push(JSON.stringify(blocks));
    // Fields we do not know may be shown too (`toolResult` of the first protocol versions was).
    for (const [key, value] of Object.entries(result)) if (!RESULT_FIELDS.has(key)) pieces.push(JSON.stringify(value));
  }
  const content = pieces.filter((piece) => piece !== '').join('\n');
  const structured = isObject(result) ? result['structuredContent'] : undefined;
  const structuredText = structured === undefined ? '' : JSON.stringify(structured);
  const shownContent = content.slice(0, MAX_JUDGED_RESULT);
  const room = MAX_JUDGED_RESULT - shownContent.length;
  const wholeFits = structuredText.length <= room;
  const args: Record<string, JsonValue> = { content: shownContent };
  if (structured !== undefined) args['structuredContent'] = wholeFits ? structured : structuredText.slice(0, room);
  const unjudged = content.length - shownContent.length + (wholeFits ? 0 : structuredText.length - room);
  return { args, empty: content === '' && structuredText === '', unjudged };
}

function blockTexts(block: JsonValue): string[] {
  if (!isObject(block)) return [JSON.stringify(block)];
  const texts: string[] = [];
  for (const [key, value] of Object.entries(block)) {
    // Base64 of pictures and sounds is no text; a resource's own text and links are.
    if (key === 'type' || key === 'data' || key === 'blob' || key === 'mimeType') continue;
    if (typeof value === 'string') texts.push(value);
    else if (isObject(value)) texts.push(...blockTexts(value));
    else if (Array.isArray(value)) texts.push(JSON.stringify(value));
  }
  return texts;
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
