/** Approvals that still stand, and taking them back. */
import type { Grant } from '#contract/ipc.ts';
import type { FromPanel } from '#contract/panel.ts';
import { factList } from './callDetails.ts';
import { toolName } from './callText.ts';
import { whenText } from './clock.ts';
import { codeBlock } from './codeBlock.ts';
import { button, element } from './element.ts';
import { KeyedList } from './keyedList.ts';
import { type Section, pane } from './pane.ts';
import { visibleLine } from '#core/policy/visibleText.ts';

const SCOPES: Readonly<Record<Grant['scope'], string>> = {
  once: 'Next try only',
  session: 'This session',
  always: 'Always, in this folder',
};

export function grantsPane(
  open: 'open' | 'closed',
  onToggle: (open: 'open' | 'closed') => void,
  send: (message: FromPanel) => void,
): Section {
  const section = pane('Grants', 'grants', open, onToggle);
  const empty = element(
    'div',
    { class: 'empty' },
    element('p', {}, 'No standing approvals. Approving a held call for its session, or always, puts it here.'),
  );
  const list = element('ul', { class: 'items' });
  section.body.append(empty, list);
  const grants = new KeyedList(
    list,
    section.header,
    (grant: Grant) => grant.id,
    (grant) => ({
      root: element(
        'li',
        { class: 'item' },
        element(
          'div',
          { class: 'item-head' },
          element('span', { class: 'item-name' }, toolName(grant)),
          element('span', { class: 'badge' }, SCOPES[grant.scope]),
        ),
        codeBlock(grant.summary, [], 'What was approved'),
        factList([
          ['Folder', grant.cwd],
          ['Given', whenText(grant.created, Date.now())],
          ['Ends', grant.expires === null ? 'when you revoke it' : whenText(grant.expires, Date.now())],
        ]),
        element(
          'div',
          { class: 'decide' },
          button('secondary', 'Revoke', `Revoke ${toolName(grant)}: ${visibleLine(grant.summary, 60)}`, () =>
            send({ type: 'revoke', id: grant.id }),
          ),
        ),
      ),
      update: () => undefined,
    }),
  );
  return {
    root: section.root,
    show: (state) => {
      section.setCount(state.grants.length);
      empty.hidden = state.grants.length > 0;
      grants.show(state.grants);
    },
  };
}
