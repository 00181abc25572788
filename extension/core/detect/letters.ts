/** Cases of letters as regexes with the flags `iu` see them. Source: Unicode CaseFolding.txt, simple foldings, for the scripts named below. */

const LONG_S = 0x17f;
const KELVIN = 0x212a;
/** Old forms of Cyrillic letters, from U+1C80 on, and what they fold to. */
const OLD_CYRILLIC = [0x432, 0x434, 0x43e, 0x441, 0x442, 0x442, 0x44a, 0x463];

/** The case a scan sees a UTF-16 unit in: small letters of Latin (to U+017F) and Cyrillic (to U+052F), and what folds to them. */
export function foldedCode(code: number): number {
  if (code < 128) return code >= 65 && code <= 90 ? code + 32 : code;
  return foldedBeyond(code);
}

function foldedBeyond(code: number): number {
  if (code <= 0x17f) {
    if (code < 0xc0) return code;
    if (code <= 0xde) return code === 0xd7 ? code : code + 32;
    if (code < 0x100 || code === 0x130 || code === 0x131 || code === 0x138 || code === 0x149) return code;
    if (code === 0x178) return 0xff;
    if (code === LONG_S) return 115;
    // Pairs of a capital and a small letter; which of them is even changes twice.
    const odd = (code >= 0x139 && code <= 0x148) || code >= 0x179;
    return (code & 1) === (odd ? 1 : 0) ? code + 1 : code;
  }
  if (code >= 0x400 && code <= 0x52f) {
    if (code <= 0x40f) return code + 80;
    if (code <= 0x42f) return code + 32;
    if (code < 0x460 || (code >= 0x482 && code <= 0x489)) return code;
    if (code === 0x4c0) return 0x4cf;
    if (code >= 0x4c1 && code <= 0x4ce) return (code & 1) === 1 ? code + 1 : code;
    return code !== 0x4cf && (code & 1) === 0 ? code + 1 : code;
  }
  if (code === KELVIN) return 107;
  if (code === 0x212b) return 0xe5;
  if (code === 0x1e9e) return 0xdf;
  if (code >= 0x1c80 && code <= 0x1c87) return OLD_CYRILLIC[code - 0x1c80] ?? code;
  return code;
}

/** Whether `foldedCode` sees every case of the word: it knows the scripts above, and what has no case. */
export function foldable(word: string): boolean {
  for (const char of word) {
    const code = char.codePointAt(0) ?? 0;
    const known = code < 128 || (code >= 0xc0 && code <= 0x17f && code !== 0x130 && code !== 0x131) || (code >= 0x400 && code <= 0x52f);
    if (!known && (code > 0xffff || code === 0xb5 || char.toLowerCase() !== char.toUpperCase())) return false;
  }
  return true;
}

export function foldedWord(word: string): string {
  let out = '';
  for (let at = 0; at < word.length; at++) out += String.fromCharCode(foldedCode(word.charCodeAt(at)));
  return out;
}
