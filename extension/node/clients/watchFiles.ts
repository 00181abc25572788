/** Tells when one of some files may have changed. Folders are watched, not files: every client replaces its file by another. */
import { existsSync, type FSWatcher, realpathSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

export interface FileWatch {
  /** The files to watch from now on; they need not exist. */
  readonly files: (files: readonly string[]) => void;
  /** As if a file had changed: for when a change may have been missed. */
  readonly nudge: () => void;
  readonly dispose: () => void;
}

export interface WatchOptions {
  /** Some file may have changed; read them all. */
  readonly onChange: () => void;
  /** How long no file must have changed before that is told, and how far apart tellings are at least, in milliseconds. */
  readonly quietMs?: number;
  readonly apartMs?: number;
}

/** Beyond this many folders changes are found by `nudge` only. */
const MOST_FOLDERS = 150;
/** A file may lie in folders that are still to be made: `.vscode/mcp.json`. */
const MOST_MISSING = 2;

interface Watched {
  readonly watcher: FSWatcher;
  names: Set<string>;
}

export function watchFiles({ onChange, quietMs = 500, apartMs = 5_000 }: WatchOptions): FileWatch {
  const folders = new Map<string, Watched>();
  let wanted: readonly string[] = [];
  let timer: NodeJS.Timeout | null = null;
  let told = Number.NEGATIVE_INFINITY;
  let disposed = false;

  function changed(): void {
    if (disposed) return;
    if (timer !== null) clearTimeout(timer);
    // Put off by every further change, but a file that never rests is told of all the same: the pause is counted from the last telling.
    timer = setTimeout(tell, Math.max(quietMs, told + apartMs - performance.now()));
    timer.unref();
  }

  function tell(): void {
    timer = null;
    told = performance.now();
    arrange();
    onChange();
  }

  function arrange(): void {
    const places = new Map<string, Set<string>>();
    for (const { folder, name } of wanted.flatMap(placesOf)) {
      if (!places.has(folder) && places.size >= MOST_FOLDERS) continue;
      places.set(folder, (places.get(folder) ?? new Set()).add(name));
    }
    for (const [folder, { watcher }] of folders) {
      if (places.has(folder)) continue;
      watcher.close();
      folders.delete(folder);
    }
    for (const [folder, names] of places) {
      const known = folders.get(folder);
      if (known) known.names = names;
      else open(folder, names);
    }
  }

  function open(folder: string, names: Set<string>): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        // Without a name it may have been any of them.
        if (name === null || folders.get(folder)?.names.has(String(name)) === true) changed();
      });
      watcher.on('error', () => {
        // The folder itself went away; whatever took its place is watched after the next look.
        watcher.close();
        folders.delete(folder);
        changed();
      });
      folders.set(folder, { watcher, names });
    } catch {
      return; // no watcher left in the system, or a folder without permission: changes there are found by `nudge`
    }
  }

  return {
    files: (files) => {
      wanted = files;
      if (!disposed) arrange();
    },
    nudge: changed,
    dispose: () => {
      disposed = true;
      if (timer !== null) clearTimeout(timer);
      for (const { watcher } of folders.values()) watcher.close();
      folders.clear();
    },
  };
}

/** Where a change to `file` shows: in its folder or the nearest one that exists, and in that of the file a link leads to. */
function placesOf(file: string): readonly { readonly folder: string; readonly name: string }[] {
  const real = realOf(file);
  return (real === file ? [file] : [file, real]).flatMap((path) => {
    let name = basename(path);
    let folder = dirname(path);
    for (let missing = 0; !existsSync(folder); missing++) {
      if (missing === MOST_MISSING) return [];
      name = basename(folder);
      folder = dirname(folder);
    }
    return [{ folder, name }];
  });
}

function realOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file; // nothing there yet
  }
}
