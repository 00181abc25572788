/** Where the demo lives: a HOME and a workspace of its own under `.demo/`, made anew at each start. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive } from '#kit/leftovers.ts';
import { sandboxIn } from '#kit/sandbox.ts';
import type { Sandbox } from '#kit/sandbox.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const folder = join(root, '.demo');
const pidFile = join(folder, 'pid');
export const screenshots = join(folder, 'screenshots');
export const editorFolder = join(folder, 'editor');

export type AgentName = 'claude' | 'codex';

/** What the agents' runner, which is started by a task of the editor, has to know. */
export interface DemoState {
  readonly models: Readonly<Record<AgentName, number>>;
}

/** The demo's folders as the test kit knows them; nothing is made. */
export function demoBox(): Sandbox {
  return sandboxIn(folder, join(folder, 'home'), join(folder, 'sample-project'));
}

/** Empties the folders. @throws when another demo runs in them. */
export function freshDemo(): Sandbox {
  const other = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0;
  if (other > 0 && other !== process.pid && isAlive(other))
    throw new Error(`A demo is running already (process ${other}); end it with Ctrl-C first.`);
  const box = demoBox();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  // A long path moves the sockets out of the home: what an ended demo left there must go too.
  if (!box.layout.run.startsWith(box.home)) rmSync(box.layout.run, { recursive: true, force: true });
  mkdirSync(box.home, { recursive: true, mode: 0o700 });
  mkdirSync(box.work);
  writeFileSync(pidFile, String(process.pid));
  return box;
}

/** Once this file is there, the MCP server of the demo is another one. */
export function updateOf(box: Sandbox): string {
  return join(box.folder, 'notes-server-was-updated');
}

export function forgetPid(): void {
  rmSync(pidFile, { force: true });
}

export function writeState(state: DemoState): void {
  writeFileSync(join(folder, 'state.json'), JSON.stringify(state));
}

/** @throws when no demo runs. */
export function readState(): DemoState {
  const file = join(folder, 'state.json');
  if (!existsSync(file)) throw new Error('No demo is running: start it with `npm start`.');
  return JSON.parse(readFileSync(file, 'utf8')) as DemoState;
}
