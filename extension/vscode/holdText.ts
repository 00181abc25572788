/** Held calls in the editor's own words: notifications, quick picks, messages. */
import type { Hold } from '#contract/ipc.ts';
import { isObject } from '#core/model/json.ts';
import { describeCall } from '#core/policy/describeCall.ts';
import { plainText } from './plainText.ts';

const CLIENT_NAMES = { claude: 'Claude Code', codex: 'Codex', mcp: 'an MCP client', cli: 'the command line' } as const;

/** The editor cuts a notification at 1,000 characters. */
const MOST_SHOWN = 300;
const HEAD = 180;
const TAIL = 90;
/** Escapes make text longer. */
const MOST_ESCAPED = 600;

/** Arguments that the text of such a call shows, or that change nothing about what it does. Undefined: the text shows all. */
const SHOWN_ARGUMENTS: Partial<Record<Hold['call']['channel'], readonly string[]>> = {
  shell: ['command', 'description', 'timeout', 'timeout_ms', 'run_in_background', 'justification'],
  read: ['file_path', 'path', 'offset', 'limit'],
  fetch: ['url', 'prompt'],
  write: [],
};

export interface CallText {
  /** One line, safe to show. */
  readonly text: string;
  /** False: something of the call is not in it, so nobody can approve the call from this text alone. */
  readonly whole: boolean;
}

/** Long runs of blanks push what follows out of sight: their number says the same. */
function withoutPadding(text: string): string {
  return text
    .replace(/[ \t]{4,}/g, (run) => ` ⟨${run.length} blanks⟩ `)
    .replace(/(?:[ \t]*\r?\n){3,}/g, (run) => ` ⟨${run.split('\n').length - 1} line breaks⟩ `);
}

function shortened(text: string): CallText {
  const compact = withoutPadding(text);
  const shown = compact.length > MOST_SHOWN ? '' : plainText(compact, MOST_SHOWN);
  if (compact.length <= MOST_SHOWN && shown.length <= MOST_ESCAPED) return { text: shown, whole: true };
  const left = compact.length > HEAD + TAIL ? compact.length - HEAD - TAIL : 0;
  const head = plainText(compact.slice(0, HEAD), HEAD).slice(0, MOST_ESCAPED / 2);
  const tail = left === 0 ? '' : plainText(compact.slice(-TAIL), TAIL).slice(-MOST_ESCAPED / 2);
  return {
    text: `${head} … ⟨${left === 0 ? 'the rest is' : `${left.toLocaleString()} characters are`} not shown here⟩ … ${tail}`,
    whole: false,
  };
}

/** What would run, with its tool; cut ones keep their end, where padding hides things. */
export function callText({ call, definitions }: Pick<Hold, 'call' | 'definitions'>): CallText {
  if (definitions !== undefined) return { text: definitionsText(call.server ?? '', definitions), whole: false };
  const { text, whole } = shortened(describeCall(call).text);
  const plain = SHOWN_ARGUMENTS[call.channel];
  const covered =
    plain === undefined ||
    typeof call.args === 'string' ||
    (isObject(call.args) &&
      Object.entries(call.args).every(([key, value]) => plain.includes(key) && !(key === 'command' && typeof value !== 'string')));
  const name = plainText(call.server === null ? call.tool : `${call.server} · ${call.tool}`, 80);
  const subject = call.channel === 'response' ? `Result of ${name}` : name;
  return { text: text === '' ? subject : `${subject}: ${text}`, whole: whole && covered };
}

const MOST_NAMED = 3;

/** Which definitions of which server; what they say is for the panel. */
function definitionsText(server: string, definitions: NonNullable<Hold['definitions']>): string {
  const names = definitions
    .slice(0, MOST_NAMED)
    .map(({ kind, name }) => (kind === 'instructions' ? 'its instructions' : plainText(name, 60)));
  const more = definitions.length > MOST_NAMED ? ` and ${definitions.length - MOST_NAMED} more` : '';
  return `MCP server ${plainText(server, 60)}: ${names.join(', ')}${more}`;
}

/** `Bash: curl …`, safe to show. */
export function holdTitle(hold: Hold): string {
  return callText(hold).text;
}

/** Why it is held, in a few words. */
export function holdReason(hold: Hold): string {
  return plainText(hold.decision.findings[0]?.title ?? hold.decision.reason, 160);
}

export function heldMessage(hold: Hold): string {
  if (hold.definitions !== undefined)
    return `Callgate hides what an MCP server says of its tools until you have looked at it. ${holdTitle(hold)} (${holdReason(hold)})`;
  const what = hold.call.channel === 'response' ? 'a result for' : 'a call of';
  return `Callgate held ${what} ${CLIENT_NAMES[hold.call.client]}. ${holdTitle(hold)} (${holdReason(hold)})`;
}

/** An approval after the time limit. The call itself was refused, which a notification still open does not show. */
export function lateApproval(hold: Hold): string {
  return `The agent had stopped waiting. The next try of exactly this call is let through once: ${holdTitle(hold)}`;
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
      if (hold.definitions !== undefined) return `Decided elsewhere, or the server offers something else by now: ${title}`;
      return `The agent no longer waits for this call: ${title}`;
    case 'waiting':
      return `Still waiting: ${title}`;
  }
}
