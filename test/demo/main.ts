/**
 * The demo behind `npm start`: the real editor with the extension from its own VSIX, a HOME of its own, real agents
 * with scripted models. With `--headless` it plays itself and writes pictures.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { agentsOnPath, installGate, protect } from '#kit/agentsGate.ts';
import { chosenEditor, prepareDesktop } from '#kit/desktopEditor.ts';
import { portFrom, startEditor } from '#kit/editor.ts';
import { endBroker, endProcessesOf, leftBehind } from '#kit/leftovers.ts';
import { sandboxEnvironment } from '#kit/sandbox.ts';
import type { Sandbox } from '#kit/sandbox.ts';
import { ensureAgents, ensureChromium, ensureEditor, ensureNetcat } from '#kit/setup.mjs';
import { drive } from './drive.ts';
import { editorFolder, forgetPid, freshDemo, root, writeState } from './folders.ts';
import { NOTES, startStory } from './story.ts';
import { writeWorkspace } from './workspace.ts';

/** Fixed, so that what the editor keeps in the browser, which is keyed by address, is found again. */
const FIRST_PORT = 8123;

const SETTINGS = {
  'window.autoDetectColorScheme': true,
  // The README is shown as a page, not as its source.
  'workbench.startupEditor': 'readme',
};

const interrupted = new AbortController();

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.filter((arg) => arg !== '--headless');
  if (unknown.length > 0) throw new Error(`Unknown option ${unknown.join(' ')}; there is --headless.`);
  const headless = args.includes('--headless');
  const kind = headless ? 'server' : chosenEditor();
  await Promise.all([
    ensureAgents(),
    ensureNetcat(),
    ...(kind === 'server' ? [ensureEditor()] : []),
    ...(headless ? [ensureChromium()] : []),
  ]);
  const vsix = build();
  const box = freshDemo();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());
  const story = await startStory();
  try {
    writeWorkspace(box);
    writeState({ models: { claude: story.models.claude.port, codex: story.models.codex.port } });
    // What a person does in the walkthrough, by the same functions: the demo begins behind the gate.
    await installGate(box);
    for (const what of ['claude', 'codex', 'mcp'] as const) await protect(box, what);
    await seeTools(box);
    if (kind === 'desktop') await showDesktop(box, vsix);
    else await showServer(box, vsix, story, headless ? 'driven' : 'shown');
  } finally {
    await story.stop();
    await cleanUp(box);
  }
  return interrupted.signal.aborted && headless ? 130 : 0;
}

/** As any earlier session would have: what the server says of its tools is pinned at first sight. */
async function seeTools(box: Sandbox): Promise<void> {
  const { mcpServers } = JSON.parse(readFileSync(join(box.work, '.mcp.json'), 'utf8')) as {
    mcpServers: Record<typeof NOTES, { command: string; args: string[] }>;
  };
  const client = new Client({ name: 'demo', version: '1.0.0' });
  await client.connect(new StdioClientTransport({ ...mcpServers[NOTES], cwd: box.work, env: sandboxEnvironment(box) }));
  await client.listTools();
  await client.close();
}

function build(): string {
  console.log('Building the extension …');
  const built = spawnSync(process.execPath, ['esbuild.mjs', '--vsix'], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`The build failed:\n${built.stdout}${built.stderr}`);
  const vsix = readdirSync(join(root, 'dist')).find((name) => name.endsWith('.vsix'));
  if (vsix === undefined) throw new Error('The build left no VSIX in dist/.');
  return join(root, 'dist', vsix);
}

async function showServer(
  box: Sandbox,
  vsix: string,
  story: Awaited<ReturnType<typeof startStory>>,
  how: 'driven' | 'shown',
): Promise<void> {
  const port = await portFrom(FIRST_PORT);
  const env = { PATH: pathWithAgents(box) };
  const editor = await startEditor({
    folder: editorFolder,
    home: box.home,
    workspace: box.work,
    vsix,
    port,
    env,
    settings: SETTINGS,
    idleSeconds: 4 * 3600,
  });
  try {
    if (how === 'driven') {
      for (const picture of await drive(editor, box, story, interrupted.signal)) console.log(picture);
      return;
    }
    const url = editor.url();
    const opened = openInBrowser(url);
    explain(`${opened ? 'The editor opens in your browser' : 'Open this address in a browser on this machine'}:\n   ${url}`);
    await Promise.race([editor.ended, whenInterrupted()]);
  } finally {
    await editor.stop();
  }
}

/** The panel looks for the agents where a shell would. */
function pathWithAgents(box: Sandbox): string {
  return [agentsOnPath(box), process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'].join(delimiter);
}

async function showDesktop(box: Sandbox, vsix: string): Promise<void> {
  const { program, args, env } = await prepareDesktop({
    folder: editorFolder,
    home: box.home,
    workspace: box.work,
    vsix,
    settings: SETTINGS,
  });
  const child = spawn(program, args, { env: { ...env, PATH: pathWithAgents(box) }, stdio: 'ignore' });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
  explain('VS Code opens in its own window.');
  await Promise.race([ended, whenInterrupted()]);
  child.kill('SIGTERM');
  await ended;
}

function explain(first: string): void {
  console.log(`
1. ${first}
2. Press Ctrl+Shift+B (⇧⌘B on a Mac): a real Claude Code runs in the terminal.
3. Its second call is held: click the Callgate icon on the left, read it, then Approve or Reject.
4. The same with Codex: Terminal › Run Task… › Run Codex. The panel's timeline shows every decision.
5. Run Task… › Run Claude Code: a tool that has changed: the panel shows what an MCP server said of its tool, and says now.
6. Ctrl-C here ends everything. It listens on 127.0.0.1 only, without a password: not for a shared machine.
`);
}

function whenInterrupted(): Promise<void> {
  if (interrupted.signal.aborted) return Promise.resolve();
  return new Promise((resolve) => interrupted.signal.addEventListener('abort', () => resolve()));
}

/** False when there is no display or nothing to open the address with: then it is only printed. */
function openInBrowser(url: string): boolean {
  const hasDisplay = process.platform !== 'linux' || (process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY'] ?? '') !== '';
  if (!hasDisplay) return false;
  const [program, args] =
    process.platform === 'darwin'
      ? ['open', [url]]
      : process.platform === 'win32'
        ? ['cmd', ['/c', 'start', '', url]]
        : ['xdg-open', [url]];
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  child.once('error', () => console.log(`(${program} could not be started; open the address yourself.)`));
  child.unref();
  return true;
}

/** The broker ends with its last window; what does not end by itself is ended, and what even then stays is told. */
async function cleanUp(box: Sandbox): Promise<void> {
  if ((await leftBehind(box.layout, 3000)).length > 0) {
    await endBroker(box.layout);
    await endProcessesOf(box.home);
  }
  forgetPid();
  const left = await leftBehind(box.layout, 1000);
  if (left.length > 0) throw new Error(`These processes could not be ended:\n${left.join('\n')}`);
  console.log('Ended; nothing is left running.');
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
