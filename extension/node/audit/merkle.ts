/**
 * The Merkle tree over the entries of one segment, shaped as RFC 9162 (section 2.1) shapes it: a leaf is
 * SHA-256(0x00 ‖ the 32 bytes of an entry's hash), a node SHA-256(0x01 ‖ left ‖ right), split at the largest power of two below the number of leaves.
 */
import { createHash, hash as oneShotHash } from 'node:crypto';

const sha256: (bytes: Buffer) => Buffer =
  typeof oneShotHash === 'function'
    ? (bytes) => oneShotHash('sha256', bytes, 'buffer')
    : (bytes) => createHash('sha256').update(bytes).digest();

export function leafOf(entryHash: string): Buffer {
  return sha256(Buffer.from(`00${entryHash}`, 'hex'));
}

const ONE = Buffer.from([1]);
const nodeOf = (left: Buffer, right: Buffer): Buffer => sha256(Buffer.concat([ONE, left, right]));

export interface MerkleTree {
  /** The `hash` of the next entry, 64 hex digits. */
  readonly add: (entryHash: string) => void;
  /** 64 hex digits; of no entries the SHA-256 of nothing. */
  readonly root: () => string;
}

/** Holds one hash for every power of two in the number of leaves, not the leaves. */
export function merkleTree(): MerkleTree {
  /** Roots of whole subtrees, largest first, with the number of their leaves. */
  const whole: { readonly hash: Buffer; readonly leaves: number }[] = [];
  return {
    add: (entryHash) => {
      let top = { hash: leafOf(entryHash), leaves: 1 };
      for (let below = whole.at(-1); below?.leaves === top.leaves; below = whole.at(-1)) {
        whole.pop();
        top = { hash: nodeOf(below.hash, top.hash), leaves: top.leaves * 2 };
      }
      whole.push(top);
    },
    root: () => {
      const last = whole.at(-1);
      if (last === undefined) return sha256(Buffer.alloc(0)).toString('hex');
      return whole
        .slice(0, -1)
        .reduceRight((right, { hash }) => nodeOf(hash, right), last.hash)
        .toString('hex');
    },
  };
}

/** The hashes beside the way from leaf `index` up to the root, lowest first; hex. `leaves` as `leafOf` gives them. */
export function siblingsOf(leaves: readonly Buffer[], index: number): readonly string[] {
  const path: string[] = [];
  let level = leaves;
  for (let at = index; level.length > 1; at = Math.floor(at / 2)) {
    const beside = level[at % 2 === 0 ? at + 1 : at - 1];
    if (beside !== undefined) path.push(beside.toString('hex'));
    const above: Buffer[] = [];
    for (let pair = 0; pair < level.length; pair += 2) {
      const [left, right] = [level[pair], level[pair + 1]];
      // The odd one out goes up as it is: level by level this gives the same tree as splitting from above.
      if (left !== undefined) above.push(right === undefined ? left : nodeOf(left, right));
    }
    level = above;
  }
  return path;
}

/** The root that this path leads to; null when it is too short or too long for a tree of `count` leaves. */
export function rootFrom(entryHash: string, index: number, count: number, siblings: readonly string[]): string | null {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(count) || index < 0 || index >= count) return null;
  let hash = leafOf(entryHash);
  let at = index;
  let last = count - 1;
  let used = 0;
  while (last > 0) {
    if (at % 2 === 1 || at < last) {
      const sibling = siblings[used];
      if (sibling === undefined || !/^[0-9a-f]{64}$/.test(sibling)) return null;
      used += 1;
      const beside = Buffer.from(sibling, 'hex');
      hash = at % 2 === 1 ? nodeOf(beside, hash) : nodeOf(hash, beside);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return used === siblings.length ? hash.toString('hex') : null;
}
