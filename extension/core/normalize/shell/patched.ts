/** Files that a patch in a command line changes. */
import type { Access } from '#core/detect/rulePack.ts';
import { patchFiles } from '#core/normalize/patch.ts';

export interface Patched {
  readonly path: string;
  readonly access: Access;
}

/**
 * Codex does not run `apply_patch <<'E' …` but does it itself, and reports it as a shell call (seen with 0.169.0); its
 * own program does the same under a flag. `patch` and `git apply` read the headers of a unified diff.
 */
export function patchedBy(program: string, words: readonly string[], stdin: readonly string[]): readonly Patched[] {
  switch (program) {
    case 'apply_patch':
    case 'applypatch':
      return [...words.slice(1), ...stdin].flatMap(inPatch);
    case 'codex':
      return words.includes('--codex-run-as-apply-patch') ? [...words.slice(1), ...stdin].flatMap(inPatch) : [];
    case 'patch':
      return stdin.flatMap((text) => inDiff(text));
    case 'git':
      return words.includes('apply') || words.includes('am') ? stdin.flatMap((text) => inDiff(text)) : [];
    default:
      return [];
  }
}

function inPatch(text: string): readonly Patched[] {
  return patchFiles(text).map((file) => ({ path: file.path, access: file.action }));
}

const DIFF_HEADER = /^(?:\+\+\+|---|\*\*\*|rename to|copy to|Index:) ([^\t\n]{1,4096})/gmu;

/** As written and without their first folder: `-p0` and `-p1`. */
function inDiff(text: string): readonly Patched[] {
  return [...text.matchAll(DIFF_HEADER)].flatMap((hit) => {
    const path = (hit[1] ?? '').trim();
    if (path === '' || path === '/dev/null') return [];
    const slash = path.indexOf('/');
    return [path, ...(slash > 0 ? [path.slice(slash + 1)] : [])].map((one) => ({ path: one, access: 'write' }) as const);
  });
}
