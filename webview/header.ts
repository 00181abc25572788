/** The line that says whether calls are being watched, and what is wrong if not. */
import type { FromPanel } from '#contract/panel.ts';
import { button, element, icon, setText } from './element.ts';
import type { Section } from './pane.ts';
import type { PanelAction, PanelState } from './state.ts';
import { visibleLine } from '#core/policy/visibleText.ts';

export function statusLine({ connection, status }: PanelState): string {
  if (connection.state === 'starting') return connection.message || 'Starting…';
  if (connection.state === 'lost') return connection.message || 'The broker is gone. Hooks still decide; held calls cannot be shown.';
  return status === null ? 'Watching' : `Watching with ${status.rules} rules`;
}

export function header(send: (message: FromPanel) => void, act: (action: PanelAction) => void): Section {
  const line = element('span', { class: 'status-text' });
  const status = element('div', { class: 'status', role: 'status' }, element('span', { class: 'dot', 'aria-hidden': 'true' }), line);
  const problems = element('div', { role: 'alert' });
  const root = element('header', {}, status, problems);
  let shown = '';
  return {
    root,
    show: (state) => {
      status.dataset['state'] = state.connection.state;
      setText(line, visibleLine(statusLine(state), 300));
      const found = [
        state.status?.journalProblem ?? null,
        state.status?.rulesProblem ?? null,
        state.failure === null ? null : `${state.failure.what}: ${state.failure.message}`,
        state.connection.state === 'lost' ? 'Held calls cannot be shown until the broker is back.' : null,
      ];
      const key = JSON.stringify(found);
      if (key === shown) return;
      shown = key;
      const problem = (text: string | null, index: number): HTMLElement | null =>
        text === null
          ? null
          : element(
              'div',
              { class: 'problem' },
              icon('warning'),
              element('span', {}, visibleLine(text, 600)),
              index === 2 ? button('link', 'Hide', 'Hide this message', () => act({ type: 'failureRead' })) : null,
              button('link', 'Show Log', 'Show the Callgate log', () => send({ type: 'command', command: 'callgate.showLog' })),
            );
      problems.replaceChildren(...found.map(problem).filter((part) => part !== null));
    },
  };
}
