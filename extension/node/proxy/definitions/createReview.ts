/**
 * Reviews what one server says of itself, for one client's relay: judges it, compares it with what was pinned, leaves out what a
 * person has to see first, and tells the client when that was decided. Never waits for anybody.
 */
import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { DefinitionKind, PinnedItem, ServerPins } from '#contract/definitions.ts';
import type { ToolCall } from '#core/model/call.ts';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import type { Decision } from '#core/model/verdict.ts';
import { BUILT_IN_DEFINITIONS, type DefinitionPolicy } from '#core/policy/relayPart.ts';
import { errorText } from '#home/privateFile.ts';
import type { PinStore } from '#home/pins.ts';
import { workspaceOf } from '#home/workspace.ts';
import { classify, itemKey, type Classified, type ReviewEvent } from '#node/proxy/definitions/classify.ts';
import type { DefinitionReview, Review } from '#node/proxy/definitions/definitionReview.ts';
import { heardLists } from '#node/proxy/definitions/heardLists.ts';
import { definitionJudge } from '#node/proxy/definitions/judgeDefinitions.ts';
import { disguisedMembers, hashOf, listOf, readList, UNREADABLE, without } from '#node/proxy/definitions/listing.ts';
import type { List, Listed } from '#node/proxy/definitions/listing.ts';
import { recordsOf } from '#node/proxy/definitions/records.ts';
import type { ServerIdentity } from '#node/proxy/definitions/serverIdentity.ts';
import { itemsOf, serverPins } from '#node/proxy/definitions/serverPins.ts';
import { shadowing, type Shadowing } from '#node/proxy/definitions/shadowing.ts';
import { unpinned } from '#node/proxy/definitions/unpinned.ts';
import type { CallOrigin } from '#node/proxy/messages/callFromMcp.ts';

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

/** Another client may be at the first pages of a list while this one is at the last. */
const OTHER_PAGES_MS = 10 * 60_000;

/** Lines of log for one answer. */
const MOST_SAID = 5;

interface Cycle {
  /** Names on the pages so far: a second definition of one of them is not delivered. */
  readonly names: Map<string, string>;
  last: Listed | null;
}

export function createDefinitionReview(options: DefinitionReviewOptions): DefinitionReview {
  const { identity, origin, pins: store, log } = options;
  const { id, server } = identity;
  const now = options.now ?? Date.now;
  const policy = options.policy ?? (() => BUILT_IN_DEFINITIONS);
  const workspace = workspaceOf(origin.cwd);
  const judge = definitionJudge({ server, cwd: origin.cwd, session: origin.session }, options.decide);
  const mine = serverPins(store, identity, workspace, log);
  const rest = unpinned(judge, tellOf, now);
  const lists = heardLists({ server, read: mine.read, tell: options.tell, watchMs: options.watchMs ?? WATCH_MS });
  const heldHere = new Set<string>();
  const cycles = new Map<string, Cycle>();
  let turn: Promise<unknown> = Promise.resolve();
  /** The server was new to this review, or was another program before it. */
  let isNew = false;

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
    const shown = list.kind === 'resource' ? await rest.resources(single) : await reviewPinned(list.kind, single, before, isFirst, isLast);
    for (const entry of single) lists.heard(entry, shown.get(entry.hash + entry.name) === true);
    const kept = new Set(single);
    return rebuilt(list, result, read, (entry) => kept.has(entry) && shown.get(entry.hash + entry.name) === true);
  }

  /** Of several definitions of one name the approved one stays, else the first; the same one twice stays twice. */
  function firstOfEachName(entries: readonly Listed[], cycle: Cycle): readonly Listed[] {
    const approved = itemsOf(mine.read());
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
    const suspicions = new Map<Listed, string | null>();
    // Asked twice of each that changed, once of them under the pins' lock.
    const suspicion = (entry: Listed): string | null => {
      const before = suspicions.get(entry);
      if (before !== undefined) return before;
      known ??= others();
      const text = isObject(entry.definition) ? entry.definition['description'] : entry.definition;
      const why = (kind === 'tool' ? known.imitation(entry.name) : null) ?? (typeof text === 'string' ? known.meddling(text) : null);
      suspicions.set(entry, why);
      return why;
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
          !pins.complete.includes(kind) && !(kind !== 'instructions' && pins.items.some((item) => isKnownBefore(item, kind, isFirst))),
        suspicion,
        replaces: isNew ? pins.replaces : '',
        takenBack: (held) => heldHere.has(held.hash) || now() - held.since > TAKEN_BACK_MS,
        now: now(),
        newGroup: randomUUID,
      });
    const finished = (pins: ServerPins): ServerPins => {
      const complete = isLast && !pins.complete.includes(kind) ? [...pins.complete, kind] : pins.complete;
      const workspaces =
        pins.workspaces.at(-1) === workspace ? pins.workspaces : [...pins.workspaces.filter((one) => one !== workspace), workspace];
      // That it was another program is said at the first sight of this one.
      const replaces = isNew ? pins.replaces : '';
      const same = complete === pins.complete && workspaces === pins.workspaces && replaces === pins.replaces;
      return same ? pins : { ...pins, complete, workspaces, replaces };
    };

    for (let round = 0; round < MOST_ROUNDS; round++) {
      inForce = judge.judgedBy();
      const there = mine.read();
      let seen = look(there ?? mine.first());
      if (seen.missing.length > 0) {
        await judge.judge(seen.missing);
        if (kind === 'tool') await judge.judgeTogether(before === null ? entries : [before, ...entries]);
        continue;
      }
      if (there === null || finished(seen.pins) !== there)
        store.change(id, (latest) => {
          if (latest === null) isNew = true;
          seen = look(latest ?? mine.first());
          return seen.missing.length > 0 ? latest : finished(seen.pins);
        });
      if (seen.missing.length > 0) continue;
      tellOf(...seen.events);
      return new Map(entries.map((entry, index) => [entry.hash + entry.name, seen.shown[index] === true]));
    }
    throw new Error('rules or pins changed again and again meanwhile');
  }

  /** A list that never ends would be new for ever: its first page is known once it came, and the others soon after. */
  function isKnownBefore({ kind, approved }: PinnedItem, of: DefinitionKind, isFirst: boolean): boolean {
    return kind === of && approved !== null && (isFirst || now() - approved.at > OTHER_PAGES_MS);
  }

  /** Names this server had and has, in the order in which they were first seen. */
  function ownNames(entries: readonly Listed[]): readonly string[] {
    const before = mine.read()?.items.filter((item) => item.kind === 'tool' && item.approved !== null) ?? [];
    return [...new Set([...before.map(({ name }) => name), ...entries.map(({ name }) => name)])];
  }

  function rebuilt(list: List, result: JsonObject, read: readonly (Listed | null)[], isShown: (entry: Listed) => boolean): Review {
    // A cursor is the client's to send back, and looks like a secret.
    const disguised = [...disguisedMembers(result, list.key), ...rest.badMembers(result, [list.key, 'nextCursor'])];
    const kept: JsonValue[] = [];
    let isSame = disguised.length === 0;
    for (const entry of read) {
      if (entry === null || !isShown(entry)) {
        isSame = false;
        continue;
      }
      const clean = rest.withoutBadNotes(entry);
      if (clean !== entry.definition) isSame = false;
      kept.push(clean);
    }
    return isSame ? { kind: 'same' } : { kind: 'changed', result: without(result, disguised, { [list.key]: kept }) };
  }

  async function reviewServer(result: JsonObject): Promise<Review> {
    const left = [
      ...disguisedMembers(result, 'instructions'),
      ...disguisedMembers(result, 'serverInfo'),
      ...rest.badMembers(result, ['instructions', 'serverInfo']),
    ];
    const more: { [key: string]: JsonValue } = left.includes('capabilities') ? { capabilities: {} } : {};
    const { instructions, serverInfo, capabilities } = result;
    const entries: Listed[] =
      typeof instructions === 'string' && instructions.trim() !== ''
        ? [{ kind: 'instructions', name: '', hash: hashOf('instructions', instructions), definition: instructions }]
        : [];
    const shown = await reviewPinned('instructions', entries, null, true, true);
    if (instructions !== undefined && typeof instructions !== 'string') left.push('instructions');
    if (entries.some((entry) => shown.get(entry.hash + entry.name) !== true)) left.push('instructions');
    if (serverInfo !== undefined && rest.isBadServer(serverInfo)) more['serverInfo'] = { name: server, version: '0' };
    // A client that was promised no news about tools would never ask again once a person has decided.
    const tools = isObject(capabilities) ? capabilities['tools'] : undefined;
    const waits = mine.read()?.items.some(({ kind, held, denied }) => kind === 'tool' && (held !== null || denied !== null)) === true;
    if (waits && !left.includes('capabilities') && isObject(capabilities) && isObject(tools) && tools['listChanged'] !== true)
      more['capabilities'] = { ...capabilities, tools: { ...tools, listChanged: true } };
    if (left.length === 0 && Object.keys(more).length === 0) return { kind: 'same' };
    return { kind: 'changed', result: without(result, left, more) };
  }

  function tellOf(...events: readonly ReviewEvent[]): void {
    if (events.length === 0) return;
    const hidden = events.filter(({ type }) => type !== 'pinned');
    for (const { hash } of hidden) heldHere.add(hash);
    for (const { item } of hidden.slice(0, MOST_SAID))
      log(`${server}: hid ${JSON.stringify(item.name.slice(0, 120))}. ${item.held?.why ?? ''}`);
    if (hidden.length > MOST_SAID) log(`${server}: hid ${hidden.length - MOST_SAID} more`);
    const about = { server, shown: identity.shown, cwd: origin.cwd, session: origin.session };
    for (const event of recordsOf(events, about))
      void Promise.resolve(options.record(event)).then((problem) => {
        if (problem !== null) log(`${server}: what was seen of its definitions could not be recorded: ${problem}`);
      });
    if (events.some(({ type }) => type === 'held')) options.onHeld?.();
  }

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
    refusal: lists.refusal,
    close: lists.close,
  };

  function refused(why: string): Review {
    log(`${server}: refused an answer: ${why}`);
    return { kind: 'refused', reason: `Callgate did not pass this on: ${why}. Ask the user to look at Callgate's log.` };
  }
}
