/** One MCP server entry: how it is wrapped, recognised and unwrapped. */
import type { Node } from 'jsonc-parser';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { isOurs } from '#node/clients/adapter.ts';
import { type Addition, appendChildren, memberOf, members, replaceNode } from '#node/clients/jsonEdit.ts';
import {
  ENTRY_ENV,
  entryEnv,
  type EntryShape,
  OAUTH_SCOPE_ENV,
  readEntry,
  scopesOf,
  type Transport,
  variableNames,
} from '#node/clients/mcp/mcpFile.ts';
import type { Splice } from '#node/clients/splices.ts';

/**
 * `CALLGATE_HEADER_1="Authorization: Bearer …"`: a header for the shim, in the environment because that is where every
 * client expands variables and where no other user can read it. The shim removes them before it starts anything.
 */
export const HEADER_ENV = /^CALLGATE_HEADER_(\d+)$/u;

export function isWrapped(entry: JsonValue): boolean {
  if (!isObject(entry) || !Array.isArray(entry['args'])) return false;
  return isOurs(entry['command']) && entry['args'][0] === '--server';
}

/** Whether a wrapped entry starts this very shim: a stranger's file can name another program in a folder called as ours. */
export function startsShim(entry: JsonValue, mcpCommand: string): boolean {
  return isWrapped(entry) && isObject(entry) && entry['command'] === mcpCommand;
}

export type Wrapped =
  | { readonly kind: 'program'; readonly command: string; readonly args: readonly JsonValue[] }
  | { readonly kind: 'address'; readonly url: string; readonly transport: string | null };

/** What a wrapped entry starts; null when it names nothing behind the shim. */
export function wrappedTarget(entry: JsonValue): Wrapped | null {
  if (!isObject(entry) || !Array.isArray(entry['args'])) return null;
  const [, , separator, target, ...rest] = entry['args'] as readonly JsonValue[];
  if (typeof target !== 'string' || target === '') return null;
  if (separator === '--') return { kind: 'program', command: target, args: rest };
  if (separator !== '--url') return null;
  const at = rest.indexOf('--transport');
  return { kind: 'address', url: target, transport: at === -1 ? null : String(rest[at + 1] ?? '') };
}

/** Why an entry cannot run through the shim; null if it can. */
export function whyNot(entry: JsonValue, shape: EntryShape): string | null {
  if (isWrapped(entry)) return wrappedTarget(entry) === null ? 'it starts the Callgate shim without naming a server behind it' : null;
  const read = readEntry(entry, shape);
  return read.kind === 'left' ? read.reason : null;
}

/** How an entry is reached, for people. */
export function shownTarget(entry: JsonValue, shape: EntryShape): string {
  if (!isObject(entry)) return '';
  const address = Object.keys(shape.addresses).find((key) => typeof entry[key] === 'string');
  return address === undefined ? String(entry['command'] ?? '') : shownUrl(String(entry[address]));
}

/** An address for people: a password or token in it is not for a screen or a log. */
export function shownUrl(url: string): string {
  return url.replace(/^([^/?#]*:\/\/)[^/?#@]*@/u, '$1…@').replace(/\?.*$/su, '?…');
}

const NAMES_SECRET = /^[^/?#]*:\/\/[^/?#@]*@|\?|\$/u;

/** What wrapping an address means beside the edit. `signedIn`: the entry brings what the server wants to see. */
export function addressWarnings(name: string, url: string, signedIn: boolean): readonly string[] {
  const visible = `"${name}": its address becomes an argument, which other users of this machine can see while it runs; if a password or token is part of it, move it into a header`;
  const again = `"${name}": if this server asks you to sign in, you will be asked once more, by Callgate`;
  return [...(NAMES_SECRET.test(url) ? [visible] : []), ...(signedIn ? [] : [again])];
}

export function addressArguments(name: string, url: string, transport: Transport | null): readonly string[] {
  return ['--server', name, '--url', url, ...(transport === null ? [] : ['--transport', transport])];
}

interface Wrap {
  readonly splices: readonly Splice[];
  readonly summary: string;
  readonly warnings: readonly string[];
}

/** @param node an entry that `whyNot` has nothing against */
export function wrapEntry(text: string, node: Node, entry: JsonValue, name: string, mcpCommand: string, shape: EntryShape): Wrap {
  const read = readEntry(entry, shape);
  if (read.kind === 'program') {
    const told = read.variables === null ? null : entryEnv(read.variables);
    return {
      splices: wrapProgram(text, node, ['--server', name, '--', read.command], mcpCommand, told),
      summary: `start "${name}" (${read.command}) through the Callgate shim`,
      warnings:
        told === null ? [`"${name}": its variables come from a file too, so model API keys it inherits are not withheld from it`] : [],
    };
  }
  const scopes = scopesOf(isObject(entry) && isObject(entry['oauth']) ? entry['oauth']['scopes'] : undefined);
  if (read.kind === 'address') return wrapAddress(text, node, name, { ...read, scopes }, mcpCommand, shape);
  return { splices: [], summary: '', warnings: [read.reason] };
}

function wrapProgram(text: string, node: Node, lead: readonly string[], mcpCommand: string, told: string | null): readonly Splice[] {
  const command = memberOf(node, 'command')?.value;
  const args = memberOf(node, 'args')?.value;
  const first = args?.children?.[0];
  const list = lead.map((item) => JSON.stringify(item)).join(', ');
  if (!command) return [];
  const env = memberOf(node, 'env')?.value;
  const added = told !== null && !env ? `, "env": ${JSON.stringify({ [ENTRY_ENV]: told })}` : '';
  const named = told !== null && env ? nameVariables(text, env, told) : [];
  const start = replaceNode(text, command, JSON.stringify(mcpCommand));
  if (!args) return [{ ...start, inserted: `${start.inserted}, "args": [${list}]${added}` }, ...named];
  if (!first) return [start, replaceNode(text, args, `[${list}]${added}`), ...named];
  const behind = { at: args.offset + args.length, removed: '', inserted: added };
  return [start, { at: first.offset, removed: '', inserted: `${list}, ` }, ...(added === '' ? [] : [behind]), ...named];
}

/** Tells the shim which variables the entry itself sets. */
function nameVariables(text: string, env: Node, told: string): readonly Splice[] {
  const there = memberOf(env, ENTRY_ENV)?.value;
  if (there) return there.value === told ? [] : [replaceNode(text, there, JSON.stringify(told))];
  return [appendChildren(text, env, [[ENTRY_ENV, told]])];
}

function wrapAddress(
  text: string,
  node: Node,
  name: string,
  read: { readonly key: string; readonly url: string; readonly transport: Transport | null; readonly scopes: string | null },
  mcpCommand: string,
  shape: EntryShape,
): Wrap {
  const address = memberOf(node, read.key);
  const type = shape.typeKeys.map((key) => memberOf(node, key)?.value).find((value) => value !== undefined);
  const headers = memberOf(node, shape.headerKey);
  const env = memberOf(node, 'env')?.value;
  const splices: Splice[] = [];
  const args = addressArguments(name, read.url, read.transport)
    .map((item) => JSON.stringify(item))
    .join(', ');
  const more: readonly Addition[] = read.scopes === null ? [] : [[OAUTH_SCOPE_ENV, read.scopes]];
  const added = more.length > 0 && !env && !headers ? `, "env": ${JSON.stringify(Object.fromEntries(more))}` : '';
  if (address) splices.push(replaceNode(text, address.node, `"command": ${JSON.stringify(mcpCommand)}, "args": [${args}]${added}`));
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
    if (additions.length + more.length > 0) splices.push(appendChildren(text, env, [...additions, ...more]));
  } else if (headers) {
    splices.push(replaceNode(text, headers.keyNode, '"env"'));
    for (const [index, header] of list.entries()) {
      const [key, value] = additions[index] ?? ['', ''];
      splices.push(replaceNode(text, header.keyNode, JSON.stringify(key)), replaceNode(text, header.value, JSON.stringify(value)));
    }
    if (more.length > 0) splices.push(appendChildren(text, headers.value, more));
  }
  return {
    splices,
    summary: `reach "${name}" (${shownUrl(read.url)}) through the Callgate shim`,
    warnings: addressWarnings(name, read.url, list.length > 0),
  };
}

/** A wrapped entry of an older installation or another machine: the launcher's path differs; or its variables were edited since. */
export function upgradeEntry(text: string, node: Node, entry: JsonValue, mcpCommand: string, shape: EntryShape): readonly Splice[] {
  const command = memberOf(node, 'command')?.value;
  const path = command && command.value !== mcpCommand ? [replaceNode(text, command, JSON.stringify(mcpCommand))] : [];
  if (wrappedTarget(entry)?.kind !== 'program' || !isObject(entry)) return path;
  if (shape.variablesFile !== undefined && entry[shape.variablesFile] !== undefined) return path;
  const told = entryEnv(variableNames(entry['env']));
  const env = memberOf(node, 'env')?.value;
  const args = memberOf(node, 'args')?.value;
  if (env) return [...path, ...nameVariables(text, env, told)];
  if (!args) return path;
  return [...path, { at: args.offset + args.length, removed: '', inserted: `, "env": ${JSON.stringify({ [ENTRY_ENV]: told })}` }];
}

/** The entry a wrapped one stands for, later edits of the user kept. `original` restores what wrapping had to drop. */
export function unwrapValue(entry: JsonValue, original: JsonValue, shape: EntryShape): JsonValue {
  const target = wrappedTarget(entry);
  if (!isObject(entry) || target === null) return original ?? entry;
  const before: JsonObject = isObject(original) ? original : {};
  const { args: _args, command: _command, env, ...others } = entry;
  const carried = Object.entries(isObject(env) ? env : {}).filter(([key]) => key !== ENTRY_ENV && key !== OAUTH_SCOPE_ENV);
  if (target.kind === 'program') {
    const value = {
      ...others,
      command: target.command,
      ...(target.args.length > 0 || before['args'] !== undefined ? { args: target.args } : {}),
      ...(carried.length > 0 || (env !== undefined && before['env'] !== undefined) ? { env: Object.fromEntries(carried) } : {}),
    };
    return inOrder(value, before);
  }
  const { transport } = target;
  const keys = Object.keys(shape.addresses);
  const key =
    keys.find((one) => before[one] !== undefined) ??
    keys.find((one) => transport !== null && shape.addresses[one] === transport) ??
    keys.find((one) => shape.addresses[one] === null) ??
    keys[0] ??
    'url';
  const typeKey = shape.typeKeys.find((one) => before[one] !== undefined || others[one] !== undefined);
  const type = typeKey === undefined ? undefined : (before[typeKey] ?? typeFor(transport, shape));
  const headers = carried.flatMap(([name, value]): [string, JsonValue][] => {
    const at = HEADER_ENV.test(name) && typeof value === 'string' ? value.indexOf(': ') : -1;
    return at > 0 ? [[String(value).slice(0, at), String(value).slice(at + 2)]] : [];
  });
  const rest = carried.filter(([name]) => !HEADER_ENV.test(name));
  const { [shape.headerKey]: _headers, ...kept } = others;
  return inOrder(
    {
      ...kept,
      [key]: target.url,
      ...(typeKey === undefined || type === undefined ? {} : { [typeKey]: type }),
      ...(headers.length > 0 || before[shape.headerKey] !== undefined ? { [shape.headerKey]: Object.fromEntries(headers) } : {}),
      ...(rest.length > 0 || before['env'] !== undefined ? { env: Object.fromEntries(rest) } : {}),
    },
    before,
  );
}

/** The client's own word for a transport. */
function typeFor(transport: string | null, shape: EntryShape): string {
  const types = Object.entries(shape.types).filter(([, means]) => means !== 'program');
  return (types.find(([, means]) => means === transport) ?? types.find(([name]) => name === 'http') ?? types[0])?.[0] ?? 'http';
}

/** `value` with the keys of `order` first, in that order. */
function inOrder(value: JsonObject, order: JsonObject): JsonObject {
  const first = Object.keys(order).filter((key) => Object.hasOwn(value, key));
  const keys = [...first, ...Object.keys(value).filter((key) => !first.includes(key))];
  return Object.fromEntries(keys.map((key) => [key, value[key] ?? null]));
}
