/**
 * What a server must be told again when it begins anew: the client's `initialize`, and what it has set since. The
 * client knows nothing of it, so the repeated messages have ids of our own and their answers stay here.
 */
import { randomBytes } from 'node:crypto';
import { isObject } from '#core/model/json.ts';
import type { JsonObject } from '#core/model/json.ts';
import { memberObject } from '#node/proxy/messages/readLine.ts';
import { asRequestId, idKey } from '#node/proxy/messages/sortMessage.ts';
import type { Outbound } from '#node/proxy/transports/upstream.ts';

/** Subscriptions repeated; further ones are lost with the server. */
const MAX_KEPT = 500;

export interface Repeated extends Outbound {
  /** Of the answer to await; null for a notification. */
  readonly id: string | null;
}

export interface Handshake {
  /** To be told of every message on its way to the server. */
  sent(messages: readonly JsonObject[]): void;
  /** To be told of every answer of the server. True when it is the one to the client's `initialize`. */
  answered(message: JsonObject): boolean;
  /** The protocol version agreed on; null as long as the client has no answer to an `initialize`. */
  version(): string | null;
  /** The first is `initialize`, if the client sent one. Ids are new each time. */
  repeat(): readonly Repeated[];
  /** The client's question for the list of tools, or for a page of it; null when it has not asked. */
  list(cursor: string | null): Repeated | null;
  /** Null when the new beginning is like the first, else what is other. */
  difference(answer: JsonObject): string | null;
  /** What tells the client to list anew. */
  listChanged(): readonly Buffer[];
}

export function handshake(): Handshake {
  const prefix = `callgate-${randomBytes(6).toString('hex')}-`;
  let count = 0;
  let initialize: JsonObject | null = null;
  let initializeKey: string | null = null;
  let agreed: JsonObject | null = null;
  let initialized: JsonObject | null = null;
  let listing: JsonObject | null = null;
  /** Settings of the session, by what they set. */
  const kept = new Map<string, JsonObject>();

  function note(message: JsonObject): void {
    const method = message['method'];
    const uri = String(memberObject(message, 'params')['uri']);
    if (method === 'initialize') {
      const id = asRequestId(message['id']);
      if (id === null) return;
      initialize = message;
      initializeKey = idKey(id);
      agreed = null;
      initialized = null;
      listing = null;
      kept.clear();
    } else if (method === 'tools/list') listing = message;
    else if (method === 'notifications/initialized') initialized = message;
    else if (method === 'logging/setLevel') kept.set('level', message);
    else if (method === 'resources/subscribe' && kept.size < MAX_KEPT) kept.set(`resource ${uri}`, message);
    else if (method === 'resources/unsubscribe') kept.delete(`resource ${uri}`);
  }

  const repeated = (message: JsonObject): Repeated => {
    const id = message['id'] === undefined ? null : `${prefix}${++count}`;
    const copy: JsonObject = id === null ? message : { ...message, id };
    return { id, messages: [copy], line: Buffer.from(`${JSON.stringify(copy)}\n`) };
  };

  return {
    sent: (messages) => messages.forEach(note),
    answered(message) {
      const id = asRequestId(message['id']);
      if (id === null || idKey(id) !== initializeKey || !isObject(message['result'])) return false;
      agreed = message['result'];
      return true;
    },
    version: () => versionOf(agreed),
    repeat: () => [initialize, initialized, ...kept.values()].filter((message) => message !== null).map(repeated),
    list(cursor) {
      if (listing === null) return null;
      const { cursor: _cursor, _meta: meta, ...params } = memberObject(listing, 'params');
      const { progressToken: _token, ...notes } = isObject(meta) ? meta : {};
      const asked = { ...params, ...(meta === undefined ? {} : { _meta: notes }), ...(cursor === null ? {} : { cursor }) };
      return repeated({ ...listing, params: asked });
    },
    difference(answer) {
      const result = answer['result'];
      if (!isObject(result)) return `it refused to begin anew: ${JSON.stringify(answer['error'] ?? null).slice(0, 200)}`;
      if (versionOf(result) !== versionOf(agreed))
        return `it speaks another protocol version now (${versionOf(result) ?? 'none'}, before: ${versionOf(agreed) ?? 'none'})`;
      return null;
    },
    listChanged() {
      const capabilities = memberObject(agreed ?? {}, 'capabilities');
      return ['tools', 'prompts', 'resources']
        .filter((kind) => isObject(capabilities[kind]))
        .map((kind) => Buffer.from(`${JSON.stringify({ jsonrpc: '2.0', method: `notifications/${kind}/list_changed` })}\n`));
    },
  };
}

function versionOf(result: JsonObject | null): string | null {
  const version = result?.['protocolVersion'];
  return typeof version === 'string' ? version : null;
}
