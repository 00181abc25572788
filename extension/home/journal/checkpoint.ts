/**
 * The checkpoint: a signed statement of how many entries the journal holds and what the last one's hash is, kept
 * outside the journal's folder, so that cutting entries off the end or rewriting the whole chain shows.
 *
 * The file is two lines of 512 bytes, padded with spaces. A statement with an even `turn` goes to the first, an odd one
 * to the second, each by one write inside one disk sector: a writer killed at any moment leaves the other line whole.
 * The two turns always differ by one, so lines of different times cannot be mixed. Putting the whole file back as it once
 * was cannot be told from inside; that takes a copy of the newest statement kept elsewhere.
 */
import { randomBytes, sign, verify, type KeyObject } from 'node:crypto';
import { closeSync, constants, fdatasyncSync, fsyncSync, linkSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canonicalJson, isObject, type JsonValue } from '#core/model/json.ts';
import { GENESIS_PREV } from '#home/journal/entryLine.ts';
import type { SigningKey } from '#home/journal/keys.ts';
import { PLAIN_FILE, syncFolder } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { errorText, readBounded } from '#home/privateFile.ts';

export const CHECKPOINT_DOMAIN = 'callgate.checkpoint.v1\n';
export const SLOT_BYTES = 512;

export interface Checkpoint {
  readonly v: 1;
  /** Counts up by one with every checkpoint written. */
  readonly turn: number;
  /** Entries in the journal. */
  readonly count: number;
  /** Hash of entry `count`; 64 zeros when there is none yet. */
  readonly head: string;
  /** Wall clock, milliseconds since 1970. */
  readonly time: number;
  /** Id of the signing key. */
  readonly key: string;
}

export type CheckpointState =
  | { readonly state: 'missing' }
  /** `line` 1 or 2; 0 when it is the file as a whole. */
  | { readonly state: 'damaged'; readonly line: number; readonly message: string }
  | { readonly state: 'ok'; readonly checkpoint: Checkpoint };

export function checkpointFile(layout: Layout): string {
  return join(layout.keys, 'journal-checkpoint');
}

/** The first statement by a new key, until it takes the checkpoint's place; see node/audit/rotation. */
export function nextCheckpointFile(file: string): string {
  return `${file}.next`;
}

/** The bytes a signature covers. */
function signedText(checkpoint: Checkpoint): Buffer {
  return Buffer.from(CHECKPOINT_DOMAIN + canonicalJson(checkpoint as unknown as JsonValue));
}

function slotText(checkpoint: Checkpoint, signature: string): string {
  return `${canonicalJson({ ...checkpoint, sig: signature } as unknown as JsonValue).padEnd(SLOT_BYTES - 1)}\n`;
}

function signedSlot(checkpoint: Checkpoint, key: SigningKey): string {
  return slotText(checkpoint, sign(null, signedText(checkpoint), key.privateKey).toString('base64'));
}

/** Null when there is no checkpoint. @throws the system's error when it cannot be read. */
export function readCheckpointBytes(file: string): Buffer | null {
  return readBounded(file, SLOT_BYTES * 64);
}

/** Never throws on what is in the file, whoever wrote it. */
export function parseCheckpointFile(bytes: Buffer | null, publicKey: KeyObject | null, keyId: string | null): CheckpointState {
  if (bytes === null) return { state: 'missing' };
  if (publicKey === null || keyId === null) return { state: 'damaged', line: 0, message: 'the key it was signed with is missing' };
  return parseCheckpoint(bytes, publicKey, keyId);
}

function parseCheckpoint(bytes: Buffer, publicKey: KeyObject, keyId: string): CheckpointState {
  if (bytes.length !== SLOT_BYTES * 2)
    return { state: 'damaged', line: 0, message: `it holds ${bytes.length} bytes and not ${SLOT_BYTES * 2}` };
  const slots: Checkpoint[] = [];
  for (const index of [0, 1]) {
    const slot = parseSlot(bytes.subarray(index * SLOT_BYTES, (index + 1) * SLOT_BYTES), publicKey, keyId);
    if (typeof slot === 'string') return { state: 'damaged', line: index + 1, message: slot };
    if (slot.turn % 2 !== index) return { state: 'damaged', line: index + 1, message: 'its statement belongs to the other line' };
    slots.push(slot);
  }
  const [even, odd] = slots as [Checkpoint, Checkpoint];
  if (Math.abs(even.turn - odd.turn) !== 1)
    return { state: 'damaged', line: even.turn < odd.turn ? 1 : 2, message: 'its statement is an old one put back' };
  const [older, newer] = even.turn < odd.turn ? [even, odd] : [odd, even];
  if (older.count > newer.count)
    return { state: 'damaged', line: newer.turn % 2 === 0 ? 1 : 2, message: 'it names fewer entries than the statement before it' };
  return { state: 'ok', checkpoint: newer };
}

function parseSlot(bytes: Buffer, publicKey: KeyObject, keyId: string): Checkpoint | string {
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'its statement is not JSON';
  }
  if (!isObject(value)) return 'its statement is not JSON of the right shape';
  const { v, turn, count, head, time, key, sig } = value;
  if (
    v !== 1 ||
    !isCount(turn) ||
    !isCount(count) ||
    !isCount(time) ||
    typeof head !== 'string' ||
    !/^[0-9a-f]{64}$/.test(head) ||
    typeof key !== 'string' ||
    typeof sig !== 'string'
  )
    return 'its statement has a wrong or missing field';
  if (key !== keyId) return `its statement was signed by key ${key.slice(0, 16)}, and this install's key is ${keyId}`;
  const checkpoint: Checkpoint = { v, turn, count, head, time, key };
  if (!Buffer.from(slotText(checkpoint, sig)).equals(bytes)) return 'the bytes of its statement are not the canonical ones';
  const signature = Buffer.from(sig, 'base64');
  // Other spellings of the same base64 would pass for the same signature.
  if (signature.toString('base64') !== sig) return 'its signature is not canonical base64';
  try {
    if (verify(null, signedText(checkpoint), publicKey, signature)) return checkpoint;
  } catch (error) {
    return `its signature cannot be checked (${errorText(error)})`;
  }
  return 'its signature is wrong';
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Two statements of the same count and head, of the turns `turn` and the next, for a file that holds none by this key yet. */
export function twoStatements(
  at: Pick<Checkpoint, 'turn' | 'count' | 'head' | 'time'>,
  key: SigningKey,
): { readonly checkpoint: Checkpoint; readonly bytes: Buffer } {
  const first: Checkpoint = { v: 1, turn: at.turn, count: at.count, head: at.head, time: at.time, key: key.id };
  const second: Checkpoint = { ...first, turn: at.turn + 1 };
  const [even, odd] = at.turn % 2 === 0 ? [first, second] : [second, first];
  return { checkpoint: second, bytes: Buffer.from(signedSlot(even, key) + signedSlot(odd, key)) };
}

/** The statements of a journal without entries; exists before the first entry does, so a missing file is never innocent. */
export function createCheckpoint(
  file: string,
  key: SigningKey,
  time: number,
): { readonly checkpoint: Checkpoint; readonly mirrorBytes: Buffer } {
  const { checkpoint, bytes } = twoStatements({ turn: 0, count: 0, head: GENESIS_PREV, time }, key);
  const temporary = `${file}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
  const handle = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(handle, bytes);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  try {
    linkSync(temporary, file);
  } finally {
    unlinkSync(temporary);
  }
  syncFolder(dirname(file));
  return { checkpoint, mirrorBytes: bytes };
}

/**
 * Gives the bytes it put into the file at `(turn % 2) * SLOT_BYTES`.
 * `sync: 'now'` waits for the disk; after a power cut an unsynced checkpoint may be behind the journal, never torn.
 */
export function writeCheckpoint(file: string, checkpoint: Checkpoint, key: SigningKey, sync: 'now' | 'later'): Buffer {
  const bytes = Buffer.from(signedSlot(checkpoint, key));
  const handle = openSync(file, constants.O_WRONLY | PLAIN_FILE);
  try {
    const wrote = writeSync(handle, bytes, 0, bytes.length, (checkpoint.turn % 2) * SLOT_BYTES);
    if (wrote !== bytes.length) throw new Error(`only ${wrote} of ${bytes.length} bytes of the checkpoint were written`);
    if (sync === 'now') fdatasyncSync(handle);
    return bytes;
  } finally {
    closeSync(handle);
  }
}
