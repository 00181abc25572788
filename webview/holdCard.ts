/** One held call: what would run, why it is held, and the buttons that decide it. */
import type { FromPanel } from '#contract/panel.ts';
import { argumentList, callFacts, factList, findingList, severityBadge } from './callDetails.ts';
import { toolName } from './callText.ts';
import { isGuarded } from './clickGuard.ts';
import { timeLeft, timeLeftSpoken } from './clock.ts';
import { definitionChanges } from './definitionChange.ts';
import { button, element, setText } from './element.ts';
import type { ItemView } from './keyedList.ts';
import type { Card, PanelAction } from './state.ts';

const ALMOST_OVER_MS = 30_000;
/** As long as the note the extension accepts. */
const NOTE_LENGTH = 1000;

export interface CardEvents {
  readonly send: (message: FromPanel) => void;
  readonly act: (action: PanelAction) => void;
  readonly now: () => number;
  /** A note begun earlier; empty if there is none. */
  readonly noteOf: (id: string) => string;
  /** It changed, or is no longer needed when empty. */
  readonly keepNote: (id: string, note: string) => void;
}

export interface CardView extends ItemView<Card> {
  readonly actions: HTMLElement;
}

const RESULTS = {
  waiting: '',
  approved: 'Approved. The call goes on.',
  rejected: 'Rejected. The agent is told why.',
  cancelled: 'Cancelled. The agent no longer waits for this call.',
  expired: 'Nobody answered in time, so the call was refused.',
} as const;
/** The same about what a tool gave back: the call itself is over. */
const RESULTS_OF_RESULT = {
  ...RESULTS,
  approved: 'Approved. The agent gets the result.',
  cancelled: 'Cancelled. The agent no longer waits for this result.',
  expired: 'Nobody answered in time, so the result was withheld.',
} as const;

/** What a server says of its tools: nobody waits for an answer. */
const RESULTS_OF_DEFINITION = {
  ...RESULTS,
  approved: 'Approved as it is now. Agents get to see it; some only when they start anew.',
  rejected: 'Rejected. It stays hidden for as long as it is what it is now.',
  cancelled: 'Decided elsewhere, or the server offers something else by now.',
} as const;

function resultsFor({ call, definitions }: Card['hold']): Readonly<Record<Card['hold']['state'], string>> {
  if (definitions !== undefined) return RESULTS_OF_DEFINITION;
  return call.channel === 'response' ? RESULTS_OF_RESULT : RESULTS;
}

function approveButtons(name: string, decide: (scope: 'once' | 'session' | 'always') => void, reject: () => void): readonly HTMLElement[] {
  const more = element(
    'details',
    { class: 'more' },
    element('summary', { 'aria-label': `More choices for ${name}` }, 'More choices'),
    element(
      'div',
      { class: 'more-choices' },
      button('secondary', 'Approve for this session', `Approve for this session ${name}`, () => decide('session')),
      button('secondary', 'Always allow exactly this', `Always allow exactly this ${name}`, () => decide('always')),
    ),
  );
  return [
    element(
      'div',
      { class: 'decide' },
      button('primary', 'Approve', `Approve ${name}`, () => decide('once')),
      button('secondary', 'Reject', `Reject ${name}`, reject),
    ),
    more,
  ];
}

/** `name` is unique among the cards, so that every button's accessible name is. */
export function holdCard(first: Card, name: string, events: CardEvents): CardView {
  const { call, decision, definitions, id } = first.hold;
  const titleId = `hold-${id}`;
  const countdown = element('span', { class: 'countdown', role: 'timer', 'aria-live': 'off' });
  const result = element('p', { class: 'result' });
  const note = element('input', {
    type: 'text',
    maxlength: String(NOTE_LENGTH),
    placeholder: 'Note to the agent (optional)',
    'aria-label': `Note to the agent about ${name}`,
  });
  note.value = events.noteOf(id);
  note.addEventListener('input', () => events.keepNote(id, note.value));
  const actions = element('div', { class: 'actions', role: 'group', 'aria-label': `Decide ${name}` });
  const worst = decision.findings[0];
  let shownState = '';

  const guarded = (message: FromPanel): void => {
    if (isGuarded(actions)) return;
    events.act({ type: 'decided', id });
    events.send(message);
  };
  const approve = (scope: 'once' | 'session' | 'always'): void => guarded({ type: 'approve', id, scope, note: note.value.trim() });
  const reject = (): void => guarded({ type: 'reject', id, note: note.value.trim() });

  /** What was being typed when the time ran out is not thrown away: it goes into the record with a late approval. */
  const keptNote = (): readonly HTMLElement[] => {
    if (note.value === '') return [];
    note.setAttribute('aria-label', `Note for the record about ${name}`);
    note.title = 'The agent is no longer waiting; a note is kept in the record when you allow the next try.';
    return [note];
  };

  const fillActions = (card: Card): void => {
    if (card.hold.state === 'waiting') {
      const [decide, more] = approveButtons(name, approve, reject);
      // A definition is pinned or denied; there are no calls of it that could differ.
      actions.replaceChildren(...[decide, definitions === undefined ? more : undefined, note].filter((part) => part !== undefined));
    } else if (card.hold.state === 'expired')
      actions.replaceChildren(
        element(
          'div',
          { class: 'decide' },
          button('secondary', 'Allow its next try once', `Allow the next try once of ${name}`, () => approve('once')),
          button('secondary', 'Dismiss', `Dismiss ${name}`, () => {
            if (isGuarded(actions)) return;
            events.keepNote(id, '');
            events.act({ type: 'dismissed', id });
          }),
        ),
        ...keptNote(),
      );
    else {
      events.keepNote(id, '');
      actions.replaceChildren();
    }
  };

  const head = element(
    'div',
    { class: 'card-head' },
    element('h3', { id: titleId }, toolName(call)),
    worst ? severityBadge(worst.severity) : null,
    countdown,
  );
  const body = element(
    'div',
    { class: 'card-body' },
    definitions === undefined ? argumentList(call.args, decision.findings) : definitionChanges(definitions, decision.findings),
    findingList(decision.findings, call.args),
    factList(callFacts(call)),
  );
  const root = element('li', { class: 'card', 'aria-labelledby': titleId, 'data-hold': id }, head, result, body, actions);

  return {
    root,
    actions,
    update: (card) => {
      const { state, until } = card.hold;
      const now = events.now();
      root.dataset['state'] = state;
      if (shownState !== state) {
        const hadFocus = actions.contains(document.activeElement);
        fillActions(card);
        shownState = state;
        if (hadFocus) {
          root.tabIndex = -1;
          root.focus();
        }
      }
      // A control that is disabled under the focus would throw the keyboard to the top of the page.
      if (card.deciding && actions.contains(document.activeElement)) {
        root.tabIndex = -1;
        root.focus();
      }
      for (const control of actions.querySelectorAll<HTMLButtonElement | HTMLInputElement>('button, input'))
        control.disabled = card.deciding;
      body.hidden = card.settledAt !== null;
      actions.hidden = body.hidden;
      countdown.hidden = state !== 'waiting' || definitions !== undefined;
      countdown.classList.toggle('almost-over', until - now < ALMOST_OVER_MS);
      setText(countdown, timeLeft(until, now));
      countdown.setAttribute('aria-label', `Refused in ${timeLeftSpoken(until, now)}`);
      countdown.title = 'Refused when this reaches zero';
      result.hidden = state === 'waiting' && !card.deciding;
      setText(
        result,
        card.deciding
          ? 'Sending your decision…'
          : card.late && state === 'approved'
            ? 'Approved. Its next try will be let through once.'
            : resultsFor(card.hold)[state],
      );
    },
  };
}
