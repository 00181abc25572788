/** Check digits of national numbers: digits that only look like one are told apart. Sources are each country's own published rule. */

export const NATIONAL_IDS = [
  'us-ssn',
  'de-steuerid',
  'fr-nir',
  'es-dni',
  'it-cf',
  'nl-bsn',
  'be-rrn',
  'pl-pesel',
  'br-cpf',
  'br-cnpj',
  'in-aadhaar',
  'au-tfn',
  'ch-ahv',
  'tr-tckn',
  'pt-nif',
  'cn-id',
  'kr-rrn',
  'fi-hetu',
  'no-fnr',
  'at-svnr',
  'mx-curp',
  'jp-mynumber',
  'il-id',
  'za-id',
  'se-pnr',
] as const;
export type NationalId = (typeof NATIONAL_IDS)[number];

/** Whether `written` (separators allowed) carries the check digits of `kind`. */
export function isNationalId(kind: NationalId, written: string): boolean {
  const text = written.replace(/[^0-9A-Za-z]/gu, '').toUpperCase();
  const digits = /^\d{1,20}$/u.test(text) ? [...text].map(Number) : [];
  // Every one of these sums accepts a row of equal digits, which nobody has.
  if (/^(.)\1{0,20}$/u.test(text)) return false;
  switch (kind) {
    case 'us-ssn':
      return /^(?!000|666|9\d\d)\d{3}(?!00)\d{2}(?!0000)\d{4}$/u.test(text) && text !== '123456789' && text !== '078051120';
    case 'de-steuerid':
      return digits.length === 11 && digits[0] !== 0 && steuerId(digits);
    case 'fr-nir':
      return nir(text);
    case 'es-dni':
      return dni(text);
    case 'it-cf':
      return codiceFiscale(text);
    case 'nl-bsn':
      return digits.length === 9 && weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;
    case 'be-rrn':
      return digits.length === 11 && belgian(text);
    case 'pl-pesel':
      return digits.length === 11 && weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0 && monthOf(text.slice(2, 4), 20);
    case 'br-cpf':
      return digits.length === 11 && brazilian(digits, 9, 11) && brazilian(digits, 10, 11);
    case 'br-cnpj':
      return digits.length === 14 && brazilian(digits, 12, 9) && brazilian(digits, 13, 9);
    case 'in-aadhaar':
      return digits.length === 12 && (digits[0] ?? 0) > 1 && verhoeff(digits);
    case 'au-tfn':
      return digits.length === 9 && weighted(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0;
    case 'ch-ahv':
      return digits.length === 13 && text.startsWith('756') && weighted(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0;
    case 'tr-tckn':
      return digits.length === 11 && digits[0] !== 0 && turkish(digits);
    case 'pt-nif':
      return digits.length === 9 && /^[1235689]/u.test(text) && complement11(weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2])) === digits[8];
    case 'cn-id':
      return chinese(text);
    case 'kr-rrn':
      return (
        digits.length === 13 &&
        monthOf(text.slice(2, 4), 0) &&
        (11 - (weighted(digits, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11)) % 10 === digits[12]
      );
    case 'fi-hetu':
      return (
        /^\d{6}[A-Y]?\d{3}[0-9A-Y]$/u.test(text) &&
        '0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(text.slice(0, 6) + text.slice(-4, -1)) % 31] === text.at(-1)
      );
    case 'no-fnr':
      return (
        digits.length === 11 &&
        weighted(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
        weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
      );
    case 'at-svnr':
      return digits.length === 10 && digits[0] !== 0 && weighted(digits, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 === digits[3];
    case 'mx-curp':
      return curp(text);
    case 'jp-mynumber':
      return digits.length === 12 && complement11(weighted(digits, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2])) === digits[11];
    case 'il-id':
      return digits.length === 9 && luhnFromLeft(digits);
    case 'za-id':
      return digits.length === 13 && monthOf(text.slice(2, 4), 0) && luhnFromLeft(digits);
    case 'se-pnr':
      return (digits.length === 10 || digits.length === 12) && monthOf(text.slice(-8, -6), 0) && luhnFromLeft([0, ...digits.slice(-10)]);
  }
}

const weighted = (digits: readonly number[], weights: readonly number[]): number =>
  weights.reduce((sum, weight, index) => sum + weight * (digits[index] ?? 0), 0);

const complement11 = (sum: number): number => (sum % 11 < 2 ? 0 : 11 - (sum % 11));

/** Months 01–12; `step` is what some countries add to them for the century. */
function monthOf(text: string, step: number): boolean {
  const month = step === 0 ? Number(text) : Number(text) % step;
  return month >= 1 && month <= 12;
}

/** Every second digit from the left doubled, as Luhn's sum is for an odd number of digits. */
function luhnFromLeft(digits: readonly number[]): boolean {
  const sum = digits.reduce((total, digit, index) => {
    const value = (digits.length - index) % 2 === 0 ? digit * 2 : digit;
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

/** ISO 7064 MOD 11,10; among the first ten digits one stands two or three times and no other more than once. */
function steuerId(digits: readonly number[]): boolean {
  const counts = new Map<number, number>();
  for (const digit of digits.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  if (repeated.length !== 1 || (repeated[0] ?? 0) > 3) return false;
  let product = 10;
  for (const digit of digits.slice(0, 10)) {
    const sum = (digit + product) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - product) % 10 === digits[10];
}

/** 13 characters (Corsica's departments have letters) and 97 less their remainder. */
function nir(text: string): boolean {
  if (!/^[1-478]\d{4}(?:\d{2}|2[AB])\d{8}$/u.test(text)) return false;
  const body = text.slice(0, 13).replace('2A', '19').replace('2B', '18');
  return 97 - (Number(body) % 97) === Number(text.slice(13));
}

/** DNI: eight digits and a letter; NIE: X, Y or Z stands for the first digit. */
function dni(text: string): boolean {
  if (!/^[XYZ\d]\d{7}[A-Z]$/u.test(text)) return false;
  const first = 'XYZ'.indexOf(text.charAt(0));
  const number = Number((first >= 0 ? String(first) : text.charAt(0)) + text.slice(1, 8));
  return 'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23] === text.at(-1);
}

const ODD_VALUES = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

function codiceFiscale(text: string): boolean {
  if (!/^[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]$/u.test(text)) return false;
  let sum = 0;
  for (let index = 0; index < 15; index++) {
    const code = text.charCodeAt(index);
    const value = code < 65 ? code - 48 : code - 65;
    sum += index % 2 === 0 ? (ODD_VALUES[value] ?? 0) : value;
  }
  return 65 + (sum % 26) === text.charCodeAt(15);
}

/** 97 less the remainder of the first nine digits, with a 2 in front for those born from 2000 on. */
function belgian(text: string): boolean {
  const check = Number(text.slice(9));
  const body = Number(text.slice(0, 9));
  return Number(text.slice(2, 4)) <= 12 && (97 - (body % 97) === check || 97 - ((2_000_000_000 + body) % 97) === check);
}

/** Weights rise from 2 on the right; above `most` they start again. */
function brazilian(digits: readonly number[], position: number, most: number): boolean {
  let sum = 0;
  for (let index = 0; index < position; index++) sum += (digits[position - 1 - index] ?? 0) * (2 + (index % (most - 1)));
  return complement11(sum) === digits[position];
}

/** Verhoeff's scheme over the dihedral group of order ten. */
function verhoeff(digits: readonly number[]): boolean {
  const permutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
  let check = 0;
  for (let index = 0; index < digits.length; index++) {
    let digit = digits[digits.length - 1 - index] ?? 0;
    for (let times = index % 8; times > 0; times--) digit = permutation[digit] ?? 0;
    check = dihedral(check, digit);
  }
  return check === 0;
}

function dihedral(a: number, b: number): number {
  if (a < 5) return b < 5 ? (a + b) % 5 : 5 + ((a + b - 5) % 5);
  return b < 5 ? 5 + ((a - 5 - b + 10) % 5) : (a - b + 10) % 5;
}

function turkish(digits: readonly number[]): boolean {
  const odd = weighted(digits, [1, 0, 1, 0, 1, 0, 1, 0, 1]);
  const even = weighted(digits, [0, 1, 0, 1, 0, 1, 0, 1]);
  const ninth = (((odd * 7 - even) % 10) + 10) % 10;
  return ninth === digits[9] && (odd + even + ninth) % 10 === digits[10];
}

/** GB 11643: ISO 7064 MOD 11-2 over 17 digits, the eighteenth may be X. */
function chinese(text: string): boolean {
  if (!/^[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]$/u.test(text)) return false;
  const sum = weighted(Array.from(text.slice(0, 17), Number), [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
  return '10X98765432'[sum % 11] === text.at(-1);
}

function curp(text: string): boolean {
  if (!/^[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d$/u.test(text)) return false;
  let sum = 0;
  for (let index = 0; index < 17; index++) sum += '0123456789ABCDEFGHIJKLMN#OPQRSTUVWXYZ'.indexOf(text.charAt(index)) * (18 - index);
  return (10 - (sum % 10)) % 10 === Number(text.at(-1));
}
