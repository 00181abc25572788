/**
 * The originals of the files we changed: `<backups>/<id>/<number>/` holds `before` (the bytes found), `restore` (the
 * bytes undo gives back; they differ when an older Callgate entry was replaced) and `record.json`. Numbers only go up,
 * so no backup is ever overwritten; the highest one counts.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { isObject, type JsonValue } from '#core/model/json.ts';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import type { UndoInfo } from '#node/clients/adapter.ts';
import { ConfigError, messageOf, systemCode } from '#node/clients/configError.ts';
import { rewriteOwn, sha256, writeNew } from '#node/clients/configFile.ts';
import type { Splice } from '#node/clients/splices.ts';

export interface ChangeRecord {
  readonly version: 1;
  readonly id: string;
  readonly file: string;
  readonly target: string;
  /** ISO 8601. */
  readonly time: string;
  /** SHA-256 of the bytes found, hex; null: there was no file. */
  readonly before: string | null;
  /** SHA-256 of every state that counts as untouched: as we wrote it, and as the client rewrote it for trust. */
  readonly after: readonly string[];
  /** SHA-256 of what undo gives back; null: no file. */
  readonly restore: string | null;
  readonly createdFolders: readonly string[];
  readonly summary: readonly string[];
  readonly undo: UndoInfo;
  /** ISO 8601 once it was taken back. */
  readonly undone: string | null;
}

export interface StoredRecord {
  readonly folder: string;
  readonly record: ChangeRecord;
}

function folderOf(layout: Layout, id: string): string {
  const name = /^[a-z]+$/u.test(id) ? id : `file-${createHash('sha256').update(id).digest('hex').slice(0, 16)}`;
  return join(layout.backups, name);
}

/** Keeps `before` and `restore` durably, then the record that makes them count. */
export function keepOriginal(
  layout: Layout,
  record: Omit<ChangeRecord, 'before' | 'restore' | 'undone' | 'version'>,
  before: string | null,
  restore: string | null,
): StoredRecord {
  const parent = folderOf(layout, record.id);
  try {
    ensurePrivateFolder(layout.root);
    ensurePrivateFolder(layout.backups);
    ensurePrivateFolder(parent);
    const folder = nextFolder(parent);
    if (before !== null) writeNew(join(folder, 'before'), before);
    if (restore !== null) writeNew(join(folder, 'restore'), restore);
    const whole: ChangeRecord = { version: 1, ...record, before: hashOf(before), restore: hashOf(restore), undone: null };
    // In one step: half a record would stand in the way of every later change.
    rewriteOwn(join(folder, 'record.json'), `${JSON.stringify(whole, null, 2)}\n`);
    return { folder, record: whole };
  } catch (error) {
    throw new ConfigError(
      'NOT_WRITABLE',
      `The original of ${record.file} cannot be kept under ${parent} (${messageOf(error)}); nothing was changed`,
      { cause: error },
    );
  }
}

function hashOf(text: string | null): string | null {
  return text === null ? null : sha256(text);
}

/** Names of the numbered folders, the highest first. */
function numbered(parent: string): readonly string[] {
  try {
    return readdirSync(parent)
      .filter((name) => /^\d+$/u.test(name))
      .sort((a, b) => Number(b) - Number(a));
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}

function nextFolder(parent: string): string {
  for (let number = Number(numbered(parent)[0] ?? 0) + 1; ; number += 1) {
    const folder = join(parent, String(number).padStart(4, '0'));
    try {
      mkdirSync(folder, { mode: 0o700 });
      return folder;
    } catch (error) {
      // Another window took this number in the same moment.
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** The change that is in force for `id` in this file; null when there is none or it was taken back. */
export function liveRecord(layout: Layout, id: string, file: string): StoredRecord | null {
  return liveRecordsIn(folderOf(layout, id)).find(({ record }) => record.id === id && record.file === file) ?? null;
}

/** Every change in force for `id`, the newest first: a client whose folder an environment variable names can have several files. */
export function liveRecordsOf(layout: Layout, id: string): readonly StoredRecord[] {
  return liveRecordsIn(folderOf(layout, id)).filter(({ record }) => record.id === id);
}

/** Of each file only the newest record counts. @throws ConfigError BROKEN_RECORD */
export function liveRecordsIn(parent: string): readonly StoredRecord[] {
  const seen = new Set<string>();
  const live: StoredRecord[] = [];
  for (const name of numbered(parent)) {
    const folder = join(parent, name);
    const record = readRecord(folder);
    // Without a record the process died before anything was written to the client's file.
    if (!record || seen.has(record.file)) continue;
    seen.add(record.file);
    if (record.undone === null) live.push({ folder, record });
  }
  return live;
}

/** For a change that did not come about: its record must not hide the one that is in force. The original beside it stays. */
export function dropRecord({ folder }: StoredRecord): void {
  rmSync(join(folder, 'record.json'), { force: true });
}

/** What undo gives back, checked against the record. */
export function originalOf({ folder, record }: StoredRecord): string | null {
  if (record.restore === null) return null;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(join(folder, 'restore')));
  } catch (error) {
    throw new ConfigError(
      'BROKEN_RECORD',
      `The original of ${record.file} under ${folder} cannot be read (${messageOf(error)}); remove the Callgate entries from the file by hand`,
      { cause: error },
    );
  }
  if (sha256(text) !== record.restore)
    throw new ConfigError(
      'BROKEN_RECORD',
      `The original of ${record.file} under ${folder} was altered; compare it with the file and remove the Callgate entries by hand`,
    );
  return text;
}

export function updateRecord(stored: StoredRecord, change: Partial<Pick<ChangeRecord, 'after' | 'undo' | 'undone'>>): StoredRecord {
  const record = { ...stored.record, ...change };
  rewriteOwn(join(stored.folder, 'record.json'), `${JSON.stringify(record, null, 2)}\n`);
  return { folder: stored.folder, record };
}

function readRecord(folder: string): ChangeRecord | null {
  const path = join(folder, 'record.json');
  let value: JsonValue;
  try {
    value = JSON.parse(readFileSync(path, 'utf8')) as JsonValue;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw new ConfigError('BROKEN_RECORD', `${path} cannot be read (${messageOf(error)}); ${mend(folder)}`, { cause: error });
  }
  const record = parseRecord(value);
  if (!record) throw new ConfigError('BROKEN_RECORD', `${path} is not a record of ours; ${mend(folder)}`);
  if (!namesItsOwn(record)) throw new ConfigError('BROKEN_RECORD', `${path} names files that are none of its own; ${mend(folder)}`);
  return record;
}

function mend(folder: string): string {
  return `move ${folder} out of ${dirname(dirname(folder))} and keep it (its file \`before\` is the original), then try again: undo then removes the Callgate entries only`;
}

/** A client's settings by the name they have, and folders we can have made for them: nothing else is ours to overwrite or remove. */
function namesItsOwn({ id, file, createdFolders }: ChangeRecord): boolean {
  const plain = (path: string): boolean => !path.split(/[\\/]/u).includes('..');
  const named = new Map([
    ['claude', 'settings.json'],
    ['codex', 'config.toml'],
  ]).get(id);
  const ends = named === undefined ? id === `mcp:${file}` : file.split(/[\\/]/u).at(-1) === named;
  return ends && plain(file) && createdFolders.every((folder) => plain(folder) && file.startsWith(folder + sep));
}

function parseRecord(value: JsonValue): ChangeRecord | null {
  if (!isObject(value) || value['version'] !== 1) return null;
  const { id, file, target, time, before, after, restore, createdFolders, summary, undo, undone } = value;
  const text = (item: JsonValue | undefined): item is string => typeof item === 'string';
  const textOrNull = (item: JsonValue | undefined): item is string | null => item === null || typeof item === 'string';
  const texts = (item: JsonValue | undefined): item is readonly string[] => Array.isArray(item) && item.every(text);
  if (!text(id) || !text(file) || !text(target) || !text(time) || !textOrNull(before) || !texts(after) || !textOrNull(restore)) return null;
  if (!texts(createdFolders) || !texts(summary) || !textOrNull(undone) || !isObject(undo) || !Array.isArray(undo['splices'])) return null;
  const splices: Splice[] = [];
  for (const splice of undo['splices'] as readonly JsonValue[]) {
    if (!isObject(splice) || typeof splice['at'] !== 'number' || !text(splice['removed']) || !text(splice['inserted'])) return null;
    splices.push({ at: splice['at'], removed: splice['removed'], inserted: splice['inserted'] });
  }
  return {
    version: 1,
    id,
    file,
    target,
    time,
    before,
    after,
    restore,
    createdFolders,
    summary,
    undo: { splices, notes: undo['notes'] ?? null },
    undone,
  };
}
