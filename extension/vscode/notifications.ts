/** Notifications for held and flagged calls, as the settings wish. */
import * as vscode from 'vscode';
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { Hold } from '#contract/ipc.ts';
import { visibleLine } from '#core/policy/visibleText.ts';
import type { BrokerLink } from './brokerLink.ts';
import type { Decide, Decided } from './decideHold.ts';
import type { HoldBook } from './holdBook.ts';
import { heldMessage, holdTitle } from './holdText.ts';
import type { Settings } from './settings.ts';

export interface NotificationParts {
  readonly link: BrokerLink;
  readonly book: HoldBook;
  readonly decide: Decide;
  readonly settings: () => Settings;
  readonly showPanel: () => void;
  readonly log: vscode.LogOutputChannel;
}

/** More open ones would only cover each other: the panel lists them all. */
const MOST_OPEN = 3;

/** With several windows only the one in use, or the one whose folder the call runs in, interrupts. */
function concernsThisWindow(hold: Hold, windows: number): boolean {
  if (windows < 2 || vscode.window.state.focused) return true;
  return vscode.workspace.workspaceFolders?.some((folder) => hold.call.cwd.startsWith(folder.uri.fsPath)) ?? false;
}

export function notifications(parts: NotificationParts): vscode.Disposable {
  const { link, book, decide, settings, showPanel, log } = parts;
  let open = 0;
  let flagOpen = false;

  function tell(decided: Decided): void {
    if (decided.kind === 'done') return;
    if (decided.kind === 'late') void vscode.window.showInformationMessage(decided.message);
    else void vscode.window.showErrorMessage(`Your decision could not be sent: ${decided.message}`);
  }

  async function held(hold: Hold): Promise<void> {
    open++;
    try {
      const choice = await vscode.window.showWarningMessage(heldMessage(hold), 'Approve', 'Reject', 'Details');
      // Closing the notification decides nothing: the call waits on in the panel.
      if (choice === undefined) return;
      if (choice === 'Details') showPanel();
      else tell(choice === 'Approve' ? await decide.approve(hold.id, 'once', '') : await decide.reject(hold.id, ''));
    } finally {
      open--;
    }
  }

  async function flagged(entry: AuditEntry): Promise<void> {
    flagOpen = true;
    try {
      const why = entry.findings[0]?.title ?? entry.reason;
      const choice = await vscode.window.showInformationMessage(visibleLine(`Callgate flagged a call that went through. ${entry.tool}: ${why}`, 200), 'Details');
      if (choice === 'Details') showPanel();
    } finally {
      flagOpen = false;
    }
  }

  const failed = (error: unknown): void => log.error(`A notification failed: ${String(error)}`);
  const stops = [
    link.onHolds(({ begun }) => {
      if (!settings().notifyHeldCalls) return;
      for (const hold of begun) {
        if (open < MOST_OPEN && book.find(hold.id) && concernsThisWindow(hold, link.status()?.windows ?? 1)) held(hold).catch(failed);
        else log.info(`Held without a notification: ${holdTitle(hold)}`);
      }
    }),
    link.onEntry((entry) => {
      if (entry.kind === 'call' && entry.verdict === 'flag' && settings().notifyFlaggedCalls && !flagOpen) flagged(entry).catch(failed);
    }),
  ];
  return new vscode.Disposable(() => {
    for (const stop of stops) stop();
  });
}
