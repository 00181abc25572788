/** Which held calls may interrupt with a notification, and when. Knows nothing of the editor. */
import { sep } from 'node:path';
import type { Hold } from '#contract/ipc.ts';

/** More open ones would only cover each other: the panel lists them all. */
export const MOST_OPEN = 3;
/** How long another window, which the call concerns more, may take to have it decided. */
export const OTHERS_FIRST_MS = 5000;

export interface WindowFacts {
  readonly windows: number;
  readonly focused: boolean;
  readonly folders: readonly string[];
}

/** Milliseconds to wait: none in the only window, in the one in use and in the one whose folder the call runs in. */
export function interruptAfter(cwd: string, { windows, focused, folders }: WindowFacts): number {
  if (windows < 2 || focused) return 0;
  const within = folders.some((folder) => cwd === folder || cwd.startsWith(folder.endsWith(sep) ? folder : folder + sep));
  return within ? 0 : OTHERS_FIRST_MS;
}

/** Counts open notifications of calls that still wait: one that is out of date and was never closed must not keep others away. */
export function openToasts(): {
  readonly begin: (id: string) => boolean;
  readonly end: (id: string) => void;
  readonly keep: (waiting: readonly Hold[]) => void;
} {
  const open = new Set<string>();
  return {
    begin: (id) => {
      if (open.size >= MOST_OPEN || open.has(id)) return false;
      open.add(id);
      return true;
    },
    end: (id) => void open.delete(id),
    keep: (waiting) => {
      const ids = new Set(waiting.map((hold) => hold.id));
      for (const id of open) if (!ids.has(id)) open.delete(id);
    },
  };
}
