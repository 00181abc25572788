/**
 * Windows notations of a path, folded to `C:/…` or, for a share, `//host/…`.
 * Source: Microsoft, "Naming Files, Paths, and Namespaces" and "File path formats on Windows systems".
 */

export type WindowsTrait = 'device' | 'stream' | 'short-name' | 'remote';

const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['progra~1', 'Program Files'],
  ['progra~2', 'Program Files (x86)'],
  ['progra~3', 'ProgramData'],
  ['docume~1', 'Documents and Settings'],
  ['applic~1', 'Application Data'],
  ['locals~1', 'Local Settings'],
  ['appdat~1', 'AppData'],
  ['micros~1', 'Microsoft'],
  ['system~1', 'System32'],
  ['window~1', 'Windows'],
  ['ssh~1', '.ssh'],
  ['aws~1', '.aws'],
  ['kube~1', '.kube'],
  ['docker~1', '.docker'],
  ['gnupg~1', '.gnupg'],
  ['claude~1', '.claude'],
  ['codex~1', '.codex'],
  ['callga~1', '.callgate'],
  ['git-cr~1', '.git-credentials'],
]);
const VARIABLES: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:%HOMEDRIVE%%HOMEPATH%|%(?:USERPROFILE|HOME|HOMEPATH)%|\$env:(?:USERPROFILE|HOME(?:PATH)?)|\$\{env:(?:USERPROFILE|HOME)\})(?=[\\/]|$)/iu,
    '~',
  ],
  [/^(?:%APPDATA%|\$env:APPDATA|\$\{env:APPDATA\})(?=[\\/]|$)/iu, '~/AppData/Roaming'],
  [/^(?:%LOCALAPPDATA%|\$env:LOCALAPPDATA|\$\{env:LOCALAPPDATA\})(?=[\\/]|$)/iu, '~/AppData/Local'],
  [/^(?:%(?:SYSTEMROOT|WINDIR)%|\$env:(?:SYSTEMROOT|WINDIR)|\\SystemRoot)(?=[\\/]|$)/iu, 'C:/Windows'],
  [/^(?:%(?:PROGRAMDATA|ALLUSERSPROFILE)%|\$env:PROGRAMDATA)(?=[\\/]|$)/iu, 'C:/ProgramData'],
  [/^(?:%SYSTEMDRIVE%|\$env:SYSTEMDRIVE)(?=[\\/]|$)/iu, 'C:'],
];

export function fromWindows(written: string, traits: Set<string>): string {
  let path = written;
  for (const [pattern, value] of VARIABLES) if (pattern.test(path)) path = path.replace(pattern, value).replaceAll('\\', '/');
  const device = /^(?:[\\/]{2}[?.][\\/]|\\\?\?\\)(?:GLOBALROOT[\\/](?:Device[\\/])?)?/iu.exec(path);
  if (device) {
    traits.add('device' satisfies WindowsTrait);
    path = path
      .slice(device[0].length)
      .replace(/^UNC[\\/]/iu, '\\\\')
      .replace(/^HarddiskVolume(?:ShadowCopy)?\d{1,3}(?=[\\/])/iu, 'C:');
  }
  const share = /^\\\\([^\\/]{1,255})[\\/]([^\\/]{1,255})(?=[\\/]|$)/u.exec(path);
  if (share) {
    const [whole, host = '', name = ''] = share;
    const rest = path.slice(whole.length).replaceAll('\\', '/');
    if (/^wsl(?:\$|\.localhost)$/iu.test(host)) return rest === '' ? '/' : rest;
    if (/^[a-z]\$$/iu.test(name)) path = `${name[0] ?? 'C'}:${rest}`;
    else if (/^admin\$$/iu.test(name)) path = `C:/Windows${rest}`;
    else path = `//${host}/${name}${rest}`;
    if (!/^(?:localhost|127\.\d|\.|\[?::1\]?$)/iu.test(host)) traits.add('remote' satisfies WindowsTrait);
  }
  const drive = /^([a-z])[:|](?![a-z]{0,20}:\/\/)/iu.exec(path);
  if (!drive) return path;
  let rest = path.slice(2).replaceAll('\\', '/');
  if (!rest.startsWith('/')) rest = `/${rest}`;
  const stream = /:(?:[^/:]{0,100}:)?\$?[^/:]{1,100}$/u.exec(rest);
  if (stream && !/^:\d{1,7}(?::\d{1,7})?$/u.test(stream[0])) {
    traits.add('stream' satisfies WindowsTrait);
    rest = rest.slice(0, stream.index);
  }
  if (/~\d/u.test(rest)) {
    traits.add('short-name' satisfies WindowsTrait);
    rest = rest
      .split('/')
      .map((part) => SHORT_NAMES.get(part.toLowerCase()) ?? part)
      .join('/');
  }
  // Windows drops dots and spaces at the end of a name.
  return `${drive[1] ?? 'C'}:${rest.replace(/(?<=[^/. ])[. ]{1,20}(?=\/|$)/gu, '')}`;
}
