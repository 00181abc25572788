/** Samples that carry the check digits of their issuer: found by trying, from drawn characters, so never anybody's. */
import { passesChecksum } from '#core/detect/checksum.ts';
import type { Checksum } from '#core/detect/rulePack.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
/** How many random tokens carry the right tail by chance, at most one in this; more tries are a fault of the pattern. */
const MOST_TRIES = 200_000;

/**
 * A text of the form `pattern` that passes `kind`: `9` stands for a digit, `A` for a capital letter, `#` for a digit tried
 * last, everything else for itself. Null when none is found.
 */
export function checkedSample(
  kind: string,
  pattern: string,
  draw: (alphabet: string, length: number, seed: string) => string,
): string | null {
  if (kind === 'github' || kind === 'npm') return crcSample(pattern, draw);
  if (kind === 'bech32') return bech32Sample(pattern, draw);
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const digits = draw(DIGITS, pattern.length, `${kind}:${pattern}:${attempt}`);
    const text = [...pattern].map((char, index) => (char === '9' ? (digits[index] ?? '') : char)).join('');
    if (passesChecksum(kind as Checksum, text)) return text;
  }
  return null;
}

function crcSample(prefix: string, draw: (alphabet: string, length: number, seed: string) => string): string {
  const body = draw(BASE62, 30, prefix);
  let sum = 0xffffffff;
  for (const char of body) {
    sum ^= char.charCodeAt(0);
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  let left = (sum ^ 0xffffffff) >>> 0;
  let tail = '';
  for (let index = 0; index < 6; index++) {
    tail = `${BASE62[left % 62] ?? ''}${tail}`;
    left = Math.floor(left / 62);
  }
  return `${prefix}${body}${tail}`;
}

/** Bech32 with its six characters of checksum; `prefix` ends before the separator. */
function bech32Sample(prefix: string, draw: (alphabet: string, length: number, seed: string) => string): string {
  const human = prefix.toLowerCase();
  const data = [...draw(BECH32, 52, prefix)].map((char) => BECH32.indexOf(char));
  const codes = [...human].map((char) => char.charCodeAt(0));
  const sum = polymod([...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31), ...data, 0, 0, 0, 0, 0, 0]) ^ 1;
  const check = [5, 4, 3, 2, 1, 0].map((place) => (sum >> (5 * place)) & 31);
  return `${human}1${[...data, ...check].map((value) => BECH32[value] ?? '').join('')}`.toUpperCase();
}

function polymod(values: readonly number[]): number {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (const [bit, generator] of [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].entries())
      if ((top >> bit) & 1) sum ^= generator;
  }
  return sum;
}
