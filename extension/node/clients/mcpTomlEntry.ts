/** One of Codex' servers: the statements that change when it runs through the shim, and what it then means. */
import type { JsonValue } from '#core/model/json.ts';
import { ENTRY_ENV, entryEnv, type EntryShape, OAUTH_SCOPE_ENV, readEntry, scopesOf, variableNames } from '#node/clients/mcp/mcpFile.ts';
import { addressArguments, addressWarnings, HEADER_ENV, shownUrl, wrappedTarget } from '#node/clients/mcpEntry.ts';
import type { Splice } from '#node/clients/splices.ts';
import { lineEnding } from '#node/clients/textPlace.ts';
import { asTable, samePath, tomlKey, tomlString, type TomlTable, tomlValue } from '#node/clients/tomlEdit.ts';
import type { TomlStatement } from '#node/clients/tomlScan.ts';

export interface TomlEntry {
  readonly body: string;
  readonly statements: readonly TomlStatement[];
  /** Of the server: `mcp_servers`, its name. */
  readonly path: readonly string[];
  readonly name: string;
  readonly entry: TomlTable;
}

export interface TomlWrap {
  readonly splices: readonly Splice[];
  /** What the entry has to mean afterwards. */
  readonly value: TomlTable;
  readonly summary: string;
  readonly warnings: readonly string[];
}

/**
 * `CALLGATE_HEADER_FROM_1="Authorization: Bearer TOKEN"`: a header whose value is that of the variable named last. Codex
 * expands nothing in a file, it hands on variables by name.
 */
export const HEADER_FROM_ENV = /^CALLGATE_HEADER_FROM_(\d+)$/u;

/** TOML's numbers and dates are none of what an entry is read for. */
export const asJson = (value: unknown): JsonValue => value as JsonValue;

const textsOf = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(asTable(value) ?? {}).map(([key, item]) => [key, String(item)]));

/** Names in `env_vars`, which are texts or tables with a name. */
function namedVariables(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) => {
    const name = typeof item === 'string' ? item : asTable(item)?.['name'];
    return typeof name === 'string' ? [name] : [];
  });
}

/** A string: why it stays as it is. */
export function wrapToml(server: TomlEntry, mcpCommand: string, shape: EntryShape): TomlWrap | string {
  const read = readEntry(asJson(server.entry), shape);
  if (read.kind === 'left') return read.reason;
  if (read.kind === 'address') return wrapAddress(server, read.url, mcpCommand);
  const { entry, name } = server;
  const args = Array.isArray(entry['args']) ? (entry['args'] as readonly unknown[]) : [];
  const lead = ['--server', name, '--', read.command];
  const told = entryEnv([...new Set([...(read.variables ?? []), ...namedVariables(entry['env_vars'])])]);
  const value = { ...entry, command: mcpCommand, args: [...lead, ...args], env: { ...asTable(entry['env']), [ENTRY_ENV]: told } };
  return {
    splices: rewritten(server, value) ?? [
      ...setValue(server, ['command'], mcpCommand),
      ...leadArguments(server, lead),
      ...addVariable(server, told),
    ],
    value,
    summary: `start "${name}" (${read.command}) through the Callgate shim`,
    warnings: [],
  };
}

/** An older or a foreign launcher becomes ours; variables that were added since are named. */
export function refreshToml(server: TomlEntry, mcpCommand: string): TomlWrap {
  const { entry, name } = server;
  const env = asTable(entry['env']);
  const names = entryEnv([...new Set([...variableNames(asJson(env ?? null)), ...namedVariables(entry['env_vars'])])]);
  const told = wrappedTarget(asJson(entry))?.kind === 'program' && env?.[ENTRY_ENV] !== names;
  const value = { ...entry, command: mcpCommand, ...(told ? { env: { ...env, [ENTRY_ENV]: names } } : {}) };
  const moved = entry['command'] !== mcpCommand;
  if (!moved && !told) return { splices: [], value: entry, summary: '', warnings: [] };
  const variable = !told ? [] : env?.[ENTRY_ENV] === undefined ? addVariable(server, names) : setValue(server, ['env', ENTRY_ENV], names);
  return {
    splices: rewritten(server, value) ?? [...(moved ? setValue(server, ['command'], mcpCommand) : []), ...variable],
    value,
    summary: `bring the shim of "${name}" up to date`,
    warnings: [],
  };
}

function wrapAddress(server: TomlEntry, url: string, mcpCommand: string): TomlWrap | string {
  const { entry, name, body, statements, path } = server;
  const { url: _url, http_headers: literal, env_http_headers: named, bearer_token_env_var: bearer, ...rest } = entry;
  const variables = Object.entries(textsOf(named));
  if (typeof bearer === 'string') variables.unshift(['Authorization', bearer]);
  const scopes = scopesOf(asJson(entry['scopes'] ?? null));
  const env = Object.fromEntries([
    ...Object.entries(textsOf(literal)).map(([key, value], index) => [`CALLGATE_HEADER_${index + 1}`, `${key}: ${value}`]),
    ...variables.map(([key, variable], index) => [
      `CALLGATE_HEADER_FROM_${index + 1}`,
      index === 0 && typeof bearer === 'string' ? `${key}: Bearer ${variable}` : `${key}: ${variable}`,
    ]),
    ...(scopes === null ? [] : [[OAUTH_SCOPE_ENV, scopes]]),
  ]) as Readonly<Record<string, string>>;
  const env_vars = [...new Set(variables.map(([, variable]) => variable))];
  const args = addressArguments(name, url, null);
  const value = {
    ...rest,
    command: mcpCommand,
    args,
    ...(Object.keys(env).length > 0 ? { env } : {}),
    ...(env_vars.length > 0 ? { env_vars } : {}),
  };
  const warnings = addressWarnings(name, url, Object.keys(textsOf(literal)).length + variables.length > 0);
  const summary = `reach "${name}" (${shownUrl(url)}) through the Callgate shim`;
  const whole = rewritten(server, value);
  if (whole) return { splices: whole, value, summary, warnings };

  const tables = statements.filter(
    ({ kind, path: at }) => kind === 'table' && (samePath(at, [...path, 'http_headers']) || samePath(at, [...path, 'env_http_headers'])),
  );
  if (tables.length > 1) return 'its headers stand in two tables; write them as http_headers = { … } and env_http_headers = { … }';
  const eol = lineEnding(body);
  const address = pairAt(server, ['url']);
  if (!address) return 'its url is written in a way that cannot be edited; write it as url = "…" under the table of the server';
  const line = (key: string, text: string): string => lineLike(body, address, 'url', key, text);
  const lines = [
    line('command', tomlString(mcpCommand)),
    line('args', tomlValue(args)),
    ...(env_vars.length > 0 ? [line('env_vars', tomlValue(env_vars))] : []),
    ...(tables.length === 0 && Object.keys(env).length > 0 ? [line('env', tomlValue(env))] : []),
  ];
  const comment = body.slice(address.valueEnd, address.end);
  const splices: Splice[] = [{ at: address.start, removed: body.slice(address.start, address.end), inserted: lines.join(eol) + comment }];
  const [headers] = tables;
  for (const statement of statements) {
    if (!HEADER_KEYS.some((key) => samePath(statement.path.slice(0, 3), [...path, key]))) continue;
    if (statement === headers) {
      const content = Object.entries(env).map(([key, text]) => `${tomlKey(key)} = ${tomlString(text)}`);
      const opened = `[${[...path, 'env'].map(tomlKey).join('.')}]`;
      splices.push({ at: statement.start, removed: body.slice(statement.start, statement.end), inserted: [opened, ...content].join(eol) });
    } else splices.push(removedLine(body, statement));
  }
  return { splices, value, summary, warnings };
}

const HEADER_KEYS = ['http_headers', 'env_http_headers', 'bearer_token_env_var'];

/** What a wrapped server stands for. */
export function unwrapToml(entry: TomlTable): TomlTable {
  const target = wrappedTarget(asJson(entry));
  if (target === null) return entry;
  const { command: _command, args: _args, env, env_vars, ...rest } = entry;
  const variables = Object.entries(textsOf(env)).filter(([key]) => key !== ENTRY_ENV && key !== OAUTH_SCOPE_ENV);
  const kept = Object.fromEntries(variables.filter(([key]) => !HEADER_ENV.test(key) && !HEADER_FROM_ENV.test(key)));
  const withEnv = Object.keys(kept).length > 0 ? { env: kept } : {};
  if (target.kind === 'program') {
    return {
      ...rest,
      command: target.command,
      ...(target.args.length > 0 ? { args: target.args } : {}),
      ...(env_vars === undefined ? {} : { env_vars }),
      ...withEnv,
    };
  }
  const split = (pattern: RegExp): [string, string][] =>
    variables
      .filter(([key]) => pattern.test(key))
      .map(([, text]) => [text.slice(0, text.indexOf(': ')), text.slice(text.indexOf(': ') + 2)]);
  const literal = split(HEADER_ENV);
  const bearer = split(HEADER_FROM_ENV).find(([key, text]) => key === 'Authorization' && text.startsWith('Bearer '));
  const named = split(HEADER_FROM_ENV).filter((one) => one[0] !== bearer?.[0] || one[1] !== bearer[1]);
  return {
    ...rest,
    url: target.url,
    ...(bearer ? { bearer_token_env_var: bearer[1].slice('Bearer '.length) } : {}),
    ...(literal.length > 0 ? { http_headers: Object.fromEntries(literal) } : {}),
    ...(named.length > 0 ? { env_http_headers: Object.fromEntries(named) } : {}),
    ...withEnv,
  };
}

/** A server that is one inline table is written anew as a whole; null when it is not one. */
function rewritten({ body, statements, path }: TomlEntry, value: TomlTable): readonly Splice[] | null {
  const inline = statements.find((one) => one.kind === 'pair' && samePath(one.path, path));
  return inline ? [replaced(body, inline, tomlValue(value))] : null;
}

function pairAt({ statements, path }: TomlEntry, keys: readonly string[]): TomlStatement | undefined {
  return statements.find((one) => one.kind === 'pair' && samePath(one.path, [...path, ...keys]));
}

function setValue(server: TomlEntry, keys: readonly string[], text: string): readonly Splice[] {
  const pair = pairAt(server, keys);
  if (pair) return [replaced(server.body, pair, tomlString(text))];
  // Inside of an inline table: only that of the environment is ever reached into.
  const inline = pairAt(server, ['env']);
  return inline ? [replaced(server.body, inline, tomlValue({ ...asTable(server.entry['env']), [ENTRY_ENV]: text }))] : [];
}

function replaced(body: string, pair: TomlStatement, inserted: string): Splice {
  return { at: pair.valueStart, removed: body.slice(pair.valueStart, pair.valueEnd), inserted };
}

function leadArguments(server: TomlEntry, lead: readonly string[]): readonly Splice[] {
  const { body } = server;
  const list = lead.map(tomlString).join(', ');
  const args = pairAt(server, ['args']);
  if (args) {
    const empty = Array.isArray(server.entry['args']) && server.entry['args'].length === 0;
    return [{ at: args.valueStart + 1, removed: '', inserted: empty ? list : `${list}, ` }];
  }
  const command = pairAt(server, ['command']);
  if (!command) return [];
  return [{ at: command.end, removed: '', inserted: lineEnding(body) + lineLike(body, command, 'command', 'args', `[${list}]`) }];
}

/** `CALLGATE_ENTRY_ENV` beside the entry's own variables, however those are written. */
function addVariable(server: TomlEntry, names: string): readonly Splice[] {
  const { body, statements, path } = server;
  const under = [...path, 'env'];
  const eol = lineEnding(body);
  const pair = statements.find((one) => one.kind === 'pair' && one.path.length === 4 && samePath(one.path.slice(0, 3), under));
  if (pair) {
    const line = lineLike(body, pair, pair.path[3] ?? '', ENTRY_ENV, tomlString(names));
    return [{ at: pair.end, removed: '', inserted: eol + line }];
  }
  const inline = pairAt(server, ['env']);
  if (inline) {
    const empty = Object.keys(asTable(server.entry['env']) ?? {}).length === 0;
    return [{ at: inline.valueStart + 1, removed: '', inserted: ` ${ENTRY_ENV} = ${tomlString(names)}${empty ? ' ' : ','}` }];
  }
  const header = statements.find((one) => one.kind === 'table' && samePath(one.path, under));
  if (header) return [{ at: header.end, removed: '', inserted: `${eol}${ENTRY_ENV} = ${tomlString(names)}` }];
  const command = pairAt(server, ['command']);
  if (!command) return [];
  return [{ at: command.end, removed: '', inserted: eol + lineLike(body, command, 'command', 'env', tomlValue({ [ENTRY_ENV]: names })) }];
}

/** A line for `key` beside `pair`, with the same indentation and the same dotted keys in front. */
function lineLike(body: string, pair: TomlStatement, old: string, key: string, text: string): string {
  const lead = body.slice(pair.start, pair.valueStart);
  const name = [tomlKey(old), JSON.stringify(old), `'${old}'`].find((form) => lead.lastIndexOf(form) >= 0) ?? '';
  const at = lead.lastIndexOf(name);
  return `${lead.slice(0, at)}${tomlKey(key)}${lead.slice(at + name.length)}${text}`;
}

function removedLine(body: string, { start, end }: TomlStatement): Splice {
  const behind = /^\r?\n/u.exec(body.slice(end))?.[0] ?? '';
  return { at: start, removed: body.slice(start, end) + behind, inserted: '' };
}
