/** A scripted stand-in for OpenAI's Responses API, as far as Codex uses it (server-sent events). */
import type { ServerResponse } from 'node:http';
import type { JsonObject } from '#core/model/json.ts';
import { callId, listen, objectsAt, placeOfCall, readBody, scenarioIn, textOf, turnOf } from '#kit/model.ts';
import type { Model, ModelOptions, ModelRequest, ModelStep, Scenarios, ToolResult } from '#kit/model.ts';

/** @throws when no loopback port can be opened. */
export async function startOpenai(scenarios: Scenarios, options: ModelOptions = {}): Promise<Model> {
  const requests: ModelRequest[] = [];
  const results: ToolResult[] = [];
  const seenCalls = new Set<string>();
  const server = await listen((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const answer = async (): Promise<void> => {
      const body = await readBody(request);
      if (path.endsWith('/models')) return sendJson(response, 200, { models: [], data: [] });
      if (!path.endsWith('/responses')) return sendJson(response, 404, { error: { message: `no ${path} here` } });
      const seen = read(body);
      requests.push(seen);
      results.push(...resultsIn(seen, seenCalls));
      if (seen.scenario !== null) await options.beforeTurn?.(seen.scenario, seen.turn);
      sendEvents(response, seen, turnOf(scenarios, seen.scenario, seen.turn));
    };
    answer().catch((error: unknown) => sendJson(response, 400, { error: { message: String(error) } }));
  });
  return { ...server, requests, results };
}

function read(body: JsonObject): ModelRequest {
  const input = objectsAt(body, 'input');
  let scenario: string | null = null;
  let turn = 0;
  let inTurn = false;
  for (const item of input) {
    const type = String(item['type'] ?? 'message');
    if (item['role'] === 'user') scenario = scenarioIn(textOf(item['content'])) ?? scenario;
    // The calls of one turn stand next to each other, their outputs follow.
    const isCall = type.endsWith('_call');
    if (isCall && !inTurn) turn += 1;
    inTurn = isCall;
  }
  return { scenario, turn, tools: objectsAt(body, 'tools').map((tool) => String(tool['name'] ?? tool['type'])), body };
}

function resultsIn(request: ModelRequest, seenCalls: Set<string>): ToolResult[] {
  const found: ToolResult[] = [];
  for (const item of objectsAt(request.body, 'input')) {
    if (!String(item['type']).endsWith('_output')) continue;
    const id = String(item['call_id']);
    const place = placeOfCall(id);
    if (!place || request.scenario === null || seenCalls.has(id)) continue;
    seenCalls.add(id);
    found.push({ scenario: request.scenario, ...place, text: textOf(item['output']), isError: false });
  }
  return found;
}

function sendEvents(response: ServerResponse, request: ModelRequest, turn: readonly ModelStep[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (type: string, data: JsonObject): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  };
  const id = (prefix: string, step: number): string => callId(prefix, request.scenario ?? 'none', request.turn, step);
  const responseId = id('resp', 0);
  send('response.created', { response: { id: responseId } });
  for (const [index, step] of turn.entries()) {
    const item = itemFor(step, index, id);
    send('response.output_item.added', { output_index: index, item });
    send('response.output_item.done', { output_index: index, item });
  }
  const usage = { input_tokens: 10, input_tokens_details: null, output_tokens: 10, output_tokens_details: null, total_tokens: 20 };
  send('response.completed', { response: { id: responseId, usage } });
  response.end();
}

function itemFor(step: ModelStep, index: number, id: (prefix: string, step: number) => string): JsonObject {
  if ('say' in step)
    return { type: 'message', id: id('msg', index), role: 'assistant', content: [{ type: 'output_text', text: step.say }] };
  if ('freeform' in step)
    return { type: 'custom_tool_call', id: id('ctc', index), call_id: id('call', index), name: step.freeform, input: step.text };
  return {
    type: 'function_call',
    id: id('fc', index),
    call_id: id('call', index),
    name: step.tool,
    ...(step.namespace === undefined ? {} : { namespace: step.namespace }),
    arguments: JSON.stringify(step.input),
  };
}

function sendJson(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
