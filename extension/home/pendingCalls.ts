/**
 * Calls that were quarantined while no editor was open: kept for a quarter of an hour so that the panel can show them
 * and a person can still approve the next try. Arguments are redacted; the grant key tells which call was meant.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Hold } from '#contract/ipc.ts';
import { CHANNELS, type ToolCall } from '#core/model/call.ts';
import { isObject } from '#core/model/json.ts';
import type { Decision } from '#core/model/verdict.ts';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import { errorCode, errorText, readBounded, removeIfThere, writePrivate } from '#home/privateFile.ts';

export const PENDING_MS = 15 * 60_000;
const MAX_PENDING = 50;
const MAX_PENDING_BYTES = 512 * 1024;
const NAME = /^([0-9]{13})\.([0-9a-f-]{36})\.json$/;

export interface PendingCall {
  readonly hold: Hold;
  readonly key: string;
  /** Keyed hash of the unredacted arguments. */
  readonly argsHash: string;
  /** The client was told to ask its user, so running it means that the user agreed. */
  readonly asked: boolean;
}

const folderOf = (layout: Layout): string => join(layout.root, 'pending');

/** @throws Error when it cannot be written; a call is refused or asked about all the same. */
export function addPending(layout: Layout, pending: PendingCall): void {
  const folder = folderOf(layout);
  ensurePrivateFolder(folder);
  const names = pendingNames(folder);
  for (const name of names.slice(0, Math.max(0, names.length - MAX_PENDING + 1))) removeIfThere(join(folder, name));
  writePrivate(
    join(folder, `${String(pending.hold.since).padStart(13, '0')}.${pending.hold.id}.json`),
    `${JSON.stringify({ v: 1, ...pending })}\n`,
  );
}

/** Nothing happens when it is not there (any more). */
export function removePending(layout: Layout, id: string): void {
  const folder = folderOf(layout);
  for (const name of pendingNames(folder)) if (NAME.exec(name)?.[2] === id) removeIfThere(join(folder, name));
}

/** Oldest first; those older than a quarter of an hour are removed. Never fails. */
export function listPending(layout: Layout, now: number, warn: (message: string) => void): readonly PendingCall[] {
  const folder = folderOf(layout);
  const found: PendingCall[] = [];
  try {
    for (const name of pendingNames(folder)) {
      const file = join(folder, name);
      if (Number(NAME.exec(name)?.[1]) + PENDING_MS < now) {
        removeIfThere(file);
        continue;
      }
      const bytes = readBounded(file, MAX_PENDING_BYTES);
      const pending = bytes && parsePending(bytes.toString('utf8'));
      if (pending) found.push(pending);
      else warn(`${file} is not a waiting call and is ignored`);
    }
  } catch (error) {
    warn(`${folder} cannot be read: ${errorText(error)}`);
  }
  return found;
}

function pendingNames(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => NAME.test(name))
      .sort();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function parsePending(text: string): PendingCall | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // the caller says so
  }
  if (!isObject(value) || value['v'] !== 1 || !isObject(value['hold'])) return null;
  const hold = value['hold'];
  const { call, decision } = hold;
  if (typeof value['key'] !== 'string' || !/^[0-9a-f]{64}$/.test(value['key']) || typeof value['asked'] !== 'boolean') return null;
  if (typeof hold['id'] !== 'string' || typeof hold['since'] !== 'number' || typeof hold['until'] !== 'number') return null;
  if (!isObject(call) || !isObject(decision) || !Array.isArray(decision['findings']) || typeof decision['reason'] !== 'string') return null;
  if (typeof value['argsHash'] !== 'string') return null;
  for (const key of ['client', 'agent', 'session', 'tool', 'cwd']) if (typeof call[key] !== 'string') return null;
  if (!(CHANNELS as readonly unknown[]).includes(call['channel']) || call['args'] === undefined) return null;
  return {
    key: value['key'],
    argsHash: value['argsHash'],
    asked: value['asked'],
    hold: {
      id: hold['id'],
      state: 'expired',
      since: hold['since'],
      until: hold['until'],
      call: call as unknown as ToolCall,
      decision: { ...(decision as unknown as Decision), verdict: 'quarantine' },
    },
  };
}
