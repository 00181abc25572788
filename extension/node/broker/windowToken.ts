/** The secret that shows a window to be of the same user: only this user can read it. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import { readBounded, writePrivate } from '#home/privateFile.ts';

const TOKEN = /^[0-9a-f]{64}$/;

/** Null before the first broker has started. */
export function readWindowToken(layout: Layout): string | null {
  const text = readBounded(layout.windowToken, 1024)?.toString('latin1').trim() ?? '';
  return TOKEN.test(text) ? text : null;
}

/** The token, made when there is none or a malformed one. */
export function ensureWindowToken(layout: Layout): string {
  const known = readWindowToken(layout);
  if (known !== null) return known;
  ensurePrivateFolder(layout.keys);
  const token = randomBytes(32).toString('hex');
  writePrivate(layout.windowToken, token);
  return token;
}

/** Takes the same time whatever differs, lengths included. */
export function sameToken(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
