/**
 * Changes the signing key. The last entry under the old key names the new one and is signed for with the old; everything after is
 * under the new key, and the old public key is kept for what it has signed.
 *
 * The one step that decides is the rename of the private key. Killed before it, the old key goes on (an announced key that never
 * came is no change); killed after it, the next writer finds the new key's first statement beside the checkpoint and puts it in place.
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from '#core/model/json.ts';
import { journalEvent } from '#home/auditEvents.ts';
import { checkpointFile, nextCheckpointFile, twoStatements } from '#home/journal/checkpoint.ts';
import { openJournal } from '#home/journal/journal.ts';
import { journalErrorFrom } from '#home/journal/journalError.ts';
import { keyId, loadSigningKey, publicKeyFile, publicPem, retiredKeyFile, signingKeyFile, type SigningKey } from '#home/journal/keys.ts';
import { syncFolder } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { writePrivate } from '#home/privateFile.ts';
import { ROTATED, ROTATION_DOMAIN } from '#node/audit/entriesAboutJournal.ts';
import { withUpkeep } from '#node/audit/upkeep.ts';

export interface Rotation {
  /** Ids of the keys. */
  readonly from: string;
  readonly to: string;
  /** `seq` of the entry that records it. */
  readonly seq: number;
}

/** @throws JournalError; then the old key is in force, or the new one and the next writer finishes what is left */
export async function rotateKey(layout: Layout, now: () => number = Date.now): Promise<Rotation> {
  return withUpkeep(layout, () => {
    const old = loadSigningKey(layout);
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const next: SigningKey = { privateKey, publicKey, id: keyId(publicKey) };
    const waiting = join(layout.keys, 'journal-signing.next.pem');
    const journal = openJournal(layout);
    let seq = 0;
    try {
      // Everything that the deciding step needs is on the disk before it.
      writePrivate(waiting, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
      writePrivate(retiredKeyFile(layout, old.id), publicPem(old.publicKey));
      syncFolder(layout.keys);
      const names = { from: old.id, to: next.id, fromKey: publicPem(old.publicKey), toKey: publicPem(next.publicKey) };
      const sig = sign(null, Buffer.from(ROTATION_DOMAIN + canonicalJson(names)), old.privateKey).toString('base64');
      journal.appendAndThen(journalEvent(ROTATED, { ...names, sig }, rotationReason(next.id)), ({ entry, checkpoint }) => {
        seq = entry.seq;
        const time = Math.max(0, now());
        const mirror = checkpointFile(layout);
        const { bytes } = twoStatements({ turn: checkpoint.turn + 1, count: entry.seq, head: entry.hash, time }, next);
        writePrivate(nextCheckpointFile(mirror), bytes);
        syncFolder(layout.keys);
        renameSync(waiting, signingKeyFile(layout));
        syncFolder(layout.keys);
        writePrivate(publicKeyFile(layout), names.toKey);
        renameSync(nextCheckpointFile(mirror), mirror);
        syncFolder(layout.keys);
      });
      return { from: old.id, to: next.id, seq };
    } catch (error) {
      throw journalErrorFrom(error, layout.keys, 'change the signing key');
    } finally {
      journal.close();
    }
  });
}

/** A verifier without JSON reads the new key's id from here; see docs/verify-audit.sh. */
export function rotationReason(id: string): string {
  return `Entries after this one are under key ${id}.`;
}
