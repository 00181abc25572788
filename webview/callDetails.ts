/** The parts a held call and a timeline entry share: arguments, findings, facts. */
import type { ToolCall } from '#core/model/call.ts';
import type { Finding } from '#core/model/finding.ts';
import type { JsonValue } from '#core/model/json.ts';
import { argumentFields, clientName } from './callText.ts';
import { codeBlock, inlineText } from './codeBlock.ts';
import { type Child, element } from './element.ts';
import { visibleLine } from '#core/policy/visibleText.ts';

/** Short values fit on one line with their name. */
const SHORT_VALUE = 40;
const MOST_FIELDS = 60;

export function argumentList(args: JsonValue, findings: readonly Finding[]): HTMLElement {
  const fields = argumentFields(args, findings);
  const shown = (field: (typeof fields)[number]): HTMLElement => {
    const label = visibleLine(field.label, 80) || 'arguments';
    if (field.spans.length === 0 && field.text.length <= SHORT_VALUE && !field.text.includes('\n') && fields.length > 1) {
      return element(
        'div',
        { class: 'short-field' },
        element('span', { class: 'field-name' }, label),
        inlineText(field.text, 'field-value'),
      );
    }
    return element(
      'div',
      { class: 'field' },
      fields.length > 1 ? element('span', { class: 'field-name' }, label) : null,
      codeBlock(field.text, field.spans, label),
    );
  };
  const list = element('div', { class: 'arguments' }, ...fields.slice(0, MOST_FIELDS).map(shown));
  const rest = fields.slice(MOST_FIELDS);
  if (rest.length > 0) {
    const marked = rest.filter((field) => field.spans.length > 0);
    list.append(...marked.map(shown));
    const more = element(
      'button',
      { type: 'button', class: 'unfold' },
      `Show all: ${rest.length - marked.length} more arguments are hidden here`,
    );
    more.addEventListener('click', () => more.replaceWith(...rest.filter((field) => field.spans.length === 0).map(shown)));
    list.append(more);
  }
  return list;
}

const SEVERITIES = { critical: 'Critical', high: 'High', medium: 'Medium', low: 'Low' } as const;

export function severityBadge(severity: Finding['severity']): HTMLElement {
  return element('span', { class: `badge severity-${severity}` }, SEVERITIES[severity]);
}

function decodedSpans(finding: Finding): readonly { start: number; end: number }[] {
  const start = finding.decoded?.indexOf(finding.matched) ?? -1;
  return start < 0 || finding.matched === '' ? [] : [{ start, end: start + finding.matched.length }];
}

/** `args` are shown already: a decoded form that stands in them word for word says nothing new. */
export function findingList(findings: readonly Finding[], args: JsonValue): HTMLElement | null {
  if (findings.length === 0) return null;
  const shown = argumentFields(args, []).map((field) => field.text);
  const isNew = (decoded: string | null): decoded is string => decoded !== null && !shown.some((text) => text.includes(decoded));
  return element(
    'ul',
    { class: 'findings', 'aria-label': 'Why' },
    ...findings.map((finding) =>
      element(
        'li',
        {},
        element('div', { class: 'finding-head' }, severityBadge(finding.severity), element('strong', {}, visibleLine(finding.title, 200))),
        element('p', {}, visibleLine(finding.rationale, 1000), ' ', element('code', { class: 'rule-id' }, visibleLine(finding.rule, 120))),
        finding.span === null && finding.matched !== ''
          ? element(
              'div',
              { class: 'short-field' },
              element('span', { class: 'field-name' }, 'matched'),
              inlineText(finding.matched, 'field-value'),
            )
          : null,
        isNew(finding.decoded)
          ? element(
              'div',
              { class: 'field' },
              element('span', { class: 'field-name' }, 'decoded'),
              codeBlock(finding.decoded, decodedSpans(finding), 'Decoded form'),
            )
          : null,
      ),
    ),
  );
}

/** Names, folders and ids are short; what is longer can be unfolded like an argument. */
const LONG_FACT = 300;

/** Name and value pairs; empty values are left out. */
export function factList(facts: readonly (readonly [name: string, value: string])[]): HTMLElement {
  const rows: Child[] = facts
    .filter(([, value]) => value !== '')
    .map(([name, value]) =>
      element(
        'div',
        {},
        element('dt', {}, name),
        element('dd', {}, value.length > LONG_FACT ? codeBlock(value, [], name) : inlineText(value.replaceAll('\n', ' ⏎ '), '')),
      ),
    );
  return element('dl', { class: 'facts' }, ...rows);
}

/** Enough of a session id to tell two apart; the whole is in the timeline. */
const SESSION_SHOWN = 8;

export function callFacts(call: Pick<ToolCall, 'client' | 'agent' | 'session' | 'cwd'>): readonly (readonly [string, string])[] {
  return [
    ['Client', clientName(call.client)],
    ['Agent', call.agent],
    ['Session', call.session.slice(0, SESSION_SHOWN)],
    ['Folder', call.cwd],
  ];
}
