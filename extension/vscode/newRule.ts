/** "New Rule…" and "Test Rules". */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import type { Layout } from '#home/layout.ts';
import { plainText } from './plainText.ts';
import { nameProblem, ruleTemplate } from './ruleTemplate.ts';
import { reportText, type RuleReport } from './ruleTester.ts';

export interface RuleCommands {
  readonly newRule: () => Promise<void>;
  readonly testRules: () => Promise<void>;
}

export interface RuleParts {
  readonly layout: Layout;
  /** Folders of the project, if it may be written to. */
  readonly workspaceFolders: () => readonly string[];
  /** The user's own rules and those of the project around a folder. */
  readonly test: (cwd: string) => Promise<RuleReport>;
  readonly log: vscode.LogOutputChannel;
}

export function ruleCommands({ layout, workspaceFolders, test, log }: RuleParts): RuleCommands {
  async function newRule(): Promise<void> {
    const places = [
      { label: 'For me', description: 'every project on this machine', folder: join(layout.root, 'rules') },
      ...workspaceFolders().map((folder) => ({
        label: 'For this project',
        description: folder,
        folder: join(folder, '.callgate', 'rules'),
      })),
    ];
    const place =
      places.length === 1
        ? places[0]
        : await vscode.window.showQuickPick(places, { title: 'New Rule', placeHolder: 'Where does it count?' });
    if (place === undefined) return;
    const name = await vscode.window.showInputBox({
      title: 'New Rule',
      prompt: 'A name for the file; the ids of its rules start with it.',
      value: 'house-rules',
      validateInput: nameProblem,
    });
    if (name === undefined) return;
    const file = join(place.folder, `${name}.yaml`);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    try {
      await writeFile(file, ruleTemplate(name), { flag: 'wx', mode: 0o600 });
    } catch (error) {
      // It is there already: then it is opened, not replaced.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    await vscode.window.showTextDocument(vscode.Uri.file(file));
  }

  async function testRules(): Promise<void> {
    const folders = vscode.workspace.workspaceFolders?.filter(({ uri }) => uri.scheme === 'file').map(({ uri }) => uri.fsPath) ?? [];
    const report = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: 'Running the examples of your rules' },
      () => test(folders[0] ?? layout.home),
    );
    const text = reportText(report);
    log.info(text);
    for (const { file, line, message } of report.problems) log.warn(`${file}:${line}: ${message}`);
    for (const problem of report.unread) log.warn(problem);
    const first = report.problems[0];
    if (first === undefined && report.unread.length === 0) {
      void vscode.window.showInformationMessage(text);
      return;
    }
    const choice = await vscode.window.showErrorMessage(
      plainText(`${text} ${first ? first.message : report.unread[0]}`, 600),
      ...(first ? ['Open File', 'Show Log'] : ['Show Log']),
    );
    if (choice === 'Show Log') log.show();
    else if (choice === 'Open File' && first) {
      const at = new vscode.Position(Math.max(0, first.line - 1), 0);
      await vscode.window.showTextDocument(vscode.Uri.file(first.file), { selection: new vscode.Range(at, at) });
    }
  }
  return { newRule, testRules };
}
