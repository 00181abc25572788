/** One MCP server entry: how it is wrapped, recognised and unwrapped. */
import type { Node } from 'jsonc-parser';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { isOurs } from '#node/clients/adapter.ts';
import { type Addition, appendChildren, memberOf, members, replaceNode } from '#node/clients/jsonEdit.ts';
import type { Splice } from '#node/clients/splices.ts';

/**
 * `CALLGATE_HEADER_1="Authorization: Bearer …"`: a header for the shim, in the environment because that is where every
 * client expands variables and where no other user can read it. The shim removes them before it starts anything.
 */
const HEADER_ENV = /^CALLGATE_HEADER_(\d+)$/u;

export function isWrapped(entry: JsonValue): boolean {
  if (!isObject(entry) || !Array.isArray(entry['args'])) return false;
  return isOurs(entry['command']) && entry['args'][0] === '--server';
}

/** Whether a wrapped entry starts this very shim: a stranger's file can name another program in a folder called as ours. */
export function startsShim(entry: JsonValue, mcpCommand: string): boolean {
  return isWrapped(entry) && isObject(entry) && entry['command'] === mcpCommand;
}

/** Why an entry cannot run through the shim; null if it can. */
export function whyNot(entry: JsonValue): string | null {
  if (isWrapped(entry) && isObject(entry) && Array.isArray(entry['args'])) {
    const [, , separator, target] = entry['args'] as readonly JsonValue[];
    return (separator === '--' || separator === '--url') && typeof target === 'string' && target !== ''
      ? null
      : 'it starts the Callgate shim without naming a server behind it';
  }
  if (!isObject(entry)) return 'the entry is not an object';
  for (const key of ['oauth', 'headersHelper', 'auth']) {
    if (entry[key] !== undefined) return `the client itself signs in to this server ("${key}"), which a relay cannot do for it`;
  }
  const { command, args, url, headers, env } = entry;
  const strings = (value: JsonValue | undefined): boolean =>
    isObject(value) && Object.values(value).every((item) => typeof item === 'string');
  if (env !== undefined && !isObject(env)) return '"env" is not an object';
  if (command !== undefined && url !== undefined) return 'it has both a command and a url';
  if (command !== undefined) {
    if (typeof command !== 'string' || command === '') return '"command" is not a text';
    return args === undefined || (Array.isArray(args) && args.every((item: JsonValue) => typeof item === 'string'))
      ? null
      : '"args" is not a list of texts';
  }
  if (typeof url !== 'string') return 'it has neither a command nor a url';
  if (!/^(?:https?:|\$\{)/u.test(url)) return 'only http and https urls can be relayed';
  if (entry['type'] === 'ws') return 'WebSocket servers cannot be relayed';
  if (entry['type'] === 'sse') return 'the relay speaks Streamable HTTP, not yet the older SSE transport';
  if (args !== undefined) return 'it has a url and args';
  return headers === undefined || strings(headers) ? null : '"headers" is not an object of texts';
}

/** An address for people: a password or token in it is not for a screen or a log. */
export function shownUrl(url: string): string {
  return url.replace(/^([^/?#]*:\/\/)[^/?#@]*@/u, '$1…@').replace(/\?.*$/su, '?…');
}

const NAMES_SECRET = /^[^/?#]*:\/\/[^/?#@]*@|\?|\$\{/u;

export function wrapEntry(
  text: string,
  node: Node,
  name: string,
  mcpCommand: string,
): { readonly splices: readonly Splice[]; readonly summary: string; readonly warnings: readonly string[] } {
  const command = memberOf(node, 'command');
  if (command) {
    const original = String(command.value.value);
    return {
      splices: wrapStdio(text, node, command.value, ['--server', name, '--', original], mcpCommand),
      summary: `start "${name}" (${original}) through the Callgate shim`,
      warnings: [],
    };
  }
  return wrapUrl(text, node, name, mcpCommand);
}

function wrapStdio(text: string, node: Node, command: Node, lead: readonly string[], mcpCommand: string): readonly Splice[] {
  const args = memberOf(node, 'args')?.value;
  const first = args?.children?.[0];
  const list = lead.map((item) => JSON.stringify(item)).join(', ');
  if (args && first)
    return [replaceNode(text, command, JSON.stringify(mcpCommand)), { at: first.offset, removed: '', inserted: `${list}, ` }];
  if (args) return [replaceNode(text, command, JSON.stringify(mcpCommand)), replaceNode(text, args, `[${list}]`)];
  return [replaceNode(text, command, `${JSON.stringify(mcpCommand)}, "args": [${list}]`)];
}

function wrapUrl(text: string, node: Node, name: string, mcpCommand: string): ReturnType<typeof wrapEntry> {
  const url = memberOf(node, 'url');
  const type = memberOf(node, 'type')?.value;
  const headers = memberOf(node, 'headers');
  const env = memberOf(node, 'env')?.value;
  const splices: Splice[] = [];
  const target = String(url?.value.value ?? '');
  const args = ['--server', name, '--url', target].map((item) => JSON.stringify(item)).join(', ');
  if (url) splices.push(replaceNode(text, url.node, `"command": ${JSON.stringify(mcpCommand)}, "args": [${args}]`));
  if (type) splices.push(replaceNode(text, type, '"stdio"'));
  const taken = members(env)
    .flatMap((member) => HEADER_ENV.exec(member.key)?.[1] ?? [])
    .map(Number);
  const start = Math.max(0, ...taken) + 1;
  const list = members(headers?.value);
  const additions = list.map((header, index): Addition => [
    `CALLGATE_HEADER_${start + index}`,
    `${header.key}: ${String(header.value.value)}`,
  ]);
  if (headers && env) {
    // The client would hand both on; the headers now travel in the environment the entry already has.
    splices.push(replaceNode(text, headers.value, '{}'));
    if (additions.length > 0) splices.push(appendChildren(text, env, additions));
  } else if (headers) {
    splices.push(replaceNode(text, headers.keyNode, '"env"'));
    for (const [index, header] of list.entries()) {
      const [key, value] = additions[index] ?? ['', ''];
      splices.push(replaceNode(text, header.keyNode, JSON.stringify(key)), replaceNode(text, header.value, JSON.stringify(value)));
    }
  }
  const plain = [
    `"${name}": if this server signs you in through the browser, leave it as it is; the client cannot do that through a relay`,
  ];
  const visible = `"${name}": its address becomes an argument, which other users of this machine can see while it runs; if a password or token is part of it, move it into a header`;
  return {
    splices,
    summary: `reach "${name}" (${shownUrl(target)}) through the Callgate shim`,
    warnings: [...(NAMES_SECRET.test(target) ? [visible] : []), ...(list.length === 0 ? plain : [])],
  };
}

/** A wrapped entry of an older installation: only the launcher's path differs. */
export function upgradeEntry(text: string, node: Node, mcpCommand: string): readonly Splice[] {
  const command = memberOf(node, 'command')?.value;
  return command && command.value !== mcpCommand ? [replaceNode(text, command, JSON.stringify(mcpCommand))] : [];
}

/** The entry a wrapped one stands for, later edits of the user kept. `original` restores what wrapping had to drop. */
export function unwrapValue(entry: JsonValue, original: JsonValue): JsonValue {
  if (!isObject(entry) || !Array.isArray(entry['args'])) return entry;
  const before: JsonObject = isObject(original) ? original : {};
  const args: readonly JsonValue[] = entry['args'];
  const separator = args[2] === '--' || args[2] === '--url' ? 2 : -1;
  const target = args[3];
  if (separator < 0 || typeof target !== 'string') return original ?? entry;
  if (args[2] === '--') {
    const rest = args.slice(4);
    const { args: _args, command: _command, ...others } = entry;
    return inOrder({ ...others, command: target, ...(rest.length > 0 || before['args'] !== undefined ? { args: rest } : {}) }, before);
  }
  const { args: _args, command: _command, env, type, headers: _headers, ...others } = entry;
  const carried = Object.entries(isObject(env) ? env : {});
  const headers = carried.flatMap(([key, value]): [string, JsonValue][] => {
    const at = HEADER_ENV.test(key) && typeof value === 'string' ? value.indexOf(': ') : -1;
    return at > 0 ? [[String(value).slice(0, at), String(value).slice(at + 2)]] : [];
  });
  const rest = carried.filter(([key]) => !HEADER_ENV.test(key));
  return inOrder(
    {
      ...others,
      url: target,
      ...(type !== undefined || before['type'] !== undefined ? { type: before['type'] ?? 'http' } : {}),
      ...(headers.length > 0 || before['headers'] !== undefined ? { headers: Object.fromEntries(headers) } : {}),
      ...(rest.length > 0 || before['env'] !== undefined ? { env: Object.fromEntries(rest) } : {}),
    },
    before,
  );
}

/** `value` with the keys of `order` first, in that order. */
function inOrder(value: JsonObject, order: JsonObject): JsonObject {
  const first = Object.keys(order).filter((key) => Object.hasOwn(value, key));
  const keys = [...first, ...Object.keys(value).filter((key) => !first.includes(key))];
  return Object.fromEntries(keys.map((key) => [key, value[key] ?? null]));
}
