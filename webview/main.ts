/** The panel's page: messages in, state, pictures out. */
import type { FromPanel, ToPanel } from '#contract/panel.ts';
import { callName } from './callText.ts';
import { element } from './element.ts';
import { grantsPane } from './grantsPane.ts';
import { header } from './header.ts';
import { holdsPane } from './holdsPane.ts';
import { protectionPane } from './protectionPane.ts';
import { type PanelAction, type PanelState, initialState, newlySettled, newlyWaiting, reduce } from './state.ts';
import { noFilter, queryFor } from './timeline.ts';
import { timelinePane } from './timelinePane.ts';
import { parseToPanel } from './toPanelMessage.ts';

declare function acquireVsCodeApi(): { postMessage(message: FromPanel): void; getState(): unknown; setState(state: unknown): void };

const TICK_MS = 1000;
/** How soon to ask again for a timeline whose index was still being read. */
const INDEXING_MS = 1500;

const editor = acquireVsCodeApi();
const send = (message: FromPanel): void => editor.postMessage(message);

/** Only which panes are open is remembered: nothing about calls may outlive the page. */
const remembered = editor.getState();
const openPanes = new Map<string, 'open' | 'closed'>(
  typeof remembered === 'object' && remembered !== null ? Object.entries(remembered).filter((pair): pair is [string, 'open' | 'closed'] => pair[1] === 'open' || pair[1] === 'closed') : [],
);
const toggled = (name: string) => (open: 'open' | 'closed') => {
  openPanes.set(name, open);
  editor.setState(Object.fromEntries(openPanes));
};

let state: PanelState = initialState;
const act = (action: PanelAction): void => change(action);
const urgent = element('div', { class: 'unseen', role: 'alert', 'aria-live': 'assertive' });
const calm = element('div', { class: 'unseen', 'aria-live': 'polite' });
const sections = [
  header(send, act),
  holdsPane({ send, act, now: Date.now }),
  timelinePane(openPanes.get('timeline') ?? 'open', toggled('timeline'), send, act),
  protectionPane(openPanes.get('protection') ?? 'open', toggled('protection'), send),
  grantsPane(openPanes.get('grants') ?? 'closed', toggled('grants'), send),
];

function announce(before: PanelState): void {
  const held = newlyWaiting(before, state);
  if (held.length > 0) urgent.textContent = held.map((hold) => `Call held: ${callName(hold.call)}. ${hold.decision.findings[0]?.title ?? ''}`).join(' ');
  const settled = newlySettled(before, state);
  if (settled.length > 0) calm.textContent = settled.map((hold) => `${callName(hold.call)}: ${hold.state}.`).join(' ');
}

function change(message: ToPanel | PanelAction): void {
  const before = state;
  state = reduce(state, message, Date.now());
  for (const section of sections) section.show(state);
  announce(before);
}

window.addEventListener('message', (event: MessageEvent<unknown>) => {
  const message = parseToPanel(event.data);
  if (message === null) return;
  // A new connection may have missed entries: read the first page again.
  const reconnected = message.type === 'connection' && message.state === 'connected' && state.connection.state !== 'connected';
  change(message);
  if (message.type === 'timeline' && message.page.indexing) {
    window.setTimeout(() => {
      if (state.timeline.indexing && !state.timeline.loading) send({ type: 'timeline', query: queryFor(state.timeline.filter, null) });
    }, INDEXING_MS);
  }
  if (reconnected) send({ type: 'timeline', query: queryFor(state.timeline.filter, null) });
});

document.body.append(urgent, calm, element('main', {}, ...sections.map((section) => section.root)));
change({ type: 'filter', filter: noFilter });
window.setInterval(() => {
  // Without cards nothing on the page depends on the time.
  if (state.cards.length > 0) change({ type: 'tick' });
}, TICK_MS);
send({ type: 'ready' });
