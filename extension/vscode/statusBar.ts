import * as vscode from 'vscode';
import type { BrokerLink } from './brokerLink.ts';
import type { CommandId } from './commandIds.ts';
import type { HoldBook } from './holdBook.ts';
import { statusText } from './statusText.ts';

const COLOURS = {
  none: undefined,
  warning: new vscode.ThemeColor('statusBarItem.warningBackground'),
  error: new vscode.ThemeColor('statusBarItem.errorBackground'),
} as const;

/** The item in the status bar; a click opens the panel. */
export function statusBar(link: BrokerLink, book: HoldBook): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('callgate.status', vscode.StatusBarAlignment.Left, 50);
  item.name = 'Callgate';
  item.command = 'callgate.showHeld' satisfies CommandId;
  const show = (): void => {
    const status = link.status();
    const { text, tooltip, label, colour } = statusText(
      link.state(),
      book.waiting().length,
      status?.journalProblem ?? status?.rulesProblem ?? null,
    );
    item.text = text;
    item.tooltip = tooltip;
    item.accessibilityInformation = { label, role: 'button' };
    item.backgroundColor = COLOURS[colour];
  };
  const stops = [link.onState(show), link.onHolds(show), link.onStatus(show)];
  show();
  item.show();
  return new vscode.Disposable(() => {
    for (const stop of stops) stop();
    item.dispose();
  });
}
