/** A pattern can name a file without spelling it: `cat /e*c/sh?dow`. These are the files that are worth spelling out. */
const NOTABLE: readonly string[] = [
  '/etc/shadow',
  '/etc/sudoers',
  '/etc/passwd',
  '~/.ssh/id_rsa',
  '~/.ssh/id_ed25519',
  '~/.ssh/authorized_keys',
  '~/.aws/credentials',
  '~/.kube/config',
  '~/.netrc',
  '~/.git-credentials',
  '~/.npmrc',
  '~/.docker/config.json',
  '~/.gnupg/secring.gpg',
  '~/.bashrc',
  '~/.zshrc',
  '~/.config/gcloud/credentials.db',
  '~/.callgate',
  '~/.claude',
  '~/.codex',
  '~/.ssh',
  '~/.callgate/settings.json',
  '~/.callgate/keys/window-token',
  '~/.claude/settings.json',
  '~/.claude.json',
  '~/.codex/config.toml',
];
const MAX_PATTERN = 200;

/** The notable files a path with `*`, `?` or `[…]` matches. */
export function guessedNames(path: string): readonly string[] {
  if (path.length > MAX_PATTERN || !/[*?[]/u.test(path)) return [];
  return NOTABLE.filter((name) => globMatches(path, name));
}

/** Shell pattern matching, part by part; a leading dot must be spelt out. Linear in each part but for `*`, which backtracks once. */
export function globMatches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const parts = path.split('/');
  if (wanted.length !== parts.length) return false;
  return wanted.every((piece, index) => {
    const part = parts[index] ?? '';
    if (part.startsWith('.') && !piece.startsWith('.')) return false;
    // A lone `*` says nothing about which file is meant.
    if (piece === '*' && index === parts.length - 1) return false;
    return partMatches(piece, part);
  });
}

function partMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    const step = p < pattern.length ? one(pattern, p, text[t] ?? '') : 0;
    if (step > 0) {
      p += step;
      t++;
    } else if (pattern[p] === '*') {
      star = p++;
      mark = t;
    } else if (star >= 0) {
      p = star + 1;
      t = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** How many pattern units match this one character; 0 when they do not. */
function one(pattern: string, at: number, char: string): number {
  const sign = pattern[at];
  if (sign === '?') return 1;
  if (sign !== '[') return sign === char && sign !== '*' ? 1 : 0;
  const close = pattern.indexOf(']', at + 2);
  if (close < 0) return char === '[' ? 1 : 0;
  let body = pattern.slice(at + 1, close);
  const negated = /^[!^]/u.test(body);
  if (negated) body = body.slice(1);
  let inside = false;
  for (let index = 0; index < body.length; index++) {
    const high = body[index + 1] === '-' ? body[index + 2] : undefined;
    if (high === undefined) inside ||= body[index] === char;
    else {
      inside ||= char >= (body[index] ?? '') && char <= high;
      index += 2;
    }
  }
  return inside === negated ? 0 : close - at + 1;
}
