/** Turns a path as written into the paths it may mean, in one notation that rules can be written against. */
import { decodePercent } from '#core/normalize/decode.ts';
import { MAX_REALPATHS } from '#core/normalize/limits.ts';

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

const MAX_PATH = 4096;

/**
 * Every form of `written` that a rule should see: lexically resolved, behind symlinks, and, for a climbing relative
 * path, what it reaches at the root. Home folders of any user are written `~`, our own data folder `~/.callgate`.
 */
export function pathForms(written: string, context: PathContext): readonly string[] {
  const literal = unwrapped(written.slice(0, MAX_PATH));
  if (literal === '') return [];
  const forms = new Set<string>();
  const add = (path: string): void => {
    const absolute = resolvePath(expandHome(path, context.home), context.cwd);
    forms.add(named(absolute, context));
    const real = absolute.startsWith('/') ? realOf(absolute, context) : null;
    if (real !== null && real !== absolute) forms.add(named(real, context));
  };
  add(literal);
  // A path that climbs is meant for a place above; how far the reader stands below it is not always known.
  const climbing = /^(?:\.{1,2}\/){2,}(?=[^.])/u.exec(literal);
  if (climbing && climbing[0].includes('../')) add(`/${literal.slice(climbing[0].length)}`);
  if (literal.includes('%')) {
    const decoded = decodePercent(literal);
    const twice = decoded === null ? null : decodePercent(decoded);
    for (const form of [decoded, twice])
      if (form !== null && form !== literal) for (const item of pathForms(form.replaceAll('%', ''), context)) forms.add(item);
  }
  return [...forms];
}

/** Without `file://`, quotes and control characters; with `/` as separator where the path is a Windows one. */
function unwrapped(written: string): string {
  let path = written.trim().replace(/[\u0000-\u001f]/gu, '');
  path = path.replace(/^file:\/{2}(?:localhost)?(?=\/)/iu, '');
  if (/^[a-z]:[\\/]/iu.test(path) || /^\\\\|^%[a-z]+%\\|^(?:\.{1,2}\\)/iu.test(path)) path = path.replaceAll('\\', '/');
  return path;
}

function expandHome(path: string, home: string): string {
  if (home === '') return path;
  return path.replace(/^(?:~(?=\/|$)|\$HOME(?![A-Za-z0-9_])|\$\{HOME\}|%USERPROFILE%|\$env:(?:USERPROFILE|HOME))/iu, () => home);
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
  const inside = /^\/(?:proc\/(?:self|thread-self|\d+)\/root|private(?=\/(?:etc|var|tmp)))(?=\/|$)/u.exec(resolved);
  return drive + (inside ? resolved.slice(inside[0].length) || '/' : resolved);
}

function realOf(absolute: string, context: PathContext): string | null {
  const known = context.resolved.get(absolute);
  if (known !== undefined) return known;
  if (context.resolved.size >= MAX_REALPATHS) return null;
  const real = context.realpath(absolute);
  context.resolved.set(absolute, real);
  return real;
}

function named(absolute: string, context: PathContext): string {
  let path = absolute;
  if (context.caseInsensitivePaths) path = path.toLowerCase();
  const fold = (text: string): string => (context.caseInsensitivePaths ? text.toLowerCase() : text);
  if (context.dataFolder !== '' && within(path, fold(context.dataFolder))) return `~/.callgate${path.slice(context.dataFolder.length)}`;
  if (context.home !== '' && context.home !== '/' && within(path, fold(context.home))) return `~${path.slice(context.home.length)}`;
  return path.replace(/^(?:\/(?:home|users)\/[^/]+|\/root|\/var\/root|[a-z]:\/users\/[^/]+|~[a-z][\w-]*)(?=\/|$)/iu, '~');
}

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
