/** Shows one entry without the rest: the entry, its way up the Merkle tree of its segment, and the signed statement with the tree's root. */
import { createHash, createPublicKey } from 'node:crypto';
import { canonicalJson, isObject, type JsonValue } from '#core/model/json.ts';
import type { AuditEntry } from '#contract/auditRecord.ts';
import { parseEntryLine } from '#home/journal/entryLine.ts';
import { JournalError } from '#home/journal/journalError.ts';
import { keyId, loadSigningKey, publicPem } from '#home/journal/keys.ts';
import { packedFile, listSegments, sealFile, segmentFile, tombstoneFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { errorText } from '#home/privateFile.ts';
import { leafOf, merkleTree, rootFrom, siblingsOf } from '#node/audit/merkle.ts';
import { segmentLines } from '#node/audit/segmentLines.ts';
import {
  knownKeys,
  parseSeal,
  parseTombstone,
  readStatement,
  signSeal,
  statementLine,
  type KeyOf,
  type Seal,
} from '#node/audit/statement.ts';
import { readSignature, verifyJournal } from '#node/audit/verify.ts';

export interface Proof {
  readonly v: 1;
  /** The entry's line as it stands in the journal. */
  readonly entry: string;
  /** Place of the entry among those of its segment, from 0. */
  readonly index: number;
  /** Hashes beside the way up, lowest first. */
  readonly siblings: readonly string[];
  readonly statement: Seal;
  /** The statement's key, as openssl reads it. Who is shown a proof must know from elsewhere whose key it is. */
  readonly publicKey: string;
}

/** @throws JournalError when there is no such entry, it was dropped, or the journal does not verify */
export async function proveEntry(layout: Layout, seq: number, now: () => number = Date.now): Promise<Proof> {
  const keyOf = knownKeys(layout);
  const number = await segmentOf(layout, seq, keyOf);
  const { has, numbers } = listSegments(layout.journal);
  const file = has(number, 'jsonl') ? segmentFile(layout.journal, number) : packedFile(layout.journal, number);
  const sealed = readStatement(sealFile(layout.journal, number), keyOf, parseSeal);
  if (sealed !== null && sealed.problem !== null) throw unproved(sealFile(layout.journal, number), 0, sealed.problem);
  let statement = sealed?.statement ?? null;
  // What no checkpoint names yet may be anybody's: our signature must not cover it, not even as a neighbour in the tree.
  const signed = statement === null ? ((await readSignature(layout)).checkpoint?.count ?? 0) : Number.MAX_SAFE_INTEGER;
  const plain = createHash('sha256');
  const leaves: Buffer[] = [];
  const tree = merkleTree();
  let bytes = 0;
  let first: AuditEntry | null = null;
  let head = '';
  let wanted: string | null = null;
  for await (const read of segmentLines(file)) {
    if (read.kind !== 'line') break;
    const parsed = parseEntryLine(read.bytes);
    if (parsed.code !== null) throw unproved(file, read.line, `${parsed.message}; run \`callgate audit verify\``);
    const { entry } = parsed;
    if (entry.seq > signed) {
      if (entry.seq === seq) throw unproved(file, read.line, `entry ${seq} is not signed yet; the next append signs it`);
      continue;
    }
    first ??= entry;
    head = entry.hash;
    plain.update(read.bytes).update('\n');
    bytes += read.bytes.length + 1;
    tree.add(entry.hash);
    leaves.push(leafOf(entry.hash));
    if (entry.seq === seq) wanted = read.bytes.toString('utf8');
  }
  if (first === null || wanted === null) throw unproved(file, 0, `there is no entry ${seq}`);
  const facts = {
    segment: number,
    first: first.seq,
    count: leaves.length,
    prev: first.prev,
    head,
    root: tree.root(),
    bytes,
    sha256: plain.digest('hex'),
  };
  if (statement !== null && (statement.root !== facts.root || statement.sha256 !== facts.sha256))
    throw unproved(file, 0, 'the segment is not the one that was sealed; run `callgate audit verify`');
  if (statement === null) {
    // Nothing has vouched for these entries but the checkpoint, so all of the chain up to it is looked at before they are signed.
    const report = await verifyJournal(layout);
    if (report.problem !== null) throw unproved(report.problem.file, report.problem.line, report.problem.message);
    statement = signSeal({ ...facts, gz: '', time: Math.max(0, now()) }, loadSigningKey(layout));
  }
  const key = keyOf(statement.key);
  if (key === null || !numbers.includes(number)) throw unproved(file, 0, 'its key is missing');
  return {
    v: 1,
    entry: wanted,
    index: seq - first.seq,
    siblings: siblingsOf(leaves, seq - first.seq),
    statement,
    publicKey: publicPem(key),
  };
}

/** One line, ready to be written to a file. */
export function proofText(proof: Proof): string {
  return `${canonicalJson(proof as unknown as JsonValue)}\n`;
}

export type ProofResult =
  | { readonly entry: AuditEntry; readonly statement: Seal; readonly problem: null }
  /** Why this proves nothing. */
  | { readonly problem: string };

/** Needs no journal. Takes any text. `key`: PEM of the key that it must be signed with; by default the one it carries. */
export function verifyProof(text: string, key?: string): ProofResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'this is not JSON' };
  }
  if (!isObject(value) || value['v'] !== 1) return { problem: 'this is no proof of version 1' };
  const { entry, index, siblings, statement, publicKey } = value;
  if (
    typeof entry !== 'string' ||
    typeof index !== 'number' ||
    typeof publicKey !== 'string' ||
    !isObject(statement) ||
    !Array.isArray(siblings)
  )
    return { problem: 'a field is missing or of the wrong kind' };
  if (!siblings.every((item) => typeof item === 'string')) return { problem: 'a field is missing or of the wrong kind' };
  const parsed = parseEntryLine(Buffer.from(entry));
  if (parsed.code !== null) return { problem: parsed.message };
  let keyOf: KeyOf;
  try {
    const carried = createPublicKey(publicKey);
    if (key !== undefined && !createPublicKey(key).equals(carried))
      return { problem: 'it is signed with another key than the one asked for' };
    keyOf = (id) => (keyId(carried) === id ? carried : null);
  } catch (error) {
    return { problem: `the public key cannot be used (${errorText(error)})` };
  }
  const signed = parseSeal(Buffer.from(statementLine(statement as unknown as Seal)), keyOf);
  if (signed.problem !== null) return { problem: `the statement cannot be trusted: ${signed.problem}` };
  const { first, count, root } = signed.statement;
  if (first + index !== parsed.entry.seq) return { problem: `entry ${parsed.entry.seq} does not stand at place ${index} of its segment` };
  if (rootFrom(parsed.entry.hash, index, count, siblings as readonly string[]) !== root)
    return { problem: 'the way up the tree does not lead to the signed root' };
  return { entry: parsed.entry, statement: signed.statement, problem: null };
}

/** The segment that holds entry `seq`, told by first entries. @throws JournalError */
export async function segmentOf(layout: Layout, seq: number, keyOf: KeyOf): Promise<number> {
  const { numbers, has } = listSegments(layout.journal);
  for (const number of [...numbers].reverse()) {
    if (!has(number, 'jsonl') && !has(number, 'jsonl.gz')) {
      const tombstone = readStatement(tombstoneFile(layout.journal, number), keyOf, parseTombstone);
      const last = tombstone === null || tombstone.problem !== null ? 0 : tombstone.statement.first + tombstone.statement.count - 1;
      throw unproved(
        tombstoneFile(layout.journal, number),
        0,
        `entry ${seq} was dropped with its segment; entries from ${last + 1} on are kept`,
      );
    }
    const file = has(number, 'jsonl') ? segmentFile(layout.journal, number) : packedFile(layout.journal, number);
    for await (const read of segmentLines(file)) {
      const parsed = read.kind === 'line' ? parseEntryLine(read.bytes) : null;
      if (parsed?.code === null && seq >= parsed.entry.seq) return number;
      break;
    }
  }
  throw unproved(layout.journal, 0, `there is no entry ${seq}`);
}

const unproved = (file: string, line: number, what: string): JournalError => new JournalError('BROKEN_TAIL', { file, line }, what);
