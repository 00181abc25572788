/** Changes some of one server's pins by hand, and records that. */
import { join } from 'node:path';
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { PinnedItem } from '#contract/definitions.ts';
import { definitionEvent, type DefinitionAnswer } from '#home/decideDefinitions.ts';
import { openLocalGate } from '#home/localGate.ts';
import type { PinStore } from '#home/pins.ts';
import { type CommandHost, print } from '#node/cli/command.ts';
import { findItems, findServer, itemName, safe } from '#node/cli/toolsServer.ts';

export interface ItemChange {
  readonly host: CommandHost;
  readonly pins: PinStore;
  readonly server: string;
  /** Names as they are listed, or which. */
  readonly names: readonly string[] | ((item: PinnedItem) => boolean);
  readonly answer: DefinitionAnswer;
  /** Why this one cannot or need not be changed; null when it can. */
  readonly why: (item: PinnedItem) => string | null;
  readonly change: (item: PinnedItem) => PinnedItem;
}

/** Exit status: 0 all done, 1 something could not be done and nothing was. */
export function changeItems({ host, pins, server, names, answer, why, change }: ItemChange): number {
  const { stdout, stderr } = host;
  const found = findServer(pins, server);
  const items = typeof found === 'string' ? found : typeof names === 'function' ? found.items.filter(names) : findItems(found, names);
  if (typeof found === 'string' || typeof items === 'string') {
    print(stderr, `callgate: ${String(typeof found === 'string' ? found : items)}`);
    return 1;
  }
  const faults = items.flatMap((item) => {
    const fault = why(item);
    return fault === null ? [] : [`callgate: "${safe(itemName(item))}" ${fault}`];
  });
  if (faults.length > 0) {
    print(stderr, faults.join('\n'));
    return 1;
  }
  if (items.length === 0) {
    print(stdout, 'Nothing waits.');
    return 0;
  }
  let moved = false;
  const meant = new Map(items.map((item) => [keyOf(item), item.held?.hash]));
  pins.change(found.id, (now) => {
    if (now === null) return null;
    const isMeant = (item: PinnedItem): boolean => meant.has(keyOf(item));
    // What the server changed while somebody read it is not what was meant.
    moved = now.items.some((item) => isMeant(item) && item.held?.hash !== meant.get(keyOf(item)));
    return moved ? now : { ...now, items: now.items.map((item) => (isMeant(item) ? change(item) : item)) };
  });
  if (moved) {
    print(stderr, 'callgate: the server changed it meanwhile; look at it again with callgate tools show');
    return 1;
  }
  const group = items.length === 1 || items.every(({ held }) => held?.group === items[0]?.held?.group) ? items[0]?.held?.group : undefined;
  const recorded = recordOrSay(host, definitionEvent(found, items, answer, '', group));
  print(stdout, `${answer === 'approved' ? 'Approved' : 'Denied'}: ${items.map((item) => safe(itemName(item))).join(', ')}`);
  return recorded ? 0 : 1;
}

const keyOf = ({ kind, name }: PinnedItem): string => `${kind}\n${name}`;

export function recordOrSay({ layout, bundleFolder, stderr }: CommandHost, event: AuditEvent): boolean {
  const gate = openLocalGate({
    layout,
    rulesFile: join(bundleFolder, 'rules.json'),
    warn: (message) => print(stderr, `callgate: ${message}`),
  });
  try {
    const problem = gate.record(event);
    if (problem !== null) print(stderr, `callgate: this could not be recorded: ${problem}`);
    return problem === null;
  } finally {
    gate.close();
  }
}
