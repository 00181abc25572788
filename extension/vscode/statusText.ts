/** What the status bar item says, without the editor. */
import type { LinkState } from './brokerLink.ts';

export interface StatusText {
  readonly text: string;
  readonly tooltip: string;
  /** For screen readers, without icons. */
  readonly label: string;
  readonly colour: 'none' | 'warning' | 'error';
}

export function statusText(link: LinkState, waiting: number, problem: string | null): StatusText {
  const held = waiting === 1 ? '1 held' : `${waiting} held`;
  if (link.state === 'lost')
    return { text: '$(error) Callgate: broker lost', tooltip: link.message, label: 'Callgate, broker lost', colour: 'error' };
  if (waiting > 0)
    return {
      text: `$(shield) Callgate: ${held}`,
      tooltip: 'Calls are waiting for you. Click to decide.',
      label: `Callgate, ${waiting === 1 ? '1 call is' : `${waiting} calls are`} held`,
      colour: 'warning',
    };
  if (link.state === 'starting')
    return { text: '$(shield) Callgate: starting', tooltip: link.message, label: 'Callgate, starting', colour: 'none' };
  if (problem !== null)
    return { text: '$(warning) Callgate: problem', tooltip: problem, label: 'Callgate, there is a problem', colour: 'error' };
  return {
    text: '$(shield) Callgate',
    tooltip: 'Callgate is watching. No call is held.',
    label: 'Callgate, no call is held',
    colour: 'none',
  };
}
