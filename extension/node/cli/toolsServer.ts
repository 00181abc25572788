/** Which server is meant on the command line, and which of its definitions. */
import type { PinnedItem, ServerPins } from '#contract/definitions.ts';
import { visibleLine } from '#core/policy/visibleText.ts';
import type { PinStore } from '#home/pins.ts';

export const safe = (text: string, limit = 120): string => visibleLine(text, limit);
export const itemName = ({ kind, name }: PinnedItem): string =>
  kind === 'instructions' ? '(instructions)' : kind === 'tool' ? name : `${kind}:${name}`;

/** By its name or the beginning of its id; a sentence when it is none or several. */
export function findServer(pins: PinStore, wanted: string): ServerPins | string {
  const all = pins.list();
  const found = all.filter(({ id, server }) => server === wanted || (wanted.length >= 6 && id.startsWith(wanted)));
  const [one] = found;
  if (one === undefined) return `no server "${safe(wanted)}" has been seen; callgate tools list shows those that were`;
  if (found.length === 1) return one;
  const ids = found.map(({ id, shown }) => `  ${id.slice(0, 8)}  ${safe(shown)}`);
  return [`"${safe(wanted)}" are several; say which by its id:`, ...ids].join('\n');
}

/** The items of these names, or the first name that there is none of. */
export function findItems({ server, items }: ServerPins, names: readonly string[]): readonly PinnedItem[] | string {
  const found: PinnedItem[] = [];
  for (const name of names) {
    const item = items.find((one) => itemName(one) === name || (one.kind === 'instructions' && name === 'instructions'));
    if (item === undefined)
      return `"${safe(name)}" is nothing that "${safe(server)}" was seen to offer; callgate tools list ${safe(server)} shows what was`;
    found.push(item);
  }
  return found;
}

export function stateOf({ approved, held, denied }: PinnedItem): string {
  if (denied !== null) return denied.hash === '*' || approved === null ? 'denied' : 'approved, its change denied';
  if (held !== null) return held.verdict === 'block' ? 'blocked' : `waits (${held.change})`;
  return approved === null ? 'unknown' : approved.by === 'person' ? 'approved by a person' : 'approved at first sight';
}
