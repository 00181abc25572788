/** Server → client: answers are matched with requests, results of tools are judged, the rest passes. */
import type { ToolCall } from '#core/model/call.ts';
import type { JsonObject } from '#core/model/json.ts';
import { toolErrorLine } from '#node/proxy/answers.ts';
import { resultPieces } from '#node/proxy/callFromMcp.ts';
import type { Request } from '#node/proxy/inFlight.ts';
import { memberObject, readLine } from '#node/proxy/readLine.ts';
import type { Part } from '#node/proxy/readLine.ts';
import type { RelayParts } from '#node/proxy/relayParts.ts';
import { MAX_DEPTH, asRequestId, sortMessage } from '#node/proxy/sortMessage.ts';
import type { Sorted } from '#node/proxy/sortMessage.ts';

const HELD_RESULT = 'Waiting for a person to release this result in Callgate';

export function serverLines({ origin, inFlight, toClient, askGate, log, fail, settled }: RelayParts): (line: Buffer) => void {
  const name = origin.server;
  let noise = 0;

  function fromServer(line: Buffer): void {
    const look = readLine(line);
    if (look.kind === 'blank') return;
    if (look.kind === 'unreadable') {
      // Standard output is for protocol only. Passing it on would let a client with a laxer parser read a result
      // that was not judged; clients with a strict one drop it anyway.
      logNoise(look.why);
      return;
    }
    const members = look.kind === 'single' ? [look.part] : look.parts;
    const sorted = members.map((part) => ({ part, sorted: sortMessage(part) }));
    if (look.kind === 'batch' && sorted.length > 0 && sorted.every((member) => member.sorted.kind === 'notification')) {
      toClient.push(line);
      return;
    }
    for (const member of sorted) handleFromServer(member.part, member.sorted);
  }

  function handleFromServer(part: Part, sorted: Sorted): void {
    if (sorted.kind === 'ambiguous') {
      logNoise(sorted.why);
      const request = sorted.id === null ? null : inFlight.find(sorted.id);
      if (request?.stage === 'forwarded')
        fail(request, `the answer of the MCP server "${name}" cannot be read in one way only: ${sorted.why}`);
      return;
    }
    if (sorted.kind === 'response') {
      answerFromServer(part, sorted);
      return;
    }
    if (sorted.kind === 'notification' && sorted.method === 'notifications/progress') noteProgress(sorted.message);
    toClient.push(part.bytes);
  }

  function answerFromServer(part: Part, sorted: Extract<Sorted, { kind: 'response' }>): void {
    if (sorted.id === null) {
      if ('error' in sorted.message && !('result' in sorted.message)) toClient.push(part.bytes);
      else logNoise('a result without an id');
      return;
    }
    const request = inFlight.find(sorted.id);
    if (request?.stage !== 'forwarded') {
      // Nobody asked, or the call it pretends to answer has not been let through.
      logNoise(`an answer to ${JSON.stringify(sorted.id)}, which is not waiting for one`);
      return;
    }
    if (request.call === null) {
      inFlight.remove(request);
      toClient.push(part.bytes);
      settled();
      return;
    }
    judgeResult(part, request, request.call, sorted);
  }

  function judgeResult(part: Part, request: Request, call: ToolCall, sorted: Extract<Sorted, { kind: 'response' }>): void {
    const slot = toClient.reserve();
    const end = (line: Buffer): void => {
      const wanted = inFlight.remove(request);
      slot.settle(wanted ? [line] : []);
      settled();
    };
    request.stage = 'result';
    // The model must know that the call is done: trying it again would do it twice.
    const withhold = (why: string): void =>
      end(toolErrorLine(request.id, `Callgate withheld the result of "${call.tool}" on "${name}"; the call itself has run. ${why}`));
    const unclear =
      part.depth > MAX_DEPTH
        ? `It is nested deeper than ${MAX_DEPTH} levels.`
        : part.repeated !== null
          ? `It can be read in more than one way: the key ${JSON.stringify(part.repeated.key)} appears twice.`
          : 'result' in sorted.message && 'error' in sorted.message
            ? 'It can be read in more than one way: it is a result and an error at once.'
            : null;
    if (unclear !== null) {
      log(`${name}: withheld a result of "${call.tool}". ${unclear}`);
      withhold(unclear);
      return;
    }
    const pieces = resultPieces(sorted.message);
    if (pieces.length === 0) {
      end(part.bytes);
      return;
    }
    void judgePieces(call, request, slot.release, pieces).then((refusal) => (refusal === null ? end(part.bytes) : withhold(refusal)));
  }

  /** Null when every piece may be delivered, else the reason of the first that may not. */
  async function judgePieces(call: ToolCall, request: Request, release: () => void, pieces: readonly JsonObject[]): Promise<string | null> {
    for (const args of pieces) {
      const judgement = await askGate({ ...call, channel: 'response', args }, request, release, HELD_RESULT);
      request.held = false;
      if (judgement.outcome !== 'delivered') return judgement.reason || 'Ask the user whether you may see it.';
      if (pieces.length > 1) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    return null;
  }

  function noteProgress(message: JsonObject): void {
    const params = memberObject(message, 'params');
    const token = asRequestId(params['progressToken']);
    const progress = params['progress'];
    const request = token === null ? null : inFlight.findByToken(token);
    if (request && typeof progress === 'number' && progress > request.progress) request.progress = progress;
  }

  function logNoise(why: string): void {
    noise++;
    if (noise <= 20 || noise % 1_000 === 0) log(`${name}: dropped line ${noise} from the server that is no message: ${why}`);
  }

  return fromServer;
}
