/**
 * Runs a mocha bundle inside the extension host of code-server, by the same contract as VS Code's
 * `--extensionTestsPath`: a module that exports `run()`. The extension under test is the installed VSIX; a carrier
 * extension with nothing in it stands where the editor wants a development path.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { closeBrowser, openBrowser, openWindow, screenshot } from '#kit/browser.ts';
import { startEditor } from '#kit/editor.ts';
import type { Sandbox } from '#kit/sandbox.ts';

export interface HostResult {
  readonly title: string;
  readonly error: string | null;
  /** Milliseconds. */
  readonly ms: number;
}

export interface HostRun {
  readonly box: Sandbox;
  readonly vsix: string;
  /** The compiled bundle. */
  readonly suite: string;
  readonly deadlineMs: number;
  /** A picture of the window is put there when the run does not end. */
  readonly picture: string;
}

/** Makes the carrier in the sandbox and gives its path. */
export function carrierExtension(box: Sandbox): string {
  const folder = join(box.folder, 'carrier');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'callgate-tests', publisher: 'callgate', version: '0.0.1', engines: { vscode: '^1.99.0' } }),
  );
  return folder;
}

export function reportFile(box: Sandbox): string {
  return join(box.folder, 'report.json');
}

/** @throws Error when the run left no report, whatever the host said: one that was killed ends with status 0. */
export function readReport(box: Sandbox, console: string): readonly HostResult[] {
  if (!existsSync(reportFile(box))) throw new Error(`the extension host ended without a report; its console:\n${console.slice(-6000)}`);
  return JSON.parse(readFileSync(reportFile(box), 'utf8')) as HostResult[];
}

export async function runInHost(run: HostRun): Promise<readonly HostResult[]> {
  const carrier = carrierExtension(run.box);
  const editor = await startEditor({
    folder: join(run.box.folder, 'editor'),
    home: run.box.home,
    workspace: run.box.work,
    vsix: run.vsix,
    env: { CALLGATE_HOST_REPORT: reportFile(run.box) },
    // Without the driver the payload of the address is ignored, with no error.
    args: ['--vscode-option', 'enable-smoke-test-driver'],
  });
  const browser = await openBrowser();
  const lines: string[] = [];
  try {
    let resolve: () => void = () => undefined;
    let reject: (reason: Error) => void = () => undefined;
    const ended = new Promise<void>((onEnd, onFailure) => {
      resolve = onEnd;
      reject = onFailure;
    });
    const payload: [string, string][] = [
      ['extensionDevelopmentPath', editor.remote(carrier)],
      ['extensionTestsPath', editor.remote(run.suite)],
      ['enableProposedApi', ''],
      ['skipWelcome', 'true'],
    ];
    const page = await openWindow(browser, editor, {
      payload,
      prepare: async (opened) => {
        opened.on('crash', () => reject(new Error('the page crashed')));
        await opened.exposeFunction('codeAutomationExit', () => resolve());
        await opened.exposeFunction('codeAutomationLog', (_type: string, values: unknown[]) =>
          lines.push(values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' ')),
        );
      },
    });
    const deadline = setTimeout(() => {
      screenshot(page, run.picture).then(
        () =>
          reject(
            new Error(`the tests did not end within ${run.deadlineMs} ms; picture in ${run.picture}\n${lines.join('\n').slice(-6000)}`),
          ),
        reject,
      );
    }, run.deadlineMs);
    await ended.finally(() => clearTimeout(deadline));
  } finally {
    await closeBrowser(browser);
    await editor.stop();
  }
  return readReport(run.box, lines.join('\n'));
}
