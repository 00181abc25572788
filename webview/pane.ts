/** A foldable section with the look of the editor's own panes. */
import { element, icon, setText } from './element.ts';
import type { PanelState } from './state.ts';

/** A part of the page that shows its share of the state. */
export interface Section {
  readonly root: HTMLElement;
  readonly show: (state: PanelState) => void;
}

export interface Pane {
  readonly root: HTMLElement;
  readonly body: HTMLElement;
  readonly header: HTMLButtonElement;
  readonly setCount: (count: number | null) => void;
}

export function pane(title: string, name: string, startOpen: 'open' | 'closed', onToggle: (open: 'open' | 'closed') => void): Pane {
  const count = element('span', { class: 'count', hidden: '' });
  const header = element(
    'button',
    { type: 'button', class: 'pane-header', 'aria-controls': `pane-${name}` },
    icon('chevron'),
    element('span', { class: 'pane-title' }, title),
    count,
  );
  const body = element('div', { class: 'pane-body', id: `pane-${name}` });
  const set = (open: 'open' | 'closed'): void => {
    header.setAttribute('aria-expanded', String(open === 'open'));
    body.hidden = open === 'closed';
  };
  header.addEventListener('click', () => {
    const open = body.hidden ? 'open' : 'closed';
    set(open);
    onToggle(open);
  });
  set(startOpen);
  const root = element('section', { class: `pane pane-${name}`, 'aria-label': title }, element('h2', {}, header), body);
  return {
    root,
    body,
    header,
    setCount: (value) => {
      count.hidden = value === null || value === 0;
      setText(count, value === null ? '' : String(value));
    },
  };
}
