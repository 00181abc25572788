/** The servers in every file that can be protected, and which of them a person should hear of. */
import { ConfigError } from '#node/clients/configError.ts';
import { readConfig } from '#node/clients/configFile.ts';
import { listServers, type ServerEntry } from '#node/clients/mcpServers.ts';
import { type ClientContext, subjects } from '#node/clients/planChange.ts';

export interface FileServers {
  /** As in `Protectable`. */
  readonly id: string;
  /** The client's, for people. */
  readonly name: string;
  readonly file: string;
  /** Empty when there is no file; null when it cannot be read, which may be so for a moment only. */
  readonly servers: readonly ServerEntry[] | null;
}

export function fileServers(context: Omit<ClientContext, 'layout'>): readonly FileServers[] {
  return subjects(context).flatMap((subject): FileServers[] => {
    if (subject.kind !== 'mcp') return [];
    const { id, file, adapter } = subject;
    return [{ id, file, name: adapter.name, servers: serversIn(file, (text) => listServers(adapter, text, context.launcher.mcpCommand)) }];
  });
}

function serversIn(file: string, list: (text: string) => ReturnType<typeof listServers>): readonly ServerEntry[] | null {
  try {
    const { text } = readConfig(file);
    const listed = text === null ? [] : list(text);
    return 'kind' in listed ? null : listed;
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
}

/** plain: known, and offered if it had to be · never: not to be offered again · wrapped: ran through the shim when last seen */
export type Mark = 'plain' | 'wrapped' | 'never';

/** What was seen of each file's servers, by the file's id; kept from session to session. */
export type SeenServers = Readonly<Record<string, Readonly<Record<string, Mark>>>>;

export interface Offer {
  readonly id: string;
  readonly name: string;
  readonly file: string;
  /** Appeared since the file was last looked at. */
  readonly fresh: readonly string[];
  /** Ran through the shim, and do not any more: somebody put the entry back. */
  readonly reverted: readonly string[];
}

/** Oldest files are forgotten first; of a file with more servers than this the rest is not offered. */
const MOST_FILES = 500;
const MOST_SERVERS = 500;

/**
 * What is new since `seen`. The first look at a file offers nothing: what stands there is offered by the panel. Every
 * server is offered once; one that ran through the shim, each time that is undone.
 */
export function newOffers(
  found: readonly FileServers[],
  seen: SeenServers,
): { readonly offers: readonly Offer[]; readonly seen: SeenServers } {
  const now = new Map(Object.entries(seen));
  const offers: Offer[] = [];
  for (const { id, name, file, servers } of found) {
    if (servers === null) continue;
    const before = now.get(id);
    const marks = new Map<string, Mark>(Object.entries(before ?? {}));
    const fresh: string[] = [];
    const reverted: string[] = [];
    for (const server of servers) {
      const mark = marks.get(server.name);
      if (server.state === 'wrapped') marks.set(server.name, 'wrapped');
      if (server.state !== 'plain' || mark === 'never' || mark === 'plain') continue;
      if (mark === 'wrapped') reverted.push(server.name);
      else if (marks.size >= MOST_SERVERS) continue;
      else if (before !== undefined) fresh.push(server.name);
      marks.set(server.name, 'plain');
    }
    if (fresh.length + reverted.length > 0) offers.push({ id, name, file, fresh, reverted });
    now.delete(id);
    now.set(id, Object.fromEntries(marks));
  }
  return { offers, seen: Object.fromEntries([...now].slice(-MOST_FILES)) };
}

/** What a person does not want to be asked about again. */
export function neverAgain(seen: SeenServers, { id, fresh, reverted }: Offer): SeenServers {
  return { ...seen, [id]: { ...seen[id], ...Object.fromEntries([...fresh, ...reverted].map((name) => [name, 'never' as const])) } };
}

/** What was kept may be of another version or another program's making. */
export function readSeen(value: unknown): SeenServers {
  const objects = (item: unknown): readonly (readonly [string, unknown])[] =>
    typeof item === 'object' && item !== null && !Array.isArray(item) ? Object.entries(item) : [];
  const isMark = (item: unknown): item is Mark => item === 'plain' || item === 'wrapped' || item === 'never';
  return Object.fromEntries(
    objects(value).map(([id, marks]) => [
      id,
      Object.fromEntries(objects(marks).flatMap(([name, mark]) => (isMark(mark) ? [[name, mark]] : []))),
    ]),
  );
}
