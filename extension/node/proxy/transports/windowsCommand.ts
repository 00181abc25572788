/** Starting programs on Windows, where `npx` and its like are batch files that only cmd.exe can run. */
import { join, extname, isAbsolute } from 'node:path/win32';

export interface SpawnPlan {
  readonly command: string;
  readonly args: readonly string[];
  /** The arguments are one ready command line; Node must not quote them again. */
  readonly verbatim: boolean;
}

/**
 * Pure but for `exists`. A program found as .exe or .com (or not found: the system's error then names it) is started
 * as it is; a .cmd or .bat goes through cmd.exe with every special character escaped.
 * @throws Error when an argument for a batch file has a line break, which cmd.exe would take as the command's end.
 */
export function windowsSpawnPlan(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  exists: (path: string) => boolean,
): SpawnPlan {
  const found = findProgram(command, env, exists);
  if (found === null || !/\.(cmd|bat)$/i.test(found)) return { command: found ?? command, args, verbatim: false };
  const broken = [found, ...args].find((text) => /[\r\n\0]/.test(text));
  if (broken !== undefined)
    throw new Error(
      `an argument for ${command} has a line break, which a batch file cannot be given; start its .exe or node script instead`,
    );
  // Escaped twice: batch files made by npm hand their arguments to a second command line with %*.
  const line = [escapeMeta(found), ...args.map((arg) => escapeMeta(escapeMeta(quote(arg))))].join(' ');
  return { command: variable(env, 'ComSpec') ?? 'cmd.exe', args: ['/d', '/s', '/c', `"${line}"`], verbatim: true };
}

function findProgram(command: string, env: Readonly<Record<string, string>>, exists: (path: string) => boolean): string | null {
  const extensions = (variable(env, 'PATHEXT') ?? '.COM;.EXE;.BAT;.CMD').split(';').filter((extension) => extension !== '');
  const names =
    extname(command) === ''
      ? extensions.map((extension) => command + extension.toLowerCase())
      : [command, ...extensions.map((extension) => command + extension.toLowerCase())];
  const folders =
    isAbsolute(command) || /[\\/]/.test(command) ? [''] : (variable(env, 'Path') ?? '').split(';').filter((folder) => folder !== '');
  for (const folder of folders) {
    for (const name of names) {
      const path = folder === '' ? name : join(folder, name);
      if (exists(path)) return path;
    }
  }
  return null;
}

/** Names of variables do not care about case on Windows. */
function variable(env: Readonly<Record<string, string>>, name: string): string | undefined {
  const key = Object.keys(env).find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : env[key];
}

/** For programs that read their command line with the C runtime's rules: backslashes before a quote are doubled. */
function quote(arg: string): string {
  return `"${arg.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\*)$/, '$1$1')}"`;
}

function escapeMeta(text: string): string {
  return text.replace(/[()[\]%!^"`<>&|;, *?]/g, '^$&');
}
