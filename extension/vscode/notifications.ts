/** Notifications for held and flagged calls, as the settings wish. */
import * as vscode from 'vscode';
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { Hold } from '#contract/ipc.ts';
import { isObject } from '#core/model/json.ts';
import type { BrokerLink } from './brokerLink.ts';
import type { Decide, Decided } from './decideHold.ts';
import type { HoldBook } from './holdBook.ts';
import { interruptAfter, openToasts } from './heldToasts.ts';
import { callText, heldMessage, holdTitle, lateApproval } from './holdText.ts';
import { plainText } from './plainText.ts';
import type { Settings } from './settings.ts';

export interface NotificationParts {
  readonly link: BrokerLink;
  readonly book: HoldBook;
  readonly decide: Decide;
  readonly settings: () => Settings;
  readonly showPanel: () => void;
  readonly log: vscode.LogOutputChannel;
}

export function notifications(parts: NotificationParts): vscode.Disposable {
  const { link, book, decide, settings, showPanel, log } = parts;
  const toasts = openToasts();
  const delayed = new Set<NodeJS.Timeout>();
  let flagOpen = false;
  /** Files with a warning on the screen: an agent that tries again and again gets no second one. */
  const refusedFiles = new Set<string>();

  function tell(decided: Decided): void {
    if (decided.kind === 'done') {
      if (decided.late && decided.hold.state === 'approved') void vscode.window.showInformationMessage(lateApproval(decided.hold));
      return;
    }
    if (decided.kind === 'late') void vscode.window.showInformationMessage(decided.message);
    else void vscode.window.showErrorMessage(plainText(`Your decision could not be sent: ${decided.message}`, 600));
  }

  async function held(hold: Hold): Promise<void> {
    try {
      // Only what can be read here can be approved here.
      const choices = callText(hold).whole ? (['Approve', 'Reject', 'Details'] as const) : (['Review', 'Reject'] as const);
      const choice = await vscode.window.showWarningMessage<string>(heldMessage(hold), ...choices);
      // Closing the notification decides nothing: the call waits on in the panel.
      if (choice === undefined) return;
      if (choice === 'Details' || choice === 'Review') showPanel();
      else tell(choice === 'Approve' ? await decide.approve(hold.id, 'once', '') : await decide.reject(hold.id, ''));
    } finally {
      toasts.end(hold.id);
    }
  }

  async function flagged(entry: AuditEntry): Promise<void> {
    flagOpen = true;
    try {
      const why = entry.findings[0]?.title ?? entry.reason;
      const choice = await vscode.window.showInformationMessage(
        plainText(`Callgate flagged a call that went through. ${entry.tool}: ${why}`, 200),
        'Details',
      );
      if (choice === 'Details') showPanel();
    } finally {
      flagOpen = false;
    }
  }

  /** Not a setting: the running session was kept hooked, but the file still says otherwise, and the next one reads it. */
  async function unhooked(entry: AuditEntry): Promise<void> {
    const file = isObject(entry.args) && typeof entry.args['file'] === 'string' ? entry.args['file'] : '';
    if (refusedFiles.has(file)) return;
    refusedFiles.add(file);
    try {
      const choice = await vscode.window.showErrorMessage(
        plainText(`${entry.reason} Until it is put back, the next session of the agent may start without Callgate.`, 600),
        ...(file === '' ? [] : ['Open File']),
      );
      if (choice === 'Open File') await vscode.window.showTextDocument(vscode.Uri.file(file));
    } finally {
      refusedFiles.delete(file);
    }
  }

  const failed = (error: unknown): void => log.error(`A notification failed: ${String(error)}`);
  const interrupt = (hold: Hold): void => {
    if (book.find(hold.id)?.state !== 'waiting') return;
    if (toasts.begin(hold.id)) held(hold).catch(failed);
    else log.info(`Held without a notification: ${holdTitle(hold)}`);
  };
  const later = (hold: Hold, ms: number): void => {
    const timer = setTimeout(() => {
      delayed.delete(timer);
      interrupt(hold);
    }, ms);
    delayed.add(timer);
  };
  const facts = (): Parameters<typeof interruptAfter>[1] => ({
    windows: link.status()?.windows ?? 1,
    focused: vscode.window.state.focused,
    folders: (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath),
  });
  const stops = [
    link.onHolds(({ begun }) => {
      toasts.keep(book.waiting());
      if (!settings().notifyHeldCalls) return;
      for (const hold of begun) {
        const wait = interruptAfter(hold.call.cwd, facts());
        if (wait === 0) interrupt(hold);
        else later(hold, wait);
      }
    }),
    link.onEntry((entry) => {
      if (entry.kind === 'call' && entry.verdict === 'flag' && settings().notifyFlaggedCalls && !flagOpen) flagged(entry).catch(failed);
      if (entry.kind === 'config' && entry.verdict === 'block') unhooked(entry).catch(failed);
    }),
  ];
  return new vscode.Disposable(() => {
    for (const stop of stops) stop();
    for (const timer of delayed) clearTimeout(timer);
  });
}
