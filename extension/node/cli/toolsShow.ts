import { definitionDiff, diffLines } from '#core/policy/definitionDiff.ts';
import type { PinnedItem } from '#contract/definitions.ts';
import { type CommandHost, print } from '#node/cli/command.ts';
import type { ToolsAction } from '#node/cli/tools.ts';
import { findItems, findServer, itemName, safe, stateOf } from '#node/cli/toolsServer.ts';

const LINE = 2000;

/** Exit status 1 when something waits or is blocked, so that a script can tell. */
export const showTools: ToolsAction = (args, { stdout, stderr }: CommandHost, pins) => {
  const [name, tool, ...more] = args;
  if (name === undefined || more.length > 0) {
    print(stderr, 'usage: callgate tools show SERVER [NAME]');
    return 2;
  }
  const found = findServer(pins, name);
  const items =
    typeof found === 'string'
      ? found
      : tool === undefined
        ? found.items.filter(({ held, denied }) => held !== null && denied === null)
        : findItems(found, [tool]);
  if (typeof items === 'string' || typeof found === 'string') {
    print(stderr, `callgate: ${String(typeof found === 'string' ? found : items)}`);
    return 1;
  }
  print(stdout, `${safe(found.server)}  (${safe(found.shown, 200)})`);
  if (items.length === 0) print(stdout, 'Nothing waits.');
  for (const item of items) print(stdout, itemLines(item).join('\n'));
  return items.some(({ held, denied }) => held !== null && denied === null) ? 1 : 0;
};

function itemLines(item: PinnedItem): readonly string[] {
  const { approved, held } = item;
  const now = held?.definition ?? approved?.definition ?? null;
  const before = held === null ? null : (approved?.definition ?? null);
  const why = held === null ? [] : [`  ${safe(held.why, 1000)}`];
  const rules = [...new Set(held?.findings.map(({ rule, title }) => `  ${safe(rule)}: ${safe(title, 200)}`) ?? [])];
  const lines = diffLines(definitionDiff(before, now), LINE).map((line) => `  ${line}`);
  const whole = now === null ? ['  It is too large to be shown; only its hash is kept.'] : lines;
  return ['', `${safe(itemName(item))}: ${stateOf(item)}`, ...why, ...rules, ...whole];
}
