/**
 * Reviews what one server says of itself, for one client's relay: judges it, compares it with what was pinned, leaves out what a
 * person has to see first, and tells the client when that was decided. Never waits for anybody.
 */
import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { DefinitionKind, PinnedItem, ServerPins } from '#contract/definitions.ts';
import type { ToolCall } from '#core/model/call.ts';
import { canonicalJson, isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import type { Decision } from '#core/model/verdict.ts';
import { BUILT_IN_DEFINITIONS, type DefinitionPolicy } from '#core/policy/relayPart.ts';
import { errorText } from '#home/privateFile.ts';
import type { PinStore } from '#home/pins.ts';
import { workspaceOf } from '#home/workspace.ts';
import type { CallOrigin } from '#node/proxy/callFromMcp.ts';
import type { DefinitionReview, Review } from '#node/proxy/definitionReview.ts';
import { classify, itemKey, type Classified, type Judged } from '#node/proxy/definitions/classify.ts';
import { definitionJudge, isBad, UNPINNED } from '#node/proxy/definitions/judgeDefinitions.ts';
import { changedNotice, disguisedMembers, hashOf, listOf, readList, UNREADABLE, without } from '#node/proxy/definitions/listing.ts';
import type { List, Listed, ListedKind } from '#node/proxy/definitions/listing.ts';
import { recordsOf } from '#node/proxy/definitions/records.ts';
import type { ServerIdentity } from '#node/proxy/definitions/serverIdentity.ts';
import { shadowing, type Shadowing } from '#node/proxy/definitions/shadowing.ts';
import { whyHidden } from '#node/proxy/definitions/whyHidden.ts';

export interface DefinitionReviewOptions {
  readonly identity: ServerIdentity;
  readonly origin: CallOrigin;
  readonly pins: PinStore;
  readonly decide: (call: ToolCall) => Decision;
  /** Null, or why it could not be recorded. */
  readonly record: (event: AuditEvent) => Promise<string | null> | string | null;
  /** Sends the client a notification. */
  readonly tell: (notification: JsonObject) => void;
  readonly log: (line: string) => void;
  readonly policy?: () => DefinitionPolicy;
  /** Something waits for a person now. */
  readonly onHeld?: () => void;
  /** How often it is looked whether somebody decided, in milliseconds; 1 s unless said. */
  readonly watchMs?: number;
  readonly now?: () => number;
}

const WATCH_MS = 1000;
/** Rules or pins that change while a page is looked at: looked at again this often. */
const MOST_ROUNDS = 5;
/** A held definition that this server no longer offers is given up after a while; another client may still be offered it. */
const TAKEN_BACK_MS = 60 * 60_000;

const MAX_NOTES = 2000;
const MAX_NOTE = 4000;
/** Lines of log for one answer. */
const MOST_SAID = 5;

/** What the client last heard of one definition. */
interface Heard {
  readonly kind: ListedKind;
  readonly name: string;
  readonly hash: string;
  readonly shown: boolean;
  told: boolean;
}

interface Cycle {
  /** Names on the pages so far: a second definition of one of them is not delivered. */
  readonly names: Map<string, string>;
  last: Listed | null;
}

export function createDefinitionReview(options: DefinitionReviewOptions): DefinitionReview {
  const { identity, origin, pins: store, log, tell } = options;
  const { id, server } = identity;
  const now = options.now ?? Date.now;
  const policy = options.policy ?? (() => BUILT_IN_DEFINITIONS);
  const workspace = workspaceOf(origin.cwd);
  const judge = definitionJudge({ server, cwd: origin.cwd, session: origin.session }, options.decide);
  const heard = new Map<string, Heard>();
  const heldHere = new Set<string>();
  const cycles = new Map<string, Cycle>();
  const badSeen = new Set<string>();
  const notes = new Map<string, Judged>();
  let turn: Promise<unknown> = Promise.resolve();
  let watched: ServerPins | null = null;

  async function reviewList(list: List, params: JsonObject, result: JsonObject): Promise<Review> {
    const read = readList(list, result);
    if (typeof read === 'string') return refused(`the list of the MCP server "${server}" cannot be read: ${read}`);
    const isFirst = typeof params['cursor'] !== 'string';
    const isLast = result['nextCursor'] === undefined || result['nextCursor'] === null;
    const cycle: Cycle = (isFirst ? undefined : cycles.get(list.key)) ?? { names: new Map(), last: null };
    cycles.set(list.key, cycle);
    const entries = read.filter((entry) => entry !== null);
    if (entries.length < read.length) log(`${server}: left out ${read.length - entries.length} of "${list.key}": ${UNREADABLE}`);
    const before = cycle.last;
    const single = firstOfEachName(entries, cycle);
    const shown = list.kind === 'resource' ? await judgeResources(single) : await reviewPinned(list.kind, single, before, isFirst, isLast);
    for (const entry of single) {
      const wasShown = shown.get(entry.hash + entry.name) === true;
      heard.set(itemKey(entry), { kind: entry.kind, name: entry.name, hash: entry.hash, shown: wasShown, told: false });
    }
    const kept = new Set(single);
    return rebuilt(list, result, read, (entry) => kept.has(entry) && shown.get(entry.hash + entry.name) === true);
  }

  /** Of several definitions of one name the approved one stays, else the first; the same one twice stays twice. */
  function firstOfEachName(entries: readonly Listed[], cycle: Cycle): readonly Listed[] {
    const approved = itemsOf(readPins());
    for (const entry of entries) {
      const key = itemKey(entry);
      if (approved.get(key)?.approved?.hash === entry.hash || !cycle.names.has(key)) cycle.names.set(key, entry.hash);
    }
    cycle.last = entries.at(-1) ?? cycle.last;
    const isKept = (entry: Listed): boolean => cycle.names.get(itemKey(entry)) === entry.hash;
    const left = entries.filter((entry) => !isKept(entry));
    for (const { kind, name } of left.slice(0, MOST_SAID))
      log(`${server}: left out a second definition of the ${kind} ${JSON.stringify(name.slice(0, 120))}`);
    return entries.filter(isKept);
  }

  async function reviewPinned(
    kind: DefinitionKind,
    entries: readonly Listed[],
    before: Listed | null,
    isFirst: boolean,
    isLast: boolean,
  ): Promise<ReadonlyMap<string, boolean>> {
    const others = (): Shadowing => shadowing(server, kind === 'tool' ? ownNames(entries) : [], store.list());
    let known: Shadowing | null = null;
    const suspicion = (entry: Listed): string | null => {
      known ??= others();
      const text = isObject(entry.definition) ? entry.definition['description'] : entry.definition;
      return (kind === 'tool' ? known.imitation(entry.name) : null) ?? (typeof text === 'string' ? known.meddling(text) : null);
    };
    let inForce = '';
    const look = (pins: ServerPins): Classified =>
      classify({
        pins,
        entries,
        judged: judge.known,
        judgedBy: inForce,
        policy: policy(),
        firstSight:
          !pins.complete.includes(kind) &&
          !(isFirst && kind !== 'instructions' && pins.items.some((item) => item.kind === kind && item.approved !== null)),
        suspicion,
        takenBack: (held) => heldHere.has(held.hash) || now() - held.since > TAKEN_BACK_MS,
        now: now(),
        newGroup: randomUUID,
      });
    const finished = (pins: ServerPins): ServerPins => {
      const complete = isLast && !pins.complete.includes(kind) ? [...pins.complete, kind] : pins.complete;
      const workspaces =
        pins.workspaces.at(-1) === workspace ? pins.workspaces : [...pins.workspaces.filter((one) => one !== workspace), workspace];
      return complete === pins.complete && workspaces === pins.workspaces ? pins : { ...pins, complete, workspaces };
    };

    for (let round = 0; round < MOST_ROUNDS; round++) {
      inForce = judge.judgedBy();
      const there = readPins();
      let seen = look(there ?? firstPins());
      if (seen.missing.length > 0) {
        await judge.judge(seen.missing);
        if (kind === 'tool') await judge.judgeTogether(before === null ? entries : [before, ...entries]);
        continue;
      }
      if (there === null || finished(seen.pins) !== there)
        store.change(id, (latest) => {
          const base = latest ?? firstPins();
          seen = look(base);
          return seen.missing.length > 0 ? latest : finished(seen.pins);
        });
      if (seen.missing.length > 0) continue;
      tellOf(seen);
      return new Map(entries.map((entry, index) => [entry.hash + entry.name, seen.shown[index] === true]));
    }
    throw new Error('rules or pins changed again and again meanwhile');
  }

  /** Names this server had and has, in the order in which they were first seen. */
  function ownNames(entries: readonly Listed[]): readonly string[] {
    const before = readPins()?.items.filter((item) => item.kind === 'tool' && item.approved !== null) ?? [];
    return [...new Set([...before.map(({ name }) => name), ...entries.map(({ name }) => name)])];
  }

  /** The pins of a server not seen before. One of the same name in the same project that was another program is what it is measured by. */
  function firstPins(): ServerPins {
    const fresh: ServerPins = { id, server, shown: identity.shown, workspaces: [], replaces: '', complete: [], askFirst: false, items: [] };
    const newest = (pins: ServerPins): number => Math.max(0, ...pins.items.map(({ approved }) => approved?.at ?? 0));
    const [was] = store
      .list()
      .filter((pins) => pins.server === server && pins.id !== id && pins.workspaces.includes(workspace))
      .sort((a, b) => newest(b) - newest(a));
    if (was === undefined) return fresh;
    return {
      ...fresh,
      replaces: was.shown,
      complete: was.complete,
      askFirst: was.askFirst,
      items: was.items.map((item) => ({ ...item, held: null })),
    };
  }

  async function judgeResources(entries: readonly Listed[]): Promise<ReadonlyMap<string, boolean>> {
    judge.judgedBy();
    await judge.judge(entries);
    const bad = entries.filter((entry) => isBad(judge.known.get(entry.hash) ?? judge.judgeValue(entry.name, entry.definition)));
    for (const entry of bad) hideBad(`resource ${entry.name}`, entry.hash, entry.definition);
    return new Map(entries.map((entry) => [entry.hash + entry.name, !bad.includes(entry)]));
  }

  /** What is left out and cannot be approved is recorded once a session. */
  function hideBad(name: string, key: string, value: JsonValue): void {
    if (badSeen.has(key)) return;
    badSeen.add(key);
    const judged = judge.known.get(key) ?? judge.judgeValue(name, value);
    log(`${server}: left out ${JSON.stringify(name.slice(0, 200))}. ${judged.reason}`);
    const held = {
      hash: key,
      definition: null,
      change: 'poisoned',
      why: judged.reason,
      verdict: 'block',
      findings: [],
      since: now(),
      group: '',
      judgedBy: '',
    } as const;
    const item: PinnedItem = { kind: 'template', name, approved: null, held, denied: null };
    write(recordsOf([{ type: 'blocked', how: 'first', item, before: null, after: value, hash: key, judged }], about));
  }

  function rebuilt(list: List, result: JsonObject, read: readonly (Listed | null)[], isShown: (entry: Listed) => boolean): Review {
    const disguised = disguisedMembers(result, list.key);
    const kept: JsonValue[] = [];
    let isSame = disguised.length === 0;
    for (const entry of read) {
      if (entry === null || !isShown(entry)) {
        isSame = false;
        continue;
      }
      const clean = withoutBadNotes(entry);
      if (clean !== entry.definition) isSame = false;
      kept.push(clean);
    }
    return isSame ? { kind: 'same' } : { kind: 'changed', result: without(result, disguised, { [list.key]: kept }) };
  }

  function withoutBadNotes({ kind, name, definition }: Listed): JsonValue {
    if (!isObject(definition)) return definition;
    const bad = UNPINNED.filter((key) => {
      const value = definition[key];
      if (value === undefined || (isObject(value) && Object.keys(value).length === 0)) return false;
      const judged = judgedNote({ [key]: value });
      if (isBad(judged)) hideBad(`${key} of the ${kind} ${name}`, `${kind}\n${name}\n${key}`, { [key]: value });
      return isBad(judged);
    });
    return bad.length === 0 ? definition : without(definition, bad);
  }

  /** Often the same for every tool, and looked at whenever they are listed. */
  function judgedNote(value: JsonObject): Judged {
    const key = `${judge.judgedBy()}\n${canonicalJson(value)}`;
    const judged = notes.get(key) ?? judge.judgeValue('', value);
    if (key.length <= MAX_NOTE && notes.size < MAX_NOTES) notes.set(key, judged);
    return judged;
  }

  async function reviewServer(result: JsonObject): Promise<Review> {
    const left = [...disguisedMembers(result, 'instructions'), ...disguisedMembers(result, 'serverInfo')];
    const more: { [key: string]: JsonValue } = {};
    const { instructions, serverInfo, capabilities } = result;
    const entries: Listed[] =
      typeof instructions === 'string' && instructions.trim() !== ''
        ? [{ kind: 'instructions', name: '', hash: hashOf('instructions', instructions), definition: instructions }]
        : [];
    const shown = await reviewPinned('instructions', entries, null, true, true);
    if (instructions !== undefined && typeof instructions !== 'string') left.push('instructions');
    if (entries.some((entry) => shown.get(entry.hash + entry.name) !== true)) left.push('instructions');
    if (serverInfo !== undefined && (!isObject(serverInfo) || isBad(judge.judgeValue('serverInfo', { serverInfo })))) {
      hideBad('serverInfo', 'serverInfo', { serverInfo });
      more['serverInfo'] = { name: server, version: '0' };
    }
    // A client that was promised no news about tools would never ask again once a person has decided.
    const tools = isObject(capabilities) ? capabilities['tools'] : undefined;
    const waits = readPins()?.items.some(({ kind, held, denied }) => kind === 'tool' && (held !== null || denied !== null)) === true;
    if (waits && isObject(capabilities) && isObject(tools) && tools['listChanged'] !== true)
      more['capabilities'] = { ...capabilities, tools: { ...tools, listChanged: true } };
    if (left.length === 0 && Object.keys(more).length === 0) return { kind: 'same' };
    return { kind: 'changed', result: without(result, left, more) };
  }

  function tellOf({ events }: Classified): void {
    if (events.length === 0) return;
    const hidden = events.filter(({ type }) => type !== 'pinned');
    for (const { hash } of hidden) heldHere.add(hash);
    for (const { item } of hidden.slice(0, MOST_SAID))
      log(`${server}: hid ${JSON.stringify(item.name.slice(0, 120))}. ${item.held?.why ?? ''}`);
    if (hidden.length > MOST_SAID) log(`${server}: hid ${hidden.length - MOST_SAID} more`);
    write(recordsOf(events, about));
    if (events.some(({ type }) => type === 'held')) options.onHeld?.();
  }

  const about = { server, shown: identity.shown, cwd: origin.cwd, session: origin.session };

  function write(records: readonly AuditEvent[]): void {
    for (const event of records)
      void Promise.resolve(options.record(event)).then((problem) => {
        if (problem !== null) log(`${server}: what was seen of its definitions could not be recorded: ${problem}`);
      });
  }

  function readPins(): ServerPins | null {
    try {
      return store.read(id);
    } catch (error) {
      log(`${server}: ${errorText(error)}`);
      // Put aside, and begun anew with nothing trusted; throws when even that cannot be done.
      return store.change(id, (latest) => latest ?? { ...firstPins(), complete: [], items: [] });
    }
  }

  function refusal(tool: string): string | null {
    let pins: ServerPins | null;
    try {
      pins = readPins();
    } catch (error) {
      return `Callgate cannot read what was approved of the MCP server "${server}" (${errorText(error)}), so "${tool}" was not called.`;
    }
    const item = itemsOf(pins).get(itemKey({ kind: 'tool', name: tool }));
    const last = heard.get(itemKey({ kind: 'tool', name: tool }));
    // Some clients call without asking for the list: then it is what it was last seen to be.
    if (last === undefined)
      return item === undefined || (item.denied === null && item.held === null) ? null : whyHidden(tool, server, item);
    return mayShow(item, last) ? null : whyHidden(tool, server, item);
  }

  /** Whether a client that lists now would see it as it last was. */
  function mayShow(item: PinnedItem | undefined, last: Heard): boolean {
    if (item === undefined) return last.shown;
    if (item.denied !== null && (item.denied.hash === '*' || item.denied.hash === last.hash)) return false;
    return last.shown || item.approved?.hash === last.hash;
  }

  function look(): void {
    let pins: ServerPins | null;
    try {
      pins = store.read(id);
    } catch {
      return; // said by whoever needs it
    }
    if (pins === watched) return;
    watched = pins;
    const items = itemsOf(pins);
    const notices = new Set<string>();
    for (const [key, last] of heard) {
      if (last.told || mayShow(items.get(key), last) === last.shown) continue;
      last.told = true;
      const notice = changedNotice(last.kind);
      if (notice !== null) notices.add(notice);
    }
    for (const method of notices) tell({ jsonrpc: '2.0', method });
  }
  const watch = setInterval(look, options.watchMs ?? WATCH_MS);
  watch.unref();

  return {
    review: (method, params, result) => {
      const list = listOf(method);
      const work = turn.then(async (): Promise<Review> => {
        try {
          if (list !== null) return await reviewList(list, params, result);
          return method === 'initialize' || method === 'server/discover' ? await reviewServer(result) : { kind: 'same' };
        } catch (error) {
          return refused(`what the MCP server "${server}" says of itself could not be looked at (${errorText(error)})`);
        }
      });
      turn = work;
      return work;
    },
    refusal,
    close: () => clearInterval(watch),
  };

  function refused(why: string): Review {
    log(`${server}: refused an answer: ${why}`);
    return { kind: 'refused', reason: `Callgate did not pass this on: ${why}. Ask the user to look at Callgate's log.` };
  }
}

const byPins = new WeakMap<ServerPins, ReadonlyMap<string, PinnedItem>>();

function itemsOf(pins: ServerPins | null): ReadonlyMap<string, PinnedItem> {
  if (pins === null) return new Map();
  const known = byPins.get(pins) ?? new Map(pins.items.map((item) => [itemKey(item), item]));
  byPins.set(pins, known);
  return known;
}
