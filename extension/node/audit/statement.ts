/** A signed statement about one segment: a seal while it is kept, a tombstone once it has been dropped. One line of canonical JSON in a file of its own. */
import { sign, verify, type KeyObject } from 'node:crypto';
import { canonicalJson, isObject, type JsonValue } from '#core/model/json.ts';
import { readPublicKey, retiredKey, type SigningKey } from '#home/journal/keys.ts';
import type { Layout } from '#home/layout.ts';
import { errorText, readBounded } from '#home/privateFile.ts';

export const SEAL_DOMAIN = 'callgate.seal.v1\n';
export const TOMBSTONE_DOMAIN = 'callgate.expired.v1\n';
const MAX_STATEMENT_BYTES = 8192;

export interface SegmentFacts {
  readonly v: 1;
  readonly segment: number;
  /** `seq` of its first entry, and how many there are. */
  readonly first: number;
  readonly count: number;
  /** `prev` of its first entry and `hash` of its last. */
  readonly prev: string;
  readonly head: string;
  /** Root of the Merkle tree over its entries. */
  readonly root: string;
  /** Size and SHA-256 of the plain segment. */
  readonly bytes: number;
  readonly sha256: string;
  /** SHA-256 of the compressed file; empty while there is none. */
  readonly gz: string;
  readonly key: string;
  /** Wall clock, milliseconds since 1970. */
  readonly time: number;
}
export interface Seal extends SegmentFacts {
  readonly sig: string;
}
/** What is left of a dropped segment. */
export interface Tombstone extends Seal {
  /** When it was dropped, milliseconds since 1970, and by which rule. */
  readonly expired: number;
  readonly reason: string;
}

const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isHash = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

type Checks<T> = { readonly [K in keyof T]-?: (value: unknown) => boolean };
const SEAL: Checks<Seal> = {
  v: (value) => value === 1,
  segment: (value) => isCount(value) && value !== 0,
  first: (value) => isCount(value) && value !== 0,
  count: (value) => isCount(value) && value !== 0,
  prev: isHash,
  head: isHash,
  root: isHash,
  bytes: isCount,
  sha256: isHash,
  gz: (value) => value === '' || isHash(value),
  key: (value) => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value),
  time: isCount,
  sig: (value) => typeof value === 'string',
};
const TOMBSTONE: Checks<Tombstone> = { ...SEAL, expired: isCount, reason: (value) => typeof value === 'string' };

function signedBytes(domain: string, statement: Seal | Omit<Seal, 'sig'>): Buffer {
  return Buffer.from(domain + canonicalJson({ ...statement, sig: undefined } as unknown as JsonValue));
}

export function signSeal(facts: Omit<SegmentFacts, 'key' | 'v'>, key: SigningKey): Seal {
  const whole: SegmentFacts = { ...facts, v: 1, key: key.id };
  return { ...whole, sig: sign(null, signedBytes(SEAL_DOMAIN, whole), key.privateKey).toString('base64') };
}

export function signTombstone(seal: Seal, about: Pick<Tombstone, 'expired' | 'reason'>, key: SigningKey): Tombstone {
  const { sig: _sealed, ...facts } = seal;
  const whole = { ...facts, ...about, key: key.id };
  return { ...whole, sig: sign(null, signedBytes(TOMBSTONE_DOMAIN, whole), key.privateKey).toString('base64') };
}

export function statementLine(statement: Seal): string {
  return `${canonicalJson(statement as unknown as JsonValue)}\n`;
}

export type KeyOf = (id: string) => KeyObject | null;

/** Keys by id: the one in force and those that were before. @throws JournalError KEY */
export function knownKeys(layout: Layout): KeyOf {
  const own = readPublicKey(layout);
  const known = new Map<string, KeyObject | null>();
  return (id) => {
    if (own?.id === id) return own.publicKey;
    let key = known.get(id);
    if (key === undefined) known.set(id, (key = retiredKey(layout, id)));
    return key;
  };
}

type Read<T> = { readonly statement: T; readonly problem: null } | { readonly problem: string };

/** Takes any bytes; only the exact bytes of a statement signed by a known key give one. */
export function parseSeal(bytes: Buffer, keyOf: KeyOf): Read<Seal> {
  return parse<Seal>(bytes, SEAL, SEAL_DOMAIN, keyOf);
}
export function parseTombstone(bytes: Buffer, keyOf: KeyOf): Read<Tombstone> {
  return parse<Tombstone>(bytes, TOMBSTONE, TOMBSTONE_DOMAIN, keyOf);
}

function parse<T extends Seal>(bytes: Buffer, checks: Checks<T>, domain: string, keyOf: KeyOf): Read<T> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return { problem: 'it is not JSON' };
  }
  if (!isObject(value)) return { problem: 'it is not a JSON object' };
  const names = Object.keys(checks) as (keyof T & string)[];
  const wrong = names.find((name) => !checks[name](value[name]));
  if (wrong !== undefined || Object.keys(value).length !== names.length)
    return { problem: `its field ${wrong ?? '(one too many)'} is wrong` };
  const statement = value as unknown as T;
  if (!Buffer.from(statementLine(statement)).equals(bytes)) return { problem: 'its bytes are not the canonical ones' };
  const key = keyOf(statement.key);
  if (key === null) return { problem: `it was signed by key ${statement.key}, which is not known here` };
  try {
    const signature = Buffer.from(statement.sig, 'base64');
    // Other spellings of the same base64 would pass for the same signature.
    if (signature.toString('base64') !== statement.sig) return { problem: 'its signature is not canonical base64' };
    if (!verify(null, signedBytes(domain, statement), key, signature)) return { problem: 'its signature is wrong' };
  } catch (error) {
    return { problem: `its signature cannot be checked (${errorText(error)})` };
  }
  return { statement, problem: null };
}

/** Null when there is no such file. */
export function readStatement<T>(file: string, keyOf: KeyOf, parseBytes: (bytes: Buffer, keyOf: KeyOf) => Read<T>): Read<T> | null {
  try {
    const bytes = readBounded(file, MAX_STATEMENT_BYTES);
    return bytes === null ? null : parseBytes(bytes, keyOf);
  } catch (error) {
    return { problem: `it cannot be read (${errorText(error)})` };
  }
}
