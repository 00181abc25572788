/**
 * What the scripted stand-ins for the model APIs have in common: a scenario is a list of turns, a turn the list of
 * things the model says or calls. A stand-in keeps no state between requests: the scenario is named in the prompt
 * (`SCENARIO=<name>`) and the turn is the number of assistant turns the request already carries, so subagents,
 * retries and several agents at once need no care.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { isObject } from '#core/model/json.ts';
import type { JsonObject, JsonValue } from '#core/model/json.ts';

/** `say`: plain text · `tool`: a call with JSON arguments · `freeform`: a call with a bare text (Codex' apply_patch). */
export type ModelStep =
  | { readonly say: string }
  | { readonly tool: string; readonly input: JsonObject; /** Codex names MCP tools in two parts. */ readonly namespace?: string }
  | { readonly freeform: string; readonly text: string };

export type Turn = readonly ModelStep[];
/** Read anew for every request: a test may add scenarios while the stand-in runs. */
export type Scenarios = Record<string, readonly Turn[]>;

/** What the model was told about one of its calls. */
export interface ToolResult {
  readonly scenario: string;
  /** Turn of the call, from 0. */
  readonly turn: number;
  /** Place of the call in its turn, from 0. */
  readonly step: number;
  readonly text: string;
  /** Codex does not say; then false. */
  readonly isError: boolean;
}

export interface ModelRequest {
  readonly scenario: string | null;
  readonly turn: number;
  /** Names of the tools offered. */
  readonly tools: readonly string[];
  readonly body: JsonObject;
}

export interface ModelOptions {
  /** Awaited before a turn of a scenario is answered: a test changes the world here, between two calls of one conversation. */
  readonly beforeTurn?: (scenario: string, turn: number) => Promise<void> | void;
}

export interface Model {
  readonly port: number;
  readonly requests: readonly ModelRequest[];
  /** Every tool result the model saw, each once, in order. */
  readonly results: readonly ToolResult[];
  readonly stop: () => Promise<void>;
}

/** Ids carry the place of the call, so that a result finds its way back without any state. */
export function callId(prefix: string, scenario: string, turn: number, step: number): string {
  serial += 1;
  return `${prefix}_${serial}_${turn}_${step}_${scenario.replaceAll(/[^\w-]/g, '-')}`;
}
let serial = 0;

export function placeOfCall(id: string): { readonly turn: number; readonly step: number } | null {
  const match = /^[a-z]+_\d+_(\d+)_(\d+)_/.exec(id);
  return match ? { turn: Number(match[1]), step: Number(match[2]) } : null;
}

export function scenarioIn(text: string): string | null {
  return /SCENARIO=([\w.-]+)/.exec(text)?.[1] ?? null;
}

/** The turn to play; a finished or unknown scenario ends the conversation. */
export function turnOf(scenarios: Scenarios, scenario: string | null, turn: number): Turn {
  if (scenario === null || scenarios[scenario] === undefined) return [{ say: 'noted' }];
  return scenarios[scenario][turn] ?? [{ say: `finished ${scenario}` }];
}

/** All strings in a value, joined: how both APIs spread text over parts. */
export function textOf(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => textOf(item)).join('\n');
  if (isObject(value)) return textOf(value['text'] ?? value['content'] ?? value['output'] ?? '');
  return '';
}

export function arrayAt(object: JsonObject, key: string): readonly JsonValue[] {
  const value = object[key];
  return Array.isArray(value) ? value : [];
}

export function objectsAt(object: JsonObject, key: string): readonly JsonObject[] {
  return arrayAt(object, key).filter(isObject);
}

export async function readBody(request: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  let bytes = Buffer.concat(chunks);
  const encoding = request.headers['content-encoding'];
  if (encoding === 'gzip') bytes = gunzipSync(bytes);
  if (encoding === 'zstd') bytes = zstdDecompressSync(bytes);
  if (bytes.length === 0) return {};
  const parsed: unknown = JSON.parse(bytes.toString('utf8'));
  return isObject(parsed) ? parsed : {};
}

/** @throws when no loopback port can be opened. */
export async function listen(
  handler: RequestListener,
  server: Server | SecureServer = createServer(),
): Promise<{ readonly port: number; readonly stop: () => Promise<void> }> {
  server.on('request', handler);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const stop = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, stop };
}
