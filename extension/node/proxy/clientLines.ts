/** Client → server: what may pass, what is judged, what is refused. */
import { CLIENT_TIMED_OUT } from '#contract/judgement.ts';
import { errorLine, toolErrorLine } from '#node/proxy/answers.ts';
import { callFromMcp, progressTokenOf } from '#node/proxy/callFromMcp.ts';
import { newRequest } from '#node/proxy/inFlight.ts';
import type { Request } from '#node/proxy/inFlight.ts';
import { memberObject, readLine } from '#node/proxy/readLine.ts';
import type { Part } from '#node/proxy/readLine.ts';
import type { JsonObject } from '#core/model/json.ts';
import type { RelayParts } from '#node/proxy/relayParts.ts';
import { sortMessage } from '#node/proxy/sortMessage.ts';
import type { RequestId, Sorted } from '#node/proxy/sortMessage.ts';

/** Methods whose result is what a tool gave back. `tasks/result` fetches the result of a call made as a task. */
const TOOL_RESULTS: ReadonlySet<string> = new Set(['tools/call', 'tasks/result']);
const HELD_CALL = 'Waiting for a person to approve this call in Callgate';

export function clientLines({
  origin,
  inFlight,
  toServer,
  toClient,
  askGate,
  log,
  serverGone,
  settled,
}: RelayParts): (line: Buffer) => void {
  const name = origin.server;

  function fromClient(line: Buffer): void {
    const look = readLine(line);
    if (look.kind === 'blank') return;
    if (look.kind === 'unreadable') {
      refuse(null, look.why, look.code);
      return;
    }
    const members = look.kind === 'single' ? [look.part] : look.parts;
    if (members.length === 0) {
      refuse(null, 'an empty batch');
      return;
    }
    const sorted = members.map((part) => ({ part, sorted: sortMessage(part) }));
    if (look.kind === 'batch' && sorted.every((member) => passesUnjudged(member.sorted))) {
      const taken = sorted.filter((member) => !admit(member.sorted));
      if (taken.length === 0) {
        toServer.push({ line, messages: sorted.flatMap((member) => ('message' in member.sorted ? [member.sorted.message] : [])) });
        return;
      }
      // Members already admitted must not be admitted twice: go on one by one with those that were not taken.
      for (const member of sorted) if (!taken.includes(member)) forward(member.part, member.sorted);
      return;
    }
    // A batch with something to judge is split: every protocol version accepts single messages.
    for (const member of sorted) handleFromClient(member.part, member.sorted);
  }

  function handleFromClient(part: Part, sorted: Sorted): void {
    switch (sorted.kind) {
      case 'ambiguous':
        refuse(sorted.id, sorted.why);
        return;
      case 'call':
        judgeCall(part, sorted);
        return;
      case 'cancel': {
        const request = inFlight.find(sorted.of);
        if (request) {
          request.abort.abort(isTimeout(sorted.message) ? CLIENT_TIMED_OUT : undefined);
          inFlight.remove(request);
          if (request.stage === 'judging') return;
        }
        forward(part, sorted);
        return;
      }
      default:
        if (admit(sorted)) forward(part, sorted);
    }
  }

  /** Remembers a request as owed an answer; false (and told to the client) when its id is taken. */
  function admit(sorted: Sorted): boolean {
    if (sorted.kind !== 'request') return true;
    const judged = TOOL_RESULTS.has(sorted.method);
    const call = judged ? callFromMcp(sorted.method, memberObject(sorted.message, 'params'), origin) : null;
    return register(newRequest(sorted.id, sorted.method, call, progressTokenOf(sorted.message), 'forwarded'));
  }

  function register(request: Request): boolean {
    const gone = serverGone();
    if (gone !== null) {
      toClient.push(errorLine(request.id, -32000, gone));
      return false;
    }
    if (inFlight.add(request)) return true;
    // Answered without the id: an answer with it would end the first request in the client's eyes.
    refuse(null, `the id ${JSON.stringify(request.id)} belongs to a request that has no answer yet`);
    return false;
  }

  function forward(part: Part, sorted: Sorted): void {
    if ('message' in sorted) toServer.push({ line: part.bytes, messages: [sorted.message] });
  }

  function judgeCall(part: Part, sorted: Extract<Sorted, { kind: 'call' }>): void {
    const call = callFromMcp(sorted.tool, sorted.params, origin);
    const request = newRequest(sorted.id, 'tools/call', call, progressTokenOf(sorted.message), 'judging');
    if (!register(request)) return;
    const slot = toServer.reserve();
    void askGate(call, request, slot.release, HELD_CALL).then((judgement) => {
      if (request.abort.signal.aborted || serverGone() !== null) {
        slot.settle([]);
      } else if (judgement.outcome === 'delivered') {
        request.stage = 'forwarded';
        request.recordedAs = judgement.id;
        request.held = false;
        slot.settle([{ line: part.bytes, messages: [sorted.message] }]);
      } else {
        inFlight.remove(request);
        slot.settle([]);
        toClient.push(toolErrorLine(request.id, judgement.reason || `Callgate refused the call of "${call.tool}" on "${name}".`));
      }
      settled();
    });
  }

  function refuse(id: RequestId | null, why: string, code: -32700 | -32600 = -32600): void {
    log(`${name}: refused a message from the client: ${why}`);
    toClient.push(errorLine(id, code, `Callgate did not forward this message: ${why}.`));
  }

  return fromClient;
}

/** The SDKs say so in words or by their code: MCP has no other way to tell a client that lost patience from one that changed its mind. */
function isTimeout(cancelled: JsonObject): boolean {
  const { reason } = memberObject(cancelled, 'params');
  return typeof reason === 'string' && /\btim(?:ed|e)[ -]?out\b|-32001/i.test(reason);
}

function passesUnjudged(sorted: Sorted): boolean {
  return sorted.kind === 'request' || sorted.kind === 'notification' || sorted.kind === 'response' || sorted.kind === 'other';
}
