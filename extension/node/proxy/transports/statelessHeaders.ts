/**
 * Headers by which gateways route stateless requests (MCP 2026-07-28) without reading the body. Servers compare them
 * with the body and refuse what differs, so they are made from the very message that is sent.
 */
import { isObject } from '#core/model/json.ts';
import type { JsonObject } from '#core/model/json.ts';
import { memberObject } from '#node/proxy/messages/readLine.ts';

const VERSION = 'io.modelcontextprotocol/protocolVersion';
const MARK = 'x-mcp-header';
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
/** More than any server has; beyond, the oldest are forgotten and the server says which header it misses. */
const MAX_TOOLS = 5_000;
const MAX_DEPTH = 50;

/** The version a request names itself; null for messages of the protocol with sessions. */
export function statelessVersion(messages: readonly JsonObject[]): string | null {
  const message = messages.length === 1 ? messages[0] : undefined;
  if (typeof message?.['method'] !== 'string' || message['method'] === 'initialize') return null;
  const version = memberObject(memberObject(message, 'params'), '_meta')[VERSION];
  return typeof version === 'string' && isHeaderText(version) ? version : null;
}

/** One argument of a tool that the server wants to see in a header. */
interface Mirrored {
  readonly header: string;
  readonly path: readonly string[];
}

export interface ParameterHeaders {
  /** Learns which arguments are mirrored from a tools/list answer. Gives the tools it may not be called with, by name and reason. */
  learn(result: JsonObject): ReadonlyMap<string, string>;
  of(message: JsonObject): Record<string, string>;
}

export function parameterHeaders(): ParameterHeaders {
  const tools = new Map<string, readonly Mirrored[]>();
  return {
    learn(result) {
      const faulty = new Map<string, string>();
      const list = Array.isArray(result['tools']) ? (result['tools'] as unknown[]) : [];
      for (const tool of list) {
        if (!isObject(tool) || typeof tool['name'] !== 'string') continue;
        const found = mirroredIn(memberObject(tool, 'inputSchema'));
        tools.delete(tool['name']);
        if (typeof found === 'string') faulty.set(tool['name'], found);
        else if (found.length > 0) tools.set(tool['name'], found);
        if (tools.size > MAX_TOOLS) for (const oldest of [...tools.keys()].slice(0, 1)) tools.delete(oldest);
      }
      return faulty;
    },
    of(message) {
      const params = memberObject(message, 'params');
      const mirrored = message['method'] === 'tools/call' ? tools.get(String(params['name'])) : undefined;
      const headers: Record<string, string> = {};
      for (const { header, path } of mirrored ?? []) {
        let value: unknown = params['arguments'];
        for (const key of path) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
        if (typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value))
          headers[`mcp-param-${header.toLowerCase()}`] = headerValue(String(value));
      }
      return headers;
    },
  };
}

/**
 * An answer to tools/list, learnt from. A tool whose marks for headers are wrong must not be offered: gateways and server would read its
 * calls differently.
 */
export function withoutFaultyTools(line: string, message: JsonObject, parameters: ParameterHeaders, log: (line: string) => void): string {
  const result = memberObject(message, 'result');
  const faulty = parameters.learn(result);
  if (faulty.size === 0) return line;
  for (const [name, why] of faulty) log(`http: the tool ${JSON.stringify(name)} is left out of the list: ${why}`);
  const tools = (result['tools'] as unknown[]).filter((tool) => !isObject(tool) || !faulty.has(String(tool['name'])));
  return JSON.stringify({ ...message, result: { ...result, tools } });
}

/** What goes with a request of this version; the version itself included. */
export function statelessHeaders(version: string, message: JsonObject, parameters: ParameterHeaders): Record<string, string> {
  const params = memberObject(message, 'params');
  const method = String(message['method']);
  const target = params['name'] ?? params['uri'];
  return {
    ...parameters.of(message),
    'mcp-protocol-version': version,
    // A method is no value that may be encoded; one that fits no header is refused by the server as it should be.
    ...(isHeaderText(method) ? { 'mcp-method': method } : {}),
    ...(typeof target === 'string' ? { 'mcp-name': headerValue(target) } : {}),
  };
}

/** What cannot stand in a header as it is, and what looks as if it were encoded already, goes in base64. */
export function headerValue(text: string): string {
  if (isHeaderText(text) && !(text.startsWith('=?base64?') && text.endsWith('?='))) return text;
  return text === '' ? '' : `=?base64?${Buffer.from(text).toString('base64')}?=`;
}

function isHeaderText(text: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text);
}

/** The mirrored arguments of a tool, or why its definition is invalid. Marks count only on a path of `properties`. */
function mirroredIn(schema: JsonObject): readonly Mirrored[] | string {
  const found: Mirrored[] = [];
  const names = new Set<string>();
  const walk = (node: unknown, path: readonly string[] | null, depth: number): string | null => {
    if (depth > MAX_DEPTH) return null;
    if (Array.isArray(node)) return firstFault(node.map((item: unknown) => () => walk(item, null, depth + 1)));
    if (!isObject(node)) return null;
    const mark = Object.hasOwn(node, MARK) ? node[MARK] : undefined;
    if (mark !== undefined) {
      const where = path === null || path.length === 0 ? 'somewhere else than on a property' : `on ${path.join('.')}`;
      if (path === null || path.length === 0) return `${MARK} stands ${where}`;
      if (typeof mark !== 'string' || !TOKEN.test(mark)) return `${MARK} ${where} is no name of a header`;
      if (!['string', 'integer', 'boolean'].includes(String(node['type'])))
        return `${MARK} stands ${where}, which is no string, integer or boolean`;
      if (names.has(mark.toLowerCase())) return `${MARK} names ${mark} twice`;
      names.add(mark.toLowerCase());
      found.push({ header: mark, path });
    }
    return firstFault(
      Object.entries(node).map(([key, child]) => () => {
        if (key !== 'properties') return isSchemaKey(key) ? walk(child, null, depth + 1) : null;
        if (!isObject(child)) return null;
        return firstFault(
          Object.entries(child).map(
            ([name, property]) =>
              () =>
                walk(property, path === null ? null : [...path, name], depth + 1),
          ),
        );
      }),
    );
  };
  return walk(schema, [], 0) ?? found;
}

function firstFault(steps: readonly (() => string | null)[]): string | null {
  for (const step of steps) {
    const fault = step();
    if (fault !== null) return fault;
  }
  return null;
}

/** Values of these are data, not schemas: a mark in them is none. */
function isSchemaKey(key: string): boolean {
  return !['default', 'const', 'enum', 'examples', 'example', MARK].includes(key);
}
