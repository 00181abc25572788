/** What is known while the commands of a call are built, and how they are joined. */
import type { Collector } from '#core/normalize/collector.ts';
import type { CommandField, PathField, Place, UrlField } from '#core/normalize/fields.ts';
import { MAX_SCRIPTS } from '#core/normalize/limits.ts';
import type { Folders, Here } from '#core/normalize/shell/folders.ts';
import type { ParsedRedirect, Script, ShellState } from '#core/normalize/shell/syntax.ts';

export interface Built extends CommandField {
  readonly from: CommandField[];
  readonly to: CommandField[];
  readonly paths: PathField[];
  readonly urls: UrlField[];
}

/** Scripts read from files in this call: a script that runs itself is read once. */
export interface ScriptFiles {
  left: number;
  readonly seen: Set<string>;
}

export interface Job {
  readonly collector: Collector;
  /** Builds the commands of a script; here, because what a command runs in turn is a script again. */
  readonly read: (script: Script, job: Job) => Built[];
  /** The shell that reads; a script run by path has its own. */
  readonly shell: ShellState;
  /** The place of a stretch of the script being read. */
  readonly place: (start: number, end: number) => Place;
  readonly depth: number;
  /** Files earlier commands of the call downloaded, and who did. */
  readonly downloads: Map<string, CommandField>;
  /** Constant text earlier commands of the call wrote to files: running one of those is running that text. */
  readonly written: Map<string, string>;
  /** Programs of the system that the call gave other names, by the path of the new name. */
  readonly renamed: Map<string, string>;
  /** Folders by the paths of links the call made to them. */
  readonly links: Map<string, string>;
  /** Constant text commands of the call print, in order. */
  readonly printed: string[];
  /** Descriptors `exec` opened. */
  readonly descriptors: Map<string, ParsedRedirect>;
  readonly scripts: ScriptFiles;
  readonly folders: Folders;
  /** Where the command being read runs. */
  readonly here: Here;
}

export function newJob(collector: Collector, place: Job['place'], read: Job['read']): Job {
  const here: Here = { folder: collector.paths.cwd, back: [] };
  return {
    collector,
    read,
    shell: collector.shell,
    place,
    depth: 0,
    downloads: new Map(),
    written: new Map(),
    renamed: new Map(),
    links: new Map(),
    printed: [],
    descriptors: new Map(),
    scripts: { left: MAX_SCRIPTS, seen: new Set() },
    folders: new Map([[0, here]]),
    here,
  };
}

/** `late` reads what `early` prints. */
export function link(early: Built | CommandField, late: Built): void {
  if (early === late || late.from.includes(early) || late.from.length > 64) return;
  late.from.push(early);
  (early as Built).to.push(late);
}
