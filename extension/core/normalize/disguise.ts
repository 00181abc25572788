/**
 * Undoes the spellings of `.`, `/` and `\` by which a path slips through a check and still climbs.
 * Sources: RFC 3986 §2.1 (percent), RFC 3629 §3 (overlong UTF-8), MS-UCODEREF best fit, CWE-22 and its variants.
 */

export interface PlainPath {
  /** With `/` as separator wherever a reader may take it for one. */
  readonly text: string;
  /** What stands before a NUL in `text`, where C programs stop; null without one. */
  readonly beforeNul: string | null;
  /** The way up, or letters that need no code, were written in code. */
  readonly disguised: boolean;
}

/** Each round undoes one layer: `%25252e` takes three. */
const ROUNDS = 4;
/** Longest name of one file on common systems. */
const MAX_NAME = 255;
const SIMPLE = /^[\w@./~ +,=()#[\]-]*$/u;
/** Code points that programs fold to a dot or a separator when they turn UTF-16 into bytes. */
const BEST_FIT: ReadonlyMap<string, string> = new Map([
  ['2024', '.'],
  ['ff0e', '.'],
  ['3002', '.'],
  ['ff61', '.'],
  ['2025', '..'],
  ['2215', '/'],
  ['2044', '/'],
  ['ff0f', '/'],
  ['2216', '\\'],
  ['ff3c', '\\'],
  ['efc8', '\\'],
  ['f025', '\\'],
]);

export function plainPath(written: string): PlainPath {
  if (SIMPLE.test(written) && !/\.{3}|0x|\.\.2f|(?:\/\.){4}|[^/]{256}/u.test(written))
    return { text: written, beforeNul: null, disguised: false };
  let text = written;
  for (let round = 0; round < ROUNDS; round++) {
    const next = decodedOnce(text);
    if (next === text) break;
    text = next;
  }
  const coded = text !== written;
  // Signs the sender could not encode arrive as question marks; beside decoded separators they stand for dots.
  if (coded) text = text.replace(/(?<=^|[\\/])[.?]{2}(?=[\\/])/gu, '..');
  const nul = text.indexOf('\u0000');
  const before = nul > 0 ? text.slice(0, nul) : null;
  text = separated(text.replace(/[\u0000-\u001f\u007f]/gu, ''));
  const spelt = climbs(text);
  const disguised =
    nul >= 0 ||
    (coded && spelt > climbs(written)) ||
    /(?:%(?:25){0,3}(?:4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])){3}/iu.test(written) ||
    (coded && /%[cC][01]%|%[uU][0-9a-fA-F]{4}|%(?:25){1,3}[2-7c-f]/u.test(written)) ||
    mangled(written) ||
    (/^.{0,4000}\.\.[\\/]/su.test(text) && text.split('/').some((part) => part.length > MAX_NAME));
  return { text, beforeNul: before === null ? null : separated(before), disguised };
}

/** How often a path says `..`, whatever it means by it. */
function climbs(path: string): number {
  let count = 0;
  for (const part of path.split(/[\\/]/u)) if (part === '..') count++;
  return count;
}

/** Ways up made of plain characters that only a filter reads otherwise. */
function mangled(written: string): boolean {
  return (
    /\.\.;[^/\\]{0,20}[\\/]/u.test(written) ||
    /(?:^|[\\/])\.{3,}(?:\\|\/\/)/u.test(written) ||
    /^[\\/]?\.{4,}[\\/]/u.test(written) ||
    /\.{5}/u.test(written) ||
    /(?:[\\/]\.){4}[\\/]/u.test(written) ||
    // Both separators in one way up: no system writes paths like that.
    /\.\.(?:\\\/|\/\\)|\.\.\/{1,3}\.\.\\|\.\.\\{1,3}\.\.\/|\.\\{1,3}\/|^\/[^/]{0,300}(?:\.\.\\)/u.test(written) ||
    /\.\.\\{1,4}(?:\.\.?\\{1,4}){0,8}[^\\/]{1,80}\//u.test(written)
  );
}

function decodedOnce(text: string): string {
  let out = text;
  if (out.includes('%')) {
    out = out
      // Overlong forms of two to six bytes, and the broken ones that lenient decoders fold to the same signs.
      .replace(/%c0%(?:[2aef6]e)|%(?:e0%80|f0%80%80|f8%80%80%80|fc%80%80%80%80)%ae/giu, '.')
      .replace(/%c0%(?:[2aef6q]f|9v)|%(?:e0%80|f0%80%80|f8%80%80%80|fc%80%80%80%80)%af/giu, '/')
      .replace(/%c0%[5d]c|%c1%(?:[1-9d]c|pc|8s|af)|%(?:e0%81|f0%80%81|f8%80%80%81|fc%80%80%80%81)%9c/giu, '\\')
      .replace(/%ef%bc%8e/giu, '.')
      .replace(/%ef%bc%8f|%e2%88%95|%e2%81%84/giu, '/')
      .replace(/%u([0-9a-f]{4})/giu, (_, hex: string) => BEST_FIT.get(hex.toLowerCase()) ?? String.fromCharCode(Number.parseInt(hex, 16)))
      .replace(/%([0-7][0-9a-f])/giu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  if (/0x(?:2e|2f|5c)/iu.test(out)) out = out.replace(/0x(2e|2f|5c)/giu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  // The percent signs were lost on the way: `..2f..2fetc2fpasswd`.
  if (/^(?:\.\.|2e2e)(?:2f|5c)/iu.test(out)) out = out.replace(/2e(?=2e|2f|5c)/giu, '.').replace(/2f|5c/giu, '/');
  if (/\\(?:u00|x)(?:2e|2f|5c)/iu.test(out))
    out = out.replace(/\\(?:u00|x)(2e|2f|5c)/giu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  if (out.includes('&'))
    out = out
      .replace(/&(?:#(?:46|x2e)|period);/giu, '.')
      .replace(/&(?:#(?:47|x2f)|sol);/giu, '/')
      .replace(/&(?:#(?:92|x5c)|bsol);/giu, '\\');
  return out;
}

/** With `\` as a separator where it stands beside dots, and the tricks with dots undone. */
function separated(path: string): string {
  let text = path;
  if (/\.\\|\\\.|^[a-z]:|^\\|\\(?:etc|windows|winnt|users|home|var)\\/iu.test(text)) text = text.replaceAll('\\', '/');
  return text
    .replace(/\.\.;[^/]{0,20}\//gu, '../')
    .replace(/(^|\/)\.{4}\/\//gu, '$1../')
    .replace(/(^|\/)\.{3,}\//gu, '$1../')
    .replace(/(^|\/)\.\.[. ]{1,200}(?=\/)/gu, '$1..');
}
