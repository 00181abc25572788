/** What is wrong in an open rule or policy file, while it is being written. */
import * as vscode from 'vscode';
import { plainText } from './plainText.ts';
import { POLICY_FILES, RULE_FILES } from './ruleCompletion.ts';
import type { RuleReport } from './ruleTester.ts';

const WAIT_MS = 400;

export interface DiagnosticParts {
  readonly test: (file: { readonly name: string; readonly text: string }) => Promise<RuleReport>;
  readonly log: vscode.LogOutputChannel;
}

export function ruleDiagnostics({ test, log }: DiagnosticParts): vscode.Disposable {
  const collection = vscode.languages.createDiagnosticCollection('callgate');
  const waiting = new Map<string, NodeJS.Timeout>();
  const isOurs = (document: vscode.TextDocument): boolean =>
    vscode.languages.match(RULE_FILES, document) > 0 || vscode.languages.match(POLICY_FILES, document) > 0;

  async function look(document: vscode.TextDocument): Promise<void> {
    const version = document.version;
    try {
      const { problems } = await test({ name: document.uri.fsPath, text: document.getText() });
      // What was typed meanwhile starts another look.
      if (document.isClosed || document.version !== version) return;
      collection.set(
        document.uri,
        problems.map(({ line, message }) => {
          const place = document.lineAt(Math.min(Math.max(0, line - 1), document.lineCount - 1));
          const range = new vscode.Range(place.lineNumber, place.firstNonWhitespaceCharacterIndex, place.lineNumber, place.text.length);
          const diagnostic = new vscode.Diagnostic(range, plainText(message, 1000), vscode.DiagnosticSeverity.Error);
          diagnostic.source = 'callgate';
          return diagnostic;
        }),
      );
    } catch (error) {
      log.warn(error instanceof Error ? error.message : String(error));
    }
  }
  function soon(document: vscode.TextDocument): void {
    if (!isOurs(document)) return;
    const key = document.uri.toString();
    clearTimeout(waiting.get(key));
    waiting.set(
      key,
      setTimeout(() => {
        waiting.delete(key);
        void look(document);
      }, WAIT_MS),
    );
  }
  for (const document of vscode.workspace.textDocuments) soon(document);
  return vscode.Disposable.from(
    collection,
    vscode.workspace.onDidOpenTextDocument(soon),
    vscode.workspace.onDidChangeTextDocument(({ document }) => soon(document)),
    vscode.workspace.onDidCloseTextDocument((document) => {
      const key = document.uri.toString();
      clearTimeout(waiting.get(key));
      waiting.delete(key);
      collection.delete(document.uri);
    }),
    new vscode.Disposable(() => {
      for (const timer of waiting.values()) clearTimeout(timer);
    }),
  );
}
