/** Held calls in the editor's own words: notifications, quick picks, messages. */
import type { Hold } from '#contract/ipc.ts';
import { describeCall } from '#core/policy/describeCall.ts';
import { visibleLine } from '#core/policy/visibleText.ts';

const CLIENT_NAMES = { claude: 'Claude Code', codex: 'Codex', mcp: 'an MCP client', cli: 'the command line' } as const;

/** `Bash: curl …`, safe to show: control and bidi characters are escaped. */
export function holdTitle(hold: Hold): string {
  return visibleLine(describeCall(hold.call).title, 140);
}

/** Why it is held, in a few words. */
export function holdReason(hold: Hold): string {
  return hold.decision.findings[0]?.title ?? hold.decision.reason;
}

export function heldMessage(hold: Hold): string {
  return `Callgate held a call of ${CLIENT_NAMES[hold.call.client]}. ${holdTitle(hold)} (${holdReason(hold)})`;
}

/** What became of a hold, for somebody who tried to decide it too late. */
export function settledMessage(hold: Hold): string {
  const title = holdTitle(hold);
  switch (hold.state) {
    case 'approved':
      return `Approved: ${title}`;
    case 'rejected':
      return `Rejected: ${title}`;
    case 'expired':
      return `Nobody answered in time, so this call was refused: ${title}`;
    case 'cancelled':
      return `The agent no longer waits for this call: ${title}`;
    case 'waiting':
      return `Still waiting: ${title}`;
  }
}
