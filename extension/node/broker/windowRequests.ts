/** Requests of an editor window, from unknown values to typed parameters. */
import type { IpcErrorCode, JournalStatement, RequestName, Requests, TimelineQuery } from '#contract/ipc.ts';
import { isObject, type JsonObject } from '#core/model/json.ts';
import { VERDICTS } from '#core/model/verdict.ts';
import { parseSettings } from '#home/settings.ts';

export class IpcError extends Error {
  readonly code: IpcErrorCode;

  constructor(code: IpcErrorCode, message: string) {
    super(message);
    this.name = 'IpcError';
    this.code = code;
  }
}

type Parsers = { readonly [N in RequestName]: (params: JsonObject) => Requests[N]['params'] };
export type ParsedRequest = {
  readonly [N in RequestName]: { readonly id: number; readonly name: N; readonly params: Requests[N]['params'] };
}[RequestName];

const MAX_NOTE = 2000;
const MAX_TEXT = 500;
const MAX_PAGE = 500;
/** Tokens of some servers are whole signed documents. */
const MAX_SECRET = 48 * 1024;

const PARSERS: Parsers = {
  hello: (params) => ({
    protocol: numberIn(params, 'protocol'),
    version: textIn(params, 'version', 100),
    token: textIn(params, 'token', 200),
  }),
  ping: () => ({}),
  holds: () => ({}),
  approve: (params) => {
    const scope = params['scope'];
    if (scope !== 'once' && scope !== 'session' && scope !== 'always') throw bad('`scope` must be once, session or always');
    return { id: textIn(params, 'id', 100), scope, note: textIn(params, 'note', MAX_NOTE) };
  },
  reject: (params) => ({ id: textIn(params, 'id', 100), note: textIn(params, 'note', MAX_NOTE) }),
  grants: () => ({}),
  revoke: (params) => ({ id: textIn(params, 'id', 200) }),
  timeline: timelineIn,
  counts: (params) => ({ since: numberIn(params, 'since'), until: numberIn(params, 'until') }),
  verify: () => ({}),
  checkpoint: (params) => ({ seen: statementIn(params['seen']) }),
  status: () => ({}),
  configure: (params) => {
    const { settings, problem } = parseSettings(params);
    if (problem !== null) throw bad(problem);
    return settings;
  },
  retire: () => ({}),
  errand: (params) => ({ id: textIn(params, 'id', 100), value: params['value'] === null ? null : textIn(params, 'value', MAX_SECRET) }),
};

/** The request's number as far as it can be told, for the answer to a malformed one; 0 otherwise. */
export function requestId(value: unknown): number {
  return isObject(value) && typeof value['id'] === 'number' && Number.isSafeInteger(value['id']) ? value['id'] : 0;
}

/** @throws IpcError BAD_REQUEST saying which part is wrong. */
export function parseRequest(value: unknown): ParsedRequest {
  if (value === undefined) throw bad('the line is not JSON');
  if (!isObject(value)) throw bad('a request is a JSON object');
  const id = value['id'];
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1) throw bad('`id` must be a whole number from 1');
  const name = value['request'];
  if (typeof name !== 'string' || !Object.hasOwn(PARSERS, name)) throw bad(`unknown request ${JSON.stringify(name ?? null).slice(0, 60)}`);
  const params = value['params'] ?? {};
  if (!isObject(params)) throw bad('`params` must be a JSON object');
  const known = name as RequestName;
  return { id, name: known, params: PARSERS[known](params) } as ParsedRequest;
}

function timelineIn(params: JsonObject): TimelineQuery {
  const limit = numberIn(params, 'limit');
  if (limit < 1 || limit > MAX_PAGE) throw bad(`\`limit\` must be from 1 to ${MAX_PAGE}`);
  const verdict = params['verdict'];
  const known = VERDICTS.find((name) => name === verdict);
  if (verdict !== undefined && known === undefined) throw bad('`verdict` is unknown');
  return {
    limit,
    ...(known === undefined ? {} : { verdict: known }),
    ...(params['agent'] === undefined ? {} : { agent: textIn(params, 'agent', MAX_TEXT) }),
    ...(params['tool'] === undefined ? {} : { tool: textIn(params, 'tool', MAX_TEXT) }),
    ...(params['session'] === undefined ? {} : { session: textIn(params, 'session', MAX_TEXT) }),
    ...(params['since'] === undefined ? {} : { since: numberIn(params, 'since') }),
    ...(params['until'] === undefined ? {} : { until: numberIn(params, 'until') }),
    ...(params['text'] === undefined ? {} : { text: textIn(params, 'text', MAX_TEXT) }),
    ...(params['before'] === undefined ? {} : { before: numberIn(params, 'before') }),
  };
}

function statementIn(value: unknown): JournalStatement | null {
  if (value === null || value === undefined) return null;
  if (!isObject(value)) throw bad('`seen` must be a JSON object');
  return { count: numberIn(value, 'count'), head: textIn(value, 'head', 64), time: numberIn(value, 'time'), key: textIn(value, 'key', 16) };
}

function numberIn(params: JsonObject, key: string): number {
  const value = params[key];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw bad(`\`${key}\` must be a whole number`);
  return value;
}

function textIn(params: JsonObject, key: string, max: number): string {
  const value = params[key];
  if (typeof value !== 'string' || value.length > max) throw bad(`\`${key}\` must be a text of at most ${max} characters`);
  return value;
}

const bad = (message: string): IpcError => new IpcError('BAD_REQUEST', message);
