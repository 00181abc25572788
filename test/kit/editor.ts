/**
 * A real editor for tests and the demo: code-server, started on loopback with everything it needs named here and
 * nothing inherited. What it needs was installed by `ensureEditor` (installEditor.mjs).
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '#core/model/json.ts';
import { waitFor } from '#kit/sandbox.ts';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const entry = join(root, '.cache', 'editor', 'node_modules', 'code-server', 'out', 'node', 'entry.js');
/** The extension host runs on whatever Node starts the server; Node 20 is too old for it. */
const pinnedNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** A quiet editor: no welcome pages, tips, updates, experiments or login shells. */
const SETTINGS: JsonObject = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.openRepositoryInParentFolders': 'never',
  'npm.autoDetect': 'off',
  'remote.autoForwardPorts': false,
  'security.workspace.trust.enabled': false,
  'task.allowAutomaticTasks': 'on',
  'telemetry.telemetryLevel': 'off',
  'terminal.integrated.defaultProfile.linux': 'plain',
  'terminal.integrated.enablePersistentSessions': false,
  // Drawn as text that a test can read, not as a picture.
  'terminal.integrated.gpuAcceleration': 'off',
  'terminal.integrated.profiles.linux': { plain: { path: '/bin/bash', args: ['--noprofile', '--norc'] } },
  'update.mode': 'none',
  'window.commandCenter': false,
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.settings.enableNaturalLanguageSearch': false,
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
};

export interface EditorOptions {
  /** Where the editor keeps its own data, extensions and logs. */
  readonly folder: string;
  /** HOME of the editor, so of the extension and of every terminal. */
  readonly home: string;
  /** The folder that is opened. */
  readonly workspace: string;
  /** Extensions to install first. */
  readonly vsix?: string;
  /** Default: any free one. State that the editor keeps in the browser is keyed by it. */
  readonly port?: number;
  readonly settings?: JsonObject;
  readonly env?: Readonly<Record<string, string>>;
  /** More options of the server. */
  readonly args?: readonly string[];
  /** A server that lost its starter ends after this long without a browser, in seconds. Default 600. */
  readonly idleSeconds?: number;
}

export interface Editor {
  readonly port: number;
  readonly pid: number;
  readonly workspace: string;
  /** The address of a window on the workspace; `payload` as `--extensionDevelopmentPath` and the like on a desktop. */
  readonly url: (payload?: readonly (readonly [string, string])[]) => string;
  /** A path of this machine in the editor's own words. */
  readonly remote: (path: string) => string;
  readonly log: () => string;
  /** Resolves when the server is gone, whoever ended it. */
  readonly ended: Promise<void>;
  /** Close the pages first: then the extension is disposed of before its host ends. */
  readonly stop: () => Promise<void>;
}

const running = new Set<number>();
process.on('exit', () => {
  // Whatever ends this process, no server may outlive it; each is the leader of its own group.
  for (const pid of running) signalGroup(pid, 'SIGTERM');
});

/** @throws Error with the end of the server's log when it does not come up. */
export async function startEditor(options: EditorOptions): Promise<Editor> {
  if (!existsSync(entry))
    throw new Error(`The editor is not installed in ${entry}: run \`npm test\` or \`npm start\` once, they set it up.`);
  prepareFolder(options);
  if (options.vsix !== undefined) installVsix(options, options.vsix);
  const port = options.port ?? (await freePort());
  const logFile = join(options.folder, 'server.log');
  const logHandle = openSync(logFile, 'a');
  const args = [
    ...commonArguments(options),
    '--auth',
    'none',
    '--bind-addr',
    `127.0.0.1:${port}`,
    '--disable-telemetry',
    '--disable-update-check',
    '--disable-workspace-trust',
    '--disable-getting-started-override',
    '--disable-proxy',
    '--ignore-last-opened',
    '--reconnection-grace-time',
    '10',
    '--idle-timeout-seconds',
    String(options.idleSeconds ?? 600),
    // Else the server runs a login shell to learn the user's environment.
    '--vscode-option',
    'force-disable-user-env',
    ...(options.args ?? []),
  ];
  const child = spawn(pinnedNode, args, {
    cwd: options.workspace,
    env: environment(options),
    stdio: ['ignore', logHandle, logHandle],
    detached: true,
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${pinnedNode} could not be started`);
  running.add(pid);
  let ended = false;
  const end = new Promise<void>((resolve) => {
    child.once('exit', () => {
      ended = true;
      resolve();
    });
  });
  const log = (): string => readFileSync(logFile, 'utf8');
  const up = async (): Promise<boolean> => {
    if (ended) throw new Error(`the editor's server ended at once:\n${log().slice(-2000)}`);
    return fetch(`http://127.0.0.1:${port}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
  };
  await waitFor(`the editor's server (log in ${logFile})`, up, 30_000);

  const stop = async (): Promise<void> => {
    // SIGTERM to the server alone lets the extension hosts dispose of their extensions; to the group it would not.
    if (!ended) child.kill('SIGTERM');
    const gone = (): boolean => !groupExists(pid) || (ended && !hasExtensionHost(pid));
    await waitFor('the extension hosts to end', gone, 6000).catch((error: Error) =>
      process.stderr.write(`${error.message}; ending them\n`),
    );
    // The file watcher and the terminal host linger for seconds.
    signalGroup(pid, 'SIGKILL');
    running.delete(pid);
  };
  return {
    port,
    pid,
    workspace: options.workspace,
    url: (payload) =>
      `http://127.0.0.1:${port}/?folder=${encodeURIComponent(options.workspace)}${payload ? `&payload=${encodeURIComponent(JSON.stringify(payload))}` : ''}`,
    remote: (path) => `vscode-remote://127.0.0.1:${port}${path}`,
    log,
    ended: end,
    stop,
  };
}

function prepareFolder(options: EditorOptions): void {
  mkdirSync(join(options.folder, 'user', 'User'), { recursive: true });
  mkdirSync(join(options.folder, 'extensions'), { recursive: true });
  writeFileSync(join(options.folder, 'config.yaml'), 'auth: none\n');
  const settings = join(options.folder, 'user', 'User', 'settings.json');
  writeFileSync(settings, `${JSON.stringify({ ...SETTINGS, ...options.settings }, null, 2)}\n`);
}

function commonArguments(options: EditorOptions): string[] {
  // Without --config it would write into the user's own ~/.config.
  return [
    entry,
    '--config',
    join(options.folder, 'config.yaml'),
    '--user-data-dir',
    join(options.folder, 'user'),
    '--extensions-dir',
    join(options.folder, 'extensions'),
  ];
}

function installVsix(options: EditorOptions, vsix: string): void {
  const done = spawnSync(pinnedNode, [...commonArguments(options), '--install-extension', vsix, '--force'], {
    cwd: options.folder,
    env: environment(options),
    encoding: 'utf8',
  });
  if (done.status !== 0 || !done.stdout.includes('successfully installed'))
    throw new Error(`${vsix} could not be installed:\n${done.stdout}${done.stderr}`);
}

/** Named, not inherited: variables of an outer editor would make the server talk to that one instead. */
function environment(options: EditorOptions): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: options.home,
    LANG: 'C.UTF-8',
    TERM: 'xterm-256color',
    SHELL: '/bin/bash',
    // An empty gallery: nothing is looked up outside.
    EXTENSIONS_GALLERY: '{}',
    XDG_RUNTIME_DIR: options.folder,
    ...options.env,
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return port;
}

/** The first port from `first` on that nobody listens to. */
export async function portFrom(first: number): Promise<number> {
  for (let port = first; port < first + 50; port += 1) {
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
  throw new Error(`no free port between ${first} and ${first + 49}`);
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: the group is gone, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function groupExists(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false; // ESRCH: nobody is left in it.
  }
}

function hasExtensionHost(group: number): boolean {
  const processes = execFileSync('ps', ['-eo', 'pgid=,args='], { encoding: 'utf8' }).split('\n');
  return processes.some((line) => line.trim().startsWith(`${group} `) && line.includes('--type=extensionHost'));
}
