/** Check digits and sums that tokens carry, so that a text only shaped like one is told apart. */
import type { Checksum } from '#core/detect/rulePack.ts';

/** Whether `token` passes the check its issuer builds in. */
export function passesChecksum(kind: Checksum, token: string): boolean {
  switch (kind) {
    case 'luhn':
      return luhn(token.replace(/[ -]/gu, ''));
    case 'iban':
      return iban(token.replace(/ /gu, ''));
    case 'github':
    case 'npm':
    case 'jwt':
      return true;
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
