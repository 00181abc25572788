// What every installation shares: the folders, progress lines, running a program, locks and stamps.
// Plain JavaScript and built-ins only: this runs before anything is installed, on Node 20 or newer.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** Everything that set-up installs lives here; git ignores it and deleting it is always safe. */
export const cache = join(repository, '.cache');
export const pinnedNode = join(repository, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** Progress goes to stderr: what a bench prints with --json must stay whole. */
export function say(line) {
  console.error(`[set-up] ${line}`);
}

export function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

export function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Runs a program quietly and gives its output; its last lines are shown only when it fails.
 * @throws Error with the command, its status and the end of its output.
 */
export async function run(command, args, { cwd = repository, env = process.env } = {}) {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      output = (output + text).slice(-200_000);
    });
  }
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  if (status !== 0) {
    throw new Error(
      `\`${[command, ...args].join(' ')}\` failed (${status}) in ${cwd}:\n${output.trim().split('\n').slice(-25).join('\n')}`,
    );
  }
  return output;
}

/** The npm that started us when there is one, else the one on PATH. */
export function npm(args, cwd) {
  const started = process.env.npm_execpath;
  const viaNode = started !== undefined && /npm-cli\.[cm]?js$/.test(started) && existsSync(started);
  // An outer `npm run` hands its own configuration down as npm_config_*; `prefix` and the like must not leak in here.
  const env = { ...process.env };
  for (const name of [
    'npm_config_prefix',
    'npm_config_local_prefix',
    'npm_config_global_prefix',
    'npm_config_global',
    'npm_package_json',
    'INIT_CWD',
  ])
    delete env[name];
  return viaNode ? run(process.execPath, [started, ...args], { cwd, env }) : run('npm', args, { cwd, env });
}

/** Flags for an installation outside of the repository's own `npm ci`. */
export const NPM_INSTALL = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

/** The full path of the first of `names` that is on PATH and may be run, else null. */
export function onPath(...names) {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      for (const ending of endings) {
        const file = join(folder, name + ending);
        try {
          accessSync(file, constants.X_OK);
          if (folder !== '' && statSync(file).isFile()) return file;
        } catch {
          continue; // Not in this folder.
        }
      }
    }
  }
  return null;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs `work` while no other process does the work of the same name; a lock whose owner died is taken over. */
export async function locked(name, work) {
  mkdirSync(cache, { recursive: true });
  const lock = join(cache, `${name}.lock`);
  for (let told = false; ;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    let owner = Number.NaN;
    try {
      owner = Number(readFileSync(lock, 'utf8'));
      // A writer that has only just made the file has not written its number yet: give it a second.
      if (owner === 0 && Date.now() - statSync(lock).mtimeMs < 1000) owner = process.pid;
    } catch {
      continue; // Released between the two calls: try again at once.
    }
    if (!(owner > 0) || !isAlive(owner)) {
      rmSync(lock, { force: true });
      continue;
    }
    if (!told) say(`waiting for process ${owner}, which is installing the ${name}`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/**
 * Brings `.cache/<name>` to the state named by `wanted`: `install(folder)` fills a fresh folder, which takes the
 * old one's place only when it is complete, so that an interrupted run leaves nothing half done.
 */
export async function ensureInstalled(name, wanted, install) {
  const folder = join(cache, name);
  const upToDate = () => existsSync(join(folder, '.stamp')) && readFileSync(join(folder, '.stamp'), 'utf8') === wanted;
  if (upToDate()) return folder;
  return locked(name, async () => {
    if (upToDate()) return folder; // Whoever held the lock before us did it.
    const started = Date.now();
    for (const left of readdirSync(cache).filter((entry) => entry.startsWith(`${name}.partial-`)))
      rmSync(join(cache, left), { recursive: true, force: true });
    // A name of our own: an npm that outlived its killed starter may still be writing into the old one.
    const partial = `${folder}.partial-${process.pid}`;
    mkdirSync(partial, { recursive: true });
    writeFileSync(join(partial, 'package.json'), '{"private":true}\n');
    await install(partial);
    writeFileSync(join(partial, '.stamp'), wanted);
    rmSync(folder, { recursive: true, force: true });
    renameSync(partial, folder);
    say(`${name}: ready (${seconds(started)})`);
    return folder;
  });
}
