/** Shows a planned change as a real diff, from texts that exist nowhere on disk. */
import { basename } from 'node:path';
import * as vscode from 'vscode';

export const PLAN_SCHEME = 'callgate-plan';

export interface PlannedText {
  readonly file: string;
  /** Null: the file does not exist yet. */
  readonly before: string | null;
  readonly after: string;
}

export interface PlanPreview extends vscode.Disposable {
  readonly show: (title: string, plan: PlannedText) => Promise<PreviewTab>;
}

export interface PreviewTab {
  readonly close: () => Promise<void>;
}

export function planPreview(): PlanPreview {
  const texts = new Map<string, string>();
  const registration = vscode.workspace.registerTextDocumentContentProvider(PLAN_SCHEME, {
    provideTextDocumentContent: (uri) => texts.get(uri.path) ?? '',
  });
  let count = 0;
  return {
    show: async (title, plan) => {
      count++;
      const place = (side: string): vscode.Uri =>
        vscode.Uri.from({ scheme: PLAN_SCHEME, path: `/${count}/${side}/${basename(plan.file)}` });
      const before = place('now');
      const after = place('planned');
      texts.set(before.path, plan.before ?? '');
      texts.set(after.path, plan.after);
      await vscode.commands.executeCommand('vscode.diff', before, after, title, { preview: true });
      return {
        close: async () => {
          texts.delete(before.path);
          texts.delete(after.path);
          const tabs = vscode.window.tabGroups.all
            .flatMap((group) => group.tabs)
            .filter((tab) => tab.input instanceof vscode.TabInputTextDiff && tab.input.modified.path === after.path);
          if (tabs.length > 0) await vscode.window.tabGroups.close(tabs);
        },
      };
    },
    dispose: () => registration.dispose(),
  };
}
