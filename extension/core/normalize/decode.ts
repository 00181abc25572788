/** Finds encoded text inside text and decodes it, also what is encoded several times over. Bounded: what is left off is said. */
import { decodeBase32Text, decodeBase64, isCompressed, mayBeText } from '#core/normalize/decoders/base64.ts';
import { bytesText } from '#core/normalize/decoders/bytes.ts';
import { cipherName, plainForms } from '#core/normalize/decoders/ciphers.ts';
import * as codes from '#core/normalize/decoders/codes.ts';
import { inflated } from '#core/normalize/decoders/inflate.ts';
import { SPACED_RUN, unaccented, unleeted, unspaced, unturned } from '#core/normalize/decoders/respelt.ts';
import { isCommand, isProse } from '#core/normalize/english.ts';
import { MAX_BLOBS, MAX_DECODE_DEPTH, MAX_DECODED_TEXT } from '#core/normalize/limits.ts';
import { signsIn, type Signs } from '#core/normalize/signs.ts';

export { decodeBase64, decodeBase64Text } from '#core/normalize/decoders/base64.ts';
export { decodeEscapes, decodeHexText, decodePercent } from '#core/normalize/decoders/codes.ts';

/** How a text was hidden. */
export type Disguise =
  | 'base64'
  | 'base32'
  | 'hex'
  | 'numbers'
  | 'binary'
  | 'percent'
  | 'entities'
  | 'escapes'
  | 'quoted-printable'
  | 'morse'
  | 'rot13'
  | 'caesar'
  | 'atbash'
  | 'reversed'
  | 'spaced'
  | 'leet'
  | 'accents'
  | 'upside-down';

export interface Decoded {
  readonly text: string;
  readonly how: Disguise;
  /** Where the encoded form stands in the text given to `decodeAll`. */
  readonly start: number;
  readonly end: number;
}

/** How much decoding a call has left; shared by all its texts. */
export interface DecodeBudget {
  blobs: number;
  units: number;
  /** Bytes that streams may still be inflated to. */
  inflating: number;
  /** Something encoded was left as it is because the budget was spent. */
  spent: boolean;
}

export const newDecodeBudget = (): DecodeBudget => ({
  blobs: MAX_BLOBS,
  units: MAX_DECODED_TEXT,
  inflating: MAX_DECODED_TEXT,
  spent: false,
});

interface Place {
  readonly start: number;
  readonly end: number;
}

/** A text being decoded, and where its finds belong. */
interface Job {
  readonly text: string;
  readonly depth: number;
  readonly place: Place | null;
  readonly budget: DecodeBudget;
  readonly out: Decoded[];
}

/** Everything readable that is encoded in `text`. */
export function decodeAll(text: string, budget: DecodeBudget): readonly Decoded[] {
  const signs = signsIn(text);
  if (isQuiet(signs)) return NOTHING;
  const out: Decoded[] = [];
  decodeInto({ text, depth: 0, place: null, budget, out }, signs);
  return out;
}

const NOTHING: readonly Decoded[] = [];
function isQuiet(signs: Signs): boolean {
  return !(
    signs.base64.length > 0 ||
    signs.hex.length > 0 ||
    signs.base32.length > 0 ||
    signs.ciphers.length > 0 ||
    signs.numbers ||
    signs.percent ||
    signs.entities ||
    signs.escapes ||
    signs.quoted ||
    signs.spaced ||
    signs.leet ||
    signs.morse ||
    signs.turned ||
    signs.accents
  );
}

function decodeInto(job: Job, signs: Signs): void {
  const { text, budget } = job;
  if (signs.cut) budget.spent = true;
  base64Runs(job, signs.base64);
  for (let at = 0; at < signs.hex.length; at += 2) {
    const [start = 0, end = 0] = [signs.hex[at], signs.hex[at + 1]];
    const plain = codes.decodeHexText(text.slice(start, end));
    // Twelve digits and a few more are a number or a colour as often as they are text.
    if (plain !== null && (plain.length >= 12 || isCommand(plain) || /^[a-z ]{6,}$/u.test(plain))) found(job, plain, 'hex', start, end);
  }
  for (let at = 0; at < signs.base32.length; at += 2) {
    const [start = 0, end = 0] = [signs.base32[at], signs.base32[at + 1]];
    const plain = decodeBase32Text(text.slice(start, end));
    if (plain !== null && /[a-z]{2}/u.test(plain)) found(job, plain, 'base32', start, end);
  }
  if (signs.escapes) runs(job, codes.ESCAPE_RUN, codes.decodeEscapes, 'escapes');
  if (signs.percent) runs(job, codes.PERCENT_RUN, codes.decodePercent, 'percent');
  if (signs.entities) runs(job, codes.ENTITY_RUN, codes.decodeEntities, 'entities');
  if (signs.quoted) runs(job, codes.QUOTED_RUN, codes.decodeQuotedPrintable, 'quoted-printable');
  if (signs.numbers) {
    runs(job, codes.PAIRS_RUN, codes.decodeHexText, 'hex');
    runs(job, codes.NUMBERS_RUN, codes.decodeNumbers, 'numbers');
    runs(job, codes.BINARY_RUN, codes.decodeBinary, 'binary');
  }
  if (signs.morse) runs(job, codes.MORSE_RUN, codes.decodeMorse, 'morse');
  if (signs.spaced) runs(job, SPACED_RUN, unspaced, 'spaced');
  for (const { line, cipher } of signs.ciphers) {
    const until = text.indexOf('\n', line);
    const end = Math.min(until < 0 ? text.length : until, line + 8000);
    for (const plain of plainForms(text.slice(line, end), cipher)) found(job, plain, cipherName(cipher), line, end);
  }
  const whole: readonly [boolean, (text: string) => readonly string[], Disguise][] = [
    [signs.leet, unleeted, 'leet'],
    [signs.turned, unturned, 'upside-down'],
    [signs.accents, unaccented, 'accents'],
  ];
  for (const [seen, respell, how] of whole) if (seen) for (const plain of respell(text)) found(job, plain, how, 0, text.length);
}

function runs(job: Job, pattern: RegExp, decode: (run: string) => string | null, how: Disguise): void {
  for (const hit of job.text.matchAll(pattern)) {
    const plain = decode(hit[0]);
    if (plain !== null && plain !== hit[0]) found(job, plain, how, hit.index, hit.index + hit[0].length);
    if (job.budget.spent) return;
  }
}

/** Every run for itself, and runs on lines that follow each other as one. */
function base64Runs(job: Job, places: readonly number[]): void {
  const { text, budget } = job;
  for (let at = 0; at < places.length && !budget.spent; at += 2) {
    const start = places[at] ?? 0;
    let end = places[at + 1] ?? 0;
    let run = text.slice(start, end);
    if (!mayBeText(run)) continue;
    // Wrapped at a width that holds whole groups, as every encoder wraps.
    while (
      end - start >= 16 &&
      (places[at + 3] ?? 0) > 0 &&
      /^["', +\\]{0,4}\r?\n[ \t>#*/"'+]{0,12}$/u.test(text.slice(end, places[at + 2]))
    ) {
      if ((places[at + 2] ?? 0) - end > 24) break;
      end = places[at + 3] ?? end;
      run += text.slice(places[at + 2], end);
      at += 2;
      if (run.length > MAX_DECODED_TEXT) break;
    }
    const plain = base64Text(run, budget);
    if (plain === null) continue;
    const telling =
      run.length >= 24 ? plain.length >= 4 : isCommand(plain) || (/ [a-z]/u.test(plain) && /^[\w .,!?'/:;=$~-]+$/u.test(plain));
    if (telling) found(job, plain, 'base64', start, end);
  }
}

function base64Text(run: string, budget: DecodeBudget): string | null {
  const bytes = decodeBase64(run);
  if (bytes === null) return null;
  if (!isCompressed(run)) return bytesText(bytes);
  if (budget.inflating <= 0) {
    budget.spent = true;
    return null;
  }
  const plain = inflated(bytes);
  if (plain === null) return bytesText(bytes);
  budget.inflating -= plain.bytes.length;
  if (plain.cut) budget.spent = true;
  return bytesText(plain.bytes);
}

function found(job: Job, plain: string, how: Disguise, start: number, end: number): void {
  const { budget, depth } = job;
  if (plain.length < 4) return;
  if (budget.blobs <= 0 || budget.units < plain.length) {
    budget.spent = true;
    return;
  }
  budget.blobs--;
  budget.units -= plain.length;
  const place = job.place ?? { start, end };
  job.out.push({ text: plain, how, ...place });
  if (depth + 1 >= MAX_DECODE_DEPTH) return;
  const signs = signsIn(plain);
  if (!isQuiet(signs)) decodeInto({ ...job, text: plain, depth: depth + 1, place }, signs);
}

/** Whether what was decoded was hidden from a reader: sentences or a command in a form that data never has. */
export function isHidden({ how, text }: Decoded, encoded: string): boolean {
  if (!isProse(text) && !(how === 'base64' && isCommand(text))) return false;
  switch (how) {
    // Addresses and pages carry a few signs in code; letters need none.
    case 'percent':
      return (encoded.match(/%(?:25)*(?:[46][1-9a-fA-F]|[57][0-9aA])/gu)?.length ?? 0) >= 8;
    case 'entities':
      return (
        (encoded.match(/&#(?:[xX]0*(?:[46][1-9a-fA-F]|[57][0-9aA])|0*(?:6[5-9]|[78]\d|90|9[7-9]|1[01]\d|12[012]));?/gu)?.length ?? 0) >= 8
      );
    case 'quoted-printable':
      return (encoded.match(/=(?:[46][1-9A-F]|[57][0-9A])/gu)?.length ?? 0) >= 8;
    case 'escapes':
    case 'base64':
    case 'base32':
    case 'hex':
    case 'numbers':
    case 'binary':
    case 'morse':
    case 'rot13':
    case 'caesar':
    case 'atbash':
    case 'reversed':
    case 'spaced':
    case 'leet':
    case 'accents':
    case 'upside-down':
      return true;
  }
}
