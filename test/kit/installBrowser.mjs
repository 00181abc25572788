// A Chromium for the tests and the headless demo: the one named by CHROMIUM, the one on PATH, or Debian's.
import { existsSync } from 'node:fs';
import { locked, onPath, run, say, seconds } from './installing.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const ELSEWHERE = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', '/Applications/Chromium.app/Contents/MacOS/Chromium'];

export function findChromium() {
  const named = process.env.CHROMIUM;
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new Error(`CHROMIUM names ${named}, which does not exist`);
    return named;
  }
  return onPath(...NAMES) ?? ELSEWHERE.find((file) => existsSync(file)) ?? null;
}

/** Sets CHROMIUM for this process and its children. @throws Error that says what to install. */
export async function ensureChromium() {
  const found = findChromium() ?? (await installPackage('chromium', findChromium));
  if (found === null) {
    throw new Error(
      'Chromium is needed to drive the editor. Install it (Debian, Ubuntu: `sudo apt-get install chromium`; macOS: `brew install --cask chromium`) or set CHROMIUM to the program.',
    );
  }
  process.env.CHROMIUM = found;
  return found;
}

/** The hook's fastest client. Without it the hook takes its next one, so its absence is told, not refused. */
export async function ensureNetcat() {
  const find = () => onPath('nc');
  if (process.platform === 'win32' || find() !== null) return;
  const installed = await installPackage('netcat-openbsd', find).catch((error) => {
    say(`netcat-openbsd: ${error.message}`);
    return null;
  });
  if (installed === null)
    say('nc is not installed: the hook will use its slower client (Debian, Ubuntu: `sudo apt-get install netcat-openbsd`)');
}

/** Installs a Debian package when that is possible without asking anybody; null when it is not. */
function installPackage(name, find) {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || onPath('apt-get') === null) return null;
  return locked('apt', async () => {
    const already = find();
    if (already !== null) return already;
    const started = Date.now();
    say(`${name}: installing with apt-get (about half a minute)`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const install = ['install', '-y', '--no-install-recommends', name];
    await run('apt-get', ['update'], { env }).catch((error) => say(`apt-get update: ${error.message}`));
    await run('apt-get', install, { env });
    say(`${name}: ready (${seconds(started)})`);
    return find();
  });
}
