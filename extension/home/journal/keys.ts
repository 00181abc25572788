/**
 * The install's own keys, made on first use: an Ed25519 key that signs checkpoints and a secret for keyed hashes.
 * PKCS#8 and SPKI in PEM, so that `openssl` reads them.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, linkSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { JournalError, journalErrorFrom } from '#home/journal/journalError.ts';
import { PLAIN_FILE } from '#home/journal/segments.ts';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import { errorCode, errorText, writePrivate } from '#home/privateFile.ts';

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** First 16 hex digits of the SHA-256 of the raw 32 public bytes. */
  readonly id: string;
}

export function signingKeyFile(layout: Layout): string {
  return join(layout.keys, 'journal-signing.pem');
}
export function publicKeyFile(layout: Layout): string {
  return join(layout.keys, 'journal-signing.pub.pem');
}
/** The public half of a key that was in force before; see node/audit/rotation. */
export function retiredKeyFile(layout: Layout, id: string): string {
  return join(layout.keys, `journal-signing.${id}.pub.pem`);
}
function secretFile(layout: Layout): string {
  return join(layout.keys, 'redaction-secret');
}

/** @throws JournalError KEY, UNSAFE_FOLDER, NOT_WRITABLE, NO_SPACE */
export function loadSigningKey(layout: Layout): SigningKey {
  return unlessChanged(layout, () => loadPair(layout));
}

/**
 * Does it again when the private key became another one meanwhile: its change puts the public one there a moment later, and whoever
 * reads in between sees two keys that are no pair. @throws what `read` throws while the key stays the same
 */
function unlessChanged<T>(layout: Layout, read: () => T): T {
  for (let attempt = 0; ; attempt += 1) {
    const before = readKey(signingKeyFile(layout));
    try {
      return read();
    } catch (error) {
      if (attempt === MAX_CHANGES || readKey(signingKeyFile(layout)) === before) throw error;
    }
  }
}

/** Of the key while it is read; a person changes it once a year. */
const MAX_CHANGES = 5;

function loadPair(layout: Layout): SigningKey {
  const file = signingKeyFile(layout);
  // A new one beside a public key would not be its pair, and would stand where the lost one has to be put back. Looked for
  // again last: whoever makes both at this moment makes the private one first.
  if (readKey(file) === null && readKey(publicKeyFile(layout)) !== null && readKey(file) === null)
    throw unusableKey(file, 'it is missing although its public key is there');
  const pem = readOrMake(layout, file, () => generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
  let privateKey: KeyObject;
  try {
    privateKey = rawPrivateKey(pem) ?? createPrivateKey(pem);
  } catch (error) {
    throw unusableKey(file, errorText(error), error);
  }
  if (privateKey.asymmetricKeyType !== 'ed25519') throw unusableKey(file, 'it is not an Ed25519 key');
  const publicKey = createPublicKey(privateKey);
  const wanted = publicPem(publicKey);
  const beside = readOrMake(layout, publicKeyFile(layout), () => wanted);
  // Entries signed beside a foreign public key would look forged to everyone who has only that one.
  if (beside !== wanted) requirePair(layout, beside, publicKey);
  return { privateKey, publicKey, id: keyId(publicKey) };
}

/** Puts the right one there when the one beside it is that of a key just retired: its rotation was killed between the two files. */
function requirePair(layout: Layout, pem: string, publicKey: KeyObject): void {
  let other: KeyObject;
  try {
    other = createPublicKey(pem);
  } catch (error) {
    throw unusablePublicKey(layout, errorText(error), error);
  }
  if (other.equals(publicKey)) return;
  if (!isRetired(layout, other)) throw unusablePublicKey(layout, 'it does not belong to the private key beside it');
  try {
    writePrivate(publicKeyFile(layout), publicPem(publicKey));
  } catch (error) {
    throw journalErrorFrom(error, publicKeyFile(layout), 'write a key');
  }
}

const isRetired = (layout: Layout, key: KeyObject): boolean =>
  key.asymmetricKeyType === 'ed25519' && retiredKey(layout, keyId(key))?.equals(key) === true;

/** The retired key of this id; null when none is kept, or none that can be used. */
export function retiredKey(layout: Layout, id: string): KeyObject | null {
  if (!/^[0-9a-f]{16}$/.test(id)) return null;
  try {
    const pem = readKey(retiredKeyFile(layout, id));
    const key = pem === null ? null : createPublicKey(pem);
    return key !== null && key.asymmetricKeyType === 'ed25519' && keyId(key) === id ? key : null;
  } catch {
    return null; // what it signed is then reported as signed by a key nobody knows
  }
}

function unusablePublicKey(layout: Layout, why: string, cause?: unknown): JournalError {
  const file = publicKeyFile(layout);
  return new JournalError(
    'KEY',
    { file, line: 0 },
    `this key cannot be used (${why}); remove it if the private key beside it is the right one, and from that it is made anew`,
    cause,
  );
}

/**
 * The key that checkpoints are checked with, made from the private one when that is there; null when there is neither.
 * Makes no key. @throws JournalError KEY when a file cannot be used or the two are not a pair
 */
export function readPublicKey(layout: Layout): Pick<SigningKey, 'publicKey' | 'id'> | null {
  return unlessChanged(layout, () => readPair(layout));
}

function readPair(layout: Layout): Pick<SigningKey, 'publicKey' | 'id'> | null {
  const read = (file: string): KeyObject | null => {
    const pem = readKey(file);
    if (pem === null) return null;
    try {
      return createPublicKey(pem);
    } catch (error) {
      if (file === publicKeyFile(layout) && fromPrivate !== null) throw unusablePublicKey(layout, errorText(error), error);
      throw unusableKey(file, errorText(error), error);
    }
  };
  let fromPrivate: KeyObject | null = null;
  fromPrivate = read(signingKeyFile(layout));
  const beside = read(publicKeyFile(layout));
  const publicKey = fromPrivate ?? beside;
  if (publicKey === null) return null;
  if (publicKey.asymmetricKeyType !== 'ed25519') throw unusableKey(signingKeyFile(layout), 'it is not an Ed25519 key');
  if (beside !== null && !beside.equals(publicKey) && !isRetired(layout, beside))
    throw unusablePublicKey(layout, 'it does not belong to the private key beside it');
  return { publicKey, id: keyId(publicKey) };
}

export function keyId(publicKey: KeyObject): string {
  // As JWK the raw 32 bytes come without OpenSSL's encoders, whose first use takes a millisecond (RFC 8037).
  const { x } = publicKey.export({ format: 'jwk' });
  return createHash('sha256')
    .update(Buffer.from(x ?? '', 'base64url'))
    .digest('hex')
    .slice(0, 16);
}

/** An Ed25519 key in PKCS#8 is this and the raw 32 bytes (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const PEM = /^-----BEGIN PRIVATE KEY-----\n([A-Za-z0-9+/]{64})\n-----END PRIVATE KEY-----\n$/;

/** An Ed25519 key in SPKI is this and the raw 32 bytes (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** As OpenSSL writes it, without its encoders. */
export function publicPem(publicKey: KeyObject): string {
  const { x } = publicKey.export({ format: 'jwk' });
  const der = Buffer.concat([SPKI_PREFIX, Buffer.from(x ?? '', 'base64url')]);
  return `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`;
}

/** The key in a file exactly as we write it, without OpenSSL's decoders, whose first use takes a millisecond; else null. */
function rawPrivateKey(pem: string): KeyObject | null {
  const der = Buffer.from(PEM.exec(pem)?.[1] ?? '', 'base64');
  if (der.length !== PKCS8_PREFIX.length + 32 || !der.subarray(0, PKCS8_PREFIX.length).equals(PKCS8_PREFIX)) return null;
  const d = der.subarray(PKCS8_PREFIX.length).toString('base64url');
  try {
    // The public half must be named but is made from the private one.
    return createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x: d }, format: 'jwk' });
  } catch {
    return null; // a crypto library that looks at it: the usual way does it
  }
}

/**
 * A key object: Node spends several times as long on making one of bytes, for every hash, as on the hash.
 * @throws JournalError KEY, UNSAFE_FOLDER, NOT_WRITABLE, NO_SPACE
 */
export function loadRedactionSecret(layout: Layout): KeyObject {
  const file = secretFile(layout);
  const text = readOrMake(layout, file, () => `${randomBytes(32).toString('hex')}\n`).trim();
  if (!/^[0-9a-f]{64}$/.test(text)) throw unusableKey(file, 'it does not hold 64 hex digits');
  return createSecretKey(text, 'hex');
}

/** The public key goes with the private one: left behind it would belong to no key. */
function whatGoes(file: string): string {
  return file.endsWith('journal-signing.pem') ? `${file} and ${file.replace(/pem$/, 'pub.pem')}` : 'it';
}

function unusableKey(file: string, why: string, cause?: unknown): JournalError {
  return new JournalError(
    'KEY',
    { file, line: 0 },
    `this key cannot be used (${why}); put the original back from a backup, or, to start anew, move ${whatGoes(file)} away with the journal folder and journal-checkpoint`,
    cause,
  );
}

function readOrMake(layout: Layout, file: string, make: () => string): string {
  const existing = readKey(file);
  if (existing !== null) return existing;
  try {
    ensurePrivateFolder(layout.keys);
  } catch (error) {
    throw journalErrorFrom(error, layout.keys, 'use the key folder');
  }
  // link(2) gives the name to one writer only, and only to whole content: of several first uses at once all take the winner's key.
  const temporary = `${file}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(handle, make());
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    try {
      linkSync(temporary, file);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    } finally {
      unlinkSync(temporary);
    }
  } catch (error) {
    throw journalErrorFrom(error, file, 'write a key');
  }
  const made = readKey(file);
  if (made === null) throw unusableKey(file, 'it vanished while it was made');
  return made;
}

function readKey(file: string): string | null {
  let handle: number;
  try {
    handle = openSync(file, constants.O_RDONLY | PLAIN_FILE);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw unusableKey(file, errorText(error), error);
  }
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile() || stat.size > 4096) throw unusableKey(file, 'it is not a key file');
    if (process.getuid && stat.uid !== process.getuid()) throw unusableKey(file, `it belongs to user ${stat.uid}`);
    if (process.platform !== 'win32' && !file.endsWith('.pub.pem') && (stat.mode & 0o077) !== 0)
      throw unusableKey(file, 'others may read it; if nobody did, run chmod 600 on it');
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}
