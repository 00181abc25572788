/** Protecting and undoing, as the person sees it: choose, look at the change, apply, watch it being tried. */
import * as vscode from 'vscode';
import type { Protectable } from '#contract/panel.ts';
import type { ClientSetup, PlannedChange } from './clientSetup.ts';
import type { CommandId } from './commandIds.ts';
import type { PlanPreview } from './planPreview.ts';
import { plainText } from './plainText.ts';

export interface ProtectFlow {
  /** `servers`: only these of an MCP file. */
  readonly protect: (id?: string, servers?: readonly string[]) => Promise<void>;
  readonly undo: (id?: string) => Promise<void>;
}

export interface ProtectParts {
  readonly setup: ClientSetup;
  readonly preview: PlanPreview;
  /** Something was protected or restored. */
  readonly onChanged: () => void;
  readonly onProtected: () => void;
  readonly log: vscode.LogOutputChannel;
}

interface Choice extends vscode.QuickPickItem {
  readonly id: string;
}

const STATE_ICONS: Readonly<Record<Protectable['state'], string>> = {
  unprotected: '$(circle-outline)',
  protected: '$(shield)',
  broken: '$(warning)',
  unavailable: '$(circle-slash)',
};

const choiceFor = (item: Protectable): Choice => ({
  id: item.id,
  label: `${STATE_ICONS[item.state]} ${plainText(item.name, 120)}`,
  description: plainText(item.file, 300),
  detail: plainText(item.detail, 400),
});
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function working<T>(title: string, task: (progress: vscode.Progress<{ message: string }>) => Promise<T>): Thenable<T> {
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: plainText(title, 200) }, task);
}

export function protectFlow({ setup, preview, onChanged, onProtected, log }: ProtectParts): ProtectFlow {
  async function sayFailed(what: string, error: unknown): Promise<void> {
    log.error(`${what}: ${reasonOf(error)}`);
    const choice = await vscode.window.showErrorMessage(plainText(`${what}. ${reasonOf(error)}`, 800), 'Show Log');
    if (choice === 'Show Log') log.show();
  }

  /** True when the person wants the change after having seen it. */
  async function agreed(title: string, change: PlannedChange): Promise<boolean> {
    const tab = await preview.show(title, change);
    try {
      const lines = [
        ...change.summary,
        ...change.warnings.map((warning) => `Note: ${warning}`),
        ...(change.consent === null ? [] : [change.consent]),
      ].join(' · ');
      const ask = change.warnings.length > 0 ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
      return (await ask(plainText(`${title}? ${lines} (${change.file})`, 900), 'Apply', 'Cancel')) === 'Apply';
    } finally {
      await tab.close();
    }
  }

  async function protectOne(id: string, servers?: readonly string[]): Promise<void> {
    const change = await setup.plan(id, servers);
    if (change.before === change.after && change.consent === null) {
      void vscode.window.showInformationMessage(
        plainText(`${change.name} is protected already: nothing to change in ${change.file}.`, 600),
      );
      return;
    }
    if (!(await agreed(`Protect ${change.name}`, change))) return;
    const outcome = await working(`Protecting ${change.name}`, async (progress) => {
      progress.report({ message: 'writing the configuration' });
      await change.apply();
      onChanged();
      progress.report({ message: 'trying it with a canary call' });
      return setup.canary(id);
    });
    log.info(`Protected ${change.name}: ${outcome.message}`);
    onChanged();
    if (outcome.kind !== 'failed') {
      onProtected();
      const choice = await vscode.window.showInformationMessage(
        plainText(`${change.name} is protected. ${outcome.message}`, 800),
        'Show Panel',
        'Undo',
      );
      if (choice === 'Undo') await undoOne(id);
      else if (choice === 'Show Panel') await vscode.commands.executeCommand('callgate.showHeld' satisfies CommandId);
      return;
    }
    const choice = await vscode.window.showWarningMessage(
      plainText(`${change.name} was set up, but the canary call was not stopped. ${outcome.message}`, 800),
      'Undo',
      'Show Log',
    );
    if (choice === 'Undo') await undoOne(id);
    else if (choice === 'Show Log') log.show();
  }

  async function undoOne(id: string): Promise<void> {
    const name = (await setup.discover()).find((item) => item.id === id)?.name ?? id;
    const message = await working(`Undoing the protection of ${name}`, () => setup.revert(id));
    log.info(`Undid the protection of ${name}: ${message}`);
    onChanged();
    void vscode.window.showInformationMessage(plainText(`${name} is no longer protected. ${message}`, 600));
  }

  /** Runs `action` for each id; one failure is shown and does not stop the others. */
  async function forEach(ids: readonly string[], what: string, action: (id: string) => Promise<void>): Promise<void> {
    for (const id of ids) {
      try {
        await action(id);
      } catch (error) {
        onChanged();
        await sayFailed(what, error);
      }
    }
  }

  async function choose(
    states: readonly Protectable['state'][],
    title: string,
    placeholder: string,
    nothing: string,
  ): Promise<readonly string[]> {
    const found = await working('Looking for agents and MCP servers', () => setup.discover());
    const offered = found.filter((item) => states.includes(item.state));
    if (offered.length === 0) {
      void vscode.window.showInformationMessage(nothing);
      return [];
    }
    const chosen = await vscode.window.showQuickPick(offered.map(choiceFor), {
      title,
      placeHolder: placeholder,
      canPickMany: true,
      ignoreFocusOut: true,
      matchOnDescription: true,
    });
    return chosen?.map((choice) => choice.id) ?? [];
  }

  return {
    protect: async (id, servers) => {
      const ids =
        id === undefined
          ? await choose(
              ['unprotected', 'broken'],
              'Protect Agents and MCP Servers',
              'You will see every change before it is made',
              'Everything that was found is protected already, or no agent and no MCP configuration was found.',
            )
          : [id];
      await forEach(ids, 'Protecting failed', (one) => protectOne(one, servers));
    },
    undo: async (id) => {
      const ids =
        id === undefined
          ? await choose(
              ['protected', 'broken'],
              'Undo Protection',
              'Your configuration comes back as it was',
              'Nothing is protected, so there is nothing to undo.',
            )
          : [id];
      await forEach(ids, 'Undoing failed', undoOne);
    },
  };
}
