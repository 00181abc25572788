/** A scripted stand-in for Anthropic's Messages API, as far as Claude Code uses it (server-sent events). */
import type { ServerResponse } from 'node:http';
import type { JsonObject } from '#core/model/json.ts';
import { arrayAt, callId, listen, objectsAt, placeOfCall, readBody, scenarioIn, textOf, turnOf } from '#kit/model.ts';
import type { Model, ModelOptions, ModelRequest, Scenarios, ToolResult, Turn } from '#kit/model.ts';

/** @throws when no loopback port can be opened. */
export async function startAnthropic(scenarios: Scenarios, options: ModelOptions = {}): Promise<Model> {
  const requests: ModelRequest[] = [];
  const results: ToolResult[] = [];
  const seenCalls = new Set<string>();
  const server = await listen((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const answer = async (): Promise<void> => {
      const body = await readBody(request);
      if (path.endsWith('/count_tokens')) return sendJson(response, 200, { input_tokens: 100 });
      if (!path.endsWith('/v1/messages'))
        return sendJson(response, 404, { type: 'error', error: { type: 'not_found_error', message: `no ${path} here` } });
      const seen = read(body);
      requests.push(seen);
      results.push(...resultsIn(seen, seenCalls));
      // Titles, page summaries and the like come without tools: they are no turn of the scenario.
      const isTurn = seen.tools.length > 0 && seen.scenario !== null;
      if (isTurn) await options.beforeTurn?.(seen.scenario, seen.turn);
      const turn: Turn = isTurn ? turnOf(scenarios, seen.scenario, seen.turn) : [{ say: 'noted' }];
      const message = messageFor(turn, seen);
      if (body['stream'] === true) return sendEvents(response, message);
      return sendJson(response, 200, message);
    };
    answer().catch((error: unknown) =>
      sendJson(response, 400, { type: 'error', error: { type: 'invalid_request_error', message: String(error) } }),
    );
  });
  return { ...server, requests, results };
}

function read(body: JsonObject): ModelRequest {
  const messages = objectsAt(body, 'messages');
  const prompt = messages.find((message) => message['role'] === 'user' && scenarioIn(textOf(message['content'])) !== null);
  return {
    scenario: prompt ? scenarioIn(textOf(prompt['content'])) : null,
    turn: messages.filter((message) => message['role'] === 'assistant').length,
    tools: objectsAt(body, 'tools').map((tool) => String(tool['name'])),
    body,
  };
}

/** Every request carries the whole conversation, and Claude may put reminders of its own behind a result. */
function resultsIn(request: ModelRequest, seenCalls: Set<string>): ToolResult[] {
  if (request.scenario === null) return [];
  const found: ToolResult[] = [];
  for (const block of objectsAt(request.body, 'messages').flatMap((message) => objectsAt(message, 'content'))) {
    if (block['type'] !== 'tool_result') continue;
    const id = String(block['tool_use_id']);
    const place = placeOfCall(id);
    if (!place || seenCalls.has(id)) continue;
    seenCalls.add(id);
    found.push({ scenario: request.scenario, ...place, text: textOf(block['content']), isError: block['is_error'] === true });
  }
  return found;
}

function messageFor(turn: Turn, request: ModelRequest): JsonObject {
  const content = turn.map((step, index): JsonObject => {
    if ('say' in step) return { type: 'text', text: step.say };
    if ('freeform' in step) throw new Error('Anthropic has no freeform tools: use { tool, input }');
    return { type: 'tool_use', id: callId('toolu', request.scenario ?? 'none', request.turn, index), name: step.tool, input: step.input };
  });
  return {
    id: callId('msg', request.scenario ?? 'none', request.turn, 0),
    type: 'message',
    role: 'assistant',
    model: request.body['model'] ?? 'scripted',
    content,
    stop_reason: content.some((block) => block['type'] === 'tool_use') ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 10 },
  };
}

function sendEvents(response: ServerResponse, message: JsonObject): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (type: string, data: JsonObject): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  };
  send('message_start', { message: { ...message, content: [], stop_reason: null } });
  for (const [index, block] of arrayAt(message, 'content').entries()) {
    const content = block as JsonObject;
    const isText = content['type'] === 'text';
    send('content_block_start', { index, content_block: isText ? { type: 'text', text: '' } : { ...content, input: {} } });
    const delta: JsonObject = isText
      ? { type: 'text_delta', text: content['text'] ?? '' }
      : { type: 'input_json_delta', partial_json: JSON.stringify(content['input']) };
    send('content_block_delta', { index, delta });
    send('content_block_stop', { index });
  }
  send('message_delta', { delta: { stop_reason: message['stop_reason'] ?? null, stop_sequence: null }, usage: { output_tokens: 10 } });
  send('message_stop', {});
  response.end();
}

function sendJson(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
