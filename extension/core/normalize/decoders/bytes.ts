/** Bytes as text, when they look like text a person or a program would read. */

/** The bytes as UTF-8 text, or as UTF-16 when every other one is zero (what PowerShell and Windows encode); null when they are no text. */
export function bytesText(bytes: ArrayLike<number>): string | null {
  if (bytes.length >= 4 && bytes.length % 2 === 0 && bytes[1] === 0 && bytes[3] === 0) return wideText(bytes);
  let text = '';
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    if (byte === 9 || byte === 10 || byte === 13 || byte === 27 || (byte >= 32 && byte < 127)) {
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

function wideText(bytes: ArrayLike<number>): string | null {
  let text = '';
  for (let index = 0; index + 1 < bytes.length; index += 2) {
    const unit = (bytes[index] ?? 0) | ((bytes[index + 1] ?? 0) << 8);
    if (unit < 32 && unit !== 9 && unit !== 10 && unit !== 13) return null;
    text += String.fromCharCode(unit);
  }
  return text;
}

export const fromCode = (code: number): string =>
  code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : ' ';
