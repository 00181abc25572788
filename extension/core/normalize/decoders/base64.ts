/** Base64 in either alphabet, and base32. Source: RFC 4648. */
import { bytesText } from '#core/normalize/decoders/bytes.ts';
import { inflated } from '#core/normalize/decoders/inflate.ts';

/** Readable text in base64 (either alphabet), also compressed; null when it is not base64 or not text. */
export function decodeBase64Text(run: string): string | null {
  const bytes = decodeBase64(run);
  if (bytes === null) return null;
  const plain = isCompressed(run) ? inflated(bytes) : null;
  return bytesText(plain?.bytes ?? bytes);
}

/** Whether a run begins as gzip (`H4sI`) or zlib (`eJ`, `eN`, `eA`, `eF`) does. */
export const isCompressed = (run: string): boolean => /^(?:H4sI|e[AFJN])/u.test(run);

/** Whether the first bytes of a run could begin text or a compressed stream; spares nearly every identifier the decoding. */
export function mayBeText(run: string): boolean {
  if (isCompressed(run)) return true;
  let held = 0;
  for (let index = 0; index < 8 && index < run.length; index++) {
    const value = base64Value(run.charCodeAt(index));
    if (value < 0) return false;
    held = ((held << 6) | value) & 0xffff;
    const place = index & 3;
    if (place === 0) continue;
    const byte = (held >> (6 - 2 * place)) & 0xff;
    if (byte >= 127 || (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 27 && byte !== 0))
      return byte >= 0xc2 && index > 3;
  }
  return true;
}

export function decodeBase64(run: string): number[] | null {
  const clean = run.replace(/[\s=]/gu, '');
  if (clean.length < 2 || clean.length % 4 === 1) return null;
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (let index = 0; index < clean.length; index++) {
    const value = base64Value(clean.charCodeAt(index));
    if (value < 0) return null;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
    }
  }
  return bytes;
}

function base64Value(code: number): number {
  if (code >= 65 && code <= 90) return code - 65;
  if (code >= 97 && code <= 122) return code - 71;
  if (code >= 48 && code <= 57) return code + 4;
  if (code === 43 || code === 45) return 62;
  return code === 47 || code === 95 ? 63 : -1;
}

export function decodeBase32Text(run: string): string | null {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (let index = 0; index < run.length; index++) {
    const code = run.charCodeAt(index);
    const value = code >= 65 && code <= 90 ? code - 65 : code >= 50 && code <= 55 ? code - 24 : -1;
    if (value < 0) return null;
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
    }
  }
  return bytesText(bytes);
}
