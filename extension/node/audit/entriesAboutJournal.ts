/** Entries of kind `journal`: what the record says about itself. */
import { createPublicKey, verify } from 'node:crypto';
import type { AuditEntry } from '#contract/auditRecord.ts';
import { canonicalJson, isObject } from '#core/model/json.ts';
import { keyId } from '#home/journal/keys.ts';

/** Names of the tool in such entries. */
export const SEALED = 'seal';
export const EXPIRED = 'expire';
export const ROTATED = 'rotate-key';
export const ROTATION_DOMAIN = 'callgate.rotate.v1\n';

type AboutItself = { readonly tool: typeof SEALED | typeof EXPIRED; readonly segment: number; readonly hash: string };

/** Of an entry that tells of a seal or of a dropped segment; `hash` is what that must bear, too. Null for every other. */
export function aboutItself({ kind, tool, args }: AuditEntry): AboutItself | null {
  if (kind !== 'journal' || !isObject(args)) return null;
  const { segment, root } = args;
  if (typeof segment !== 'number') return null;
  if (tool === SEALED && typeof root === 'string') return { tool, segment, hash: root };
  return tool === EXPIRED ? { tool, segment, hash: endOf(args) } : null;
}

/** What the entry about a dropped segment says as well as its tombstone. */
export const endOf = ({ head, root, sha256, reason }: Readonly<Partial<Record<'head' | 'root' | 'sha256' | 'reason', unknown>>>): string =>
  [head, root, sha256, reason].map(String).join(' ');

/** The key that this entry puts in force, if it is a change of keys signed with the one before. */
export function rotatesTo(entry: AuditEntry): string | null {
  if (entry.kind !== 'journal' || entry.tool !== ROTATED || !isObject(entry.args)) return null;
  const { from, to, fromKey, toKey, sig } = entry.args;
  if (
    typeof from !== 'string' ||
    typeof to !== 'string' ||
    typeof fromKey !== 'string' ||
    typeof toKey !== 'string' ||
    typeof sig !== 'string'
  )
    return null;
  try {
    const old = createPublicKey(fromKey);
    if (from !== entry.key || keyId(old) !== from || keyId(createPublicKey(toKey)) !== to) return null;
    const signed = Buffer.from(ROTATION_DOMAIN + canonicalJson({ from, to, fromKey, toKey }));
    return verify(null, signed, old, Buffer.from(sig, 'base64')) ? to : null;
  } catch {
    return null; // no keys, no change: the next entry's key is then found wrong
  }
}
