/** The panel's page: messages in, state, pictures out. */
import type { FromPanel, ToPanel } from '#contract/panel.ts';
import { heldAnnouncement, settledAnnouncement } from './announce.ts';
import { element } from './element.ts';
import { grantsPane } from './grantsPane.ts';
import { header } from './header.ts';
import { holdsPane } from './holdsPane.ts';
import { sessionPane } from './sessionPane.ts';
import { sessionQuery } from './session.ts';
import { protectionPane } from './protectionPane.ts';
import { type PanelAction, type PanelState, initialState, newlySettled, newlyWaiting, reduce } from './state.ts';
import { type Memory, type PaneState, noteOf, parseMemory, withNote } from './memory.ts';
import { queryFor } from './timeline.ts';
import { timelinePane } from './timelinePane.ts';
import { parseToPanel } from './toPanelMessage.ts';

declare function acquireVsCodeApi(): { postMessage(message: FromPanel): void; getState(): unknown; setState(state: unknown): void };

const TICK_MS = 1000;
/** How soon to ask again for a timeline whose index was still being read. */
const INDEXING_MS = 1500;

const editor = acquireVsCodeApi();
const send = (message: FromPanel): void => editor.postMessage(message);

let memory = parseMemory(editor.getState());
const remember = (next: Memory): void => {
  memory = next;
  editor.setState(next);
};
const paneOf = (name: string, otherwise: PaneState): PaneState => memory.panes[name] ?? otherwise;
const toggled = (name: string) => (open: PaneState) => remember({ ...memory, panes: { ...memory.panes, [name]: open } });

let state: PanelState = initialState;
const act = (action: PanelAction): void => change(action);
const urgent = element('div', { class: 'unseen', role: 'alert', 'aria-live': 'assertive' });
const calm = element('div', { class: 'unseen', 'aria-live': 'polite' });
const sections = [
  header(send, act),
  holdsPane({ send, act, now: Date.now, noteOf: (id) => noteOf(memory, id), keepNote: (id, note) => remember(withNote(memory, id, note)) }),
  sessionPane({ send, act }),
  timelinePane(paneOf('timeline', 'open'), toggled('timeline'), send, act),
  protectionPane(paneOf('protection', 'open'), toggled('protection'), send),
  grantsPane(paneOf('grants', 'closed'), toggled('grants'), send),
];

function announce(before: PanelState): void {
  const held = newlyWaiting(before, state);
  if (held.length > 0) urgent.textContent = heldAnnouncement(held);
  const settled = newlySettled(before, state);
  if (settled.length > 0) calm.textContent = settledAnnouncement(settled);
}

function change(message: ToPanel | PanelAction): void {
  const before = state;
  state = reduce(state, message, Date.now());
  for (const section of sections) section.show(state);
  if (message.type === 'filter') remember({ ...memory, filter: message.filter });
  announce(before);
}

window.addEventListener('message', (event: MessageEvent<unknown>) => {
  const message = parseToPanel(event.data);
  if (message === null) return;
  // A new connection may have missed entries: read the first page again.
  const reconnected = message.type === 'connection' && message.state === 'connected' && state.connection.state !== 'connected';
  change(message);
  if (message.type === 'timeline' && message.query.session === undefined && message.page.indexing) {
    window.setTimeout(() => {
      if (state.timeline.indexing && !state.timeline.loading) send({ type: 'timeline', query: queryFor(state.timeline.filter, null) });
    }, INDEXING_MS);
  }
  if (reconnected) {
    send({ type: 'timeline', query: queryFor(state.timeline.filter, null) });
    if (state.session) send({ type: 'timeline', query: sessionQuery(state.session.id, null) });
  }
});

document.body.append(urgent, calm, element('main', {}, ...sections.map((section) => section.root)));
change({ type: 'filter', filter: memory.filter });
window.setInterval(() => {
  // Without cards nothing on the page depends on the time.
  if (state.cards.length > 0) change({ type: 'tick' });
}, TICK_MS);
send({ type: 'ready' });
