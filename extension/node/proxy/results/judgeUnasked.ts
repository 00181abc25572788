/**
 * What a server says unasked, judged before the client hears it: its requests (sampling, elicitation) and notifications
 * (logging, progress, the state of tasks, and whatever we do not know). Clients hand the former to a model or a person, and
 * some show the latter to theirs.
 */
import type { ToolCall } from '#core/model/call.ts';
import { newRequest } from '#node/proxy/inFlight.ts';
import { errorLine } from '#node/proxy/messages/answers.ts';
import { callFromMcp } from '#node/proxy/messages/callFromMcp.ts';
import { memberObject } from '#node/proxy/messages/readLine.ts';
import type { Part } from '#node/proxy/messages/readLine.ts';
import { MAX_DEPTH, idKey } from '#node/proxy/messages/sortMessage.ts';
import type { RequestId, Sorted } from '#node/proxy/messages/sortMessage.ts';
import type { RelayParts } from '#node/proxy/relayParts.ts';
import { askPieces } from '#node/proxy/results/judgeResult.ts';
import { readablePieces, strayMembers } from '#node/proxy/results/readable.ts';

export type Unasked = Extract<Sorted, { kind: 'notification' | 'request' | 'call' | 'cancel' | 'response' | 'other' }>;

const METHODS = { call: 'tools/call', cancel: 'notifications/cancelled', response: 'error', other: 'message' } as const;
/** What methods look like; other ones are read as words. */
export const PLAIN_METHOD = /^[\w$./-]{1,64}$/u;

/** Of one connection; a server that says more of it is not listened to any more, lest it fill the record and the disk. */
const MOST_WITHHELD = 100;
/** Questions of one server that a person is asked about at once: they take the room of calls that wait. */
const MOST_HELD = 5;

export function unaskedJudge(parts: RelayParts): (part: Part, sorted: Unasked) => void {
  const { origin, serverAsks, toServer, toClient, log, settled } = parts;
  const name = origin.server;
  let withheld = 0;

  return (part, sorted) => {
    const method = 'method' in sorted ? sorted.method : METHODS[sorted.kind];
    // Only requests can be answered, and only they wait for a person: a notification is late or not at all.
    const id: RequestId | null = sorted.kind === 'request' || sorted.kind === 'call' ? sorted.id : null;
    const isPlain = PLAIN_METHOD.test(method);
    const refuse = (why: string): void => {
      withheld++;
      if (withheld <= MOST_WITHHELD)
        log(`${name}: withheld ${id === null ? 'a message' : 'a request'} of the server (${isPlain ? method : 'an odd method'}). ${why}`);
      if (withheld === MOST_WITHHELD) log(`${name}: nothing that the server says unasked is passed on any more`);
      if (id === null) return;
      const line = errorLine(id, -32000, `Callgate did not hand this request to the client. ${why}`);
      toServer.push({ line, messages: [JSON.parse(line.toString('utf8'))] });
    };
    if (withheld >= MOST_WITHHELD) return refuse('Too much of what this server said unasked was withheld.');
    if (part.repeated !== null) return refuse(`The key ${JSON.stringify(part.repeated.key)} appears twice in it.`);
    if (part.depth > MAX_DEPTH) return refuse(`It is nested deeper than ${MAX_DEPTH} levels.`);
    const { message } = sorted;
    const purpose = sorted.kind === 'response' ? 'error' : 'params';
    const stray = strayMembers(message, purpose);
    const odd = isPlain ? [] : [{ method: [method] }];
    const pieces = [message[purpose] ?? null, ...(stray === null ? [] : [stray]), ...odd].flatMap((said) =>
      readablePieces(said, part.bytes.length),
    );
    const params = memberObject(message, 'params');
    if (method === 'elicitation/create' && params['url'] !== undefined && !isWebPage(params['url']))
      return refuse('It asks the user to open an address that is no plain page of the web.');
    // Notes of the server's must not put its words into a session of the client's.
    const call: ToolCall = { ...callFromMcp(isPlain ? method : 'message', {}, origin), channel: 'response' };
    const request = newRequest({ id: id ?? '', method, params, call, progressToken: null, answerWithinMs: null, stage: 'judging' });
    const slot = toClient.reserve();
    const isCrowded = [...serverAsks.values()].filter(({ held }) => held).length >= MOST_HELD;
    if (id !== null) serverAsks.set(idKey(id), request);
    const how = id === null ? ({ quiet: true, quarantined: 'refuse' } as const) : isCrowded ? ({ quarantined: 'refuse' } as const) : {};
    return void askPieces(parts.askGate, call, request, pieces, { onHeld: slot.release, waiting: '', ...how }).then((judgement) => {
      if (id !== null && serverAsks.get(idKey(id)) === request) serverAsks.delete(idKey(id));
      if (judgement === null) slot.settle([part.bytes]);
      else {
        slot.settle([]);
        refuse(judgement.reason);
      }
      settled();
    });
  };
}

/** What a client opens in its user's browser. A name before the host makes people read another host. */
function isWebPage(address: unknown): boolean {
  if (typeof address !== 'string' || !URL.canParse(address)) return false;
  const { protocol, username, password } = new URL(address);
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '';
}
