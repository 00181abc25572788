/** Answers to what the client asked: judged, and by policy held, redacted or replaced when they are bad. */
import type { ToolCall } from '#core/model/call.ts';
import type { Finding } from '#core/model/finding.ts';
import { isObject } from '#core/model/json.ts';
import type { JsonObject, JsonValue } from '#core/model/json.ts';
import { SECRET_CATEGORY } from '#core/policy/redact.ts';
import type { AskGate, Asking } from '#node/proxy/askGate.ts';
import type { Request } from '#node/proxy/inFlight.ts';
import { errorLine, toolErrorLine } from '#node/proxy/messages/answers.ts';
import type { Part } from '#node/proxy/messages/readLine.ts';
import { rewriteJson } from '#node/proxy/messages/rewriteJson.ts';
import { MAX_DEPTH } from '#node/proxy/messages/sortMessage.ts';
import type { RelayParts } from '#node/proxy/relayParts.ts';
import { readablePieces, saysSomething, strayMembers } from '#node/proxy/results/readable.ts';
import { redactions } from '#node/proxy/results/redactResult.ts';

/** Their answer is a tool's result, in which the model is told what happened; elsewhere an error says it. */
const TOOL_RESULTS: ReadonlySet<string> = new Set(['tools/call', 'tasks/result']);
/** What is not in the record as the result of a call, and yet was fetched for a model. Other answers are recorded when something is found. */
const RECORDED: ReadonlySet<string> = new Set([...TOOL_RESULTS, 'resources/read', 'prompts/get']);
/** Asked for at every key press, or again and again: a person is not asked about them, and what is bad is not delivered. */
const UNHELD: ReadonlySet<string> = new Set(['completion/complete', 'tasks/get', 'tasks/list', 'tasks/cancel', 'ping', 'logging/setLevel']);
const HELD_RESULT = 'Waiting for a person to release this result in Callgate';

interface Refusal {
  readonly reason: string;
  readonly findings: readonly Finding[];
  /** Even by policy nothing of it is delivered. */
  readonly blocked: boolean;
}

/** Null when every piece may be delivered, else why the first of the others may not. */
export async function askPieces(
  askGate: AskGate,
  call: ToolCall,
  request: Request,
  pieces: readonly JsonValue[],
  asking: Asking,
): Promise<Refusal | null> {
  for (const args of pieces) {
    const { outcome, reason, decision } = await askGate({ ...call, channel: 'response', args }, request, asking);
    request.held = false;
    if (outcome !== 'delivered')
      return {
        reason: reason || 'Ask the user whether you may see it.',
        findings: decision?.findings ?? [],
        blocked: decision?.verdict !== 'quarantine',
      };
    if (pieces.length > 1) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return null;
}

export function resultJudge(parts: RelayParts): (part: Part, request: Request, message: JsonObject) => void {
  const { origin, inFlight, toClient, askGate, memory, secrets, log, settled } = parts;
  const name = origin.server;

  return (part, request, message) => {
    const { call } = request;
    const slot = toClient.reserve();
    request.stage = 'result';
    const end = (line: Buffer): void => {
      slot.settle(inFlight.remove(request) ? [line] : []);
      settled();
    };
    const isToolResult = TOOL_RESULTS.has(request.method);
    // The model must know that the call is done: trying it again would do it twice.
    const withhold = (why: string): void =>
      end(
        isToolResult
          ? toolErrorLine(
              request.id,
              `Callgate withheld the result of "${call.tool}" on "${name}"; the call itself has run. ${why}`,
              request.params,
            )
          : errorLine(request.id, -32000, `Callgate withheld the answer of "${name}" to ${request.method}. ${why}`),
      );
    const unclear = whyUnclear(part, message);
    if (unclear !== null) {
      log(
        `${name}: withheld a result of "${call.tool}". ${unclear}${part.repeated === null ? '' : ` (${JSON.stringify(part.repeated.key)})`}`,
      );
      withhold(unclear);
      return;
    }
    const key = 'error' in message ? 'error' : 'result';
    const value = message[key] ?? null;
    const deliver = (line: Buffer): void => {
      if (isToolResult && isObject(message['result'])) memory.remember({ call, recordedAs: request.recordedAs }, message['result']);
      end(line);
    };
    const stray = strayMembers(message, key);
    if (!saysSomething(value) && stray === null) {
      deliver(part.bytes);
      return;
    }
    // The state of a task may bring its result along (2026-07-28).
    const isFinal = request.method === 'tasks/get' && isObject(value) && isObject(value['result']);
    const asking: Asking = {
      onHeld: slot.release,
      waiting: HELD_RESULT,
      quiet: !isFinal && !RECORDED.has(request.method),
      quarantined: parts.policy().results === 'hold' && (isFinal || !UNHELD.has(request.method)) ? 'hold' : 'refuse',
    };
    void judge(part, request, key, value, stray, asking).then(
      (outcome) => ('line' in outcome ? deliver(outcome.line) : withhold(outcome.why)),
      (error: unknown) => {
        log(`${name}: a result of "${call.tool}" could not be looked at: ${error instanceof Error ? error.message : String(error)}`);
        withhold('Callgate could not judge it. The reason is in its log.');
      },
    );
  };

  async function judge(
    part: Part,
    request: Request,
    key: 'result' | 'error',
    came: JsonValue,
    stray: JsonObject | null,
    asking: Asking,
  ): Promise<{ readonly line: Buffer } | { readonly why: string }> {
    const policy = parts.policy();
    let { bytes } = part;
    let value = came;
    const change = (edits: ReadonlyMap<string, JsonValue>): boolean => {
      if (edits.size === 0) return false;
      const whole = new Map([...edits].map(([pointer, edit]) => [`/${key}${pointer}`, edit]));
      bytes = Buffer.from(rewriteJson(bytes.toString('utf8'), whole));
      value = (JSON.parse(bytes.toString('utf8')) as JsonObject)[key] ?? null;
      return true;
    };
    if (policy.maskSecrets) {
      const found = parts.findings({ ...request.call, channel: 'response', args: value });
      const edits = secrets.mask(value, found);
      if (edits === null) log(`${name}: too many secrets to mask in results; from now on they are judged as they come`);
      else change(edits);
    }
    if (stray !== null) {
      const refusal = await askPieces(askGate, request.call, request, readablePieces(stray, bytes.length), {
        ...asking,
        quarantined: 'refuse',
      });
      if (refusal !== null) return { why: refusal.reason };
    }
    const refusal = await askPieces(askGate, request.call, request, readablePieces(value, bytes.length), asking);
    if (refusal === null) return { line: bytes };
    if (policy.results !== 'redact' || refusal.blocked) return { why: refusal.reason };
    // First what weighs, so that as much as possible arrives; then everything.
    const heavy = refusal.findings.filter(
      ({ severity, category }) => severity === 'critical' || severity === 'high' || category === SECRET_CATEGORY,
    );
    for (const findings of [heavy, refusal.findings]) {
      if (!change(redactions(value, findings))) continue;
      const again = await askPieces(askGate, request.call, request, readablePieces(value, bytes.length), {
        ...asking,
        quarantined: 'refuse',
        quiet: true,
      });
      if (again === null) return { line: bytes };
      if (again.blocked) break;
    }
    return { why: refusal.reason };
  }
}

/** For the model: the name of a key would be the server's words in our sentence. */
function whyUnclear(part: Part, message: JsonObject): string | null {
  if (part.depth > MAX_DEPTH) return `It is nested deeper than ${MAX_DEPTH} levels.`;
  if (part.repeated !== null) return 'It can be read in more than one way: a key appears twice in it.';
  return 'result' in message && 'error' in message ? 'It can be read in more than one way: it is a result and an error at once.' : null;
}
