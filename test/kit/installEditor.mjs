// A real editor from the npm registry: code-server, which carries VS Code's own workbench and extension host.
// No compiler, no vendor's download server. Its own install script is skipped: it builds a Kerberos binding that is
// never needed here; all other native parts ship prebuilt, except the logger (see spdlogShim.cjs).
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, NPM_INSTALL, npm, pinnedNode, run, say, sha256 } from './installing.mjs';

const CODE_SERVER = '4.139.1';
const SHIM = join(dirname(fileURLToPath(import.meta.url)), 'spdlogShim.cjs');

/** Built-in extensions that the tests and the demo use; the others only cost start-up time and disk. */
const BUILT_INS =
  /^(theme-.*|configuration-editing|json(-language-features)?|markdown-(basics|language-features)|typescript-basics|javascript|shellscript|yaml|diff|git|git-base|simple-browser|package\.json|node_modules)$/;

/** @returns the folder of the installation; `node_modules/code-server/out/node/entry.js` in it is the server. */
export function ensureEditor() {
  const stamp = `code-server@${CODE_SERVER} shim ${sha256(readFileSync(SHIM, 'utf8')).slice(0, 12)} 2\n`;
  return ensureInstalled('editor', stamp, async (folder) => {
    say(`editor: installing code-server ${CODE_SERVER} (about a minute, 700 MB)`);
    await npm([...NPM_INSTALL, '--save-exact', `code-server@${CODE_SERVER}`], folder);
    const server = join(folder, 'node_modules', 'code-server');
    const workbench = join(server, 'lib', 'vscode');
    say('editor: installing the workbench and its extension host');
    // Not `npm ci`: npm rejects the lock file that ships with it.
    await npm([...NPM_INSTALL, '--omit=dev'], workbench);
    await npm([...NPM_INSTALL, '--omit=dev'], join(workbench, 'extensions'));
    copyFileSync(SHIM, join(workbench, 'node_modules', '@vscode', 'spdlog', 'index.js'));
    trim(workbench);
    if (process.platform !== 'win32') {
      link(join(workbench, 'bin', 'helpers'), 'browser.sh', `browser-${process.platform}.sh`);
      link(join(workbench, 'bin', 'remote-cli'), 'code-server', `code-${process.platform}.sh`);
    }
    await run(pinnedNode, [join(server, 'out', 'node', 'entry.js'), '--config', join(folder, 'config.yaml'), '--version']);
  });
}

function trim(workbench) {
  const modules = join(workbench, 'node_modules');
  for (const scope of ['@github', '@microsoft']) {
    const folder = join(modules, scope);
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder)) {
      if (name.startsWith('copilot') || name.startsWith('mxc-sdk')) rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
  const extensions = join(workbench, 'extensions');
  for (const name of readdirSync(extensions)) {
    if (!BUILT_INS.test(name)) rmSync(join(extensions, name), { recursive: true, force: true });
  }
}

/** The server's own install script would have made these; a target that is not there is none of our business. */
function link(folder, name, target) {
  if (existsSync(join(folder, target)) && !existsSync(join(folder, name))) symlinkSync(target, join(folder, name));
}
