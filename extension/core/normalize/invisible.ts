/** Characters that draw nothing or move others about, and the text that can be written with them alone. */

/** Invisible characters seen, by kind. */
export interface Hidden {
  readonly zeroWidth: number;
  readonly bidi: number;
  readonly nul: number;
  /** ASCII text spelt in Unicode tag characters, outside flag emoji. */
  readonly tagText: string;
  /** Text spelt in variation selectors, one byte each. */
  readonly selectorText: string;
  /** Text spelt in zero-width characters, one bit each. */
  readonly bitText: string;
  /** Words whose letters were in part swapped for look-alikes of another script, as they read; at most some hundred. */
  readonly swapped: readonly string[];
  /** Words written wholly in full-width, circled, mathematical or other styled letters, as they read; at most some hundred. */
  readonly styled: readonly string[];
  /** Offset of the first hidden character; -1 if none. */
  readonly first: number;
}

export const NONE: Hidden = {
  zeroWidth: 0,
  bidi: 0,
  nul: 0,
  tagText: '',
  selectorText: '',
  bitText: '',
  swapped: [],
  styled: [],
  first: -1,
};

/** Whether direction controls in a line make it look other than it is: an override, or right-to-left controls without such a script. */
export function reorders(line: string): boolean {
  if (/[\u202d\u202e]/u.test(line)) return true;
  let open = 0;
  for (let index = 0; index < line.length; index++) {
    const code = line.charCodeAt(index);
    if (code === 0x202c || code === 0x2069) open--;
    else if (isBidiControl(code)) open++;
    if (open < 0) return true;
  }
  // Balanced embeddings and isolates are what editors of mixed text write; without right-to-left letters they turn only what is foreign to it.
  return open !== 0 || (/[\u202b\u2067]/u.test(line) && !/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/u.test(line));
}

/** Overrides, embeddings and isolates; the plain direction marks U+200E and U+200F are ordinary in right-to-left text. */
export function isBidiControl(code: number): boolean {
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

export function isInvisible(code: number): boolean {
  return (
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2060 && code <= 0x2065) ||
    (code >= 0x206a && code <= 0x206f) ||
    code === 0xfeff ||
    code === 0x00ad ||
    code === 0x034f ||
    code === 0x061c ||
    code === 0x115f ||
    code === 0x1160 ||
    code === 0x17b4 ||
    code === 0x17b5 ||
    (code >= 0x180b && code <= 0x180f) ||
    code === 0x3164 ||
    code === 0xffa0 ||
    (code >= 0xfff9 && code <= 0xfffb) ||
    (code >= 0x1bca0 && code <= 0x1bca3) ||
    (code >= 0x1d173 && code <= 0x1d17a) ||
    isSelector(code)
  );
}

export const isSelector = (code: number): boolean => (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef);

/** The byte a variation selector stands for: VS1–VS256 in order (as in text hidden behind an emoji). */
export const selectorByte = (code: number): number => (code < 0xe0100 ? code - 0xfe00 : code - 0xe0100 + 16);

/** 0 or 1 for the two characters usual in bit steganography, null for any other. */
export function zeroWidthBit(code: number): '0' | '1' | null {
  return code === 0x200b || code === 0x2062 || code === 0xffa0
    ? '0'
    : code === 0x200c || code === 0x200d || code === 0x2064 || code === 0x2063 || code === 0x3164
      ? '1'
      : null;
}
