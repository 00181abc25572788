/**
 * Processes a server started that have left its process group: a signal to the group does not reach them. They are
 * known by their parents, so they must have been looked at while the chain of parents was whole; one whose parent
 * left within seconds of starting it, as old daemons do, is not known. Nothing is put into the server's environment.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  /** Of its session, or what comes nearest to it. */
  readonly session: number;
  /** Tells it from a later process with the same id. */
  readonly started: string;
  readonly words: () => readonly string[];
}

export type ProcessTable = ReadonlyMap<number, ProcessRow>;

/** The offspring seen so far of one server: its members' start by their ids. */
export type Offspring = Map<number, string>;

const PS_MS = 2_000;
const PS_BYTES = 64 * 1024 * 1024;

/** Empty where processes cannot be listed: then only the process group is ended (Windows ends the tree by itself). */
export function processTable(): ProcessTable {
  if (process.platform === 'linux') return fromProc();
  return process.platform === 'win32' ? new Map() : fromPs();
}

/** Adds all whose parents lead to the server or to one of its known offspring. */
export function noteOffspring(leader: number, seen: Offspring, table: ProcessTable): void {
  const children = new Map<number, number[]>();
  for (const { pid, parent } of table.values()) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const todo = [leader, ...[...seen].filter(([pid, started]) => table.get(pid)?.started === started).map(([pid]) => pid)];
  const done = new Set<number>();
  for (let pid = todo.pop(); pid !== undefined; pid = todo.pop()) {
    if (done.has(pid)) continue;
    done.add(pid);
    const row = table.get(pid);
    if (row !== undefined && pid !== leader) seen.set(pid, row.started);
    todo.push(...(children.get(pid) ?? []));
  }
  for (const [pid, started] of seen) if (table.get(pid)?.started !== started) seen.delete(pid);
}

/** Those still there, without programs a person works in and what belongs to these. */
export function remaining(seen: Offspring, table: ProcessTable): readonly number[] {
  const there = [...seen].flatMap(([pid, started]) => {
    const row = table.get(pid);
    return row?.started === started ? [row] : [];
  });
  const spared = new Set(there.filter((row) => isPersons(row.words())).map((row) => row.session));
  return there.filter((row) => !spared.has(row.session)).map((row) => row.pid);
}

export function signalAll(pids: readonly number[], signal: 'SIGTERM' | 'SIGKILL'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // Gone meanwhile, or of another user by now: nothing we could end.
      if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

/** Programs a person works in: a server opens them for its user ("sign in here"), and they may have started with it. */
const PERSONS_PROGRAM =
  /(?:^|\/)(?:firefox|librewolf|chrome|google-chrome|chromium|brave|msedge|microsoft-edge|opera|vivaldi|epiphany|safari|code|codium|cursor|windsurf|zed|nautilus|dolphin|thunderbird)(?:-[a-z]+)*(?:\.bin)?$/i;
/** The same programs, driven by the server itself. */
const DRIVEN = /^--?(?:headless|remote-debugging-(?:port|pipe)|enable-automation|marionette|juggler)\b/;

function isPersons([program = '', ...words]: readonly string[]): boolean {
  return PERSONS_PROGRAM.test(program) && !words.some((word) => DRIVEN.test(word));
}

function fromProc(): ProcessTable {
  const table = new Map<number, ProcessRow>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = procFile(name, 'stat');
    // After the program's name, which may hold anything: state, parent, group, session, and the start as the 20th.
    const [state, parent, , session, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (parent === undefined || state === 'Z') continue;
    const words = (): readonly string[] => procFile(name, 'cmdline').split('\0');
    table.set(Number(name), { pid: Number(name), parent: Number(parent), session: Number(session), started: rest[15] ?? '', words });
  }
  return table;
}

function procFile(pid: string, file: 'cmdline' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    // Gone meanwhile.
    return '';
  }
}

/** macOS and the BSDs; the columns are POSIX's and lstart. Its command has no marks between the words. */
export function fromPs(): ProcessTable {
  const columns = ['-A', '-ww', '-o', 'pid=', '-o', 'ppid=', '-o', 'pgid=', '-o', 'stat=', '-o', 'lstart=', '-o', 'command='];
  const { stdout } = spawnSync('ps', columns, {
    encoding: 'utf8',
    timeout: PS_MS,
    maxBuffer: PS_BYTES,
    env: { ...process.env, LC_ALL: 'C' },
  });
  const table = new Map<number, ProcessRow>();
  for (const line of (stdout ?? '').split('\n')) {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/.exec(line);
    if (match === null || match[4]?.startsWith('Z')) continue;
    const [pid, parent, session] = [Number(match[1]), Number(match[2]), Number(match[3])];
    table.set(pid, { pid, parent, session, started: match[5] ?? '', words: () => (match[6] ?? '').split(/ (?=--?\w)/) });
  }
  return table;
}
