/** What a screen reader is told when calls are held or settled: short, also when many come at once. */
import type { Hold } from '#contract/ipc.ts';
import { callName } from './callText.ts';
import { visibleLine } from '#core/policy/visibleText.ts';

const MOST_NAMED = 3;

function some(parts: readonly string[]): string {
  const rest = parts.length - MOST_NAMED;
  return [...parts.slice(0, MOST_NAMED), ...(rest > 0 ? [`And ${rest} more.`] : [])].join(' ');
}

export function heldAnnouncement(holds: readonly Hold[]): string {
  return some(holds.map((hold) => `Call held: ${callName(hold.call)}. ${visibleLine(hold.decision.findings[0]?.title ?? '', 200)}`.trim()));
}

export function settledAnnouncement(holds: readonly Hold[]): string {
  return some(holds.map((hold) => `${callName(hold.call)}: ${hold.state}.`));
}
