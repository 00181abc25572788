/**
 * A window's connection to the broker, written from the contract alone: what the extension's own client sends or
 * swallows cannot hide a fault of the broker from the tests.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { PROTOCOL_VERSION } from '#contract/ipc.ts';
import type { EventName, Events, Hold, RequestName, Requests } from '#contract/ipc.ts';
import { isObject } from '#core/model/json.ts';
import type { JsonObject } from '#core/model/json.ts';
import type { Layout } from '#home/layout.ts';

export interface TestWindow {
  /** @throws Error with the broker's code and message, or when the connection ends before the answer. */
  readonly request: <N extends RequestName>(name: N, params: Requests[N]['params']) => Promise<Requests[N]['result']>;
  readonly on: <N extends EventName>(name: N, listener: (data: Events[N]) => void) => void;
  readonly onHold: (listener: (hold: Hold) => void) => void;
  readonly close: () => void;
}

/** @throws when nobody listens or the broker refuses the greeting. */
export async function openTestWindow(layout: Layout, version: string): Promise<TestWindow> {
  const socket = connect({ path: layout.windowSocket });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const waiting = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }>();
  const listeners: { readonly name: EventName; readonly listener: (data: never) => void }[] = [];
  let last = 0;

  const received = (message: JsonObject): void => {
    if (typeof message['event'] === 'string') {
      for (const { name, listener } of listeners) if (name === message['event']) listener(message['data'] as never);
      return;
    }
    const pending = waiting.get(Number(message['id']));
    waiting.delete(Number(message['id']));
    const error = message['error'];
    if (isObject(error)) pending?.reject(new Error(`${String(error['code'])}: ${String(error['message'])}`));
    else pending?.resolve(message['result']);
  };
  createInterface({ input: socket }).on('line', (line) => {
    const message: unknown = JSON.parse(line);
    if (isObject(message)) received(message);
  });
  // The broker may be killed by a test; whoever waits for an answer is told, the rest is the test's own doing.
  const ended = (error?: Error): void => {
    for (const { reject } of waiting.values()) reject(error ?? new Error('the broker closed the connection'));
    waiting.clear();
  };
  socket.on('error', ended);
  socket.on('close', () => ended());

  const request = <N extends RequestName>(name: N, params: Requests[N]['params']): Promise<Requests[N]['result']> => {
    last += 1;
    const id = last;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      socket.write(`${JSON.stringify({ id, request: name, params })}\n`);
    });
  };
  const on = <N extends EventName>(name: N, listener: (data: Events[N]) => void): void => {
    listeners.push({ name, listener: listener as (data: never) => void });
  };
  const token = readFileSync(layout.windowToken, 'utf8').trim();
  await request('hello', { protocol: PROTOCOL_VERSION, version, token });
  return { request, on, onHold: (listener) => on('hold', listener), close: () => socket.destroy() };
}
