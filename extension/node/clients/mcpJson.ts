/**
 * The MCP server files of editors and agents: `.mcp.json` (Claude Code), `.cursor/mcp.json`, `.vscode/mcp.json`. A
 * chosen entry is rewritten to start our stdio shim, which is told how to reach the original server. Everything is
 * edited in place: the client goes on expanding `${VAR}`, `${env:…}` and `${input:…}` itself, and no resolved secret
 * ever gets into a file.
 */
import { posix, win32 } from 'node:path';
import type { Node } from 'jsonc-parser';
import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonValue } from '#core/model/json.ts';
import { type EditResult, type McpDialect, refuse, type UndoInfo } from '#node/clients/adapter.ts';
import { indentUnit, type JsonDialect, memberOf, members, nodeValue, parseJson, replaceNode, textOf } from '#node/clients/jsonEdit.ts';
import { isWrapped, shownUrl, startsShim, upgradeEntry, unwrapValue, whyNot, wrapEntry } from '#node/clients/mcpEntry.ts';
import { applySplices, type Splice } from '#node/clients/splices.ts';
import { indentAt, lineEnding, placeOf, splitBom } from '#node/clients/textPlace.ts';

export interface McpAdapter {
  readonly id: McpDialect;
  readonly name: string;
  /** Claude refuses `.mcp.json` for one comment or trailing comma; VS Code and Cursor read both. */
  readonly json: JsonDialect;
  /** The member that holds the servers. */
  readonly key: 'servers' | 'mcpServers';
  locate(platform: NodeJS.Platform, home: string, workspaceFolders: readonly string[]): readonly string[];
}

function inFolders(parts: readonly string[]): McpAdapter['locate'] {
  return (platform, _home, folders) => folders.map((folder) => (platform === 'win32' ? win32 : posix).join(folder, ...parts));
}

export const MCP_ADAPTERS: readonly McpAdapter[] = [
  { id: 'claudeMcp', name: '.mcp.json', json: 'json', key: 'mcpServers', locate: inFolders(['.mcp.json']) },
  { id: 'vscodeMcp', name: '.vscode/mcp.json', json: 'jsonc', key: 'servers', locate: inFolders(['.vscode', 'mcp.json']) },
  {
    id: 'cursorMcp',
    name: '.cursor/mcp.json',
    json: 'jsonc',
    key: 'mcpServers',
    // Cursor reads the user's own file in the home folder as well.
    locate: (platform, home, folders) => inFolders(['.cursor', 'mcp.json'])(platform, home, [...new Set([...folders, home])]),
  },
];

export interface ServerEntry {
  readonly name: string;
  readonly state: 'plain' | 'wrapped' | 'unsupported';
  /** How it is reached now, for people; secrets in headers and environment are not part of it. */
  readonly detail: string;
}

/** A client would have to start all of them. */
const MAX_SERVERS = 500;

type Servers = { readonly body: string; readonly bom: string; readonly root: Node; readonly servers: Node | undefined };

function open(adapter: McpAdapter, text: string): Servers | ReturnType<typeof refuse> {
  const { bom, body } = splitBom(text);
  const parsed = parseJson(body, adapter.json);
  if ('problem' in parsed) return refuse('INVALID_FILE', parsed.problem);
  if (parsed.root.type !== 'object') return refuse('INVALID_FILE', { line: 1, column: 1, message: 'the file must hold one JSON object' });
  const servers = memberOf(parsed.root, adapter.key)?.value;
  if (servers && servers.type !== 'object')
    return refuse('INVALID_FILE', { ...placeOf(body, servers.offset), message: `"${adapter.key}" must be an object` });
  const count = members(servers).length;
  if (count > MAX_SERVERS && servers)
    return refuse('INVALID_FILE', {
      ...placeOf(body, servers.offset),
      message: `"${adapter.key}" names ${count} servers; more than ${MAX_SERVERS} are not read`,
    });
  return { bom, body, root: parsed.root, servers };
}

/** A server whose shim is not the one at `mcpCommand` is `plain`: nothing says that it asks us. */
export function listServers(adapter: McpAdapter, text: string, mcpCommand: string): readonly ServerEntry[] | ReturnType<typeof refuse> {
  const opened = open(adapter, text);
  if ('kind' in opened) return opened;
  return members(opened.servers).map(({ key, value }) => {
    const entry = nodeValue(value);
    const reason = whyNot(entry);
    const target = isObject(entry) ? (typeof entry['url'] === 'string' ? shownUrl(entry['url']) : String(entry['command'] ?? '')) : '';
    const state = reason !== null ? 'unsupported' : startsShim(entry, mcpCommand) ? 'wrapped' : 'plain';
    return { name: key, state, detail: reason ?? target };
  });
}

/** Rewrites the named servers to start the shim at `mcpCommand`; wrapped ones are only brought up to date. */
export function planMcp(adapter: McpAdapter, text: string, names: readonly string[], mcpCommand: string): EditResult {
  const opened = open(adapter, text);
  if ('kind' in opened) return opened;
  const { bom, body, servers } = opened;
  const splices: Splice[] = [];
  const originals: [string, JsonValue][] = [];
  const summary: string[] = [];
  const warnings: string[] = [];
  for (const name of names) {
    const member = memberOf(servers, name);
    if (!member) return refuse('UNSUPPORTED_SHAPE', { line: 1, column: 1, message: `there is no server "${name}" under "${adapter.key}"` });
    const entry = nodeValue(member.value);
    if (isWrapped(entry) && whyNot(entry) === null) {
      const upgrade = upgradeEntry(body, member.value, mcpCommand);
      if (upgrade.length > 0) summary.push(`bring the shim of "${name}" up to date`);
      splices.push(...upgrade);
      continue;
    }
    const reason = whyNot(entry);
    if (reason !== null) {
      warnings.push(`"${name}" is left as it is: ${reason}`);
      continue;
    }
    const wrap = wrapEntry(body, member.value, name, mcpCommand);
    splices.push(...wrap.splices);
    warnings.push(...wrap.warnings);
    const offset = member.value.offset;
    const local = wrap.splices.map((splice) => ({ ...splice, at: splice.at - offset }));
    const original = textOf(body, member.value);
    originals.push([name, { original, wrapped: applySplices(original, local) }]);
    summary.push(wrap.summary);
  }
  const after = applySplices(body, splices);
  const proof = parseJson(after, adapter.json);
  if ('problem' in proof)
    return refuse('UNSUPPORTED_SHAPE', { ...proof.problem, message: 'this file is written in a way the edit would not carry over safely' });
  return { kind: 'edited', text: bom + after, undo: { splices, notes: { entries: Object.fromEntries(originals) } }, summary, warnings };
}

/**
 * Gives every wrapped server its original entry back: byte for byte where our text is untouched, by meaning where the
 * user has edited the entry itself.
 */
export function unplanMcp(adapter: McpAdapter, text: string, undo: UndoInfo | null): EditResult {
  const opened = open(adapter, text);
  if ('kind' in opened) return opened;
  const { bom, body, servers } = opened;
  const wrapped = members(servers).filter((member) => isWrapped(nodeValue(member.value)));
  if (wrapped.length === 0) return refuse('NO_RECORD', { line: 1, column: 1, message: 'no server in this file runs through Callgate' });
  const entries = isObject(undo?.notes) && isObject(undo.notes['entries']) ? undo.notes['entries'] : {};
  const splices = wrapped.map((member): Splice => {
    const known = Object.hasOwn(entries, member.key) ? entries[member.key] : undefined;
    if (isObject(known) && typeof known['original'] === 'string' && known['wrapped'] === textOf(body, member.value))
      return replaceNode(body, member.value, known['original']);
    const before = isObject(known) && typeof known['original'] === 'string' ? originalValue(known['original']) : null;
    return replaceNode(body, member.value, render(body, member.value, unwrapValue(nodeValue(member.value), before)));
  });
  const after = applySplices(body, splices);
  const proof = parseJson(after, adapter.json);
  if ('problem' in proof || members(memberOf(proof.root, adapter.key)?.value).some((member) => isWrapped(nodeValue(member.value)))) {
    return refuse('CANNOT_UNDO', {
      ...placeOf(body, wrapped[0]?.value.offset ?? 0),
      message: 'this entry was changed too much to take back; write its original command by hand',
    });
  }
  return {
    kind: 'edited',
    text: bom + after,
    undo: { splices: [], notes: null },
    summary: wrapped.map((member) => `start "${member.key}" directly again`),
    warnings: [],
  };
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
