/** What was found on this machine and whether it is protected. */
import type { FromPanel, Protectable } from '#contract/panel.ts';
import { inlineText } from './codeBlock.ts';
import { button, element } from './element.ts';
import { type ItemView, KeyedList } from './keyedList.ts';
import { type Section, pane } from './pane.ts';
import { visibleLine } from '#core/policy/visibleText.ts';

const STATES: Readonly<Record<Protectable['state'], string>> = {
  unprotected: 'Not protected',
  protected: 'Protected',
  broken: 'Needs attention',
  unavailable: 'Not available',
};

function protectable(first: Protectable, send: (message: FromPanel) => void): ItemView<Protectable> {
  const root = element('li', { class: 'item' });
  let shown = '';
  return {
    root,
    update: (item) => {
      const key = JSON.stringify(item);
      if (key === shown) return;
      shown = key;
      const hadFocus = root.contains(document.activeElement);
      const name = visibleLine(item.name, 120);
      const protect = (label: string): HTMLButtonElement =>
        button('primary', label, `${label} ${name}`, () => send({ type: 'protect', id: first.id }));
      const undo = button('secondary', 'Undo', `Undo protection of ${name}`, () => send({ type: 'unprotect', id: first.id }));
      const buttons = { unprotected: [protect('Protect')], protected: [undo], broken: [protect('Protect again'), undo], unavailable: [] }[
        item.state
      ];
      root.replaceChildren(
        element(
          'div',
          { class: 'item-head' },
          element('span', { class: 'item-name' }, name),
          element('span', { class: `badge state-${item.state}` }, STATES[item.state]),
        ),
        element('p', {}, visibleLine(item.detail, 400)),
        element('p', { class: 'path' }, inlineText(item.file, '')),
        buttons.length === 0 ? element('span', {}) : element('div', { class: 'decide' }, ...buttons),
      );
      if (hadFocus) root.querySelector('button')?.focus();
    },
  };
}

export function protectionPane(
  open: 'open' | 'closed',
  onToggle: (open: 'open' | 'closed') => void,
  send: (message: FromPanel) => void,
): Section {
  const section = pane('Protection', 'protection', open, onToggle);
  const searching = element('p', { class: 'note' }, 'Looking for agents and MCP servers…');
  const none = element(
    'div',
    { class: 'empty' },
    element('p', {}, 'No agent and no MCP configuration was found on this machine or in this workspace.'),
    button('link', 'Search again', 'Search again for agents and MCP servers', () => send({ type: 'command', command: 'callgate.protect' })),
  );
  const list = element('ul', { class: 'items' });
  section.body.append(searching, none, list);
  const items = new KeyedList(
    list,
    section.header,
    (item: Protectable) => item.id,
    (item) => protectable(item, send),
  );
  return {
    root: section.root,
    show: ({ protectables }) => {
      searching.hidden = protectables !== null;
      none.hidden = protectables === null || protectables.length > 0;
      items.show(protectables ?? []);
    },
  };
}
