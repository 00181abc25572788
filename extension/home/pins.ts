/**
 * What servers said of themselves when somebody (or the first sight of them) trusted it: one 0600 file a server under `pins/`,
 * read by whoever looks at definitions and changed under a lock, because several relays, the panel and the command line may at once.
 * A file that was removed is a server never seen; one that is damaged is kept aside, and nothing of that server is trusted unasked.
 */
import { createHash } from 'node:crypto';
import { readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ApprovedDefinition, DefinitionKind, HeldDefinition, PinnedItem, ServerPins } from '#contract/definitions.ts';
import { isObject, type JsonValue } from '#core/model/json.ts';
import { VERDICTS } from '#core/model/verdict.ts';
import { pinnedText } from '#core/policy/pinnedText.ts';
import { createJournalLock } from '#home/journal/journalLock.ts';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import { errorCode, readBounded, removeIfThere, writePrivate } from '#home/privateFile.ts';
import { ownIdentity } from '#home/processIdentity.ts';

/** Ten times the largest server we know of; beyond it definitions are kept by their hash alone. */
const MAX_PINS_BYTES = 32 * 1024 * 1024;
/** A longer definition is kept by its hash; its diff cannot be shown then. */
const MAX_KEPT_DEFINITION = 64 * 1024;
/** All of one server's; what comes on top is kept by its hash. */
const MAX_KEPT_TOTAL = 8 * 1024 * 1024;
/** What waits or is denied of one server, of names a server may invent without end: the oldest go, and are looked at anew. */
const MAX_UNAPPROVED = 5000;
const MAX_WORKSPACES = 20;
/** Prompts and templates may be as many as a server's documents: those approved longest ago go, and count as new when they come again. */
const MAX_LISTED_DATA = 5000;
const LOCK_WAIT_MS = 5000;
const ID = /^[0-9a-f]{32}$/u;

export function definitionHash(kind: DefinitionKind, definition: JsonValue): string {
  return createHash('sha256')
    .update(`callgate.pin.v1\n${kind}\n${pinnedText(definition)}`)
    .digest('hex');
}

/** Different definitions of one thing that count as approved. */
const MAX_EARLIER = 8;

/** What is approved once `now` is; what was before stays good. */
export function approvedNow(
  before: ApprovedDefinition | null,
  now: Pick<ApprovedDefinition, 'hash' | 'definition' | 'judgedBy'>,
  by: ApprovedDefinition['by'],
  at: number,
): ApprovedDefinition {
  const earlier = before === null ? [] : [...before.earlier, before.hash].filter((hash) => hash !== now.hash);
  return { hash: now.hash, definition: now.definition, by, at, judgedBy: now.judgedBy, earlier: earlier.slice(-MAX_EARLIER) };
}

/** The definition as it is kept for showing; null when it is too large. */
export function keptDefinition(definition: JsonValue): JsonValue {
  return JSON.stringify(definition).length <= MAX_KEPT_DEFINITION ? definition : null;
}

export interface PinStore {
  /** Null when the server was never seen. @throws Error when its file cannot be read or is damaged. */
  readonly read: (id: string) => ServerPins | null;
  /** @throws Error when the folder cannot be read; a damaged file is told to `warn` and left out. */
  readonly list: () => readonly ServerPins[];
  /**
   * `edit` gets what is known now and gives what shall be; the same object or null changes nothing. The result is what is there after it.
   * @throws Error when it cannot be written; then nothing has changed.
   */
  readonly change: (id: string, edit: (now: ServerPins | null) => ServerPins | null) => ServerPins | null;
  /** False when there was nothing to forget. */
  readonly forget: (id: string) => boolean;
  readonly close: () => void;
}

interface Seen {
  readonly stamp: string;
  readonly pins: ServerPins;
}

export function openPins(layout: Layout, warn: (message: string) => void): PinStore {
  const folder = join(layout.root, 'pins');
  const fileOf = (id: string): string => join(folder, `${id}.json`);
  const seen = new Map<string, Seen>();
  let lock: ReturnType<typeof createJournalLock> | null = null;

  /** Parsed again only when the file is another one: every change is a new file. */
  const read = (id: string): ServerPins | null => {
    if (!ID.test(id)) return null;
    const file = fileOf(id);
    const stamp = stampOf(file);
    if (stamp === null) {
      seen.delete(id);
      return null;
    }
    const known = seen.get(id);
    if (known?.stamp === stamp) return known.pins;
    const bytes = readBounded(file, MAX_PINS_BYTES);
    if (bytes === null) return null;
    const pins = parsePins(bytes.toString('utf8'), id);
    if (pins === null) throw new Error(`${file} is damaged`);
    seen.set(id, { stamp, pins });
    return pins;
  };

  const locked = <T>(work: () => T): T => {
    ensurePrivateFolder(folder);
    lock ??= createJournalLock(folder, ownIdentity(), LOCK_WAIT_MS);
    lock.acquire();
    try {
      return work();
    } finally {
      lock.release();
    }
  };

  /** What is there now; a damaged file is put aside, and what is pinned in its place asks for everything. */
  const readOrPutAside = (id: string): { readonly now: ServerPins | null; readonly lost: boolean } => {
    try {
      return { now: read(id), lost: false };
    } catch (error) {
      if (errorCode(error) !== '') throw error;
      renameSync(fileOf(id), `${fileOf(id)}.damaged`);
      warn(`${fileOf(id)} was damaged and is now ${id}.json.damaged; a person has to approve what that server offers.`);
      return { now: null, lost: true };
    }
  };

  return {
    read,
    list: () => {
      let names: string[];
      try {
        names = readdirSync(folder);
      } catch (error) {
        if (errorCode(error) === 'ENOENT') return [];
        throw error;
      }
      return names.flatMap((name) => {
        const id = name.endsWith('.json') ? name.slice(0, -5) : '';
        if (!ID.test(id)) return [];
        try {
          return read(id) ?? [];
        } catch (error) {
          warn(`${error instanceof Error ? error.message : String(error)}; its server's definitions will be asked about`);
          return [];
        }
      });
    },
    change: (id, edit) => {
      if (!ID.test(id)) throw new Error(`${JSON.stringify(id.slice(0, 80))} names no server's pins`);
      return locked(() => {
        const { now, lost } = readOrPutAside(id);
        const edited = edit(now);
        if (edited === null || edited === now) return now;
        const wanted = bounded(lost ? { ...edited, askFirst: true } : edited);
        const text = `${JSON.stringify({ v: 1, ...wanted })}\n`;
        if (Buffer.byteLength(text) > MAX_PINS_BYTES) throw new Error(`${fileOf(id)} would be larger than ${MAX_PINS_BYTES} bytes`);
        writePrivate(fileOf(id), text);
        // Nobody else writes while the lock is ours: what is there is what was written.
        const stamp = stampOf(fileOf(id));
        if (stamp !== null) seen.set(id, { stamp, pins: wanted });
        return wanted;
      });
    },
    forget: (id) => ID.test(id) && locked(() => [fileOf(id), `${fileOf(id)}.damaged`].filter(removeIfThere).length > 0),
    close: () => lock?.close(),
  };
}

/** Tells one version of a file from every other; null when there is none. */
function stampOf(file: string): string | null {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat ? `${stat.ino}.${stat.mtimeNs}.${stat.size}` : null;
}

function bounded(pins: ServerPins): ServerPins {
  const open = pins.items.filter((item) => item.approved === null);
  const data = pins.items
    .filter(({ kind, approved }) => (kind === 'prompt' || kind === 'template') && approved !== null)
    .sort((a, b) => (a.approved?.at ?? 0) - (b.approved?.at ?? 0));
  const dropped = new Set([
    ...open.slice(0, Math.max(0, open.length - MAX_UNAPPROVED)),
    ...data.slice(0, Math.max(0, data.length - MAX_LISTED_DATA)),
  ]);
  let room = MAX_KEPT_TOTAL;
  const kept = <T extends { readonly definition: JsonValue }>(part: T | null): T | null => {
    if (part === null || part.definition === null) return part;
    const size = JSON.stringify(part.definition).length;
    if (size > room) return { ...part, definition: null };
    room -= size;
    return part;
  };
  return {
    ...pins,
    workspaces: pins.workspaces.slice(-MAX_WORKSPACES),
    items: pins.items
      .filter((item) => !dropped.has(item))
      .map((item) => ({ ...item, held: kept(item.held), approved: kept(item.approved) })),
  };
}

const KINDS: readonly unknown[] = ['tool', 'prompt', 'template', 'instructions'];
const CHANGES: readonly unknown[] = ['first', 'changed', 'renamed', 'added', 'imitates', 'poisoned'];
const HASH = /^[0-9a-f]{64}$/u;

function parsePins(text: string, id: string): ServerPins | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // the caller says which file
  }
  if (!isObject(value) || value['v'] !== 1 || value['id'] !== id) return null;
  const { server, shown, workspaces, replaces, complete, askFirst, items } = value;
  if (typeof server !== 'string' || typeof shown !== 'string' || typeof replaces !== 'string' || typeof askFirst !== 'boolean') return null;
  if (!isTexts(workspaces) || !Array.isArray(complete) || !complete.every((kind) => KINDS.includes(kind)) || !Array.isArray(items))
    return null;
  const known: PinnedItem[] = [];
  for (const item of items as readonly unknown[]) {
    const parsed = isObject(item) ? parseItem(item) : null;
    if (parsed === null) return null;
    known.push(parsed);
  }
  return { id, server, shown, workspaces, replaces, complete: complete as DefinitionKind[], askFirst, items: known };
}

function parseItem({ kind, name, approved, held, denied }: Readonly<Record<string, unknown>>): PinnedItem | null {
  if (!KINDS.includes(kind) || typeof name !== 'string') return null;
  if (approved !== null && !isApproved(approved)) return null;
  if (held !== null && !isHeld(held)) return null;
  if (denied !== null && !(isObject(denied) && isHashOrAny(denied['hash']) && typeof denied['at'] === 'number')) return null;
  return { kind: kind as DefinitionKind, name, approved, held, denied: denied as PinnedItem['denied'] };
}

const isHashOrAny = (value: unknown): boolean => value === '*' || (typeof value === 'string' && HASH.test(value));
const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((item) => typeof item === 'string');

function isApproved(value: unknown): value is ApprovedDefinition {
  if (!isObject(value) || typeof value['hash'] !== 'string' || !HASH.test(value['hash']) || value['definition'] === undefined) return false;
  const { by, at, judgedBy, earlier } = value;
  if (!isTexts(earlier) || !earlier.every((hash) => HASH.test(hash))) return false;
  return (by === 'first' || by === 'gate' || by === 'person') && typeof at === 'number' && typeof judgedBy === 'string';
}

function isHeld(value: unknown): value is HeldDefinition {
  if (!isObject(value) || typeof value['hash'] !== 'string' || !HASH.test(value['hash']) || value['definition'] === undefined) return false;
  const { change, why, verdict, findings, since, group, judgedBy } = value;
  if (!CHANGES.includes(change) || !(VERDICTS as readonly unknown[]).includes(verdict) || !Array.isArray(findings)) return false;
  return typeof why === 'string' && typeof since === 'number' && typeof group === 'string' && typeof judgedBy === 'string';
}
