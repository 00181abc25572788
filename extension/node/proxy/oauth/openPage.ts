/** Shows a page to the person without an editor: by the program that BROWSER names, or the desktop's own, else as words. */
import { spawn } from 'node:child_process';

export interface PageOpener {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly say: (line: string) => void;
}

/** The program and its arguments; null where there is no desktop to show a page on. */
export function browserCommand(
  url: string,
  { env, platform }: Pick<PageOpener, 'env' | 'platform'>,
): { readonly program: string; readonly args: readonly string[] } | null {
  const named = env['BROWSER'];
  if (named !== undefined && named !== '') return { program: named, args: [url] };
  if (platform === 'darwin') return { program: '/usr/bin/open', args: [url] };
  // `start` would have the shell read the address.
  if (platform === 'win32') return { program: 'rundll32.exe', args: ['url.dll,FileProtocolHandler', url] };
  return env['DISPLAY'] || env['WAYLAND_DISPLAY'] ? { program: 'xdg-open', args: [url] } : null;
}

export async function openPage(url: string, opener: PageOpener): Promise<void> {
  const { protocol } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') throw new Error(`the page to sign in at is no web page (${protocol})`);
  const command = browserCommand(url, opener);
  opener.say(`to sign in, open ${url}`);
  if (command === null) return;
  const child = spawn(command.program, [...command.args], { stdio: 'ignore', detached: true });
  child.on('error', (error) => opener.say(`no browser could be started (${error.message}): open the address yourself`));
  child.unref();
}
