/** The journal, newest first: filters, rows that unfold, older pages. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { FromPanel } from '#contract/panel.ts';
import { happenedText, resultText } from '#contract/sessionStory.ts';
import type { Verdict } from '#core/model/verdict.ts';
import { summaryOf, toolName } from './callText.ts';
import { whenText } from './clock.ts';
import { button, element, icon, setText } from './element.ts';
import { entryDetails, VERDICT_NAMES, verdictBadge } from './entryView.ts';
import { type ItemView, KeyedList } from './keyedList.ts';
import { type Section, pane } from './pane.ts';
import { sessionQuery } from './session.ts';
import type { PanelAction, PanelState } from './state.ts';
import { type Filter, type Timeline, isFiltered, noFilter, queryFor } from './timeline.ts';
import { visibleLine } from '#core/policy/visibleText.ts';

function titleOf(entry: AuditEntry): string {
  if (entry.kind === 'call') return toolName(entry);
  if (entry.kind === 'hold')
    return entry.by === 'person'
      ? `${toolName(entry)}: ${entry.outcome === 'delivered' ? 'approved' : 'rejected'}`
      : `${toolName(entry)}: hold ended`;
  if (entry.kind === 'response') return `${toolName(entry)}: result`;
  return { prompt: 'Prompt', session: 'Session', grant: 'Grant', config: 'Configuration', broker: 'Broker', journal: 'Journal' }[
    entry.kind
  ];
}

function summaryText(entry: AuditEntry): string {
  if (entry.kind === 'call' || entry.kind === 'hold') return summaryOf(entry.args, 120);
  return visibleLine(entry.kind === 'response' ? resultText(entry).trim() : happenedText(entry), 120);
}

function row(entry: AuditEntry, showSession: (entry: AuditEntry) => void): ItemView<AuditEntry> {
  const id = `entry-${entry.seq}`;
  const details = element('div', { class: 'entry-details', id, hidden: '' });
  const summary = summaryText(entry);
  const header = element(
    'button',
    { type: 'button', class: 'entry-header', 'aria-expanded': 'false', 'aria-controls': id },
    icon('chevron'),
    verdictBadge(entry),
    element('span', { class: 'entry-title' }, titleOf(entry)),
    element('span', { class: 'entry-summary' }, summary),
    element('time', { datetime: new Date(entry.time).toISOString() }, whenText(entry.time, Date.now())),
  );
  header.addEventListener('click', () => {
    if (details.hidden && details.childElementCount === 0) {
      details.append(...entryDetails(entry));
      if (entry.session !== '')
        details.append(button('link', 'Show session', `Show the session of entry ${entry.seq}`, () => showSession(entry)));
    }
    details.hidden = !details.hidden;
    header.setAttribute('aria-expanded', String(!details.hidden));
  });
  return { root: element('li', { class: 'entry' }, header, details), update: () => undefined };
}

/** A drop-down that offers everything seen so far; its name stands for "any". */
function choice(name: string): { root: HTMLSelectElement; show: (values: readonly string[], chosen: string | null) => void } {
  const root = element('select', { 'aria-label': name });
  let offered = '';
  return {
    root,
    show: (values, chosen) => {
      const all = chosen === null || values.includes(chosen) ? values : [...values, chosen];
      const key = JSON.stringify(all);
      if (key !== offered)
        root.replaceChildren(
          element('option', { value: '' }, name),
          ...all.map((value) => element('option', { value: `=${value}` }, visibleLine(value, 60))),
        );
      offered = key;
      root.value = chosen === null ? '' : `=${chosen}`;
    },
  };
}

const chosenIn = (select: HTMLSelectElement): string | null => (select.value === '' ? null : select.value.slice(1));
const isVerdict = (value: string | null): value is Verdict => value !== null && Object.hasOwn(VERDICT_NAMES, value);
const TYPING_PAUSE_MS = 250;

function filterBar(ask: (filter: Filter) => void): { root: HTMLElement; show: (timeline: Timeline) => void; focus: () => void } {
  const text = element('input', {
    type: 'search',
    placeholder: 'Search arguments, reasons, rules',
    'aria-label': 'Search the timeline',
    maxlength: '200',
  });
  const verdict = element(
    'select',
    { 'aria-label': 'Verdict' },
    element('option', { value: '' }, 'Verdict'),
    ...Object.entries(VERDICT_NAMES).map(([value, label]) => element('option', { value: `=${value}` }, label)),
  );
  const agent = choice('Agent');
  const tool = choice('Tool');
  const apply = (): void => {
    const wanted = chosenIn(verdict);
    ask({ verdict: isVerdict(wanted) ? wanted : null, agent: chosenIn(agent.root), tool: chosenIn(tool.root), text: text.value });
  };
  for (const select of [verdict, agent.root, tool.root]) select.addEventListener('change', apply);
  let typing: number | undefined;
  text.addEventListener('input', () => {
    window.clearTimeout(typing);
    typing = window.setTimeout(apply, TYPING_PAUSE_MS);
  });
  return {
    root: element(
      'div',
      { class: 'filters', role: 'search', 'aria-label': 'Timeline filters' },
      text,
      element('div', { class: 'selects' }, verdict, agent.root, tool.root),
    ),
    focus: () => text.focus(),
    show: ({ filter, agents, tools }) => {
      // Never while typing: a late answer must not take the letters away.
      if (document.activeElement !== text) text.value = filter.text;
      verdict.value = filter.verdict === null ? '' : `=${filter.verdict}`;
      agent.show(agents, filter.agent);
      tool.show(tools, filter.tool);
    },
  };
}

export function timelinePane(
  open: 'open' | 'closed',
  onToggle: (open: 'open' | 'closed') => void,
  send: (message: FromPanel) => void,
  act: (action: PanelAction) => void,
): Section {
  const section = pane('Timeline', 'timeline', open, onToggle);
  const ask = (filter: Filter): void => {
    act({ type: 'filter', filter });
    send({ type: 'timeline', query: queryFor(filter, null) });
  };
  const bar = filterBar(ask);
  const list = element('ul', { class: 'entries', 'aria-label': 'Decisions, newest first' });
  const empty = element('div', { class: 'empty' });
  const emptyText = element('p', {});
  const clear = button('link', 'Clear the filters', 'Clear the timeline filters', () => {
    ask(noFilter);
    bar.focus();
  });
  empty.append(emptyText, clear);
  const note = element('p', { class: 'note' }, 'Still reading the journal. Older entries will appear when that is done.');
  let older: number | null = null;
  let filter = noFilter;
  const more = button('secondary', 'Show older', 'Show older timeline entries', () => {
    if (older === null) return;
    act({ type: 'moreAsked' });
    send({ type: 'timeline', query: queryFor(filter, older) });
  });
  section.body.append(bar.root, note, empty, list, more);
  const showSession = (entry: AuditEntry): void => {
    act({ type: 'sessionOpened', id: entry.session, seq: entry.seq });
    send({ type: 'timeline', query: sessionQuery(entry.session, null) });
  };
  const rows = new KeyedList(
    list,
    section.header,
    (entry: AuditEntry) => String(entry.seq),
    (entry) => row(entry, showSession),
  );
  let shown: Timeline | null = null;
  let opened: number | null = null;
  return {
    root: section.root,
    show: (state: PanelState) => {
      const { timeline } = state;
      section.root.hidden = state.session !== null;
      // Back where the session was opened from, so that the keyboard goes on there.
      if (opened !== null && state.session === null)
        (document.querySelector<HTMLElement>(`[aria-controls="entry-${opened}"]`) ?? section.header).focus();
      opened = state.session?.opened ?? null;
      if (shown === timeline) return;
      shown = timeline;
      filter = timeline.filter;
      older = timeline.next;
      bar.show(timeline);
      note.hidden = !timeline.indexing;
      empty.hidden = timeline.entries.length > 0;
      clear.hidden = timeline.loading || !isFiltered(filter);
      setText(
        emptyText,
        timeline.loading
          ? 'Reading the timeline…'
          : isFiltered(filter)
            ? 'Nothing matches these filters.'
            : 'Nothing has happened yet. Every call of a protected agent appears here.',
      );
      more.hidden = timeline.next === null;
      more.disabled = timeline.loading;
      rows.show(timeline.entries);
    },
  };
}
