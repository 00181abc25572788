/**
 * The smallest model API a client can talk to: it asks for one harmless shell call and keeps what comes back. Loopback
 * only, for the length of one canary run.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { messageOf } from '#node/clients/configError.ts';

/** anthropic: POST …/v1/messages · responses: POST …/responses, the OpenAI Responses API; both as event streams. */
export type ModelApi = 'anthropic' | 'responses';

export interface CanaryModel {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** What the model has been told about the call; null as long as nothing came back. */
  readonly seen: () => ToolAnswer | null;
  /** Whether the client has asked for a turn at all, and what went wrong on the way. */
  readonly asked: () => boolean;
  readonly problems: () => readonly string[];
  readonly close: () => Promise<void>;
}

export interface ToolAnswer {
  readonly text: string;
  /** Anthropic's `is_error`; the Responses API has no such flag, there it is `unknown`. */
  readonly failed: 'yes' | 'no' | 'unknown';
}

const CALL_ID = 'toolu_callgate_canary';
const MAX_REQUEST_BYTES = 32 * 1024 * 1024;
/** Codex's shell tools over its versions, newest first. */
const SHELL_TOOLS: readonly { readonly name: string; readonly args: (command: string) => JsonObject }[] = [
  { name: 'exec_command', args: (command) => ({ cmd: command }) },
  { name: 'shell_command', args: (command) => ({ command }) },
  { name: 'shell', args: (command) => ({ command: ['bash', '-lc', command] }) },
];

export async function startCanaryModel(api: ModelApi, command: string): Promise<CanaryModel> {
  let seen: ToolAnswer | null = null;
  let asked = false;
  const problems: string[] = [];
  const server = createServer((request, response) => {
    readBody(request).then(
      (body) => {
        const path = (request.url ?? '').split('?')[0] ?? '';
        if (api === 'anthropic' && path.endsWith('/v1/messages')) {
          asked = true;
          seen ??= anthropicAnswer(body);
          anthropicTurn(response, body, seen, command);
        } else if (api === 'responses' && path.endsWith('/responses')) {
          asked = true;
          seen ??= responsesAnswer(body);
          const problem = responsesTurn(response, body, seen, command);
          if (problem !== null) problems.push(problem);
        } else reply(response, path.endsWith('/count_tokens') ? 200 : 404, { input_tokens: 1 });
      },
      (error: unknown) => {
        problems.push(`a request of the client could not be read: ${messageOf(error)}`);
        reply(response, 400, { type: 'error' });
      },
    );
  });
  await listen(server);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen: () => seen,
    asked: () => asked,
    problems: () => problems,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });
}

async function readBody(request: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_REQUEST_BYTES) throw new Error(`larger than ${MAX_REQUEST_BYTES} bytes`);
    chunks.push(chunk);
  }
  const raw = Buffer.concat(chunks);
  const limits = { maxOutputLength: MAX_REQUEST_BYTES };
  const encoding = request.headers['content-encoding'];
  const plain = encoding === 'gzip' ? gunzipSync(raw, limits) : encoding === 'zstd' ? zstdDecompressSync(raw, limits) : raw;
  const value = (plain.length === 0 ? {} : JSON.parse(plain.toString('utf8'))) as JsonValue;
  return isObject(value) ? value : {};
}

function reply(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function list(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function plainText(content: JsonValue | undefined): string {
  if (typeof content === 'string') return content;
  return list(content)
    .map((block) => (typeof block['text'] === 'string' ? block['text'] : ''))
    .join('\n');
}

function anthropicAnswer(body: JsonObject): ToolAnswer | null {
  const result = list(body['messages'])
    .flatMap((message) => list(message['content']))
    .find((block) => block['type'] === 'tool_result' && block['tool_use_id'] === CALL_ID);
  return result ? { text: plainText(result['content']), failed: result['is_error'] === true ? 'yes' : 'no' } : null;
}

function anthropicTurn(response: ServerResponse, body: JsonObject, seen: ToolAnswer | null, command: string): void {
  // Clients also ask small side questions (a title, a summary) without tools: those get a word.
  const call = seen === null && list(body['tools']).some((tool) => tool['name'] === 'Bash');
  const block: JsonObject = call ? { type: 'tool_use', id: CALL_ID, name: 'Bash', input: {} } : { type: 'text', text: '' };
  const delta: JsonObject = call
    ? { type: 'input_json_delta', partial_json: JSON.stringify({ command, description: 'Callgate canary' }) }
    : { type: 'text_delta', text: 'done' };
  const stop = call ? 'tool_use' : 'end_turn';
  const message: JsonObject = {
    id: 'msg_callgate',
    type: 'message',
    role: 'assistant',
    model: body['model'] ?? 'canary',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  };
  if (body['stream'] !== true) {
    const content = call ? { ...block, input: { command } } : { type: 'text', text: 'done' };
    return reply(response, 200, { ...message, content: [content], stop_reason: stop });
  }
  stream(response, [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ]);
}

function responsesAnswer(body: JsonObject): ToolAnswer | null {
  const output = list(body['input']).find((item) => item['call_id'] === CALL_ID && String(item['type']).endsWith('_output'));
  if (!output) return null;
  const text =
    typeof output['output'] === 'string' ? output['output'] : plainText(output['output']) || JSON.stringify(output['output'] ?? '');
  return { text, failed: 'unknown' };
}

/** The problem, when the client offers the model no shell tool we know. */
function responsesTurn(response: ServerResponse, body: JsonObject, seen: ToolAnswer | null, command: string): string | null {
  const offered = list(body['tools']).map((tool) => String(tool['name'] ?? tool['type'] ?? ''));
  const tool = seen === null ? SHELL_TOOLS.find((one) => offered.includes(one.name)) : undefined;
  const item: JsonObject = tool
    ? { type: 'function_call', id: 'fc_callgate', call_id: CALL_ID, name: tool.name, arguments: JSON.stringify(tool.args(command)) }
    : { type: 'message', id: 'msg_callgate', role: 'assistant', content: [{ type: 'output_text', text: 'done' }] };
  const usage = { input_tokens: 1, input_tokens_details: null, output_tokens: 1, output_tokens_details: null, total_tokens: 2 };
  stream(response, [
    { type: 'response.created', response: { id: 'resp_callgate' } },
    { type: 'response.output_item.added', output_index: 0, item },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: { id: 'resp_callgate', usage } },
  ]);
  return tool || seen !== null
    ? null
    : `the client offers its model no shell tool that the canary knows (${offered.join(', ') || 'none at all'})`;
}

function stream(response: ServerResponse, events: readonly JsonObject[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(events.map((event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`).join(''));
}
