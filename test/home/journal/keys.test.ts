/** The signing key is the one in its file, whichever way it is read. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { keyId, loadSigningKey, publicKeyFile, publicPem, readPublicKey, retiredKeyFile, signingKeyFile } from '#home/journal/keys.ts';
import { emptyLayout } from './journalBox.ts';

const spkiId = (pem: string): string =>
  createHash('sha256')
    .update(createPublicKey(pem).export({ format: 'der', type: 'spki' }).subarray(-32))
    .digest('hex')
    .slice(0, 16);

const spellings: readonly (readonly [string, (pem: string) => string])[] = [
  ['as we write it', (pem) => pem],
  ['with a word in front', (pem) => `made by hand\n${pem}`],
  ['with other line ends', (pem) => pem.replaceAll('\n', '\r\n')],
  ['without its last line end', (pem) => pem.trimEnd()],
];
test.each(spellings)('a key %s signs what OpenSSL verifies, under the documented id', (_name, spell) => {
  const layout = emptyLayout();
  const made = loadSigningKey(layout);
  const pem = readFileSync(signingKeyFile(layout), 'utf8');
  writeFileSync(signingKeyFile(layout), spell(pem));
  const read = loadSigningKey(layout);
  const message = Buffer.from('statement');
  expect(read.id).toBe(spkiId(pem));
  expect(read.id).toBe(made.id);
  expect(readPublicKey(layout)?.id).toBe(made.id);
  expect(verify(null, message, readFileSync(publicKeyFile(layout), 'utf8'), sign(null, message, read.privateKey))).toBe(true);
  expect(read.publicKey.equals(createPublicKey(createPrivateKey(pem)))).toBe(true);
});

const wrong: readonly (readonly [string, (pem: string) => string])[] = [
  ['another kind of key', () => generateKeyPairSync('x25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()],
  ['a damaged frame', (pem) => pem.replace('MC4C', 'MC4D')],
  ['a damaged length', (pem) => pem.replace('BCIE', 'BCIF')],
  ['cut short', (pem) => pem.replace(/.{4}\n-----END/, '\n-----END')],
  ['empty', () => ''],
];
test.each(wrong)('%s in the file is refused', (_name, harm) => {
  const layout = emptyLayout();
  loadSigningKey(layout);
  const pem = readFileSync(signingKeyFile(layout), 'utf8');
  const harmed = harm(pem);
  expect(harmed).not.toBe(pem);
  writeFileSync(signingKeyFile(layout), harmed);
  expect(() => loadSigningKey(layout)).toThrow(expect.objectContaining({ code: 'KEY' }) as Error);
});

/** Changes the pair as often as it can, in the order in which it is really changed: the old one retired, the private one, the public one. */
const CHANGER = `
  const { workerData, parentPort } = require('node:worker_threads');
  const { renameSync, writeFileSync } = require('node:fs');
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (const { retired, oldPublic, privatePem, publicPem } of workerData.changes) {
    writeFileSync(retired, oldPublic);
    writeFileSync(workerData.privateFile + '.next', privatePem, { mode: 0o600 });
    writeFileSync(workerData.publicFile + '.next', publicPem);
    renameSync(workerData.privateFile + '.next', workerData.privateFile);
    renameSync(workerData.publicFile + '.next', workerData.publicFile);
    Atomics.wait(pause, 0, 0, 1);
  }
  Atomics.store(workerData.ended, 0, 1);
`;
test('a pair that is changed while it is read gives the old pair or the new one', async () => {
  const layout = emptyLayout();
  let old = loadSigningKey(layout);
  const ids = new Set([old.id]);
  const changes = Array.from({ length: 300 }, () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const change = {
      retired: retiredKeyFile(layout, old.id),
      oldPublic: publicPem(old.publicKey),
      privatePem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      publicPem: publicPem(publicKey),
    };
    old = { privateKey, publicKey, id: keyId(publicKey) };
    ids.add(old.id);
    return change;
  });
  const ended = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { changes, ended, privateFile: signingKeyFile(layout), publicFile: publicKeyFile(layout) };
  const changer = new Worker(CHANGER, { eval: true, workerData });
  const read = new Set<string>();
  const exit = new Promise((resolve) => changer.once('exit', resolve));
  while (Atomics.load(ended, 0) === 0) read.add(readPublicKey(layout)?.id ?? 'none').add(loadSigningKey(layout).id);
  await exit;
  expect([...read].filter((id) => !ids.has(id))).toEqual([]);
  expect(read.size).toBeGreaterThan(10);
});
