/** One session from its beginning: prompt, call, verdict, approval, result, next call; subagents further in. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { FromPanel } from '#contract/panel.ts';
import { durationText, happenedText, outcomeText, resultText, sessionLines, waitedMs, type SessionLine } from '#contract/sessionStory.ts';
import { visibleLine } from '#core/policy/visibleText.ts';
import { summaryOf, toolName } from './callText.ts';
import { whenText } from './clock.ts';
import { button, element, icon, setText } from './element.ts';
import { entryDetails, verdictBadge } from './entryView.ts';
import { type ItemView, KeyedList } from './keyedList.ts';
import type { Section } from './pane.ts';
import { type Session, sessionQuery, wantsMore } from './session.ts';
import type { PanelAction, PanelState } from './state.ts';

const MOST_SHOWN = 300;
const KINDS = { prompt: 'Prompt', session: 'Session', other: 'Note' } as const;

/** Everything of the step that can change while it is on show. */
function signature({ step, depth }: SessionLine): string {
  if (step.kind !== 'call') return `${step.first.seq}`;
  const seqs = [step.call, ...step.ends, ...step.responses, step.after].map((entry) => entry?.seq ?? 0);
  return [depth, ...seqs].join(',');
}

function seen(entry: AuditEntry): string {
  const finding = entry.findings[0];
  return visibleLine(finding === undefined ? entry.reason : `${finding.title} (${finding.rule})`, 240);
}

/** The lines under a call's own; each says what it is in words, not by its place or colour alone. */
function eventsOf({ step }: SessionLine): readonly HTMLElement[] {
  if (step.kind !== 'call') return [];
  const line = (look: string, text: string): HTMLElement => element('p', { class: `step-line ${look}` }, text);
  const lines: HTMLElement[] = [];
  const { call, ends, responses, after } = step;
  if (after !== null) lines.push(line('step-after', `After reading what entry ${after.seq} brought (${toolName(after)}): ${seen(after)}`));
  if (call === null) lines.push(line('step-note', 'Its call is not in the record.'));
  else if (call.verdict !== 'clean' || call.outcome !== 'delivered')
    lines.push(line('step-outcome', `${outcomeText(call)}${call.findings.length === 0 ? '' : `: ${seen(call)}`}`));
  for (const end of ends) {
    const waited = waitedMs([end]);
    const note = end.note === '' ? '' : `: ${visibleLine(end.note, MOST_SHOWN)}`;
    lines.push(line('step-outcome', `${outcomeText(end)}${waited === null ? '' : ` after ${durationText(waited)}`}${note}`));
  }
  for (const response of responses) {
    const text = visibleLine(resultText(response).trim(), MOST_SHOWN);
    lines.push(line('step-result', `Result: ${text === '' ? '(empty)' : text}`));
    if (response.verdict !== 'clean') lines.push(line('step-after', `Seen in this result: ${seen(response)}`));
  }
  return lines;
}

function entriesOf({ step }: SessionLine): readonly AuditEntry[] {
  if (step.kind !== 'call') return [step.first];
  return [...(step.call ? [step.call] : []), ...step.ends, ...step.responses];
}

function stepView(first: SessionLine): ItemView<SessionLine> {
  const root = element('li', { class: `step step-${first.step.kind}${first.depth === 1 ? ' step-inner' : ''}` });
  let shown = '';
  return {
    root,
    update: (item) => {
      const key = signature(item);
      if (key === shown) return;
      shown = key;
      const hadFocus = root.contains(document.activeElement);
      const wasOpen = root.querySelector('.entry-header')?.getAttribute('aria-expanded') === 'true';
      const { step } = item;
      const about = step.first;
      const id = `step-${about.seq}`;
      const details = element('div', { class: 'entry-details', id, hidden: '' });
      const title =
        step.kind === 'call' ? toolName({ ...about, channel: about.kind === 'response' ? 'response' : 'other' }) : KINDS[step.kind];
      const summary = step.kind === 'call' ? summaryOf(about.args, 120) : visibleLine(happenedText(about), MOST_SHOWN);
      const who = item.depth === 1 ? element('span', { class: 'step-agent' }, `Subagent ${visibleLine(about.agent, 12)}`) : null;
      const header = element(
        'button',
        { type: 'button', class: 'entry-header', 'aria-expanded': 'false', 'aria-controls': id },
        icon('chevron'),
        step.kind === 'call' ? verdictBadge(step.call ?? about) : null,
        who,
        element('span', { class: 'entry-title' }, title),
        element('span', { class: 'entry-summary' }, summary),
        element('time', { datetime: new Date(about.time).toISOString() }, whenText(about.time, Date.now())),
      );
      const toggle = (): void => {
        if (details.hidden && details.childElementCount === 0)
          for (const entry of entriesOf(item)) details.append(element('div', { class: 'step-entry' }, ...entryDetails(entry)));
        details.hidden = !details.hidden;
        header.setAttribute('aria-expanded', String(!details.hidden));
      };
      header.addEventListener('click', toggle);
      root.replaceChildren(header, ...eventsOf(item), details);
      if (wasOpen) toggle();
      if (hadFocus) header.focus();
    },
  };
}

export interface SessionPaneParts {
  readonly send: (message: FromPanel) => void;
  readonly act: (action: PanelAction) => void;
}

export function sessionPane({ send, act }: SessionPaneParts): Section {
  const title = element('h2', { class: 'session-title', tabindex: '-1' });
  const back = button('link', '‹ Back to the timeline', 'Back to the timeline', () => act({ type: 'sessionClosed' }));
  const empty = element('p', { class: 'note' });
  const earlier = button('secondary', 'Show earlier', 'Show earlier entries of this session', () => ask());
  const list = element('ul', { class: 'entries steps', 'aria-label': 'What happened in this session, oldest first' });
  const root = element('section', { class: 'pane pane-session', 'aria-label': 'Session', hidden: '' }, back, title, empty, earlier, list);
  const rows = new KeyedList(list, title, (line: SessionLine) => String(line.step.first.seq), stepView);
  let session: Session | null = null;

  function ask(): void {
    if (session === null || session.next === null || session.loading) return;
    send({ type: 'timeline', query: sessionQuery(session.id, session.next) });
    act({ type: 'sessionMoreAsked' });
  }

  return {
    root,
    show: (state: PanelState) => {
      if (session === state.session) return;
      const before = session;
      session = state.session;
      root.hidden = session === null;
      if (session === null) {
        rows.show([]);
        return;
      }
      setText(title, `Session ${visibleLine(session.id, 60)}`);
      empty.hidden = session.entries.length > 0;
      setText(empty, session.loading ? 'Reading the session…' : 'Nothing of this session is in the timeline.');
      earlier.hidden = session.next === null;
      earlier.disabled = session.loading;
      // What is added above must not push away what is being read.
      const height = document.documentElement.scrollHeight;
      const grewAbove = before !== null && before.id === session.id && before.entries[0]?.seq !== session.entries[0]?.seq;
      rows.show(sessionLines(session.entries));
      if (grewAbove) window.scrollBy(0, document.documentElement.scrollHeight - height);
      if (before?.id !== session.id) title.focus();
      if (wantsMore(session)) ask();
    },
  };
}
