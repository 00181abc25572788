/**
 * Codex' servers, `[mcp_servers.NAME]` in `config.toml`. Only the statements that have to say something else are
 * rewritten; the result is parsed, and has to mean exactly the old configuration with these entries changed.
 */
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { type EditResult, refuse, type Refused, type UndoInfo } from '#node/clients/adapter.ts';
import type { McpFile } from '#node/clients/mcp/mcpFile.ts';
import { isWrapped, whyNot } from '#node/clients/mcpEntry.ts';
import { describe, directAgain, entriesOf, MAX_SERVERS, nothingOfOurs } from '#node/clients/mcpJson.ts';
import type { ServerEntry } from '#node/clients/mcpServers.ts';
import { asJson, refreshToml, type TomlEntry, unwrapToml, wrapToml } from '#node/clients/mcpTomlEntry.ts';
import { applySplices, type Splice } from '#node/clients/splices.ts';
import { placeOf, splitBom } from '#node/clients/textPlace.ts';
import { asTable, isUnder, parseTomlText, sameToml, type TomlTable, tomlKey, tomlTableText, tomlValue } from '#node/clients/tomlEdit.ts';
import { scanToml, type TomlStatement } from '#node/clients/tomlScan.ts';

interface Opened {
  readonly bom: string;
  readonly body: string;
  readonly table: TomlTable;
  readonly statements: readonly TomlStatement[];
  readonly servers: TomlTable;
}

const pathOf = (file: McpFile, name: string): readonly string[] => [...(file.containers[0] ?? []), name];

function open(file: McpFile, text: string): Opened | Refused {
  const { bom, body } = splitBom(text);
  const parsed = parseTomlText(body);
  if ('problem' in parsed) return refuse('INVALID_FILE', parsed.problem);
  const statements = scanToml(body);
  const key = file.containers[0]?.[0] ?? '';
  const there = parsed.table[key];
  const servers = there === undefined ? {} : asTable(there);
  const at = placeOf(body, statements.find((one) => one.path[0] === key)?.start ?? 0);
  if (!servers) return refuse('INVALID_FILE', { ...at, message: `"${key}" must be a table` });
  const count = Object.keys(servers).length;
  if (count > MAX_SERVERS)
    return refuse('INVALID_FILE', { ...at, message: `"${key}" names ${count} servers; more than ${MAX_SERVERS} are not read` });
  return { bom, body, table: parsed.table, statements, servers };
}

export function listTomlServers(file: McpFile, text: string, mcpCommand: string): readonly ServerEntry[] | Refused {
  const opened = open(file, text);
  if ('kind' in opened) return opened;
  return Object.entries(opened.servers).map(([name, entry]) => describe(file, name, asJson(entry), mcpCommand));
}

/** Where the statements of one server stand: it may be spread over several tables, with others' between them. */
function rangesOf(statements: readonly TomlStatement[], path: readonly string[]): readonly (readonly TomlStatement[])[] {
  const ranges: TomlStatement[][] = [];
  let inside = false;
  for (const statement of statements) {
    const ours = isUnder(statement.path, path);
    if (ours && inside) ranges.at(-1)?.push(statement);
    else if (ours) ranges.push([statement]);
    inside = ours;
  }
  return ranges;
}

function rangeTexts(body: string, statements: readonly TomlStatement[], path: readonly string[]): readonly string[] {
  return rangesOf(statements, path).map((range) => body.slice(range[0]?.start, range.at(-1)?.end));
}

export function planToml(file: McpFile, text: string, names: readonly string[], mcpCommand: string): EditResult {
  const opened = open(file, text);
  if ('kind' in opened) return opened;
  const { bom, body, table, statements, servers } = opened;
  const splices: Splice[] = [];
  const wanted: Record<string, unknown> = { ...servers };
  const chosen: string[] = [];
  const summary: string[] = [];
  const warnings: string[] = [];
  for (const name of names) {
    const entry = Object.hasOwn(servers, name) ? asTable(servers[name]) : undefined;
    if (!Object.hasOwn(servers, name))
      return refuse('UNSUPPORTED_SHAPE', { line: 1, column: 1, message: `there is no server "${name}" in this file` });
    const reason = whyNot(asJson(servers[name]), file.shape);
    const server: TomlEntry = { body, statements, path: pathOf(file, name), name, entry: entry ?? {} };
    const fresh = reason === null && !isWrapped(asJson(servers[name]));
    const edit = reason !== null ? reason : fresh ? wrapToml(server, mcpCommand, file.shape) : refreshToml(server, mcpCommand);
    if (typeof edit === 'string') {
      warnings.push(`"${name}" is left as it is: ${edit}`);
      continue;
    }
    if (edit.value === server.entry) continue;
    splices.push(...edit.splices);
    wanted[name] = edit.value;
    summary.push(edit.summary);
    warnings.push(...edit.warnings);
    if (fresh) chosen.push(name);
  }
  const after = applySplices(body, splices);
  const proof = parseTomlText(after);
  const key = file.containers[0]?.[0] ?? '';
  if ('problem' in proof || !sameToml(proof.table, { ...table, ...(summary.length === 0 ? {} : { [key]: wanted }) }))
    return refuse('UNSUPPORTED_SHAPE', {
      line: 1,
      column: 1,
      message: `this file is written in a way the edit would not carry over safely; write every server as an ordinary [${key}.NAME] table and try again`,
    });
  const scanned = scanToml(after);
  const originals = chosen.map((name): [string, JsonValue] => {
    const path = pathOf(file, name);
    return [name, { original: rangeTexts(body, statements, path), wrapped: rangeTexts(after, scanned, path) }];
  });
  return { kind: 'edited', text: bom + after, undo: { splices: [], notes: { entries: Object.fromEntries(originals) } }, summary, warnings };
}

export function unplanToml(file: McpFile, text: string, undo: UndoInfo | null): EditResult {
  const opened = open(file, text);
  if ('kind' in opened) return opened;
  const { bom, body, table, statements, servers } = opened;
  const names = Object.keys(servers).filter((name) => isWrapped(asJson(servers[name])));
  if (names.length === 0) return nothingOfOurs();
  const known = entriesOf(undo);
  const splices: Splice[] = [];
  const wanted: Record<string, unknown> = { ...servers };
  for (const name of names) {
    const path = pathOf(file, name);
    const ranges = rangesOf(statements, path);
    const now = rangeTexts(body, statements, path);
    const kept = keptTexts(Object.hasOwn(known, name) ? known[name] : undefined, now);
    const value = unwrapToml(asTable(servers[name]) ?? {});
    wanted[name] = value;
    for (const [index, range] of ranges.entries()) {
      const at = range[0]?.start ?? 0;
      const inserted = kept === null ? (index === 0 ? written(range, path, value) : '') : (kept[index] ?? '');
      splices.push({ at, removed: now[index] ?? '', inserted });
    }
  }
  const after = applySplices(body, splices);
  const proof = parseTomlText(after);
  const key = file.containers[0]?.[0] ?? '';
  if ('problem' in proof || !sameToml(withoutEmpty(proof.table, key, names), withoutEmpty({ ...table, [key]: wanted }, key, names)))
    return refuse('CANNOT_UNDO', {
      ...placeOf(body, rangesOf(statements, pathOf(file, names[0] ?? ''))[0]?.[0]?.start ?? 0),
      message: 'this server was changed too much to take back; write its original command by hand',
    });
  return directAgain(
    bom + after,
    names.map((name) => ({ name })),
  );
}

/** Empty arguments and variables of these servers mean what none mean; a wrapped entry does not tell which there were. */
function withoutEmpty(table: TomlTable, key: string, names: readonly string[]): TomlTable {
  const servers = Object.entries(asTable(table[key]) ?? {}).map(([name, entry]): [string, unknown] => {
    const one = asTable(entry);
    if (!one || !names.includes(name)) return [name, entry];
    const { args, env, ...rest } = one;
    const some = Array.isArray(args) ? args.length > 0 : args !== undefined;
    return [
      name,
      { ...rest, ...(some ? { args } : {}), ...(env !== undefined && Object.keys(asTable(env) ?? { a: 1 }).length > 0 ? { env } : {}) },
    ];
  });
  return { ...table, [key]: Object.fromEntries(servers) };
}

/** The server's own text from before, if what we made of it stands there unchanged. */
function keptTexts(record: JsonValue | undefined, now: readonly string[]): readonly string[] | null {
  if (!isObject(record)) return null;
  const { original, wrapped } = record as JsonObject;
  if (!Array.isArray(original) || !Array.isArray(wrapped) || original.length !== now.length) return null;
  return now.every((text, index) => text === wrapped[index]) ? original.map(String) : null;
}

/** The server anew, where its first statement stands; further tables of it are part of this one. */
function written(range: readonly TomlStatement[], path: readonly string[], value: TomlTable): string {
  const [first] = range;
  if (first?.kind === 'table') return tomlTableText(path, value);
  // An inline table, or dotted keys: the proof tells whether that is a place for it.
  return `${tomlKey(path.at(-1) ?? '')} = ${tomlValue(value)}`;
}
