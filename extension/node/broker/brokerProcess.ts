/** Starting the broker as a process of its own, and ending one that no longer answers. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import { errorCode } from '#home/privateFile.ts';
import { isRunning, parseIdentity } from '#home/processIdentity.ts';

export interface BrokerProgram {
  /** The editor's own binary or node, absolute. */
  readonly runtime: string;
  /** `…/callgate.cjs serve --with-windows`. */
  readonly args: readonly string[];
}

const MAX_LOG_BYTES = 1024 * 1024;

export const brokerLog = (layout: Layout): string => join(layout.root, 'broker.log');

/** Starts a broker that outlives this process; the second of two finds the first and ends by itself. Its pid, if it started at all. */
export function spawnBroker(layout: Layout, program: BrokerProgram): number | undefined {
  ensurePrivateFolder(layout.root);
  const file = brokerLog(layout);
  shorten(file);
  const log = openSync(file, 'a', 0o600);
  try {
    const environment = { ...process.env, ELECTRON_RUN_AS_NODE: '1' } as Record<string, string>;
    // Meant for the editor's own processes, or able to change what our program is.
    for (const name of Object.keys(environment)) if (/^(?:NODE_|VSCODE_|ELECTRON_(?!RUN_AS_NODE$))/.test(name)) delete environment[name];
    const child = spawn(program.runtime, program.args, {
      cwd: layout.root,
      env: environment,
      detached: true,
      stdio: ['ignore', log, log],
      windowsHide: true,
    });
    // It could not be started: the caller sees that nobody listens and says where the log is.
    child.on('error', () => undefined);
    child.unref();
    return child.pid;
  } finally {
    closeSync(log);
  }
}

function shorten(file: string): void {
  try {
    if (statSync(file).size > MAX_LOG_BYTES) renameSync(file, `${file}.1`);
  } catch (error) {
    // No log yet, or another window has just renamed it.
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/**
 * Ends the broker that holds the lock, if it is still that very process. SIGKILL: a stopped process hears nothing else.
 * With `hung`, only that process: another window may have replaced it already, and its successor is well.
 */
export function endHungBroker(layout: Layout, hung?: number): boolean {
  let text: string;
  try {
    text = readFileSync(layout.brokerLock, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
  const owner = parseIdentity(text);
  if (!owner || owner.pid === process.pid || !isRunning(owner) || (hung !== undefined && hung !== owner.pid)) return false;
  process.kill(owner.pid, 'SIGKILL');
  return true;
}
