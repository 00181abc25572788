/** What each command does. The map is exhaustive: a new id without a handler does not compile. */
import * as vscode from 'vscode';
import type { Hold } from '#contract/ipc.ts';
import type { BrokerLink } from './brokerLink.ts';
import { COMMAND_IDS, type CommandArguments, type CommandId } from './commandIds.ts';
import type { Decide, Decided } from './decideHold.ts';
import type { HoldBook } from './holdBook.ts';
import { callText, holdReason, holdTitle, lateApproval, settledMessage } from './holdText.ts';
import type { RuleCommands } from './newRule.ts';
import { plainText } from './plainText.ts';
import type { ProtectFlow } from './protectFlow.ts';

export type CommandHandlers = { readonly [Id in CommandId]: (...args: CommandArguments[Id]) => Promise<void> | void };

export interface CommandParts {
  readonly link: BrokerLink;
  readonly book: HoldBook;
  readonly decide: Decide;
  readonly protection: ProtectFlow;
  readonly rules: RuleCommands;
  readonly exportAudit: () => Promise<void>;
  readonly focusPanel: () => void;
  readonly log: vscode.LogOutputChannel;
}

export function commandHandlers({ link, book, decide, protection, rules, exportAudit, focusPanel, log }: CommandParts): CommandHandlers {
  async function pickHold(title: string, id: string | undefined): Promise<Hold | undefined> {
    const waiting = book.waiting();
    if (id !== undefined) return waiting.find((hold) => hold.id === id);
    // Also when there is only one: nobody decides what they have not seen.
    const items = waiting.map((hold) => ({
      hold,
      label: holdTitle(hold),
      description: plainText(hold.call.cwd, 200),
      detail: holdReason(hold),
    }));
    return (await vscode.window.showQuickPick(items, { title, placeHolder: 'Which call?', matchOnDetail: true, matchOnDescription: true }))
      ?.hold;
  }

  function tell(decided: Decided): void {
    if (decided.kind === 'done')
      void vscode.window.showInformationMessage(
        decided.late && decided.hold.state === 'approved' ? lateApproval(decided.hold) : settledMessage(decided.hold),
      );
    else if (decided.kind === 'late') void vscode.window.showInformationMessage(decided.message);
    else void vscode.window.showErrorMessage(plainText(`Your decision could not be sent: ${decided.message}`, 600));
  }

  async function decideOne(title: string, id: string | undefined, ask: (hold: Hold) => Promise<Decided>): Promise<void> {
    if (id === undefined ? book.waiting().length === 0 : !book.waiting().some((hold) => hold.id === id)) {
      void vscode.window.showInformationMessage(
        id === undefined ? 'No call is held at the moment.' : 'This call no longer waits for a decision.',
      );
      return;
    }
    const hold = await pickHold(title, id);
    if (hold) tell(await ask(hold));
  }

  async function verifyAudit(): Promise<void> {
    const report = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: 'Verifying the audit journal' },
      () => link.request('verify', {}),
    );
    if (report.ok || report.problem === null) {
      log.info(`The audit journal is whole: ${report.entries} entries.`);
      void vscode.window.showInformationMessage(
        `The audit journal is whole: ${report.entries} ${report.entries === 1 ? 'entry' : 'entries'}, every link of the chain checked.`,
      );
      return;
    }
    const { seq, file, line, code, message } = report.problem;
    log.error(`The audit journal does not verify. ${code} at entry ${seq}, ${file}:${line}: ${message}`);
    const choice = await vscode.window.showErrorMessage(
      plainText(`The audit journal does not verify. Entry ${seq} (${file}:${line}): ${message}`, 600),
      'Open File',
      'Show Log',
    );
    if (choice === 'Show Log') log.show();
    else if (choice === 'Open File') {
      const place = new vscode.Position(Math.max(0, line - 1), 0);
      await vscode.window.showTextDocument(vscode.Uri.file(file), { selection: new vscode.Range(place, place) });
    }
  }

  async function showStatus(): Promise<void> {
    const { state, message } = link.state();
    const status = link.status();
    const waiting = book.waiting().length;
    const lines = [
      state === 'connected' ? 'Connected to the broker.' : message,
      ...(status === null
        ? []
        : [
            `Broker ${status.version}, process ${status.pid}, since ${new Date(status.startedAt).toLocaleString()}, ${status.windows === 1 ? '1 window' : `${status.windows} windows`}.`,
            `${status.rules} rules are loaded.`,
            ...[status.rulesProblem, status.journalProblem].filter((problem) => problem !== null),
          ]),
      waiting === 0 ? 'No call is held.' : waiting === 1 ? '1 call is held.' : `${waiting} calls are held.`,
    ];
    const choice = await vscode.window.showInformationMessage('Callgate', { modal: true, detail: lines.join('\n') }, 'Show Log');
    if (choice === 'Show Log') log.show();
  }

  return {
    'callgate.protect': (id) => protection.protect(id),
    'callgate.undo': (id) => protection.undo(id),
    'callgate.showHeld': focusPanel,
    'callgate.approve': (id) =>
      decideOne('Approve Held Call', id, async (hold) => {
        if (id !== undefined || callText(hold).whole) return decide.approve(hold.id, 'once', '');
        focusPanel();
        return { kind: 'late', message: `This call is too long to be approved from a list. Read it in the panel: ${holdTitle(hold)}` };
      }),
    'callgate.reject': (id) =>
      decideOne('Reject Held Call', id, async (hold) => {
        const note = await vscode.window.showInputBox({
          title: `Reject ${holdTitle(hold)}`,
          prompt: 'A note to the agent (optional). Enter rejects the call, Escape leaves it waiting.',
        });
        return note === undefined ? { kind: 'late', message: settledMessage(hold) } : decide.reject(hold.id, note);
      }),
    'callgate.verifyAudit': verifyAudit,
    'callgate.exportAudit': exportAudit,
    'callgate.showLog': () => log.show(),
    'callgate.openSettings': async () =>
      void (await vscode.commands.executeCommand('workbench.action.openSettings', '@ext:callgate.callgate')),
    'callgate.showStatus': showStatus,
    'callgate.newRule': rules.newRule,
    'callgate.testRules': rules.testRules,
  };
}

/** A command's failure is shown, not swallowed by the editor's own log. */
export function registerCommands(handlers: CommandHandlers, log: vscode.LogOutputChannel): vscode.Disposable {
  const registered = COMMAND_IDS.map((id) =>
    vscode.commands.registerCommand(id, async (argument?: unknown) => {
      try {
        // The palette passes nothing; a view's menu passes objects of its own that mean nothing here.
        await handlers[id](...((typeof argument === 'string' ? [argument] : []) as []));
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        log.error(`${id}: ${message}`);
        const choice = await vscode.window.showErrorMessage(plainText(`Callgate: ${message}`, 600), 'Show Log');
        if (choice === 'Show Log') log.show();
      }
    }),
  );
  return vscode.Disposable.from(...registered);
}
