/** What a timeline row and a session's step share: how an entry's verdict and its details are shown. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import { DECIDERS } from '#contract/sessionStory.ts';
import type { Verdict } from '#core/model/verdict.ts';
import { argumentList, factList, findingList } from './callDetails.ts';
import { clientName } from './callText.ts';
import { element } from './element.ts';
import { visibleLine } from '#core/policy/visibleText.ts';

export const VERDICT_NAMES: Readonly<Record<Verdict, string>> = { clean: 'Clean', flag: 'Flagged', quarantine: 'Held', block: 'Blocked' };
const OUTCOME_NAMES: Readonly<Record<AuditEntry['outcome'], string>> = {
  delivered: 'went through',
  refused: 'refused',
  asked: 'left to the client’s own prompt',
  held: 'waiting for a person',
  expired: 'refused, nobody answered',
};

/** A result that a hook only reported was seen, not held. */
export function verdictBadge(entry: AuditEntry): HTMLElement {
  const wasHeld = entry.kind !== 'response' || entry.by !== 'client';
  const name = wasHeld || entry.verdict === 'clean' ? VERDICT_NAMES[entry.verdict] : 'Noticed';
  return element('span', { class: `verdict verdict-${entry.verdict}` }, name);
}

export function entryDetails(entry: AuditEntry): readonly HTMLElement[] {
  const facts = factList([
    ['Outcome', `${OUTCOME_NAMES[entry.outcome]}, decided by ${DECIDERS[entry.by]}`],
    ['Note', entry.note],
    ['Client', clientName(entry.client)],
    ['Agent', entry.agent],
    ['Session', entry.session],
    ['Folder', entry.cwd],
    ['Time', new Date(entry.time).toLocaleString()],
    ['Took', `${entry.tookMs < 10 ? entry.tookMs.toFixed(1) : Math.round(entry.tookMs)} ms`],
    ['Entry', `${entry.seq}`],
    ['Call', entry.call],
    ['Hash', entry.hash],
  ]);
  const hasArguments = entry.args !== null && JSON.stringify(entry.args) !== '{}';
  // Secrets are redacted in the journal, so the findings' offsets no longer fit: no highlighting here.
  const args = hasArguments ? argumentList(entry.args, []) : null;
  return [
    entry.reason === '' ? null : element('p', { class: 'reason' }, visibleLine(entry.reason, 2000)),
    args,
    findingList(entry.findings, entry.args),
    facts,
  ].filter((part) => part !== null);
}
