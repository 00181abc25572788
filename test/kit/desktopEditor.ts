/**
 * The desktop VS Code, for machines that have one or may download it: `EDITOR=desktop`, or `code` on PATH.
 * `CALLGATE_CODE` names the program when it is neither.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { downloadAndUnzipVSCode, resolveCliArgsFromVSCodeExecutablePath } from '@vscode/test-electron';
import { carrierExtension, readReport, reportFile } from '#kit/hostTests.ts';
import type { HostResult, HostRun } from '#kit/hostTests.ts';

/** `desktop`: as asked by EDITOR, or `code` is on PATH · `server`: code-server and a browser. */
export function chosenEditor(): 'desktop' | 'server' {
  const asked = process.env['EDITOR'] ?? '';
  if (asked === 'desktop' || asked === 'server') return asked;
  return process.env['CALLGATE_CODE'] !== undefined || findOnPath('code') !== null ? 'desktop' : 'server';
}

/** The program to start. @throws Error that says what to do when it is neither installed nor to be had. */
export async function desktopProgram(): Promise<string> {
  const named = process.env['CALLGATE_CODE'] ?? findOnPath('code');
  if (named !== null) {
    const program = electronOf(realpathSync(named));
    if (program !== null) return program;
  }
  try {
    return await downloadAndUnzipVSCode({ cachePath: join(process.cwd(), '.cache', 'vscode') });
  } catch (error) {
    throw new Error(
      `VS Code is not installed and could not be downloaded (${error instanceof Error ? error.message : String(error)}). ` +
        'Install it so that `code` is on PATH, set CALLGATE_CODE to its program, or use EDITOR=server, which takes code-server from the npm registry.',
      { cause: error },
    );
  }
}

/** `bin/code` is a script beside the program it starts; null when this is no such installation. */
function electronOf(file: string): string | null {
  const candidates = [
    file,
    join(dirname(dirname(file)), 'code'),
    join(dirname(dirname(dirname(dirname(file)))), 'MacOS', 'Electron'),
    join(dirname(dirname(file)), 'Code.exe'),
  ];
  return candidates.find((candidate) => existsSync(candidate) && !/[/\\]bin[/\\]code$/.test(candidate)) ?? null;
}

function findOnPath(name: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue; // Not in this folder.
    }
  }
  return null;
}

export interface DesktopOptions {
  readonly folder: string;
  readonly home: string;
  readonly workspace: string;
  readonly vsix: string;
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** Installs the VSIX into a profile of its own and gives the command that opens the workspace in it. */
export async function prepareDesktop(
  options: DesktopOptions,
): Promise<{ readonly program: string; readonly args: readonly string[]; readonly env: Record<string, string> }> {
  const program = await desktopProgram();
  const profile = [`--user-data-dir=${join(options.folder, 'user')}`, `--extensions-dir=${join(options.folder, 'extensions')}`];
  const settings = join(options.folder, 'user', 'User', 'settings.json');
  mkdirSync(dirname(settings), { recursive: true });
  const quiet = {
    'security.workspace.trust.enabled': false,
    'telemetry.telemetryLevel': 'off',
    'update.mode': 'none',
    'workbench.startupEditor': 'none',
  };
  writeFileSync(settings, `${JSON.stringify({ ...quiet, ...options.settings }, null, 2)}\n`);
  const [cli, ...cliArgs] = resolveCliArgsFromVSCodeExecutablePath(program);
  if (cli === undefined) throw new Error(`${program} has no command-line program beside it`);
  const env = { ...ownEnvironment(), HOME: options.home };
  const installed = spawnSync(
    cli,
    [...cliArgs.filter((arg) => !arg.startsWith('--')), ...profile, '--install-extension', options.vsix, '--force'],
    { env, encoding: 'utf8', shell: process.platform === 'win32' },
  );
  if (installed.status !== 0) throw new Error(`${options.vsix} could not be installed:\n${installed.stdout}${installed.stderr}`);
  // Root needs --no-sandbox; VS Code refuses to start otherwise.
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return {
    program,
    args: [
      ...profile,
      ...root,
      '--disable-workspace-trust',
      '--skip-welcome',
      '--skip-release-notes',
      '--wait',
      '--new-window',
      options.workspace,
    ],
    env,
  };
}

/** Our environment without what an outer editor put there: it would make the new one talk to that. */
function ownEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) => !/^(VSCODE_|ELECTRON_)/.test(name));
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** The same bundle as `runInHost`, in the desktop's extension host. */
export async function runInDesktopHost(run: HostRun): Promise<readonly HostResult[]> {
  const desktop = await prepareDesktop({
    folder: join(run.box.folder, 'editor'),
    home: run.box.home,
    workspace: run.box.work,
    vsix: run.vsix,
  });
  const args = desktop.args.filter((arg) => arg !== '--wait');
  args.push(`--extensionDevelopmentPath=${carrierExtension(run.box)}`, `--extensionTestsPath=${run.suite}`);
  const needsDisplay = process.platform === 'linux' && (process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY'] ?? '') === '';
  if (needsDisplay && findOnPath('xvfb-run') === null)
    throw new Error('There is no display: install xvfb (`sudo apt-get install xvfb`) or use EDITOR=server.');
  const [program, programArgs] = needsDisplay ? ['xvfb-run', ['--auto-servernum', desktop.program, ...args]] : [desktop.program, args];
  const child = spawn(program, programArgs, {
    env: { ...desktop.env, CALLGATE_HOST_REPORT: reportFile(run.box) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-20_000)));
  const deadline = setTimeout(() => child.kill('SIGKILL'), run.deadlineMs);
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  clearTimeout(deadline);
  return readReport(run.box, output);
}
