/** The held calls, oldest first. */
import { callName } from './callText.ts';
import { guardMoved } from './clickGuard.ts';
import { element, icon } from './element.ts';
import { type CardEvents, type CardView, holdCard } from './holdCard.ts';
import { KeyedList } from './keyedList.ts';
import { type Section, pane } from './pane.ts';
import type { Card } from './state.ts';

export function holdsPane(events: CardEvents): Section {
  const section = pane('Held calls', 'holds', 'open', () => guardAll());
  const empty = element('div', { class: 'empty' }, icon('shield'), element('p', {}, 'No call is waiting for you.'));
  const list = element('ul', { class: 'cards', 'aria-label': 'Waiting' });
  const expired = element('ul', { class: 'cards', 'aria-label': 'Refused because nobody answered' });
  section.body.append(empty, list, expired);
  const live = new Map<HTMLElement, { actions: HTMLElement; name: string }>();
  const forgetGone = (): void => {
    for (const root of live.keys()) if (!root.isConnected) live.delete(root);
  };
  /** A card whose time runs out changes lists; it stays the same card, with the note being typed in it. */
  const views = new Map<string, CardView>();
  const create = (card: Card): CardView => {
    const before = views.get(card.hold.id);
    if (before) return before;
    const plain = callName(card.hold.call);
    forgetGone();
    const taken = new Set([...live.values()].map((one) => one.name));
    let name = plain;
    for (let copy = 2; taken.has(name); copy++) name = `${plain} (${copy})`;
    const view = holdCard(card, name, events);
    live.set(view.root, { actions: view.actions, name });
    views.set(card.hold.id, view);
    return view;
  };
  const waitingCards = new KeyedList(list, section.header, (card: Card) => card.hold.id, create);
  const expiredCards = new KeyedList(expired, section.header, (card: Card) => card.hold.id, create);
  const guardAll = (): void => {
    forgetGone();
    guardMoved([...live.values()].map((one) => one.actions));
  };
  // Cards also move when something above them grows: a message, an unfolded argument.
  new ResizeObserver(guardAll).observe(document.body);
  return {
    root: section.root,
    show: (state) => {
      section.setCount(state.cards.filter((card) => card.hold.state === 'waiting').length);
      empty.hidden = state.cards.length > 0;
      const focused = document.activeElement;
      const holder = [...views.values()].find((view) => view.root.contains(focused))?.root;
      // Calls that can no longer be resumed stand below those that can.
      waitingCards.show(state.cards.filter((card) => card.hold.state !== 'expired'));
      expiredCards.show(state.cards.filter((card) => card.hold.state === 'expired'));
      const ids = new Set(state.cards.map((card) => card.hold.id));
      for (const id of views.keys()) if (!ids.has(id)) views.delete(id);
      if (holder?.isConnected === true && !holder.contains(document.activeElement)) {
        holder.tabIndex = -1;
        (focused instanceof HTMLElement && focused.isConnected ? focused : holder).focus();
      }
      guardAll();
    },
  };
}
