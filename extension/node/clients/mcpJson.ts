/**
 * MCP server files in JSON. A chosen entry is rewritten to start our stdio shim, which is told how to reach the original
 * server. Everything is edited in place: the client goes on expanding `${VAR}`, `${env:…}` and `${input:…}` itself, and
 * no resolved secret ever gets into a file.
 */
import type { Node } from 'jsonc-parser';
import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { type EditResult, type Refused, refuse, type UndoInfo } from '#node/clients/adapter.ts';
import { indentUnit, memberOf, members, nodeValue, parseJson, replaceNode, textOf } from '#node/clients/jsonEdit.ts';
import type { McpFile } from '#node/clients/mcp/mcpFile.ts';
import { isWrapped, shownTarget, startsShim, upgradeEntry, unwrapValue, whyNot, wrapEntry } from '#node/clients/mcpEntry.ts';
import type { ServerEntry } from '#node/clients/mcpServers.ts';
import { applySplices, type Splice } from '#node/clients/splices.ts';
import { indentAt, lineEnding, placeOf, splitBom } from '#node/clients/textPlace.ts';

/** A client would have to start all of them. */
export const MAX_SERVERS = 500;

interface Listed {
  /** Unique in the file, see `ServerEntry`. */
  readonly name: string;
  /** What the client and the shim call it. */
  readonly server: string;
  readonly value: Node;
}

interface Opened {
  readonly bom: string;
  readonly body: string;
  readonly servers: readonly Listed[];
}

export function serverLabel(server: string, project: string | null): string {
  return project === null ? server : `${server} (${project})`;
}

function open(file: McpFile, text: string): Opened | Refused {
  const { bom, body } = splitBom(text);
  const parsed = parseJson(body, file.format === 'json' ? 'json' : 'jsonc');
  if ('problem' in parsed) return refuse('INVALID_FILE', parsed.problem);
  if (parsed.root.type !== 'object') return refuse('INVALID_FILE', { line: 1, column: 1, message: 'the file must hold one JSON object' });
  const servers: Listed[] = [];
  for (const path of file.containers) {
    for (const { node, project } of nodesAt(parsed.root, path, null)) {
      const key = path.at(-1) ?? '';
      if (node.type !== 'object') return refuse('INVALID_FILE', { ...placeOf(body, node.offset), message: `"${key}" must be an object` });
      servers.push(...members(node).map((member) => ({ name: serverLabel(member.key, project), server: member.key, value: member.value })));
      if (servers.length > MAX_SERVERS) return tooMany(key, members(node).length, placeOf(body, node.offset));
    }
  }
  return { bom, body, servers };
}

function tooMany(key: string, count: number, place: { readonly line: number; readonly column: number }): Refused {
  return refuse('INVALID_FILE', { ...place, message: `"${key}" names ${count} servers; more than ${MAX_SERVERS} are not read` });
}

function nodesAt(
  node: Node,
  path: readonly string[],
  project: string | null,
): readonly { readonly node: Node; readonly project: string | null }[] {
  const [key, ...rest] = path;
  if (key === undefined) return [{ node, project }];
  if (key === '*') return members(node).flatMap((member) => nodesAt(member.value, rest, member.key));
  const found = memberOf(node, key)?.value;
  return found === undefined ? [] : nodesAt(found, rest, project);
}

/** Above this size a file is the client's own store (Claude's grows to megabytes), and only its servers are worth a tree. */
const LARGE = 256 * 1024;

export function listJsonServers(file: McpFile, text: string, mcpCommand: string): readonly ServerEntry[] | Refused {
  const small = file.format === 'json' && text.length > LARGE ? onlyServers(file, text) : null;
  const opened = open(file, small ?? text);
  if ('kind' in opened) return opened;
  return opened.servers.map(({ name, value }) => describe(file, name, nodeValue(value), mcpCommand));
}

/** The file without what is none of our business; null when that cannot be told, and the whole has to be read. */
function onlyServers(file: McpFile, text: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(splitBom(text).body);
  } catch (error) {
    if (error instanceof SyntaxError) return null; // the tree says where
    throw error;
  }
  const kept = file.containers.map((path) => picked(value as JsonValue, path));
  return JSON.stringify(Object.fromEntries(kept.flatMap((part) => (isObject(part) ? Object.entries(part) : []))));
}

function picked(value: JsonValue, path: readonly string[]): JsonValue {
  const [key, ...rest] = path;
  if (key === undefined || !isObject(value)) return value;
  const keys = key === '*' ? Object.keys(value) : Object.hasOwn(value, key) ? [key] : [];
  return Object.fromEntries(keys.map((one): [string, JsonValue] => [one, picked(value[one] ?? null, rest)]));
}

export function describe(file: McpFile, name: string, entry: JsonValue, mcpCommand: string): ServerEntry {
  const reason = whyNot(entry, file.shape);
  const state = reason !== null ? 'unsupported' : startsShim(entry, mcpCommand) ? 'wrapped' : 'plain';
  const foreign = state === 'plain' && isWrapped(entry) && isObject(entry) ? String(entry['command']) : null;
  return { name, state, detail: reason ?? shownTarget(entry, file.shape), foreign };
}

export function planJson(file: McpFile, text: string, names: readonly string[], mcpCommand: string): EditResult {
  const opened = open(file, text);
  if ('kind' in opened) return opened;
  const { bom, body, servers } = opened;
  const splices: Splice[] = [];
  const originals: [string, JsonValue][] = [];
  const summary: string[] = [];
  const warnings: string[] = [];
  for (const name of names) {
    const found = servers.find((one) => one.name === name);
    if (!found) return refuse('UNSUPPORTED_SHAPE', { line: 1, column: 1, message: `there is no server "${name}" in this file` });
    const { value: node, server } = found;
    const entry = nodeValue(node);
    const reason = whyNot(entry, file.shape);
    if (reason !== null) {
      warnings.push(`"${name}" is left as it is: ${reason}`);
      continue;
    }
    if (isWrapped(entry)) {
      const upgrade = upgradeEntry(body, node, entry, mcpCommand, file.shape);
      if (upgrade.length > 0) summary.push(`bring the shim of "${name}" up to date`);
      splices.push(...upgrade);
      continue;
    }
    const wrap = wrapEntry(body, node, entry, server, mcpCommand, file.shape);
    splices.push(...wrap.splices);
    warnings.push(...wrap.warnings);
    const local = wrap.splices.map((splice) => ({ ...splice, at: splice.at - node.offset }));
    const original = textOf(body, node);
    originals.push([name, { original, wrapped: applySplices(original, local) }]);
    summary.push(wrap.summary);
  }
  const after = applySplices(body, splices);
  if ('kind' in open(file, after))
    return refuse('UNSUPPORTED_SHAPE', {
      line: 1,
      column: 1,
      message: 'this file is written in a way the edit would not carry over safely',
    });
  return { kind: 'edited', text: bom + after, undo: { splices, notes: { entries: Object.fromEntries(originals) } }, summary, warnings };
}

export function unplanJson(file: McpFile, text: string, undo: UndoInfo | null): EditResult {
  const opened = open(file, text);
  if ('kind' in opened) return opened;
  const { bom, body, servers } = opened;
  const wrapped = servers.filter(({ value }) => isWrapped(nodeValue(value)));
  if (wrapped.length === 0) return nothingOfOurs();
  const entries = entriesOf(undo);
  const splices = wrapped.map(({ name, value: node }): Splice => {
    const known = Object.hasOwn(entries, name) ? entries[name] : undefined;
    if (isObject(known) && typeof known['original'] === 'string' && known['wrapped'] === textOf(body, node))
      return replaceNode(body, node, known['original']);
    const before = isObject(known) && typeof known['original'] === 'string' ? originalValue(known['original']) : null;
    return replaceNode(body, node, render(body, node, unwrapValue(nodeValue(node), before, file.shape)));
  });
  const after = applySplices(body, splices);
  const proof = open(file, after);
  if ('kind' in proof || proof.servers.some(({ value }) => isWrapped(nodeValue(value)))) {
    return refuse('CANNOT_UNDO', {
      ...placeOf(body, wrapped[0]?.value.offset ?? 0),
      message: 'this entry was changed too much to take back; write its original command by hand',
    });
  }
  return directAgain(bom + after, wrapped);
}

export function nothingOfOurs(): Refused {
  return refuse('NO_RECORD', { line: 1, column: 1, message: 'no server in this file runs through Callgate' });
}

export function directAgain(text: string, servers: readonly { readonly name: string }[]): EditResult {
  return {
    kind: 'edited',
    text,
    undo: { splices: [], notes: null },
    summary: servers.map(({ name }) => `start "${name}" directly again`),
    warnings: [],
  };
}

/** What the record kept of each server that was wrapped. */
export function entriesOf(undo: UndoInfo | null): JsonObject {
  return isObject(undo?.notes) && isObject(undo.notes['entries']) ? undo.notes['entries'] : {};
}

/** The entry as it was, when the record still reads; it only helps to restore what wrapping had to drop. */
function originalValue(raw: string): JsonValue {
  const parsed = parseJson(raw, 'jsonc');
  return 'problem' in parsed ? null : parsed.value;
}

function render(text: string, node: Node, value: JsonValue): string {
  if (isDeepStrictEqual(nodeValue(node), value)) return textOf(text, node);
  const oneLine = !textOf(text, node).includes('\n');
  return oneLine
    ? JSON.stringify(value)
    : JSON.stringify(value, null, indentUnit(text)).replaceAll('\n', lineEnding(text) + indentAt(text, node.offset));
}
