/** Client → server: what may pass, what is judged, what is refused. */
import { CLIENT_TIMED_OUT } from '#contract/judgement.ts';
import type { ToolCall } from '#core/model/call.ts';
import type { JsonObject } from '#core/model/json.ts';
import { SECRET_CATEGORY } from '#core/policy/redact.ts';
import { answerWithin } from '#node/proxy/clientLimits.ts';
import { newRequest } from '#node/proxy/inFlight.ts';
import type { Request } from '#node/proxy/inFlight.ts';
import { errorLine, toolErrorLine } from '#node/proxy/messages/answers.ts';
import { callFromMcp, progressTokenOf, readFromMcp } from '#node/proxy/messages/callFromMcp.ts';
import { memberObject, readLine } from '#node/proxy/messages/readLine.ts';
import type { Part } from '#node/proxy/messages/readLine.ts';
import { MAX_DEPTH, sortMessage } from '#node/proxy/messages/sortMessage.ts';
import type { RequestId, Sorted } from '#node/proxy/messages/sortMessage.ts';
import type { RelayParts } from '#node/proxy/relayParts.ts';

/** Models read resources through their client as they call tools, and in clients without hooks nobody else looks at the address. */
const JUDGED_REQUEST = 'resources/read';
/** What it names may be hidden. */
const NAMED_REQUEST = 'prompts/get';
const HELD_CALL = 'Waiting for a person to approve this call in Callgate';

/** `env`: what the client gave the server. */
export function clientLines(parts: RelayParts, env: Readonly<Record<string, string | undefined>>): (line: Buffer) => void {
  const { origin, inFlight, toServer, toClient, askGate, definitions, memory, secrets, policy, client, log, serverGone, settled } = parts;
  const name = origin.server;

  function fromClient(line: Buffer): void {
    const look = readLine(line);
    if (look.kind === 'blank') return;
    if (look.kind === 'unreadable') {
      refuse(null, look.why, look.code);
      return;
    }
    if (look.kind === 'single') {
      handleFromClient(look.part, sortMessage(look.part));
      return;
    }
    if (look.parts.length === 0) {
      refuse(null, 'an empty batch');
      return;
    }
    const sorted = look.parts.map((part) => ({ part, sorted: sortMessage(part) }));
    if (sorted.every((member) => passesUnjudged(member.sorted))) {
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
        if (sorted.kind === 'request' && sorted.method === JUDGED_REQUEST) judgeRead(part, sorted);
        else if (sorted.kind === 'request' && sorted.method === NAMED_REQUEST) getPrompt(part, sorted);
        else if (admit(sorted)) forward(part, sorted);
    }
  }

  /** Remembers a request as owed an answer; false (and told to the client) when its id is taken. */
  function admit(sorted: Sorted): boolean {
    if (sorted.kind !== 'request') return true;
    const params = memberObject(sorted.message, 'params');
    if (sorted.method === 'initialize') client.name = nameOf(params['clientInfo']) ?? client.name;
    const known = sorted.method.startsWith('tasks/') ? memory.task(params['taskId']) : null;
    const request = requestFor(sorted, params, known?.call ?? callFromMcp(sorted.method, params, origin), 'forwarded');
    request.recordedAs = known?.recordedAs ?? null;
    return register(request);
  }

  function requestFor(
    { id, message }: { readonly id: RequestId; readonly message: JsonObject },
    params: JsonObject,
    call: ToolCall,
    stage: Request['stage'],
  ): Request {
    client.name = nameOf(memberObject(params, '_meta')['io.modelcontextprotocol/clientInfo']) ?? client.name;
    const progressToken = progressTokenOf(message);
    const answerWithinMs = answerWithin(client.name, env, progressToken !== null);
    return newRequest({ id, method: String(message['method']), params, call, progressToken, answerWithinMs, stage });
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
    const refused = refusalOf(sorted.tool);
    const round = refused === null ? memory.round(call, sorted.params) : null;
    if (round !== null) {
      const request = requestFor(sorted, sorted.params, call, 'forwarded');
      request.recordedAs = round.recordedAs;
      if (register(request)) toServer.push({ line: secrets.restore(part.bytes), messages: [sorted.message] });
      return;
    }
    judge(part, sorted, requestFor(sorted, sorted.params, call, 'judging'), refused);
  }

  /** A person chose it from a list that may be older than what was decided since. */
  function getPrompt(part: Part, sorted: Extract<Sorted, { kind: 'request' }>): void {
    const refused = refusalOf(String(memberObject(sorted.message, 'params')['name']), 'prompt');
    if (refused !== null) toClient.push(errorLine(sorted.id, -32000, refused));
    else if (admit(sorted)) forward(part, sorted);
  }

  /** Why the call may not go on with the secrets written out; the gate is asked about the placeholders, so that nobody reads them. */
  function badWritten(written: Buffer, sorted: Extract<Sorted, { kind: 'call' | 'request' }>, call: ToolCall): string | null {
    const params = memberObject(JSON.parse(written.toString('utf8')) as JsonObject, 'params');
    const whole = sorted.kind === 'call' ? callFromMcp(sorted.tool, params, origin) : readFromMcp(sorted.method, params, origin);
    const before = new Set(parts.findings(call).map(({ rule }) => rule));
    const bad = parts
      .findings(whole)
      .filter(
        ({ severity, category, rule }) =>
          (severity === 'high' || severity === 'critical') && category !== SECRET_CATEGORY && !before.has(rule),
      );
    if (bad.length === 0) return null;
    const titles = [...new Set(bad.slice(0, 3).map(({ title, rule }) => `${title} (${rule})`))].join('; ');
    return `Callgate refused this call: with the secret written out that a placeholder stands for, it does more than it shows. ${titles}. Ask the user how to go on.`;
  }

  function whyNotWritten(written: Buffer, sorted: Extract<Sorted, { kind: 'call' | 'request' }>, call: ToolCall): string | null {
    try {
      return badWritten(written, sorted, call);
    } catch (error) {
      log(`${name}: a call with its secrets written out could not be looked at: ${error instanceof Error ? error.message : String(error)}`);
      return "Callgate could not look at this call with its secrets written out, and refused it. The reason is in Callgate's log.";
    }
  }

  function refusalOf(tool: string, kind: 'tool' | 'prompt' = 'tool'): string | null {
    try {
      return definitions?.refusal(tool, kind) ?? null;
    } catch (error) {
      log(`${name}: whether "${tool}" is approved could not be told: ${error instanceof Error ? error.message : String(error)}`);
      return `Callgate could not tell whether "${tool}" on "${name}" is approved. The reason is in Callgate's log.`;
    }
  }

  function judgeRead(part: Part, sorted: Extract<Sorted, { kind: 'request' }>): void {
    if (part.repeated !== null) return refuse(sorted.id, `the key ${JSON.stringify(part.repeated.key)} appears twice in one object`);
    if (part.depth > MAX_DEPTH) return refuse(sorted.id, `it is nested deeper than ${MAX_DEPTH} levels`);
    const params = memberObject(sorted.message, 'params');
    const call = readFromMcp(sorted.method, params, origin);
    return judge(part, sorted, requestFor(sorted, params, call, 'judging'), null);
  }

  /** `refusedBefore`: why the call is refused whatever it says; null when the gate decides. */
  function judge(part: Part, sorted: Extract<Sorted, { kind: 'call' | 'request' }>, request: Request, refusedBefore: string | null): void {
    if (!register(request)) return;
    const { call } = request;
    const written = secrets.restore(part.bytes);
    const refused = refusedBefore ?? (written === part.bytes ? null : whyNotWritten(written, sorted, call));
    const slot = toServer.reserve();
    const how = refused !== null ? { refusedBecause: refused } : sorted.kind === 'call' && policy().requireHook ? { needsHook: true } : {};
    void askGate(call, request, { onHeld: slot.release, waiting: HELD_CALL, ...how }).then((judgement) => {
      // What the server says of the tool may have changed while a person was looking at the call.
      const isStale = request.held && sorted.kind === 'call' && refused === null;
      const why = isStale ? refusalOf(sorted.tool) : refused;
      if (request.abort.signal.aborted || serverGone() !== null) {
        slot.settle([]);
      } else if (judgement.outcome === 'delivered' && why === null) {
        request.stage = 'forwarded';
        request.recordedAs = judgement.id;
        request.held = false;
        slot.settle([{ line: written, messages: [sorted.message] }]);
      } else {
        inFlight.remove(request);
        slot.settle([]);
        const reason = why ?? (judgement.reason || `Callgate refused the call of "${call.tool}" on "${name}".`);
        toClient.push(sorted.kind === 'call' ? toolErrorLine(request.id, reason, request.params) : errorLine(request.id, -32000, reason));
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

function nameOf(info: unknown): string | null {
  const name = typeof info === 'object' && info !== null && 'name' in info ? info.name : null;
  return typeof name === 'string' ? name : null;
}

/** Answers of the client among them: what a user or their model says to a request of the server that was judged is their own to say. */
function passesUnjudged(sorted: Sorted): boolean {
  if (sorted.kind === 'request') return sorted.method !== JUDGED_REQUEST && sorted.method !== NAMED_REQUEST;
  return sorted.kind === 'notification' || sorted.kind === 'response' || sorted.kind === 'other';
}
