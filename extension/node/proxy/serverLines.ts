/** Server → client: answers are matched with requests; what a model or a person could read is judged, the rest passes. */
import type { JsonObject, JsonValue } from '#core/model/json.ts';
import { definitionAnswers } from '#node/proxy/definitions/definitionAnswers.ts';
import { DEFINITION_METHODS } from '#node/proxy/definitions/definitionReview.ts';
import { memberObject, readLine } from '#node/proxy/messages/readLine.ts';
import type { LineLook, Part } from '#node/proxy/messages/readLine.ts';
import { MAX_DEPTH, asRequestId, idKey, sortMessage } from '#node/proxy/messages/sortMessage.ts';
import type { Sorted } from '#node/proxy/messages/sortMessage.ts';
import type { RelayParts } from '#node/proxy/relayParts.ts';
import { resultJudge } from '#node/proxy/results/judgeResult.ts';
import { PLAIN_METHOD, unaskedJudge, type Unasked } from '#node/proxy/results/judgeUnasked.ts';
import { saysSomething, strayMembers } from '#node/proxy/results/readable.ts';
import type { UpstreamEvents } from '#node/proxy/transports/upstream.ts';

/** What only the client's own program acts on: it names things, and quotes no server at length. */
const PROTOCOL_ONLY: ReadonlySet<string> = new Set([
  'ping',
  'roots/list',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
  'notifications/roots/list_changed',
  'notifications/elicitation/complete',
  'notifications/subscriptions/acknowledged',
]);

const MAX_PROGRESS = 1e9;
const NAME = /^\S{0,2000}$/u;

/** Addresses, ids and numbers. */
function namesOnly(value: JsonValue): boolean {
  if (typeof value === 'string') return NAME.test(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, member]) => NAME.test(key) && namesOnly(member as JsonValue));
}

/** `spend`: hears of each message that is judged although nobody asked for it, with its size. */
export function serverLines(parts: RelayParts, spend: (bytes: number) => void): UpstreamEvents['onLine'] {
  const { origin, inFlight, serverAsks, toClient, definitions, log, fail, settled } = parts;
  const name = origin.server;
  const judgeResult = resultJudge(parts);
  const judgeUnasked = unaskedJudge(parts);
  const reviewDefinitions = definitions === null ? null : definitionAnswers(parts, definitions);
  let noise = 0;

  function fromServer(line: Buffer, look: LineLook = readLine(line)): void {
    if (look.kind === 'blank') return;
    if (look.kind === 'unreadable') {
      // Standard output is for protocol only. Passing it on would let a client with a laxer parser read a result
      // that was not judged; clients with a strict one drop it anyway.
      logNoise(look.why);
      if (look.tooMuch) failWaiting(`the MCP server "${name}" sent a message of ${look.why}; ask it for less at a time`);
      return;
    }
    if (look.kind === 'single') {
      handleFromServer(look.part, sortMessage(look.part));
      return;
    }
    const sorted = look.parts.map((part) => ({ part, sorted: sortMessage(part) }));
    if (sorted.length > 0 && sorted.every((member) => member.sorted.kind === 'notification' && passes(member.part, member.sorted))) {
      toClient.push(line);
      return;
    }
    for (const member of sorted) handleFromServer(member.part, member.sorted);
  }

  /** One of those that wait was answered, and nobody knows which. */
  function failWaiting(why: string): void {
    for (const request of inFlight.all()) if (request.stage === 'forwarded') fail(request, why);
  }

  function handleFromServer(part: Part, sorted: Sorted): void {
    switch (sorted.kind) {
      case 'ambiguous': {
        logNoise(sorted.why);
        const request = sorted.id === null ? null : inFlight.find(sorted.id);
        if (request?.stage === 'forwarded')
          fail(request, `the answer of the MCP server "${name}" cannot be read in one way only; the reason is in Callgate's log`);
        return;
      }
      case 'response':
        answerFromServer(part, sorted);
        return;
      case 'cancel':
        serverAsks.get(idKey(sorted.of))?.abort.abort();
        // Its reason may be shown to a person.
        if (saysNothingBeside(part, sorted.message, 'requestId')) toClient.push(part.bytes);
        else hearUnasked(part, sorted);
        return;
      case 'other':
        hearUnasked(part, sorted);
        return;
      default:
        if (sorted.kind === 'notification' && sorted.method === 'notifications/progress') noteProgress(sorted.message);
        if (passes(part, sorted)) toClient.push(part.bytes);
        else hearUnasked(part, sorted);
    }
  }

  function hearUnasked(part: Part, sorted: Unasked): void {
    spend(part.bytes.length);
    judgeUnasked(part, sorted);
  }

  /** Requests and notifications of the server that say nothing to a reader. */
  function passes(part: Part, sorted: Extract<Sorted, { kind: 'notification' | 'request' | 'call' }>): boolean {
    if (sorted.kind === 'call' || part.repeated !== null || part.depth > MAX_DEPTH) return false;
    if (strayMembers(sorted.message, 'params') !== null) return false;
    if (PROTOCOL_ONLY.has(sorted.method) || sorted.method === 'notifications/progress') return namesOnly(sorted.message['params'] ?? null);
    return PLAIN_METHOD.test(sorted.method) && !saysSomething(sorted.message['params'] ?? null);
  }

  function saysNothingBeside(part: Part, message: JsonObject, known: string): boolean {
    if (part.repeated !== null || part.depth > MAX_DEPTH || strayMembers(message, 'params') !== null) return false;
    const { [known]: _known, ...rest } = memberObject(message, 'params');
    return !saysSomething(rest);
  }

  function answerFromServer(part: Part, sorted: Extract<Sorted, { kind: 'response' }>): void {
    if (sorted.id === null) {
      if ('error' in sorted.message && !('result' in sorted.message)) hearUnasked(part, sorted);
      else logNoise('a result without an id');
      return;
    }
    const request = inFlight.find(sorted.id);
    if (request?.stage !== 'forwarded') {
      // Nobody asked, or the call it pretends to answer has not been let through.
      logNoise(`an answer to ${JSON.stringify(sorted.id)}, which is not waiting for one`);
      return;
    }
    if (DEFINITION_METHODS.has(request.method) && !('error' in sorted.message)) {
      if (reviewDefinitions !== null) reviewDefinitions(part, request, sorted.message);
      else if (inFlight.remove(request)) {
        toClient.push(part.bytes);
        settled();
      }
      return;
    }
    judgeResult(part, request, sorted.message);
  }

  function noteProgress(message: JsonObject): void {
    const params = memberObject(message, 'params');
    const token = asRequestId(params['progressToken']);
    const progress = params['progress'];
    const request = token === null ? null : inFlight.findByToken(token);
    // Ours has to be a number, and above it.
    if (request && typeof progress === 'number' && progress > request.progress && progress < MAX_PROGRESS) request.progress = progress;
  }

  function logNoise(why: string): void {
    noise++;
    if (noise <= 20 || noise % 1_000 === 0) log(`${name}: dropped line ${noise} from the server that is no message: ${why}`);
  }

  return fromServer;
}
