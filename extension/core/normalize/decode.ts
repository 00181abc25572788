/** Finds encoded text inside text and decodes it: base64, hex, percent, `\x` and `\u` escapes, HTML entities. Bounded. */
import { MAX_BLOBS, MAX_DECODE_DEPTH, MAX_DECODED_TEXT } from '#core/normalize/limits.ts';

export interface Decoded {
  readonly text: string;
  /** Where the encoded form stands in the text given to `decodeAll`. */
  readonly start: number;
  readonly end: number;
}

/** How much decoding a call has left; shared by all its texts. */
export interface DecodeBudget {
  blobs: number;
  units: number;
  /** Something encoded was left as it is because the budget was spent. */
  spent: boolean;
}

export const newDecodeBudget = (): DecodeBudget => ({ blobs: MAX_BLOBS, units: MAX_DECODED_TEXT, spent: false });

const BASE64_RUN = /[A-Za-z0-9+/_-]{24,}={0,2}/gu;
const HEX_RUN = /(?:[0-9a-fA-F]{2}){16,}/gu;
const ESCAPE_RUN = /(?:\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]{1,6}\}|\\[0-3][0-7]{2}){4,}/gu;
const PERCENT_RUN = /(?:%[0-9a-fA-F]{2}[\w.~/:-]{0,40}){3,400}/gu;
const ENTITY_RUN = /(?:&#(?:x[0-9a-fA-F]{1,6}|\d{1,7});){4,}/gu;

/** Everything readable that is encoded in `text`, also what is encoded several times over. */
export function decodeAll(text: string, budget: DecodeBudget): readonly Decoded[] {
  const out: Decoded[] = [];
  decodeInto(text, 0, null, budget, out);
  return out;
}

function decodeInto(text: string, depth: number, place: { start: number; end: number } | null, budget: DecodeBudget, out: Decoded[]): void {
  if (depth >= MAX_DECODE_DEPTH) return;
  const tries: readonly [RegExp, (run: string) => string | null][] = [
    [BASE64_RUN, decodeBase64Text],
    [HEX_RUN, decodeHexText],
    [ESCAPE_RUN, decodeEscapes],
    [PERCENT_RUN, decodePercent],
    [ENTITY_RUN, decodeEntities],
  ];
  for (const [pattern, decode] of tries) {
    for (const hit of text.matchAll(pattern)) {
      const plain = decode(hit[0]);
      if (plain === null || plain.length < 4) continue;
      if (budget.blobs <= 0 || budget.units < plain.length) {
        budget.spent = true;
        return;
      }
      budget.blobs--;
      budget.units -= plain.length;
      const span = place ?? { start: hit.index, end: hit.index + hit[0].length };
      out.push({ text: plain, ...span });
      decodeInto(plain, depth + 1, span, budget, out);
    }
  }
}

/** Readable text in base64 (either alphabet); null when it is not base64 or not text. */
export function decodeBase64Text(run: string): string | null {
  const bytes = decodeBase64(run);
  return bytes && readable(bytes);
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

export function decodeHexText(run: string): string | null {
  const clean = run.replace(/[\s:]|\\x|0x/gu, '');
  if (clean.length < 4 || !/^[0-9a-fA-F]+$/u.test(clean)) return null;
  const bytes: number[] = [];
  for (let index = 0; index + 1 < clean.length; index += 2) bytes.push(Number.parseInt(clean.slice(index, index + 2), 16));
  return readable(bytes);
}

export function decodeEscapes(run: string): string | null {
  return run.replace(
    /\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\u\{([0-9a-fA-F]{1,6})\}|\\([0-3][0-7]{2})/gu,
    (_, x?: string, u?: string, braced?: string, octal?: string) =>
      octal === undefined ? fromCode(Number.parseInt(x ?? u ?? braced ?? '', 16)) : fromCode(Number.parseInt(octal, 8)),
  );
}

export function decodePercent(run: string): string | null {
  const bytes: number[] = [];
  for (let index = 0; index < run.length; index++) {
    const code = run.charCodeAt(index);
    const hex = code === 37 ? run.slice(index + 1, index + 3) : '';
    if (/^[0-9a-fA-F]{2}$/u.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      index += 2;
    } else if (code < 0x80) bytes.push(code);
    else return null;
  }
  return readable(bytes);
}

function decodeEntities(run: string): string | null {
  return run.replace(/&#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}));/gu, (_, hex?: string, decimal?: string) =>
    fromCode(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)),
  );
}

const fromCode = (code: number): string =>
  code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : ' ';

/** The bytes as UTF-8 text; null when they do not look like text a person or a program would read. */
function readable(bytes: readonly number[]): string | null {
  let text = '';
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    if (byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127)) {
      text += String.fromCharCode(byte);
      continue;
    }
    const more = byte >= 0xf0 && byte < 0xf8 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc2 ? 1 : 0;
    if (more === 0 || byte >= 0xf8) return null;
    let code = byte & (0x3f >> more);
    for (let step = 1; step <= more; step++) {
      const next = bytes[index + step] ?? 0;
      if ((next & 0xc0) !== 0x80) return null;
      code = (code << 6) | (next & 0x3f);
    }
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return null;
    text += String.fromCodePoint(code);
    index += more;
  }
  return text;
}
