/** What one client's file of MCP servers is to us: where it lies, how it is written and what its entries mean. Data only. */
import { posix, win32 } from 'node:path';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';

export interface Place {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workspaceFolders: readonly string[];
  /** `User` folders of the editor we run in, when they are known: a portable or remote editor keeps them elsewhere. */
  readonly editorUserFolders?: readonly string[];
  /** Names of the folders in a folder; none when there is no such folder. */
  readonly foldersIn: (folder: string) => readonly string[];
}

/** How the relay reaches an address; null: it finds out, as the client would. */
export type Transport = 'http' | 'sse' | 'websocket';

/** What the entries of a file mean. */
export interface EntryShape {
  /** Keys that hold an address, and the transport that the key alone stands for. */
  readonly addresses: Readonly<Record<string, Transport | null>>;
  /** Keys that name the kind of server; the first one there counts, and is set to `stdio` in a rewritten entry. */
  readonly typeKeys: readonly string[];
  /** Their values. `program`: a command; a value that is not listed is one that only the client understands. */
  readonly types: Readonly<Record<string, Transport | 'program' | null>>;
  /** Keys of which the relay cannot do for the client what they ask: the reason, or null when this value asks for nothing. */
  readonly leave: Readonly<Record<string, (value: JsonValue) => string | null>>;
  /** Keys beside `command` that are for addresses only: a client refuses them in the entry of a program. */
  readonly headerKey: string;
  /** A key that names a file of variables: what it sets is the entry's own as well, and its names are not ours to know. */
  readonly variablesFile?: string;
}

export interface McpFile {
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** project: in every open folder · user: in the home folder, whatever is open. */
  readonly scope: 'project' | 'user';
  /** json: one comment and the client drops the file · jsonc: comments and trailing commas survive · toml */
  readonly format: 'json' | 'jsonc' | 'toml';
  /** Paths of keys to the objects that hold servers; `*` is every key. */
  readonly containers: readonly (readonly string[])[];
  readonly shape: EntryShape;
  /** Whether a recorded path (with forward slashes) can be this file: an undo writes to no other. */
  readonly owns: RegExp;
  readonly locate: (place: Place) => readonly string[];
  /** The client holds `<file>.lock`, a folder, while it writes; without that its next write could take our change back. */
  readonly lockFolder?: true;
}

export const pathsOf = (platform: NodeJS.Platform): typeof posix => (platform === 'win32' ? win32 : posix);

/** The same file in each open folder. */
export function inFolders(...parts: readonly string[]): McpFile['locate'] {
  return ({ platform, workspaceFolders }) => workspaceFolders.map((folder) => pathsOf(platform).join(folder, ...parts));
}

/** A variable that names a folder; empty counts as not set. */
export function folderFrom(env: Place['env'], name: string, otherwise: string): string {
  const folder = env[name];
  return folder === undefined || folder === '' ? otherwise : folder;
}

/** Where programs of this platform keep their settings: `~/.config`, `~/Library/Application Support`, `%APPDATA%`. */
export function settingsFolder({ platform, home, env }: Place): string {
  const { join } = pathsOf(platform);
  if (platform === 'win32') return folderFrom(env, 'APPDATA', join(home, 'AppData', 'Roaming'));
  if (platform === 'darwin') return join(home, 'Library', 'Application Support');
  return folderFrom(env, 'XDG_CONFIG_HOME', join(home, '.config'));
}

const always =
  (reason: string) =>
  (value: JsonValue): string | null =>
    value === null || value === false ? null : reason;

/**
 * A client that was registered by hand is known to its server by the redirect address of the MCP client, which the relay
 * does not have. Scopes are carried over.
 */
const ownClient = (value: JsonValue): string | null =>
  isObject(value) && Object.entries(value).every(([key, item]) => key === 'scopes' || (key === 'enabled' && item === true))
    ? null
    : 'the client itself signs in to this server as this entry says, which the relay cannot do in its place';

/** Scopes to ask for, as the shim wants them: separated by blanks; null when the entry names none. */
export function scopesOf(scopes: JsonValue | undefined): string | null {
  const text = Array.isArray(scopes) ? scopes.map(String).join(' ') : typeof scopes === 'string' ? scopes : '';
  return text.trim() === '' ? null : text.trim();
}

/** Common to every client, harmless where it does not know the key. */
export const LEAVE_COMMON: EntryShape['leave'] = {
  oauth: ownClient,
  auth: ownClient,
  headersHelper: always('a program of the client makes its headers ("headersHelper"), which the relay cannot ask'),
};

export const leaveWith = (more: Readonly<Record<string, string>>): EntryShape['leave'] => ({
  ...LEAVE_COMMON,
  ...Object.fromEntries(Object.entries(more).map(([key, reason]) => [key, always(reason)])),
});

/** Entries as most clients write them: `command`, or `url` with a `type`. */
export const PLAIN_SHAPE: EntryShape = {
  addresses: { url: null },
  typeKeys: ['type'],
  types: { stdio: 'program', http: 'http', 'streamable-http': 'http', streamableHttp: 'http', sse: 'sse' },
  leave: LEAVE_COMMON,
  headerKey: 'headers',
};

export type ReadEntry =
  | {
      readonly kind: 'program';
      readonly command: string;
      /** Null: they cannot all be known. */ readonly variables: readonly string[] | null;
    }
  | { readonly kind: 'address'; readonly key: string; readonly url: string; readonly transport: Transport | null }
  | { readonly kind: 'left'; readonly reason: string };

const left = (reason: string): ReadEntry => ({ kind: 'left', reason });

/** HTTP's own `token`: anything else in a header's name no client could send. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u;

const isTexts = (value: JsonValue | undefined): boolean =>
  value === undefined || (isObject(value) && Object.values(value).every((item) => typeof item === 'string'));

/** What an entry that does not run through us asks for, or why it has to stay as it is. */
export function readEntry(entry: JsonValue, shape: EntryShape): ReadEntry {
  if (!isObject(entry)) return left('the entry is not an object');
  for (const [key, why] of Object.entries(shape.leave)) {
    const value = entry[key];
    const reason = value === undefined ? null : why(value);
    if (reason !== null) return left(reason);
  }
  const { command, args, env } = entry;
  if (env !== undefined && !isObject(env)) return left('"env" is not an object');
  const type = typeIn(entry, shape);
  if (type === undefined) return left(`its type is one that only the client understands (${JSON.stringify(typeName(entry, shape))})`);
  const addresses = Object.keys(shape.addresses).filter((key) => entry[key] !== undefined);
  if (command !== undefined && addresses.length > 0) return left('it has both a command and an address');
  if (command !== undefined)
    return readProgram(
      command,
      args,
      shape.variablesFile !== undefined && entry[shape.variablesFile] !== undefined ? null : variableNames(env),
    );
  const [key, second] = addresses;
  if (key === undefined) return left('it has neither a command nor an address');
  if (second !== undefined) return left(`it has two addresses, "${key}" and "${second}"`);
  return type === 'program' ? left('it has an address, but the type of a program') : readAddress(entry, key, type, shape);
}

function readProgram(command: JsonValue, args: JsonValue | undefined, variables: readonly string[] | null): ReadEntry {
  if (typeof command !== 'string' || command === '') return left('"command" is not a text');
  if (args !== undefined && !(Array.isArray(args) && args.every((item: JsonValue) => typeof item === 'string')))
    return left('"args" is not a list of texts');
  return { kind: 'program', command, variables };
}

/**
 * Behind the shim these would reach a program: what a stranger's file had in vain beside an address (LD_PRELOAD, a proxy, where
 * to send which variable as a header) must not begin to work because a person protects it.
 */
const FOR_PROGRAMS = ['env', 'envFile', 'env_vars', 'cwd'];

const isSet = (value: JsonValue | undefined): boolean =>
  value !== undefined && value !== null && !(typeof value === 'object' && Object.keys(value).length === 0);

function readAddress(entry: JsonObject, key: string, type: Transport | null | 'none', shape: EntryShape): ReadEntry {
  const url = entry[key];
  const transport = type === 'none' ? (shape.addresses[key] ?? null) : type;
  if (typeof url !== 'string') return left(`"${key}" is not a text`);
  if (!/^(?:https?:|wss?:|\$)/u.test(url)) return left('only http, https and WebSocket addresses can be relayed');
  if (entry['args'] !== undefined) return left('it has an address and args');
  const idle = FOR_PROGRAMS.find((name) => isSet(entry[name]));
  if (idle !== undefined)
    return left(`it has an address and "${idle}", which clients give only to a program, as the relay would be; take "${idle}" out`);
  const headers = entry[shape.headerKey];
  if (!isTexts(headers)) return left(`"${shape.headerKey}" is not an object of texts`);
  const odd = Object.keys(isObject(headers) ? headers : {}).find((name) => !HEADER_NAME.test(name));
  if (odd !== undefined) return left(`${JSON.stringify(odd)} is no name of a header`);
  return { kind: 'address', key, url, transport: /^wss?:/u.test(url) ? 'websocket' : transport };
}

function typeName(entry: JsonObject, shape: EntryShape): JsonValue | undefined {
  return entry[shape.typeKeys.find((key) => entry[key] !== undefined) ?? ''];
}

/** Undefined for a type nobody told us about; `none` when the entry names no type. */
function typeIn(entry: JsonObject, shape: EntryShape): Transport | 'program' | null | 'none' | undefined {
  const name = typeName(entry, shape);
  if (name === undefined) return 'none';
  return typeof name === 'string' && Object.hasOwn(shape.types, name) ? shape.types[name] : undefined;
}

/** A name with a blank in it could not be told apart from two, and no system lets one be set. */
export function variableNames(env: JsonValue | undefined): readonly string[] {
  return isObject(env) ? Object.keys(env).filter((name) => /^[^\s=]+$/u.test(name) && !name.startsWith('CALLGATE_')) : [];
}

/**
 * The variable that tells the shim, by name only, what the entry's own `env` sets: that is handed on even if it is a
 * model's API key, while keys the client merely passes on are withheld. Without it nothing is withheld.
 */
export const ENTRY_ENV = 'CALLGATE_ENTRY_ENV';
export const OAUTH_SCOPE_ENV = 'CALLGATE_OAUTH_SCOPE';

export function entryEnv(names: readonly string[]): string {
  // "-" is no variable's name. Some clients drop an empty value, and Copilot takes one that is nothing but a variable's name for that variable.
  return (names.length < 2 ? ['-', ...names] : names).join(' ');
}
