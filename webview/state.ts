/** Everything the panel shows, and how each message changes it. Pure: the clock comes in with the message. */
import type { BrokerStatus, Grant, Hold } from '#contract/ipc.ts';
import type { Protectable, ToPanel } from '#contract/panel.ts';
import { type Session, addSessionEntry, addSessionPage, openSession } from './session.ts';
import { type Filter, type Timeline, addEntry, addPage, emptyTimeline, setFilter } from './timeline.ts';

export interface Card {
  readonly hold: Hold;
  /** A decision was sent and not answered yet. */
  readonly deciding: boolean;
  /** It had expired before it was decided: an approval then only lets its next try through. */
  readonly late: boolean;
  /** When this panel saw it settled, milliseconds since 1970; null while it can still be decided. */
  readonly settledAt: number | null;
}

export interface PanelState {
  readonly connection: { readonly state: 'starting' | 'connected' | 'lost'; readonly message: string };
  readonly status: BrokerStatus | null;
  /** Oldest first and never reordered: a new hold must not move the buttons of the others. */
  readonly cards: readonly Card[];
  /** Expired holds the person has put away in this panel. */
  readonly dismissed: readonly string[];
  readonly timeline: Timeline;
  /** The session on show in the timeline's place; null: none. */
  readonly session: Session | null;
  readonly grants: readonly Grant[];
  /** Null until the search for agents and servers has answered. */
  readonly protectables: readonly Protectable[] | null;
  readonly failure: { readonly what: string; readonly message: string } | null;
}

/** What the person does in the panel itself. */
export type PanelAction =
  | { readonly type: 'tick' }
  | { readonly type: 'decided'; readonly id: string }
  | { readonly type: 'dismissed'; readonly id: string }
  | { readonly type: 'filter'; readonly filter: Filter }
  | { readonly type: 'moreAsked' }
  | { readonly type: 'sessionOpened'; readonly id: string; readonly seq: number }
  | { readonly type: 'sessionMoreAsked' }
  | { readonly type: 'sessionClosed' }
  | { readonly type: 'failureRead' };

/** How long a settled card shows its result before it leaves. */
export const RESULT_SHOWN_MS = 4000;

export const initialState: PanelState = {
  connection: { state: 'starting', message: '' },
  status: null,
  cards: [],
  dismissed: [],
  timeline: emptyTimeline,
  session: null,
  grants: [],
  protectables: null,
  failure: null,
};

/** True while a person can still do something about the hold. */
function isOpen(hold: Hold): boolean {
  return hold.state === 'waiting' || hold.state === 'expired';
}

function updateCard(card: Card, hold: Hold, now: number): Card {
  const changed = card.hold.state !== hold.state;
  return {
    hold,
    deciding: card.deciding && !changed,
    late: card.late || card.hold.state === 'expired',
    settledAt: isOpen(hold) ? null : (card.settledAt ?? now),
  };
}

function placeHolds(state: PanelState, holds: readonly Hold[], now: number): readonly Card[] {
  const incoming = new Map(holds.map((hold) => [hold.id, hold]));
  const kept: Card[] = [];
  for (const card of state.cards) {
    const hold = incoming.get(card.hold.id);
    incoming.delete(card.hold.id);
    if (hold) kept.push(updateCard(card, hold, now));
    // The list no longer names it. A result on show stays until its time is over; anything else is gone.
    else if (card.settledAt !== null) kept.push(card);
  }
  const fresh = [...incoming.values()]
    .filter((hold) => isOpen(hold) && !state.dismissed.includes(hold.id))
    .sort((a, b) => a.since - b.since);
  return [...kept, ...fresh.map((hold) => ({ hold, deciding: false, late: false, settledAt: null }))];
}

function replaceCard(cards: readonly Card[], id: string, change: Partial<Card>): readonly Card[] {
  return cards.map((card) => (card.hold.id === id ? { ...card, ...change } : card));
}

function tick(state: PanelState, now: number): PanelState {
  const cards = state.cards.filter((card) => card.settledAt === null || now - card.settledAt < RESULT_SHOWN_MS);
  return cards.length === state.cards.length ? state : { ...state, cards };
}

export function reduce(state: PanelState, message: ToPanel | PanelAction, now: number): PanelState {
  switch (message.type) {
    case 'connection':
      return { ...state, connection: { state: message.state, message: message.message } };
    case 'status':
      return { ...state, status: message.status };
    case 'holds':
      return { ...state, cards: placeHolds(state, message.holds, now) };
    case 'timeline':
      if (message.query.session !== undefined)
        return { ...state, session: state.session && addSessionPage(state.session, message.query, message.page) };
      return { ...state, timeline: addPage(state.timeline, message.query, message.page) };
    case 'entry':
      return {
        ...state,
        timeline: addEntry(state.timeline, message.entry),
        session: state.session && addSessionEntry(state.session, message.entry),
      };
    case 'grants':
      return { ...state, grants: message.grants };
    case 'protectables':
      return { ...state, protectables: message.items };
    case 'failed':
      // Whatever was asked may be asked again.
      return {
        ...state,
        failure: { what: message.what, message: message.message },
        cards: state.cards.map((card) => (card.deciding ? { ...card, deciding: false } : card)),
        timeline: { ...state.timeline, loading: false },
        session: state.session && { ...state.session, loading: false },
      };
    case 'tick':
      return tick(state, now);
    case 'decided':
      return { ...state, failure: null, cards: replaceCard(state.cards, message.id, { deciding: true }) };
    case 'dismissed':
      return { ...state, dismissed: [...state.dismissed, message.id], cards: state.cards.filter((card) => card.hold.id !== message.id) };
    case 'filter':
      return { ...state, timeline: setFilter(state.timeline, message.filter) };
    case 'moreAsked':
      return { ...state, timeline: { ...state.timeline, loading: true } };
    case 'sessionOpened':
      return { ...state, session: openSession(message.id, message.seq) };
    case 'sessionMoreAsked':
      return { ...state, session: state.session && { ...state.session, loading: true } };
    case 'sessionClosed':
      return { ...state, session: null };
    case 'failureRead':
      return { ...state, failure: null };
  }
}

/** Holds that became visible between two states, for the announcement. */
export function newlyWaiting(before: PanelState, after: PanelState): readonly Hold[] {
  const known = new Set(before.cards.map((card) => card.hold.id));
  return after.cards.filter((card) => card.hold.state === 'waiting' && !known.has(card.hold.id)).map((card) => card.hold);
}

/** Holds that were settled or expired between two states. */
export function newlySettled(before: PanelState, after: PanelState): readonly Hold[] {
  const waiting = new Set(before.cards.filter((card) => card.hold.state === 'waiting').map((card) => card.hold.id));
  return after.cards.filter((card) => card.hold.state !== 'waiting' && waiting.has(card.hold.id)).map((card) => card.hold);
}
