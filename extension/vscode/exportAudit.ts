/** "Export Audit Journal…": a format, what to take, a file; then a process of its own does it while a notification shows how far it is. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { FILE_FORMATS, FORMAT_FACTS, type FileFormat } from '#node/audit/export/encoder.ts';
import { runExport, type ExportJob, type ExportResult } from '#node/audit/export/exportProcess.ts';
import { plainText } from './plainText.ts';

export interface ExportAuditParts {
  /** Rejects when the launcher cannot be installed. */
  readonly program: () => Promise<ExportJob['program']>;
  readonly log: vscode.LogOutputChannel;
}

interface FilterItem extends vscode.QuickPickItem {
  readonly words: readonly string[];
}

export function exportAudit({ program, log }: ExportAuditParts): () => Promise<void> {
  async function pickFormat(): Promise<FileFormat | undefined> {
    const items = FILE_FORMATS.map((format) => ({ format, label: FORMAT_FACTS[format].title, description: FORMAT_FACTS[format].detail }));
    return (await vscode.window.showQuickPick(items, { title: 'Export Audit Journal (1/4)', placeHolder: 'Which format?' }))?.format;
  }

  /** Words of the command line; undefined when the person gave up. */
  async function pickFilter(): Promise<readonly string[] | undefined> {
    const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
    const items: FilterItem[] = [
      { label: 'Last 24 hours', words: ['--since', '1d'] },
      { label: 'Last 7 days', words: ['--since', '7d'] },
      { label: 'Last 30 days', words: ['--since', '30d'] },
      { label: 'Only what was warned about, held or blocked', words: ['--verdict', 'flag,quarantine,block'] },
      { label: 'Only decisions by a person', words: ['--by', 'person'] },
      ...folders.map(({ name, uri }) => ({
        label: plainText(`Only the folder ${name}`, 100),
        description: plainText(uri.fsPath, 200),
        words: ['--workspace', uri.fsPath],
      })),
    ];
    const picked = await vscode.window.showQuickPick(items, {
      title: 'Export Audit Journal (2/4)',
      placeHolder: 'Narrow it down; choose nothing for all entries',
      canPickMany: true,
    });
    if (picked === undefined) return undefined;
    const text = await vscode.window.showInputBox({
      title: 'Export Audit Journal (3/4)',
      prompt: 'Only entries whose arguments, reason or rules contain this (optional). Enter goes on.',
    });
    if (text === undefined) return undefined;
    return [...picked.flatMap(({ words }) => words), ...(text === '' ? [] : [`--text=${text}`])];
  }

  async function pickFile(format: FileFormat): Promise<vscode.Uri | undefined> {
    const { title, ending } = FORMAT_FACTS[format];
    const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri.fsPath ?? homedir();
    return vscode.window.showSaveDialog({
      title: 'Export Audit Journal (4/4)',
      saveLabel: 'Export',
      defaultUri: vscode.Uri.file(join(folder, `callgate-audit-${new Date().toISOString().slice(0, 10)}.${ending}`)),
      filters: { [title]: [ending] },
    });
  }

  async function tell(result: ExportResult, file: vscode.Uri): Promise<void> {
    switch (result.kind) {
      case 'cancelled':
        log.info('The export was cancelled; nothing is left of it.');
        return;
      case 'failed': {
        log.error(`The export failed: ${result.message}`);
        const choice = await vscode.window.showErrorMessage(
          plainText(`The audit journal was not exported: ${result.message}`, 600),
          'Show Log',
        );
        if (choice === 'Show Log') log.show();
        return;
      }
      case 'done': {
        const { entries, warning } = result;
        const told = `${entries} ${entries === 1 ? 'entry was' : 'entries were'} exported to ${file.fsPath}`;
        log.info(`${told}.`);
        if (warning !== '') log.warn(warning);
        const choice =
          warning === ''
            ? await vscode.window.showInformationMessage(plainText(`${told}.`, 600), 'Open')
            : await vscode.window.showWarningMessage(
                plainText(`${told}; some lines of the journal are not sound. ${warning}`, 600),
                'Open',
                'Show Log',
              );
        if (choice === 'Open') await vscode.commands.executeCommand('vscode.open', file);
        else if (choice === 'Show Log') log.show();
      }
    }
  }

  return async () => {
    const format = await pickFormat();
    const filter = format === undefined ? undefined : await pickFilter();
    const file = format === undefined || filter === undefined ? undefined : await pickFile(format);
    if (format === undefined || filter === undefined || file === undefined) return;
    if (file.scheme !== 'file') throw new Error('The journal can only be exported to a folder of this machine.');
    const job = { program: await program(), format, filter, file: file.fsPath, cwd: homedir() };
    const result = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: 'Exporting the audit journal', cancellable: true },
      (notification, cancelling) => {
        const ending = new AbortController();
        cancelling.onCancellationRequested(() => ending.abort());
        let shown = 0;
        return runExport({
          ...job,
          signal: ending.signal,
          onProgress: ({ progress, entries }) => {
            notification.report({ increment: (progress - shown) * 100, message: `${entries} entries` });
            shown = progress;
          },
        });
      },
    );
    await tell(result, file);
  };
}
