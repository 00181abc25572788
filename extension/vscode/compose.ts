/** The only place where objects are wired. */
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { layoutFor } from '#home/layout.ts';
import type { ClientContext } from '#node/clients/planChange.ts';
import { watchFiles } from '#node/clients/watchFiles.ts';
import { hookCommand, recordCommand } from '#node/launcher/hookCommand.ts';
import { ensureBroker } from '#node/broker/ensureBroker.ts';
import { installLauncher } from '#node/launcher/installLauncher.ts';
import type { LauncherPaths } from '#node/launcher/launcherRecord.ts';
import { openBrokerLink } from './brokerLink.ts';
import { clientSetup } from './clientSetup.ts';
import { CONTEXT_KEYS, type ContextKey } from './commandIds.ts';
import { commandHandlers, registerCommands } from './commands.ts';
import { decideThrough } from './decideHold.ts';
import { errandRunner } from './errands.ts';
import { exportAudit } from './exportAudit.ts';
import { holdBook } from './holdBook.ts';
import { ruleCommands } from './newRule.ts';
import { journalMirror } from './journalMirror.ts';
import { notifications } from './notifications.ts';
import { offerProtection } from './offerProtection.ts';
import { registerPanel } from './panelView.ts';
import { plainText } from './plainText.ts';
import { planPreview } from './planPreview.ts';
import { protectFlow } from './protectFlow.ts';
import { ruleCompletion } from './ruleCompletion.ts';
import { ruleDiagnostics } from './ruleDiagnostics.ts';
import { testRules } from './ruleTester.ts';
import { SECTION, type Settings, gateSettings, readSettings } from './settings.ts';
import { statusBar } from './statusBar.ts';

export interface Callgate extends vscode.Disposable {
  /** Rejects when the launcher could not be installed; the panel and the commands work all the same. */
  readonly ready: Promise<unknown>;
  /** Lets the broker go. Safe to call twice. */
  readonly disconnect: () => void;
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function currentSettings(): Settings {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  return readSettings((name) => configuration.get<unknown>(name));
}

/** Folders whose files we may rewrite: on disk, and trusted by the person. */
function workspaceFolders(): readonly string[] {
  if (!vscode.workspace.isTrusted) return [];
  return (vscode.workspace.workspaceFolders ?? []).filter((folder) => folder.uri.scheme === 'file').map((folder) => folder.uri.fsPath);
}

/** Facts for the walkthrough; kept, so that a finished step stays finished. */
function contextKeys(state: vscode.Memento): (key: ContextKey) => void {
  const set = (key: ContextKey): void => void vscode.commands.executeCommand('setContext', key, true);
  for (const key of CONTEXT_KEYS) if (state.get<boolean>(key) === true) set(key);
  return (key) => {
    if (state.get<boolean>(key) === true) return;
    void state.update(key, true);
    set(key);
  };
}

export function compose(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): Callgate {
  const layout = layoutFor(homedir());
  const version = String((context.extension.packageJSON as { version?: unknown }).version);
  const remember = contextKeys(context.globalState);

  let installing: Promise<LauncherPaths> | null = null;
  // Tried again by every later use: a full disk is not for ever.
  const install = (): Promise<LauncherPaths> =>
    (installing ??= installLauncher({ layout, distFolder: join(context.extensionPath, 'dist'), runtime: process.execPath, version }).catch(
      (error: unknown) => {
        installing = null;
        throw error;
      },
    ));

  const book = holdBook();
  const link = openBrokerLink({
    open: async ({ onEvent, onState }) => {
      const { runtime, cliBundle, version: installed } = await install();
      return ensureBroker({
        layout,
        version: installed,
        program: { runtime, args: [cliBundle, 'serve', '--with-windows'] },
        onEvent,
        onState,
        log: (message) => log.info(message),
      });
    },
    settings: () => gateSettings(currentSettings()),
    book,
    log,
  });
  const mirror = journalMirror({
    ask: (seen) => link.request('checkpoint', { seen }),
    secrets: context.secrets,
    warn: async (message) => {
      const accept = 'Take it as it is now';
      const choice = await vscode.window.showErrorMessage(
        plainText(`Callgate: the audit journal is not the one seen here before. ${message}`, 600),
        accept,
      );
      return choice === accept;
    },
    log: (message) => log.warn(message),
    now: Date.now,
  });
  const runErrand = errandRunner({
    secrets: context.secrets,
    answer: (params) => link.request('errand', params),
    askToSignIn: async (message) => {
      const signIn = 'Sign in';
      return (await vscode.window.showInformationMessage(plainText(message, 300), signIn)) === signIn;
    },
    // The editor also forwards the redirect's port when it runs on another machine than the browser.
    open: (url) => vscode.env.openExternal(vscode.Uri.parse(url, true)),
    say: (message) => void vscode.window.showInformationMessage(plainText(message, 400)),
    inUse: () => vscode.window.state.focused,
    log: (message) => log.warn(message),
  });
  const decide = decideThrough(link, book);
  const preview = planPreview();
  const setup = clientSetup(async (): Promise<ClientContext> => {
    const paths = await install();
    return {
      layout,
      home: layout.home,
      platform: process.platform,
      env: process.env,
      workspaceFolders: workspaceFolders(),
      // Portable, remote and renamed editors keep it elsewhere than one would guess; storage lies in it, or in a profile of it.
      editorUserFolders: [dirname(dirname(context.globalStorageUri.fsPath))],
      launcher: {
        hookCommand: (client) => hookCommand(layout, client),
        recordCommand: (client) => recordCommand(layout, client),
        mcpCommand: paths.mcpScript,
      },
    };
  });

  const refresh = (): void => void panel.refreshProtectables();
  const protection = protectFlow({ setup, preview, onChanged: refresh, onProtected: () => remember('callgate.protected'), log });
  const panel = registerPanel({
    extensionUri: context.extensionUri,
    link,
    book,
    decide,
    findProtectables: setup.discover,
    protect: protection.protect,
    undo: protection.undo,
    runCommand: (command) => void vscode.commands.executeCommand(command),
    onTimelineShown: () => remember('callgate.sawTimeline'),
    log,
  });

  const watch = watchFiles({ onChange: () => void lookForServers() });
  const lookForServers = offerProtection({
    look: setup.servers,
    memory: context.globalState,
    ask: async (message) => {
      const [yes, later, never] = ['Protect…', 'Not Now', 'Never for These Servers'] as const;
      const choice = await vscode.window.showInformationMessage(message, yes, later, never);
      return choice === yes ? 'protect' : choice === never ? 'never' : 'later';
    },
    protect: protection.protect,
    wanted: () => currentSettings().offerProtection,
    inUse: () => vscode.window.state.focused,
    looked: watch.files,
    onChanged: refresh,
    log: (message) => log.warn(message),
  });
  void lookForServers();

  const rules = ruleCommands({ layout, workspaceFolders, test: async (cwd) => testRules(await install(), cwd, null), log });

  const exporting = exportAudit({
    program: async () => {
      const { runtime, cliBundle } = await install();
      return { runtime, args: [cliBundle] };
    },
    log,
  });

  const parts = vscode.Disposable.from(
    new vscode.Disposable(
      link.onState(({ state }) => {
        if (state === 'connected') void mirror.compare();
      }),
    ),
    new vscode.Disposable(link.onEntry(mirror.noticed)),
    new vscode.Disposable(link.onErrand((errand) => void runErrand(errand))),
    panel,
    preview,
    registerCommands(commandHandlers({ link, book, decide, protection, rules, exportAudit: exporting, focusPanel: panel.focus, log }), log),
    ruleCompletion(join(context.extensionPath, 'dist'), log),
    ruleDiagnostics({ test: async (file) => testRules(await install(), layout.home, file), log }),
    statusBar(link, book),
    notifications({ link, book, decide, settings: currentSettings, showPanel: panel.focus, log }),
    watch,
    vscode.window.onDidChangeWindowState(({ focused }) => {
      if (focused) watch.nudge();
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(refresh),
    vscode.workspace.onDidChangeWorkspaceFolders(watch.nudge),
    vscode.workspace.onDidGrantWorkspaceTrust(refresh),
    vscode.workspace.onDidGrantWorkspaceTrust(watch.nudge),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (!change.affectsConfiguration(SECTION) || link.state().state !== 'connected') return;
      link
        .request('configure', gateSettings(currentSettings()))
        .catch((error: unknown) => log.warn(`The broker did not take the settings: ${textOf(error)}`));
    }),
    new vscode.Disposable(
      link.onHolds(({ begun }) => {
        if (begun.length > 0) remember('callgate.sawHeldCall');
      }),
    ),
  );
  return {
    ready: install(),
    disconnect: link.close,
    dispose: () => {
      link.close();
      parts.dispose();
    },
  };
}
