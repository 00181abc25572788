/** Check digits and sums that tokens carry, so that a text only shaped like one is told apart. */
import { isNationalId } from '#core/detect/nationalIds.ts';
import { looksPassword, looksRandom } from '#core/detect/randomness.ts';
import type { Checksum } from '#core/detect/rulePack.ts';

/** Whether `token` passes the check its issuer builds in. */
export function passesChecksum(kind: Checksum, token: string): boolean {
  switch (kind) {
    case 'github':
    case 'npm':
      return crcTail(token);
    case 'bech32':
      return bech32(token);
    case 'jwt':
      return jwt(token);
    case 'jwk':
      return jwk(token);
    case 'random':
      return looksRandom(token);
    case 'password':
      return looksPassword(token);
    case 'luhn':
      return luhn(token.replace(/[ -]/gu, ''));
    case 'iban':
      return iban(token.replace(/ /gu, ''));
    default:
      return isNationalId(kind, token);
  }
}

/** ISO/IEC 7812-1: payment card numbers. */
function luhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    const value = index % 2 === 0 ? digit : digit * 2;
    sum += value > 9 ? value - 9 : value;
  }
  return digits.length > 0 && sum % 10 === 0;
}

/** ISO 13616: letters count from 10, the whole modulo 97 is 1. */
function iban(text: string): boolean {
  let rest = 0;
  for (const char of text.slice(4) + text.slice(0, 4)) {
    const value = Number.parseInt(char, 36);
    if (Number.isNaN(value)) return false;
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const TAIL = 6;

/**
 * GitHub's (2021) and npm's tokens: after the prefix random characters, the last six are their CRC-32 in base 62.
 * https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/
 */
function crcTail(token: string): boolean {
  const body = token.slice(token.indexOf('_') + 1, -TAIL);
  let left = crc32(body);
  let tail = '';
  for (let index = 0; index < TAIL; index++) {
    tail = `${BASE62[left % 62] ?? ''}${tail}`;
    left = Math.floor(left / 62);
  }
  return body.length > 0 && token.endsWith(tail);
}

/** CRC-32 (IEEE 802.3) of ASCII, bit by bit: tokens are short and a table would have to be built at every start. */
function crc32(text: string): number {
  let sum = 0xffffffff;
  for (let index = 0; index < text.length; index++) {
    sum ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';

/** BIP 173, of any length: age's keys. */
function bech32(token: string): boolean {
  const lower = token.toLowerCase();
  const split = lower.lastIndexOf('1');
  if (split < 1 || (token !== lower && token !== token.toUpperCase())) return false;
  const prefix = Array.from(lower.slice(0, split), (char) => char.charCodeAt(0));
  const data = Array.from(lower.slice(split + 1), (char) => BECH32.indexOf(char));
  if (data.includes(-1)) return false;
  let sum = 1;
  for (const value of [...prefix.map((code) => code >> 5), 0, ...prefix.map((code) => code & 31), ...data]) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (const [bit, generator] of [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].entries())
      if ((top >> bit) & 1) sum ^= generator;
  }
  return sum === 1;
}

/** RFC 7519: the first part is a JSON object that names its algorithm. */
function jwt(token: string): boolean {
  const header = base64urlText(token.split('.', 1)[0] ?? '');
  return header !== null && /^\s*\{/u.test(header) && /"(?:alg|enc|typ|kid)"\s*:/u.test(header);
}

/** RFC 7517: a JSON Web Key that holds its private (`d`) or symmetric (`k`) part. */
function jwk(text: string): boolean {
  const part = /"(?:d|k)"\s*:\s*"([\w-]{20,1000})"/u.exec(text);
  return part !== null && !/^(.)\1*$/u.test(part[1] ?? '');
}

/** Only ASCII: what is asked for here is. Null if it is not base64url. */
function base64urlText(part: string): string | null {
  let out = '';
  let held = 0;
  let bits = 0;
  for (let index = 0; index < part.length; index++) {
    const value = BASE64URL.indexOf(part.charAt(index));
    if (value < 0) return null;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += String.fromCharCode((held >> bits) & 0xff);
    }
  }
  return out;
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
