/** The panel in the side bar. Keeps nothing itself: a page that comes back asks again and is told everything. */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { FromPanel, Protectable, ToPanel } from '#contract/panel.ts';
import type { BrokerLink } from './brokerLink.ts';
import { VIEW_ID } from './commandIds.ts';
import type { Decide, Decided } from './decideHold.ts';
import { parseFromPanel } from './fromPanel.ts';
import type { HoldBook } from './holdBook.ts';
import { panelHtml } from './panelHtml.ts';

export interface PanelParts {
  readonly extensionUri: vscode.Uri;
  readonly link: BrokerLink;
  readonly book: HoldBook;
  readonly decide: Decide;
  readonly findProtectables: () => Promise<readonly Protectable[]>;
  readonly protect: (id: string) => Promise<void>;
  readonly undo: (id: string) => Promise<void>;
  readonly runCommand: (command: Extract<FromPanel, { type: 'command' }>['command']) => void;
  readonly onTimelineShown: () => void;
  readonly log: vscode.LogOutputChannel;
}

export interface Panel extends vscode.Disposable {
  readonly focus: () => void;
  /** Looks again for agents and servers and shows what was found. */
  readonly refreshProtectables: () => Promise<void>;
}

export function registerPanel(parts: PanelParts): Panel {
  const { link, book, decide, log } = parts;
  let view: vscode.WebviewView | null = null;

  const post = (message: ToPanel): void => {
    // False means the page is gone or hidden; it asks again with `ready` when it is back.
    view?.webview.postMessage(message).then(undefined, (error: unknown) => log.warn(`The panel did not take a message: ${String(error)}`));
  };
  const failed = (what: string, error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error);
    log.error(`${what}: ${message}`);
    post({ type: 'failed', what, message });
  };
  const showBadge = (): void => {
    if (!view) return;
    const waiting = book.waiting().length;
    view.badge = waiting === 0 ? undefined : { value: waiting, tooltip: waiting === 1 ? '1 call is held' : `${waiting} calls are held` };
  };
  const refreshProtectables = async (): Promise<void> => {
    if (!view) return;
    try {
      post({ type: 'protectables', items: await parts.findProtectables() });
    } catch (error) {
      failed('Looking for agents and MCP servers failed', error);
    }
  };

  function tellEverything(): void {
    post({ type: 'connection', ...link.state() });
    const status = link.status();
    if (status) post({ type: 'status', status });
    post({ type: 'holds', holds: book.list() });
    post({ type: 'grants', grants: link.grants() });
    void refreshProtectables();
  }

  const decided = (outcome: Decided): void => {
    if (outcome.kind !== 'done')
      post({ type: 'failed', what: outcome.kind === 'late' ? 'Too late' : 'Your decision could not be sent', message: outcome.message });
  };

  async function take(message: FromPanel): Promise<void> {
    switch (message.type) {
      case 'ready':
        return tellEverything();
      case 'approve':
        return decided(await decide.approve(message.id, message.scope, message.note));
      case 'reject':
        return decided(await decide.reject(message.id, message.note));
      case 'timeline': {
        // Before the first connection the page asks in vain; it asks again when it hears of one.
        if (link.state().state !== 'connected') return;
        const page = await link.request('timeline', message.query);
        post({ type: 'timeline', query: message.query, page });
        if (page.entries.length > 0) parts.onTimelineShown();
        return;
      }
      case 'revoke':
        await link.request('revoke', { id: message.id });
        return link.refreshGrants();
      case 'protect':
        return parts.protect(message.id);
      case 'unprotect':
        return parts.undo(message.id);
      case 'command':
        return parts.runCommand(message.command);
    }
  }

  const provider: vscode.WebviewViewProvider = {
    resolveWebviewView: (resolved) => {
      view = resolved;
      const { webview } = resolved;
      const file = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(parts.extensionUri, 'dist', name)).toString();
      webview.options = { enableScripts: true, enableForms: false, localResourceRoots: [vscode.Uri.joinPath(parts.extensionUri, 'dist')] };
      const listening = webview.onDidReceiveMessage((raw: unknown) => {
        const message = parseFromPanel(raw);
        if (message === null) log.warn('The panel sent a message that is none of ours; it was ignored.');
        else take(message).catch((error: unknown) => failed('That did not work', error));
      });
      resolved.onDidDispose(() => {
        listening.dispose();
        if (view === resolved) view = null;
      });
      webview.html = panelHtml({
        nonce: randomBytes(16).toString('base64'),
        cspSource: webview.cspSource,
        script: file('panel.js'),
        style: file('panel.css'),
      });
      showBadge();
    },
  };

  const stops = [
    link.onHolds(({ holds, begun }) => {
      post({ type: 'holds', holds });
      showBadge();
      // The editor gives a view its badge only after the view was opened once; until then a held call would go unseen.
      if (begun.length > 0 && !view) void vscode.commands.executeCommand(`${VIEW_ID}.focus`, { preserveFocus: true });
    }),
    link.onState((state) => post({ type: 'connection', ...state })),
    link.onStatus((status) => post({ type: 'status', status })),
    link.onEntry((entry) => {
      post({ type: 'entry', entry });
      if (view?.visible) parts.onTimelineShown();
    }),
    link.onGrants((grants) => post({ type: 'grants', grants })),
  ];
  const registration = vscode.window.registerWebviewViewProvider(VIEW_ID, provider);
  return {
    focus: () => void vscode.commands.executeCommand(`${VIEW_ID}.focus`),
    refreshProtectables,
    dispose: () => {
      for (const stop of stops) stop();
      registration.dispose();
    },
  };
}
