/** Turns a path as written into the paths it may mean, in one notation that rules can be written against. */
import type { PathTrait } from '#core/detect/rulePack.ts';
import { plainPath } from '#core/normalize/disguise.ts';
import { MAX_REALPATHS } from '#core/normalize/limits.ts';
import { mountsSeenThrough } from '#core/normalize/mounts.ts';
import { fromWindows } from '#core/normalize/windowsPath.ts';

/**
 * The first `most` bytes of a regular file as UTF-8; null when there is none that may be read. `whole`: nothing follows them.
 * Core has no IO, so the caller injects it.
 */
export type ReadText = (absolute: string, most: number) => { readonly text: string; readonly whole: boolean } | null;

export interface PathContext {
  readonly home: string;
  readonly dataFolder: string;
  readonly cwd: string;
  readonly caseInsensitivePaths: boolean;
  readonly realpath: (absolute: string) => string | null;
  readonly readText: ReadText;
  /** Counts the links resolved so far in this call. */
  readonly resolved: Map<string, string | null>;
}

export interface ReadPath {
  /** Every form of the path that a rule should see. */
  readonly forms: readonly string[];
  readonly traits: ReadonlySet<PathTrait>;
}

/** No system opens a longer one (Windows, in UTF-16 units; others stop at 4096 bytes). */
const MAX_PATH = 32_768;
/** A shorter climb to the root happens in containers, where projects lie at `/app`. */
const LONG_CLIMB = 3;
const HOMES = /^(?:\/(?:home|users)\/[^/]+|\/root|\/var\/root|[a-z]:\/(?:users|documents and settings)\/[^/]+|~[a-z][\w.-]*)(?=\/|$)/iu;

/**
 * What `written` may mean: lexically resolved, behind symlinks, and, for a climbing relative path, what it reaches at the
 * root. Home folders of any user are written `~`, our own data folder `~/.callgate`.
 */
export function readPath(written: string, own: PathContext): ReadPath {
  const context = { ...own, home: slashed(own.home), dataFolder: slashed(own.dataFolder), cwd: slashed(own.cwd) };
  const traits = new Set<PathTrait>();
  const forms = new Set<string>();
  let text = written;
  if (text.length > MAX_PATH) {
    traits.add('disguised');
    text = text.slice(-MAX_PATH);
  }
  const unquoted = withoutScheme(text.trim());
  const plain = plainPath(unquoted);
  if (plain.disguised) traits.add('disguised');
  const meant = [
    fromWindows(unquoted.replace(/[\u0000-\u001f]/gu, ''), traits as Set<string>),
    fromWindows(plain.text, traits as Set<string>),
  ];
  if (plain.beforeNul !== null) meant.push(fromWindows(plain.beforeNul, traits as Set<string>));
  for (const path of new Set(meant)) if (path !== '') addForms(path, unquoted, context, forms, traits);
  return { forms: [...forms], traits };
}

/** The notation of paths here; only a Windows one has another. */
const slashed = (path: string): string => (/^[a-z]:\\|^\\\\/iu.test(path) ? path.replaceAll('\\', '/') : path);

export const pathForms = (written: string, context: PathContext): readonly string[] => readPath(written, context).forms;

function addForms(path: string, written: string, context: PathContext, forms: Set<string>, traits: Set<PathTrait>): void {
  const add = (one: string): void => {
    const absolute = resolvePath(expandHome(one, context.home), context.cwd);
    forms.add(named(absolute, context, traits));
    for (const seen of mountsSeenThrough(absolute)) forms.add(named(resolvePath(seen, context.cwd), context, traits));
    const real = absolute.startsWith('/') ? realOf(absolute, context) : null;
    if (real !== null && real !== absolute) forms.add(named(real, context, traits));
  };
  add(path);
  // Old file systems of Windows take three dots for two folders up.
  if (/^\/\.{3}\//u.test(written)) traits.add('reaches-root');
  if (!path.includes('..')) return;
  markClimb(path, context, traits);
  // A path that climbs is meant for a place above; how far the reader stands below it is not always known.
  const climbing = /^(?:\.{1,2}\/{1,8}){1,400}(?=[^.]|\.[^./])/u.exec(path);
  if (!climbing || climbing[0].split('../').length < 3) return;
  const rest = path.slice(climbing[0].length);
  add(`/${rest}`);
  if (rest.startsWith('.')) add(`~/${rest}`);
}

/** Without the scheme of a file address and quotes around the whole. Source: RFC 8089, and what programs take besides. */
function withoutScheme(written: string): string {
  const bare = /^(["'`])(.*)\1$/su.exec(written)?.[2] ?? written;
  const scheme = /^(?:(?:url|view-source|jar|vscode-local):)?file:/iu.exec(bare);
  if (!scheme) return bare;
  const rest = bare.slice(scheme[0].length).replace(/[?#].*$/su, '');
  const local = rest.replace(/^[\\/]{2}(?:localhost|127\.0\.0\.1|\[::1\]|\.)?(?=[\\/])/iu, '').replace(/^[\\/]{2,}(?=[\\/])/u, '');
  return local.replace(/^[\\/](?=[a-z][:|][\\/])/iu, '');
}

function expandHome(path: string, home: string): string {
  if (home === '') return path;
  return path
    .replace(/^(?:\$XDG_CONFIG_HOME|\$\{XDG_CONFIG_HOME\})(?=\/|$)/u, '~/.config')
    .replace(/^(?:~(?=\/|$)|\$HOME(?![A-Za-z0-9_])|\$\{(?:env:)?HOME(?::?-[^}]{0,200})?\}|\$\{userHome\})/iu, () => home);
}

/** `.` and `..` removed, relative paths joined to `cwd`; `/proc/self/root` and its like seen through. */
export function resolvePath(path: string, cwd: string): string {
  const drive = /^[a-z]:(?=\/)/iu.exec(path)?.[0] ?? '';
  const rooted = drive !== '' || path.startsWith('/') || path.startsWith('~') || path.startsWith('$');
  const whole = rooted || cwd === '' ? path.slice(drive.length) : `${cwd}/${path}`;
  const parts: string[] = [];
  for (const part of whole.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.at(-1) !== '~') parts.pop();
    else if (part !== '..') parts.push(part);
  }
  const resolved = (whole.startsWith('/') ? '/' : '') + parts.join('/');
  const here = /^\/(?:proc|dev)\/(?:self|thread-self|\d+)\/(?:task\/\d+\/)?cwd(?=\/|$)/u.exec(resolved);
  if (here && cwd !== '') return `${cwd}${resolved.slice(here[0].length)}`;
  const inside =
    /^\/(?:proc\/(?:self|thread-self|\d+)\/(?:task\/\d+\/)?root|private(?=\/(?:etc|var|tmp))|System\/Volumes\/Data|Volumes\/Macintosh HD)(?=\/|$)/iu.exec(
      resolved,
    );
  return drive + (inside ? resolved.slice(inside[0].length) || '/' : resolved);
}

/** Whether the way up ends outside the folder it starts from, or reaches the root. */
function markClimb(path: string, context: PathContext, traits: Set<PathTrait>): void {
  const absolute = path.startsWith('/') || /^[a-z]:\//iu.test(path);
  if (path.startsWith('~') || path.startsWith('$')) return;
  let depth = 0;
  let lowest = 0;
  let ups = 0;
  for (const part of path.replace(/^[a-z]:/iu, '').split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') ups++;
    depth += part === '..' ? -1 : 1;
    lowest = Math.min(lowest, depth);
  }
  if (absolute) {
    if (lowest < 0) traits.add('reaches-root');
    return;
  }
  if (lowest < 0) traits.add('climbs');
  const below = context.cwd === '' ? LONG_CLIMB : context.cwd.split('/').filter((part) => part !== '').length;
  if (ups >= LONG_CLIMB && -lowest >= below) traits.add('reaches-root');
}

function realOf(absolute: string, context: PathContext): string | null {
  const known = context.resolved.get(absolute);
  if (known !== undefined) return known;
  if (context.resolved.size >= MAX_REALPATHS) return null;
  const real = context.realpath(absolute);
  context.resolved.set(absolute, real);
  return real;
}

function named(absolute: string, context: PathContext, traits: Set<PathTrait>): string {
  const fold = (text: string): string => (context.caseInsensitivePaths ? text.toLowerCase() : text);
  const path = fold(absolute);
  if (context.dataFolder !== '' && within(path, fold(context.dataFolder))) return `~/.callgate${absolute.slice(context.dataFolder.length)}`;
  if (context.home !== '' && context.home !== '/' && within(path, fold(context.home))) return `~${absolute.slice(context.home.length)}`;
  const other = HOMES.exec(absolute);
  if (!other) return absolute;
  // The same person may have a home on each side of a mount.
  const own = context.home.slice(context.home.lastIndexOf('/'));
  if (!/\/users\/(?:public|shared|default)$/iu.test(other[0]) && !other[0].toLowerCase().endsWith(own.toLowerCase()))
    traits.add('other-home');
  return `~${absolute.slice(other[0].length)}`;
}

/** Where a path as rules see it lies, seen from the folder the call works in; null when either is not known. */
export function sideOf(form: string, workspace: readonly string[], own: PathContext): 'inside' | 'outside' | 'workspace' | null {
  if (workspace.length === 0 || !/^(?:[/~]|[a-z]:\/)/iu.test(form)) return null;
  const fold = (text: string): string => (own.caseInsensitivePaths ? text.toLowerCase() : text);
  const path = fold(form).replace(/(.)\/$/u, '$1');
  if (workspace.some((folder) => path === fold(folder))) return 'workspace';
  return workspace.some((folder) => folder === '/' || within(path, fold(folder))) ? 'inside' : 'outside';
}

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
