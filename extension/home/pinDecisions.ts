/** What waits for a person among the pins, and what becomes of it when one decides. The same for the panel and the command line. */
import { createHash } from 'node:crypto';
import type { DefinitionChange, DefinitionKind, HeldDefinition, PinnedItem, ServerPins } from '#contract/definitions.ts';
import type { Hold } from '#contract/ipc.ts';
import { escapePointer } from '#core/normalize/pointer.ts';
import type { Finding } from '#core/model/finding.ts';
import { approvedNow } from '#home/pins.ts';

type HeldItem = PinnedItem & { readonly held: HeldDefinition };

/** Things decided together: what changed without anybody's complaint is one matter, each thing the gate complains of is one by itself. */
export interface DefinitionHold {
  /** Says which definitions are meant, too: what a server changes meanwhile is not approved with it. */
  readonly id: string;
  /** The part of the id that stays while more of the same comes: how the record names it. */
  readonly group: string;
  readonly pins: ServerPins;
  readonly items: readonly HeldItem[];
}

/** A person can look at no more at once; the others come when these are decided. */
const MAX_SHOWN_TEXT = 400_000;
const MAX_FINDINGS = 50;

const isWaiting = (item: PinnedItem): item is HeldItem => item.held !== null && item.held.verdict !== 'block' && item.denied === null;

export function definitionHolds(pins: ServerPins): readonly DefinitionHold[] {
  const groups = new Map<string, HeldItem[]>();
  for (const item of pins.items) if (isWaiting(item)) groups.set(item.held.group, [...(groups.get(item.held.group) ?? []), item]);
  return [...groups].map(([group, all]) => {
    const items = showable(all);
    const meant = createHash('sha256')
      .update(items.map((item) => `${item.kind}\n${item.held.hash}\n${item.name}`).join('\n\n'))
      .digest('hex');
    return { id: `${group}.${meant.slice(0, 16)}`, group, pins, items };
  });
}

function showable(items: readonly HeldItem[]): readonly HeldItem[] {
  let room = MAX_SHOWN_TEXT;
  return items.filter((item, index) => {
    room -= JSON.stringify(item.held.definition).length + JSON.stringify(item.approved?.definition ?? null).length;
    return room >= 0 || index === 0;
  });
}

export function changesOf({ items }: Pick<DefinitionHold, 'items'>): readonly DefinitionChange[] {
  return items.map(({ kind, name, approved, held }) => ({
    kind,
    name,
    change: held.change,
    why: held.why,
    before: approved?.definition ?? null,
    after: held.definition,
  }));
}

/** As the panel shows it. Places of findings begin with the number of the definition. */
export function shownHold(hold: DefinitionHold): Hold {
  const { items, pins } = hold;
  const changes = changesOf(hold);
  const [first] = items;
  const findings = items.flatMap(({ held }, index) =>
    held.findings.map((finding): Finding => ({ ...finding, at: `/${escapePointer(String(index))}${finding.at}` })),
  );
  const quarantined = items.some(({ held }) => held.verdict === 'quarantine');
  return {
    id: hold.id,
    call: {
      client: 'mcp',
      agent: 'main',
      session: '',
      useId: null,
      channel: 'definition',
      tool: items.length === 1 && first ? nameOf(first) : `${items.length} definitions`,
      server: pins.server,
      args: changes.map(({ after }) => after),
      cwd: pins.workspaces.at(-1) ?? '',
    },
    decision: {
      verdict: 'quarantine',
      findings: quarantined ? findings.slice(0, MAX_FINDINGS) : [],
      reason: reasonOf(hold),
      rules: '',
      policy: '',
    },
    state: 'waiting',
    since: Math.min(...items.map(({ held }) => held.since)),
    // It waits for as long as it takes: nothing is refused meanwhile but what is hidden.
    until: Number.MAX_SAFE_INTEGER,
    definitions: changes,
  };
}

const nameOf = ({ kind, name }: { readonly kind: DefinitionKind; readonly name: string }): string =>
  kind === 'instructions' ? 'instructions' : name;

export function reasonOf({ items, pins }: Pick<DefinitionHold, 'items' | 'pins'>): string {
  const [first] = items;
  if (items.length === 1 && first) return first.held.why;
  return `The MCP server "${pins.server}" offers ${items.length} things other than those that were approved. They are hidden from the agent until a person has looked at them.`;
}

/** Pins what the hold showed. `null`: it is not there any more, or the server changed it meanwhile. */
export function approveHold(now: ServerPins | null, id: string, at: number): ServerPins | null {
  return decide(now, id, (item) => approvedItem(item, at));
}

export function approvedItem(item: PinnedItem, at: number): PinnedItem {
  const { approved, held } = item;
  return { ...item, approved: held === null ? approved : approvedNow(approved, held, 'person', at), held: null, denied: null };
}

/** Hides it for as long as it stays what it is; kept, so that somebody can still think better of it. */
export function rejectHold(now: ServerPins | null, id: string, at: number): ServerPins | null {
  return decide(now, id, (item) => ({ ...item, denied: { hash: item.held.hash, at } }));
}

function decide(now: ServerPins | null, id: string, settle: (item: HeldItem) => PinnedItem): ServerPins | null {
  const hold = now === null ? undefined : definitionHolds(now).find((one) => one.id === id);
  if (now === null || hold === undefined) return null;
  const meant = new Set<PinnedItem>(hold.items);
  return { ...now, items: now.items.map((item) => (isWaiting(item) && meant.has(item) ? settle(item) : item)) };
}
