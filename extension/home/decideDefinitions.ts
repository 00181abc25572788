/** A person's decision about held definitions: pinned or denied, and recorded. For the panel and the command line alike. */
import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { PinnedItem, ServerPins } from '#contract/definitions.ts';
import type { JsonValue } from '#core/model/json.ts';
import { plainEvent } from '#home/auditEvents.ts';
import { approveHold, definitionHolds, rejectHold, type DefinitionHold } from '#home/pinDecisions.ts';
import type { PinStore } from '#home/pins.ts';

export type DefinitionAnswer = 'approved' | 'rejected';

/** The hold that was decided, and the event to record; null when there is none of this id, or its server changed what it shows. */
export function decideDefinitions(
  pins: PinStore,
  id: string,
  answer: DefinitionAnswer,
  note: string,
  now: number,
): { readonly hold: DefinitionHold; readonly event: AuditEvent } | null {
  const hold = pins
    .list()
    .flatMap(definitionHolds)
    .find((one) => one.id === id);
  if (hold === undefined) return null;
  let settled = false;
  pins.change(hold.pins.id, (latest) => {
    const edited = (answer === 'approved' ? approveHold : rejectHold)(latest, id, now);
    settled = edited !== null;
    return edited;
  });
  if (!settled) return null;
  return { hold, event: definitionEvent(hold.pins, hold.items, answer, note, hold.group) };
}

/** `group` joins the decision with the entry that said what is held. */
export function definitionEvent(
  pins: ServerPins,
  items: readonly PinnedItem[],
  answer: DefinitionAnswer,
  note: string,
  group: string = randomUUID(),
): AuditEvent {
  const [one] = items;
  const name = items.length === 1 && one ? (one.kind === 'instructions' ? 'instructions' : one.name) : `${items.length} definitions`;
  const named: JsonValue = items.map(({ kind, name: item, held, approved }) => ({
    kind,
    name: item,
    hash: held?.hash ?? approved?.hash ?? '',
    ...(held === null ? {} : { change: held.change }),
  }));
  return {
    ...plainEvent('call', {
      client: 'mcp',
      id: group,
      tool: name,
      args: { server: pins.shown, definitions: named },
      verdict: 'clean',
      outcome: answer === 'approved' ? 'delivered' : 'refused',
      by: 'person',
      reason: answer === 'approved' ? 'A person approved these definitions as they are now.' : 'A person denied these definitions.',
      note,
      cwd: pins.workspaces.at(-1) ?? '',
    }),
    kind: 'hold',
    channel: 'definition',
    server: pins.server,
    verdict: 'quarantine',
  };
}
