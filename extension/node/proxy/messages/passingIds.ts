/** Ids of the requests and answers in a line that is only carried on: read from its edges where they are as clients and servers write them. */
import { isObject } from '#core/model/json.ts';
import { asRequestId } from '#node/proxy/messages/sortMessage.ts';
import type { RequestId } from '#node/proxy/messages/sortMessage.ts';

export interface PassingIds {
  readonly requests: readonly RequestId[];
  readonly answers: readonly RequestId[];
}

const NONE: PassingIds = { requests: [], answers: [] };
/** Longer than the edge of any usual message: an id that reaches beyond it is read with the whole line. */
const EDGE = 160;

const ID = String.raw`(\d{1,15}|"[\w-]{1,80}")`;
/** `{"jsonrpc":"2.0","id":1,"method":…`: the Python SDK, and most of what is written by hand. */
const HEAD = new RegExp(String.raw`^\{"jsonrpc":"2\.0","id":${ID},"(method|result|error)":`, 'u');
/** `{"method":…,"jsonrpc":"2.0","id":1}`: the TypeScript SDK. One closing brace, so it is the message's own. */
const FIRST_NAME = /^\{"(method|result|error)":/u;
const TAIL = new RegExp(String.raw`,"jsonrpc":"2\.0","id":${ID}\}\r?\n?$`, 'u');

/**
 * The same as reading the whole line gives, unless it has a name twice, is a request and an answer at once, or no JSON: what the relay
 * refuses. Only who is owed an answer should the broker die depends on it.
 */
export function passingIds(line: Buffer): PassingIds {
  const head = HEAD.exec(line.toString('latin1', 0, EDGE));
  if (head !== null) return idsOf(head[2], head[1]);
  const name = FIRST_NAME.exec(line.toString('latin1', 0, 12));
  const tail = name === null ? null : TAIL.exec(line.toString('latin1', Math.max(0, line.length - EDGE)));
  if (name !== null && tail !== null) return idsOf(name[1], tail[1]);
  return parsedIds(line);
}

function idsOf(name: string | undefined, written: string | undefined): PassingIds {
  const id = JSON.parse(written ?? 'null') as RequestId;
  return name === 'method' ? { requests: [id], answers: [] } : { requests: [], answers: [id] };
}

function parsedIds(line: Buffer): PassingIds {
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch {
    return NONE; // the relay is the one to refuse it
  }
  const requests: RequestId[] = [];
  const answers: RequestId[] = [];
  for (const message of Array.isArray(value) ? (value as unknown[]) : [value]) {
    if (!isObject(message)) continue;
    const id = asRequestId(message['id']);
    if (id === null) continue;
    if (typeof message['method'] === 'string') requests.push(id);
    if ('result' in message || 'error' in message) answers.push(id);
  }
  return { requests, answers };
}
