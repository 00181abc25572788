/** What an agent is told about a call it may not make: what is wrong, and what it or its user can do. */
import type { Decision } from '#core/model/verdict.ts';

/** Longer answers would not fit into one argument of the hook script beside everything else. */
const MAX_REASON = 6000;
const cut = (text: string): string => (text.length <= MAX_REASON ? text : `${text.slice(0, MAX_REASON)}…`);

/** The gate's own sentence, which already says who speaks and what was seen. */
const because = (decision: Decision): string => decision.reason || 'Callgate holds this call for a person.';

export const blockedReason = (decision: Decision): string => cut(decision.reason || 'Callgate blocked this call.');

export const askReason = (decision: Decision): string => cut(because(decision));

export const noEditorReason = (decision: Decision): string =>
  cut(
    `${because(decision)} No editor was reached to approve it: the user can open the editor, approve the call in Callgate's panel, and then exactly the same call can be tried again.`,
  );

export const crowdedReason = (decision: Decision, waiting: number): string =>
  cut(`${because(decision)} ${waiting} calls wait for a person already, so it was refused. Try again when those are answered.`);

/** For what policy says nobody is asked about, and what nobody could wait for. */
export const unaskedReason = ({ findings: [worst] }: Decision): string =>
  cut(
    `Callgate keeps it back${worst === undefined ? '' : `: ${worst.title} (${worst.rule})`}. Nobody is asked about it; continue another way.`,
  );

export const noHookReason =
  "Callgate's policy lets calls of this MCP server run only when the client's hook has asked before, and no hook asked about this one. Ask the user to protect this client's hooks in Callgate, or to take `requireHook` for this server out of the policy.";

export const expiredReason = (decision: Decision, seconds: number): string =>
  cut(
    `${because(decision)} It was held for ${seconds} seconds and nobody answered, so it was refused. The user can still approve it in Callgate's panel in the editor; then exactly the same call can be tried again.`,
  );

export const rejectedReason = (decision: Decision, note: string): string =>
  cut(
    `A person rejected this call in Callgate. ${note ? `They say: ${note}` : `(${because(decision)})`} Do not try it in another form; ask the user how to go on.`,
  );

export const approvedReason = (note: string): string =>
  cut(note ? `Approved by a person in Callgate. They say: ${note}` : 'Approved by a person in Callgate.');

export const grantedReason = 'A person approved exactly this call in Callgate earlier.';

export const journalReason = (problem: string): string =>
  cut(
    `Callgate could not record this call, so it was refused: ${problem}. Ask your user to free the journal folder, or to allow unrecorded calls in Callgate's settings.`,
  );

export const cancelledReason = 'The client gave this call up before a person answered.';
