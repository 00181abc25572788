import * as vscode from 'vscode';
import { type Callgate, compose } from './compose.ts';
import { plainText } from './plainText.ts';

let running: Callgate | null = null;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel('Callgate', { log: true });
  context.subscriptions.push(log);
  try {
    running = compose(context, log);
    context.subscriptions.push(running);
    await running.ready;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log.error(`Callgate could not start: ${error instanceof Error ? (error.stack ?? message) : message}`);
    // Not awaited: activation must not wait for a click.
    void vscode.window
      .showErrorMessage(plainText(`Callgate could not start, so held calls cannot be shown here. ${message}`, 800), 'Show Log')
      .then((choice) => {
        if (choice === 'Show Log') log.show();
      });
  }
}

export function deactivate(): void {
  // First of all, so that the broker hears of it whatever else fails later.
  running?.disconnect();
  running = null;
}
