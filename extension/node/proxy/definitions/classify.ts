/** What becomes of each definition on a page: shown or hidden, pinned or held. Synchronous, so that it can be done under the pins' lock. */
import type { ChangeKind, HeldDefinition, PinnedItem, ServerPins } from '#contract/definitions.ts';
import type { Finding } from '#core/model/finding.ts';
import type { JsonValue } from '#core/model/json.ts';
import type { Verdict } from '#core/model/verdict.ts';
import { driftBetween, type Drift } from '#core/policy/definitionDrift.ts';
import type { DefinitionPolicy } from '#core/policy/relayPart.ts';
import { namelessText } from '#core/policy/pinnedText.ts';
import { approvedNow, keptDefinition } from '#home/pins.ts';
import type { Listed } from '#node/proxy/definitions/listing.ts';

export interface Judged {
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  readonly reason: string;
}

export interface ReviewEvent {
  /** pinned: trusted without a person · held: a person is needed · blocked: hidden for good. */
  readonly type: 'pinned' | 'held' | 'blocked';
  readonly item: PinnedItem;
  /** What was approved before. */
  readonly before: JsonValue;
  readonly after: JsonValue;
  readonly hash: string;
  readonly judged: Judged;
  /** Of a pin. */
  readonly how: 'first' | 'mild' | 'flagged' | 'added';
}

export interface ClassifyInput {
  readonly pins: ServerPins;
  readonly entries: readonly Listed[];
  /** By hash. What is needed and not here is asked for by `missing`. */
  readonly judged: ReadonlyMap<string, Judged>;
  /** Hashes of the rules and the policy in force. */
  readonly judgedBy: string;
  readonly policy: DefinitionPolicy;
  /** The list is not known yet: what is new on it is no addition. */
  readonly firstSight: boolean;
  /** What the server was before, when it is seen for the first time as what it is now. */
  readonly replaces: string;
  readonly suspicion: (entry: Listed) => string | null;
  /** A held definition that this server has taken back. */
  readonly takenBack: (held: HeldDefinition) => boolean;
  readonly now: number;
  readonly newGroup: () => string;
}

export interface Classified {
  /** The same object when nothing changes. */
  readonly pins: ServerPins;
  readonly shown: readonly boolean[];
  readonly missing: readonly Listed[];
  readonly events: readonly ReviewEvent[];
}

const MOST_GROUPS = 10;

export const itemKey = ({ kind, name }: { readonly kind: string; readonly name: string }): string => `${kind}\n${name}`;

export function classify(input: ClassifyInput): Classified {
  const { pins, entries, judged, judgedBy, policy, now } = input;
  const items = new Map(pins.items.map((item) => [itemKey(item), item]));
  const missing: Listed[] = [];
  const events: ReviewEvent[] = [];
  let changed = false;
  let bodies: Map<string, string> | null = null;
  const put = (item: PinnedItem): PinnedItem => {
    items.set(itemKey(item), item);
    changed = true;
    return item;
  };

  const shown = entries.map((entry): boolean => {
    if (entry.kind === 'resource') return false; // never pinned, so never here
    const { kind, name, hash } = entry;
    const item = items.get(itemKey(entry)) ?? { kind, name, approved: null, held: null, denied: null };
    const { approved, held, denied } = item;
    if (denied !== null && (denied.hash === '*' || denied.hash === hash)) return false;
    const isApproved = approved?.hash === hash;
    if (isApproved && approved.judgedBy === judgedBy) {
      settleTakenBack(item);
      return true;
    }
    if (held?.hash === hash && held.judgedBy === judgedBy) return false;
    const verdict = judged.get(hash);
    if (verdict === undefined) {
      missing.push(entry);
      return false;
    }
    const about = { before: approved?.definition ?? null, after: keptDefinition(entry.definition), hash, judged: verdict };
    const hold = (change: ChangeKind, why: string): false => {
      const blocked = verdict.verdict === 'block';
      const group = blocked ? input.newGroup() : change === 'poisoned' ? ownGroup() : openGroup();
      const next: HeldDefinition = {
        hash,
        definition: about.after,
        change,
        why,
        verdict: verdict.verdict,
        findings: verdict.findings,
        since: held?.hash === hash ? held.since : now,
        group: held?.hash === hash && held.change === change ? held.group : group,
        judgedBy,
      };
      events.push({ ...about, type: blocked ? 'blocked' : 'held', how: 'first', item: put({ ...item, held: next, denied: null }) });
      return false;
    };
    const pin = (how: ReviewEvent['how']): true => {
      const by = how === 'first' ? 'first' : 'gate';
      const next = approvedNow(approved, { hash, definition: about.after, judgedBy }, by, now);
      events.push({ ...about, type: 'pinned', how, item: put({ ...item, approved: next, held: null, denied: null }) });
      return true;
    };

    const bad = `${subject(entry, pins)} ${verdict.verdict === 'block' ? 'is blocked' : 'needs a look'}. ${verdict.reason}`;
    if (verdict.verdict === 'block') return hold('poisoned', bad);
    const isEarlier = approved?.earlier.includes(hash) === true;
    if (verdict.verdict === 'quarantine') {
      // Rules that came later do not take back what a person has looked at, as long as they would only ask.
      if (!isApproved || approved.by !== 'person') return hold('poisoned', bad);
    }
    if (isApproved) {
      put({ ...item, approved: { ...approved, judgedBy } });
      return true;
    }
    if (isEarlier) return true;
    const suspicion = input.suspicion(entry);
    if (suspicion !== null) return hold('imitates', suspicion);
    if (approved !== null) {
      const drift = approved.definition === null ? 'changed' : driftOf(approved.definition, entry.definition);
      if (drift !== 'changed' && verdict.verdict === 'clean') return pin('mild');
      return policy.drift === 'flag' ? pin('flagged') : hold('changed', changedWhy(entry, pins, input.replaces));
    }
    if (input.firstSight) {
      const ask = policy.firstSight === 'ask' || pins.askFirst;
      return ask ? hold('first', `${subject(entry, pins)} has not been seen before, and needs a person's approval.`) : pin('first');
    }
    // Prompts are run by a person who chose them, templates name data: a new one that says nothing bad is news to nobody.
    if (kind === 'prompt' || kind === 'template' || policy.drift === 'flag') return pin('added');
    const was = renamedFrom(entry);
    if (was !== undefined) return hold('renamed', `${subject(entry, pins)} is what was approved as "${was}", under another name.`);
    return hold('added', `${subject(entry, pins)} was added after the server had been approved.`);
  });
  return { pins: changed ? { ...pins, items: [...items.values()] } : pins, shown, missing, events };

  function settleTakenBack(item: PinnedItem): void {
    if (item.held !== null && item.denied === null && input.takenBack(item.held)) put({ ...item, held: null });
  }

  /** What changed without the gate's complaint is one matter for a person, however many pages it came on. */
  function openGroup(): string {
    for (const { held, denied } of items.values())
      if (held !== null && denied === null && held.change !== 'poisoned' && held.verdict !== 'block') return held.group;
    return input.newGroup();
  }

  /** A matter of its own, as long as those of one server do not bury those of the others. */
  function ownGroup(): string {
    const groups = new Set<string>();
    for (const { held, denied } of items.values())
      if (held !== null && denied === null && held.change === 'poisoned' && held.verdict !== 'block') groups.add(held.group);
    return groups.size < MOST_GROUPS ? input.newGroup() : ([...groups].at(-1) ?? input.newGroup());
  }

  function renamedFrom(entry: Listed): string | undefined {
    bodies ??= new Map(
      pins.items.flatMap(({ kind, name, approved }) =>
        kind === 'tool' && approved !== null && approved.definition !== null ? [[namelessText(approved.definition), name] as const] : [],
      ),
    );
    return bodies.get(namelessText(entry.definition));
  }
}

/** By the definition now, then by the one before: the same two are compared again under the lock. */
const drifts = new WeakMap<object, WeakMap<object, Drift>>();

function driftOf(before: JsonValue, now: JsonValue): Drift {
  if (typeof before !== 'object' || before === null || typeof now !== 'object' || now === null) return driftBetween(before, now);
  const known = drifts.get(now) ?? new WeakMap<object, Drift>();
  const drift = known.get(before) ?? driftBetween(before, now);
  drifts.set(now, known.set(before, drift));
  return drift;
}

function subject({ kind, name }: Listed, { server }: ServerPins): string {
  return kind === 'instructions' ? `What the MCP server "${server}" says of itself` : `The ${kind} "${name}" of the MCP server "${server}"`;
}

function changedWhy(entry: Listed, pins: ServerPins, replaces: string): string {
  const other = replaces === '' ? '' : ` The server was ${replaces} before and is ${pins.shown} now.`;
  return `${subject(entry, pins)} is not what was approved.${other}`;
}
