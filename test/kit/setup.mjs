// Makes a fresh clone ready: `npm test` and `npm start` call this first. Plain JavaScript and built-ins only.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache, locked, npm, pinnedNode, repository, run, say, seconds, sha256 } from './installing.mjs';

export { ensureAgents } from './installAgents.mjs';
export { ensureMcpClients } from './installMcpClients.mjs';
export { ensureServers } from './installServers.mjs';
export { ensureChromium, ensureNetcat } from './installBrowser.mjs';
export { ensureEditor } from './installEditor.mjs';

/** The packages of package-lock.json and the toolchain's own Node; does nothing when both are in place. */
export async function ensureToolchain() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) throw new Error(`Node ${process.versions.node} is too old to set this project up: install Node 20 or newer.`);
  const lock = sha256(readFileSync(join(repository, 'package-lock.json'), 'utf8'));
  const stamp = join(cache, 'npm-ci.stamp');
  const upToDate = () =>
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === lock &&
    existsSync(join(repository, 'node_modules', 'typescript')) &&
    existsSync(pinnedNode);
  if (upToDate()) return;
  await locked('toolchain', async () => {
    if (upToDate()) return;
    mkdirSync(cache, { recursive: true });
    const started = Date.now();
    if (!sameAsInstalled()) {
      say('packages: npm ci (about half a minute)');
      await npm(['ci', '--no-audit', '--no-fund', '--loglevel=error'], repository);
    }
    if (!existsSync(pinnedNode)) {
      say('toolchain: fetching the pinned Node from the registry');
      // The package's own install step, which .npmrc keeps npm from running.
      await run(process.execPath, ['installArchSpecificPackage'], { cwd: join(repository, 'node_modules', 'node') });
    }
    await run(pinnedNode, ['--version']);
    writeFileSync(stamp, lock);
    say(`toolchain: ready (${seconds(started)})`);
  });
}

/**
 * True when somebody already ran npm and what it installed is what package-lock.json asks for:
 * npm records the installed tree in node_modules/.package-lock.json, in the same shape.
 */
function sameAsInstalled() {
  const hidden = join(repository, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const installed = JSON.parse(readFileSync(hidden, 'utf8')).packages ?? {};
  const wanted = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')).packages ?? {};
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' || installed[path]?.version === entry.version || (entry.optional === true && installed[path] === undefined),
  );
}

/**
 * Runs `script` with the pinned Node, this process's arguments and its terminal, and ends with its status.
 * Signals of the terminal reach the child by themselves; one sent to this process alone is handed on.
 */
export async function continueWithPinnedNode(script, args) {
  const child = spawn(pinnedNode, [script, ...args], { cwd: repository, stdio: 'inherit', env: withToolchainOnPath() });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal === 'SIGINT' && process.stdin.isTTY ? 0 : signal));
  process.exitCode = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 130)));
  });
}

function withToolchainOnPath() {
  const separator = process.platform === 'win32' ? ';' : ':';
  const first = [join(repository, 'node_modules', 'node', 'bin'), join(repository, 'node_modules', '.bin')];
  return {
    ...process.env,
    PATH: [...first, ...(process.env.PATH ?? '').split(separator).filter((folder) => !first.includes(folder))].join(separator),
  };
}
