/** What a server says of its tools now, beside what was approved. Every word of it comes from the server. */
import type { DefinitionChange } from '#contract/definitions.ts';
import type { Finding } from '#core/model/finding.ts';
import { definitionDiff, type DiffPart } from '#core/policy/definitionDiff.ts';
import { visibleLine } from '#core/policy/visibleText.ts';
import { argumentList } from './callDetails.ts';
import { codeBlock } from './codeBlock.ts';
import { element } from './element.ts';

const WHAT: Readonly<Record<DefinitionChange['change'], string>> = {
  first: 'Not seen before',
  changed: 'Changed',
  renamed: 'Renamed',
  added: 'Added',
  imitates: 'Looks like another',
  poisoned: 'Suspicious',
};
/** More at once fills the panel; the rest is unfolded. */
const MOST_OPEN = 3;
const MOST_PARTS = 60;

/** `findings` begin their places with the number of the definition they are in. */
export function definitionChanges(changes: readonly DefinitionChange[], findings: readonly Finding[]): HTMLElement {
  return element(
    'div',
    { class: 'definitions' },
    ...changes.map((change, index) => {
      const own = findings.flatMap((finding) =>
        finding.at === `/${index}` || finding.at.startsWith(`/${index}/`) ? [{ ...finding, at: finding.at.slice(`/${index}`.length) }] : [],
      );
      const body = element('div', { class: 'definition-body' }, element('p', {}, visibleLine(change.why, 1000)), contentOf(change, own));
      const summary = element('summary', {}, `${WHAT[change.change]}: ${nameOf(change)}`);
      const details = element('details', { class: 'definition' }, summary, body);
      details.open = index < MOST_OPEN;
      return details;
    }),
  );
}

function nameOf({ kind, name }: DefinitionChange): string {
  return kind === 'instructions'
    ? 'instructions to the model'
    : `${kind === 'tool' ? '' : `${kind} `}${visibleLine(name, 80) || '(without a name)'}`;
}

function contentOf({ before, after }: DefinitionChange, findings: readonly Finding[]): HTMLElement {
  if (after === null) return element('p', {}, 'It is too large to be shown here; only its hash is kept.');
  if (before === null) return argumentList(after, findings);
  const parts = definitionDiff(before, after);
  const rows = element('div', { class: 'diff' }, ...parts.slice(0, MOST_PARTS).map(diffPart));
  if (parts.length > MOST_PARTS) {
    const more = element(
      'button',
      { type: 'button', class: 'unfold' },
      `Show all: ${parts.length - MOST_PARTS} more changes are hidden here`,
    );
    more.addEventListener('click', () => more.replaceWith(...parts.slice(MOST_PARTS).map(diffPart)));
    rows.append(more);
  }
  return findings.length === 0
    ? rows
    : element('div', {}, rows, element('span', { class: 'field-name' }, 'as it is now'), argumentList(after, findings));
}

function diffPart({ at, before, after, gone, come }: DiffPart): HTMLElement {
  const label = visibleLine(at, 120) || 'text';
  return element(
    'div',
    { class: 'field' },
    element('span', { class: 'field-name' }, label),
    before === null ? null : element('div', { class: 'was' }, codeBlock(before, gone, `${label} before`)),
    after === null
      ? element('div', { class: 'muted' }, 'removed')
      : element('div', { class: 'is' }, codeBlock(after, come, `${label} now`)),
  );
}
