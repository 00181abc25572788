/** Which project a folder belongs to: what people filter the record by, and where a project keeps rules of its own. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a project's top folder holds. */
const MARKS = ['.git', '.hg', '.svn'];
/** Deeper folders than this belong to no project we know of. */
const MAX_LEVELS = 24;
const MAX_KNOWN = 200;
const known = new Map<string, string>();

/** The nearest folder at or above `cwd` that holds a project's mark; `cwd` itself when none does. Remembered for the life of the process. */
export function workspaceOf(cwd: string): string {
  const before = known.get(cwd);
  if (before !== undefined) return before;
  if (known.size >= MAX_KNOWN) known.clear();
  const found = cwd === '' ? '' : lookUpwards(cwd);
  known.set(cwd, found);
  return found;
}

function lookUpwards(cwd: string): string {
  let here = cwd;
  for (let level = 0; level < MAX_LEVELS; level++) {
    if (MARKS.some((mark) => existsSync(join(here, mark)))) return here;
    const above = dirname(here);
    if (above === here) break;
    here = above;
  }
  return cwd;
}
