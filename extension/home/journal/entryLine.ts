/** One journal line: how an event becomes canonical bytes with its hash, and how bytes from disk become an entry. */
import { createHash, hash as oneShotHash } from 'node:crypto';
import type { AuditEntry, AuditEvent } from '#contract/auditRecord.ts';
import { canonicalJson, isInOrder, isObject, type JsonValue } from '#core/model/json.ts';
import { entryOf, wrongEntryField, type ChainPlace } from '#home/journal/entryShape.ts';
import { errorText } from '#home/privateFile.ts';

export const ENTRY_DOMAIN = 'callgate.entry.v2\n';
/** `prev` of entry 1. */
export const GENESIS_PREV = '0'.repeat(64);
/** Longest line, in bytes without its end: what a reader must be ready to hold in memory. */
export const MAX_LINE_BYTES = 1024 * 1024;

/** `crypto.hash` is there from Node 20.12 on and twice as fast for short texts. */
export const sha256: (text: string) => string =
  typeof oneShotHash === 'function'
    ? (text) => oneShotHash('sha256', text, 'hex')
    : (text) => createHash('sha256').update(text).digest('hex');

export type SealResult = { readonly entry: AuditEntry; readonly line: string; readonly problem: null } | { readonly problem: string };

export function sealEntry(event: AuditEvent, place: ChainPlace): SealResult {
  try {
    const entry = entryOf(event, place, GENESIS_PREV);
    const wrong = wrongEntryField(entry);
    if (wrong !== null) return { problem: `its field ${wrong} is not as contract/auditRecord.ts says` };
    const [before, after] = canonicalAround(entry);
    const hash = sha256(ENTRY_DOMAIN + before + after);
    entry.hash = hash;
    const line = `${before},"hash":"${hash}"${after}`;
    if (line.length > MAX_LINE_BYTES / 3 && Buffer.byteLength(line) > MAX_LINE_BYTES)
      return { problem: `it takes more than ${MAX_LINE_BYTES} bytes` };
    return { entry, line, problem: null };
  } catch (error) {
    return { problem: errorText(error) };
  }
}

/**
 * The canonical JSON of an entry without its hash, in two pieces: what stands before the hash and what follows it.
 * In that order `hash` stands before `key`, and behind `key` there are only plain strings, nulls and numbers, where a quote is always
 * escaped: the last `,"key":"` of a line is the entry's own, whatever the arguments hold.
 * The names are written in their order here, so that `JSON.stringify` does the most of it in two calls: sorting two dozen known keys
 * for every entry takes longer than hashing it. A test holds it to `canonicalJson`.
 */
function canonicalAround(e: AuditEntry): readonly [string, string] {
  const { agent, args, argsHash, by, call, channel, client, cwd, findings } = e;
  const before =
    findings.length === 0 && isInOrder(args)
      ? JSON.stringify({ agent, args, argsHash, by, call, channel, client, cwd, findings })
      : `{"agent":${JSON.stringify(agent)},"args":${canonicalJson(args)},${JSON.stringify({ argsHash, by, call, channel, client, cwd }).slice(1, -1)}` +
        `,"findings":${canonicalJson(findings as unknown as JsonValue)}}`;
  const { key, kind, note, outcome, parent, policy, prev, reason, rules, seq, server, session, time, tookMs, tool, useId } = e;
  const { v, verdict, workspace, writer } = e;
  const after = JSON.stringify({
    key,
    kind,
    note,
    outcome,
    parent,
    policy,
    prev,
    reason,
    rules,
    seq,
    server,
    session,
    time,
    tookMs,
    tool,
    useId,
    v,
    verdict,
    workspace,
    writer,
  });
  return [before.slice(0, -1), `,${after.slice(1)}`];
}

export type LineCode =
  | 'TOO_LONG'
  | 'NOT_JSON'
  | 'VERSION' // written by a newer Callgate, or not an entry at all
  | 'SHAPE' // a field is missing, unknown or of the wrong kind
  | 'NOT_CANONICAL' // reads as an entry, but its bytes are not the ones a writer writes: two readers could disagree on it
  | 'ALTERED'; // the hash does not fit the bytes

export type LineResult = { readonly entry: AuditEntry; readonly code: null } | { readonly code: LineCode; readonly message: string };

/** Reads one line, given without its line end. Takes any bytes; only the exact bytes of a sealed entry give one. */
export function parseEntryLine(bytes: Buffer): LineResult {
  if (bytes.length > MAX_LINE_BYTES) return { code: 'TOO_LONG', message: `the line is longer than ${MAX_LINE_BYTES} bytes` };
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { code: 'NOT_JSON', message: `the line is not JSON (${errorText(error).slice(0, 200)})` };
  }
  if (isObject(value) && value['v'] !== 2) return { code: 'VERSION', message: 'the line carries no entry of version 2' };
  const wrong = wrongEntryField(value);
  if (wrong !== null)
    return { code: 'SHAPE', message: `the entry's field ${JSON.stringify(wrong.slice(0, 100))} is missing, unknown or of the wrong kind` };
  const entry = value as AuditEntry;
  let around: readonly [string, string];
  try {
    around = canonicalAround(entry);
  } catch (error) {
    // A RangeError from nesting too deep to walk: no writer writes such a line.
    return { code: 'NOT_CANONICAL', message: `the line is nested too deep (${errorText(error).slice(0, 200)})` };
  }
  const [before, after] = around;
  // Duplicate keys, other spellings of a string or number and white space end here; so does broken UTF-8, which reads as U+FFFD.
  if (`${before},"hash":"${entry.hash}"${after}` !== text || (text.includes('\ufffd') && !Buffer.from(text).equals(bytes)))
    return { code: 'NOT_CANONICAL', message: 'the bytes of the line are not the canonical form of what it says' };
  if (sha256(ENTRY_DOMAIN + before + after) !== entry.hash)
    return { code: 'ALTERED', message: 'the entry was altered: its hash does not fit its content' };
  return { entry, code: null };
}
