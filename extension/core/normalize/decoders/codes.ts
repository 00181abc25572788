/** Text written character by character in code: escapes, percent signs, entities, quoted-printable, numbers, Morse. */
import { bytesText, fromCode } from '#core/normalize/decoders/bytes.ts';

export const ESCAPE_RUN =
  /(?:(?:\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]{1,6}\}|\\U[0-9a-fA-F]{8}|\\[0-3]?[0-7]{2}|\\?[uU]\+[0-9a-fA-F]{4,6})[ ,]{0,2}){4,}/gu;
export const PERCENT_RUN = /(?:(?:%(?:25){0,3}[0-9a-fA-F]{2}|%u[0-9a-fA-F]{4})[\w.~/:+,!-]{0,40}){3,400}/gu;
export const ENTITY_RUN = /(?:&(?:#(?:[xX][0-9a-fA-F]{1,6}|\d{1,7})|[a-zA-Z]{2,24});?[^&<\n]{0,12}){3,}/gu;
export const QUOTED_RUN = /(?:=(?:[0-9A-F]{2}|\r?\n)[^=\n]{0,70}){3,}/gu;
export const PAIRS_RUN = /(?:(?:\b|(?<=[\d\s,]))(?:0x)?[0-9a-fA-F]{2}(?:[ ,:;]|\s?[,;]\s|\n){1,3}){5,}(?:0x)?[0-9a-fA-F]{2}\b/gu;
export const NUMBERS_RUN = /\b(?:\d{2,3}(?:[ ,;.|-]|\n){1,3}){5,}\d{2,3}\b/gu;
export const BINARY_RUN = /\b(?:[01]{8}[ ,\n]{0,2}){4,}\b/gu;
export const MORSE_RUN = /(?:[.\-·−]{1,6}(?: {1,3}(?:[/|] {0,3})?|\n)){7,}[.\-·−]{0,6}/gu;

export function decodeHexText(run: string): string | null {
  const clean = run.replace(/[\s:,;]|\\x|0x/gu, '');
  if (clean.length < 4 || !/^[0-9a-fA-F]+$/u.test(clean)) return null;
  const bytes: number[] = [];
  for (let index = 0; index + 1 < clean.length; index += 2) bytes.push(Number.parseInt(clean.slice(index, index + 2), 16));
  return bytesText(bytes);
}

export function decodeEscapes(run: string): string | null {
  const bytes: number[] = [];
  let onlyBytes = true;
  const text = run.replace(
    /(?:\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\u\{([0-9a-fA-F]{1,6})\}|\\U([0-9a-fA-F]{8})|\\([0-3]?[0-7]{2})|\\?[uU]\+([0-9a-fA-F]{4,6}))[ ,]{0,2}/gu,
    (_, x?: string, u?: string, braced?: string, wide?: string, octal?: string, named?: string) => {
      const code = octal === undefined ? Number.parseInt(x ?? u ?? braced ?? wide ?? named ?? '', 16) : Number.parseInt(octal, 8);
      if (x === undefined && octal === undefined) onlyBytes = false;
      bytes.push(code);
      return fromCode(code);
    },
  );
  return (onlyBytes ? bytesText(bytes) : null) ?? text;
}

export function decodePercent(run: string): string | null {
  const bytes: number[] = [];
  for (let index = 0; index < run.length; index++) {
    const code = run.charCodeAt(index);
    const hex = code === 37 ? run.slice(index + 1, index + 3) : '';
    if (/^[0-9a-fA-F]{2}$/u.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      index += 2;
    } else if (code === 37 && /^u[0-9a-fA-F]{4}$/u.test(run.slice(index + 1, index + 6))) {
      bytes.push(Number.parseInt(run.slice(index + 2, index + 6), 16) & 0x7f);
      index += 5;
    } else if (code < 0x80) bytes.push(code);
    else return null;
  }
  return bytesText(bytes);
}

/** Names of HTML for ASCII signs, and a few others that occur in text. Source: HTML Living Standard §13.5. */
const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  Tab: '\t',
  NewLine: '\n',
  excl: '!',
  num: '#',
  dollar: '$',
  percnt: '%',
  lpar: '(',
  rpar: ')',
  ast: '*',
  plus: '+',
  comma: ',',
  period: '.',
  sol: '/',
  colon: ':',
  semi: ';',
  equals: '=',
  quest: '?',
  commat: '@',
  lsqb: '[',
  lbrack: '[',
  bsol: '\\',
  rsqb: ']',
  rbrack: ']',
  Hat: '^',
  lowbar: '_',
  UnderBar: '_',
  grave: '`',
  DiacriticalGrave: '`',
  lcub: '{',
  lbrace: '{',
  verbar: '|',
  vert: '|',
  VerticalLine: '|',
  rcub: '}',
  rbrace: '}',
  hyphen: '-',
  dash: '-',
  shy: '',
  zwnj: '',
  zwj: '',
  ensp: ' ',
  emsp: ' ',
  thinsp: ' ',
  rsquo: "'",
  lsquo: "'",
  ldquo: '"',
  rdquo: '"',
  ndash: '-',
  mdash: '-',
  hellip: '...',
};

export const decodeEntities = (run: string): string =>
  run.replace(/&(?:#[xX]([0-9a-fA-F]{1,6})|#(\d{1,7})|([a-zA-Z]{2,24}));?/gu, (all, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return (Object.hasOwn(NAMED, name) ? NAMED[name] : undefined) ?? all;
    return fromCode(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });

export function decodeQuotedPrintable(run: string): string | null {
  const plain = run.replace(/[=]\r?\n/gu, '');
  const bytes: number[] = [];
  for (let index = 0; index < plain.length; index++) {
    const hex = plain.charCodeAt(index) === 61 ? plain.slice(index + 1, index + 3) : '';
    if (/^[0-9A-F]{2}$/u.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      index += 2;
    } else if (plain.charCodeAt(index) < 0x80) bytes.push(plain.charCodeAt(index));
    else return null;
  }
  return bytesText(bytes);
}

/** Character codes as numbers, decimal or else octal. */
export function decodeNumbers(run: string): string | null {
  const numbers = run.match(/\d{2,3}/gu) ?? [];
  return (
    bytesText(numbers.map(Number)) ??
    (numbers.every((one) => /^[0-7]{2,3}$/u.test(one)) ? bytesText(numbers.map((one) => Number.parseInt(one, 8))) : null)
  );
}

export function decodeBinary(run: string): string | null {
  const bits = run.replace(/[^01]/gu, '');
  const bytes: number[] = [];
  for (let at = 0; at + 8 <= bits.length; at += 8) bytes.push(Number.parseInt(bits.slice(at, at + 8), 2));
  return bytesText(bytes);
}

/** Source: ITU-R M.1677-1. */
const MORSE =
  '.- a -... b -.-. c -.. d . e ..-. f --. g .... h .. i .--- j -.- k .-.. l -- m -. n --- o .--. p --.- q .-. r ... s - t ..- u ...- v .-- w -..- x -.-- y --.. z .---- 1 ..--- 2 ...-- 3 ....- 4 ..... 5 -.... 6 --... 7 ---.. 8 ----. 9 ----- 0'.split(
    ' ',
  );

export function decodeMorse(run: string): string | null {
  const table = new Map<string, string>();
  for (let at = 0; at + 1 < MORSE.length; at += 2) table.set(MORSE[at] ?? '', MORSE[at + 1] ?? '');
  let text = '';
  for (const word of run
    .replaceAll('·', '.')
    .replaceAll('−', '-')
    .split(/ *[/|\n] *| {2,}/u)) {
    for (const sign of word.trim().split(' ')) {
      if (sign === '') continue;
      const letter = table.get(sign);
      if (letter === undefined) return null;
      text += letter;
    }
    text += ' ';
  }
  return text.trim();
}
