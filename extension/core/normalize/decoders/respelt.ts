/** Text that a reader puts right at a glance: spaced letters, digits for letters, accents for show, letters upside down. */
import { commonList, commonWords } from '#core/normalize/english.ts';

/** Single characters with the same gap between them. */
export const SPACED_RUN =
  /(?:^|(?<=[\s"'(>*`]))(?:[\w'",.!?:;()@/$-] {1,4}){6,}[\w.!?]?|(?<![A-Za-z])[A-Za-z](?:[.\-_*|·/+~ ]{1,3}[A-Za-z](?![A-Za-z])){6,}/gu;

/** The words that spaced letters spell; null when they are only letters in a row. */
export function unspaced(run: string): string | null {
  const gaps = run.match(/(?<=\S)[ .\-_*|·/+~]{1,6}(?=\S)/gu) ?? [];
  const marked = gaps.filter((gap) => gap.trim() !== '').length > gaps.length / 2 && !/[.,!?] /u.test(run);
  const shortest = gaps.reduce((least, gap) => Math.min(least, gap.length), 6);
  let text = '';
  for (const piece of run.split(/([ .\-_*|·/+~]{1,6})/u)) {
    if (!/^[ .\-_*|·/+~]{1,6}$/u.test(piece)) text += piece;
    else if (marked ? piece.trim() === '' : piece.length > shortest) text += ' ';
  }
  text = text.trim();
  return text.includes(' ') ? text : segmented(text);
}

/** Letters without gaps between words, cut where common words begin and end. */
function segmented(text: string): string | null {
  const words = commonList().filter((word) => word.length >= 3);
  const lower = text.toLowerCase().slice(0, 400);
  let out = '';
  let found = 0;
  for (let at = 0; at < lower.length;) {
    const word = words.filter((one) => lower.startsWith(one, at)).sort((a, b) => b.length - a.length)[0];
    if (word === undefined) out += text[at++];
    else {
      out += ` ${text.slice(at, at + word.length)} `;
      at += word.length;
      if (word.length >= 5) found++;
    }
  }
  return found >= 1 ? out.replace(/ {2,}/gu, ' ').trim() : null;
}

const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '9': 'g',
  '@': 'a',
  $: 's',
  '!': 'i',
  '|': 'l',
  '+': 't',
};

/** Lines in which digits and signs stand for letters, as they are meant. `1` is read both as i and as l. */
export function unleeted(text: string): readonly string[] {
  const out: string[] = [];
  for (const line of text.split('\n')) {
    if (out.length >= 40 || line.length > 4000 || !mayBeLeet(line) || !/[A-Za-z][013457@$!]|[013457@$!][A-Za-z]/u.test(line)) continue;
    const plain = line.replace(/[\w@$!|+]{2,24}/gu, (word) =>
      /[A-Za-z]/u.test(word) && /[013457@$!|+]/u.test(word) && !/\d{4}/u.test(word)
        ? word.replace(/[01345789@$|+]|!(?=\w)/gu, (sign) => LEET[sign] ?? sign)
        : word,
    );
    // A digit alone may be an a or an I.
    const before = commonWords(line, 12);
    for (const form of [plain, plain.replaceAll('i', 'l')]) {
      const after = commonWords(form, 12);
      if (form !== line && after >= 2 && after >= before + 2) {
        out.push(form);
        break;
      }
    }
  }
  return out;
}

/** By character: what it may be read as in a word, as a small letter; 1: it is of a word and no letter; 0: it is of none. */
let readings: Uint8Array | null = null;
/** A 1 for the hash of every common word. */
let commonHashes: Uint8Array | null = null;

function readingsOf(): Uint8Array {
  const table = new Uint8Array(128);
  for (let code = 33; code < 127; code++) {
    const sign = String.fromCharCode(code);
    if (/[A-Za-z]/u.test(sign)) table[code] = code | 32;
    else if (/[\w@$!|+]/u.test(sign)) table[code] = (LEET[sign] ?? '\u0001').charCodeAt(0);
  }
  return table;
}

const hashed = (hash: number, letter: number): number => (hash * 31 + letter) & 0xfff;

function hashesOf(): Uint8Array {
  const table = new Uint8Array(0x1000);
  for (const word of commonList()) {
    let hash = 0;
    for (let at = 0; at < word.length; at++) hash = hashed(hash, word.charCodeAt(at));
    table[hash] = 1;
  }
  return table;
}

/** Whether words with digits or signs in them may hold two common ones: no line without them reads better. */
function mayBeLeet(line: string): boolean {
  const reads = (readings ??= readingsOf());
  const common = (commonHashes ??= hashesOf());
  const { length } = line;
  let found = -1;
  for (let at = 0; at < length; at++) {
    if (readingOf(reads, line, at) === 0) continue;
    const start = at;
    let letters = false;
    let signs = false;
    for (; at < length && readingOf(reads, line, at) !== 0; at++) {
      const code = line.charCodeAt(at);
      if (reads[code] === (code | 32) && code > 64) letters = true;
      else if (code !== 95) signs = true;
    }
    if (!letters || !signs) continue;
    if (at - start > 24) return true;
    // As it reads, and with every i as an l.
    for (let form = 0; form < 2; form++) {
      let hash = 0;
      let size = 0;
      for (let place = start; place <= at; place++) {
        const read = place < at ? readingOf(reads, line, place) : 1;
        if (read !== 1) {
          hash = hashed(hash, form === 1 && read === 105 && line.charCodeAt(place) !== 73 ? 108 : read);
          size++;
          continue;
        }
        if (size > 12) return true;
        if (size > 1 && common[hash] === 1) {
          if (found >= 0 && found !== hash) return true;
          found = hash;
        }
        hash = 0;
        size = 0;
      }
    }
  }
  return false;
}

function readingOf(reads: Uint8Array, line: string, at: number): number {
  const code = line.charCodeAt(at);
  if (code > 127) return 0;
  // At a word's end it is only an exclamation mark.
  if (code === 33) return /\w/u.test(line[at + 1] ?? '') ? 105 : 1;
  return reads[code] as number;
}

/** Lines whose letters carry accents for show, without them. */
export function unaccented(text: string): readonly string[] {
  const out: string[] = [];
  for (const line of text.split('\n')) {
    if (out.length >= 40 || line.length > 4000 || !/[\u00c0-\u024f\u1e00-\u1eff]|\p{Mn}/u.test(line)) continue;
    const plain = line
      .normalize('NFD')
      .replace(/\p{Mn}/gu, '')
      .replace(/[łøđħŧ]/gu, (letter) => ({ ł: 'l', ø: 'o', đ: 'd', ħ: 'h', ŧ: 't' })[letter] ?? letter);
    if (commonWords(plain, 12) >= commonWords(line, 12) + 3) out.push(plain);
  }
  return out;
}

const TURNED: Readonly<Record<string, string>> = Object.fromEntries(
  'ɐa qb ɔc pd ǝe əe ɟf ƃg ɓg ɥh ᴉi ıi ɾj ʞk ʃl ןl ɯm uɯ nu oo dp bq ɹr ss ʇt nu ʌv ʍw xx ʎy zz'
    .split(' ')
    .map((pair) => [pair[0] ?? '', pair[1] ?? '']),
);
/** Letters that read as others when upside down; the marks of a text that is. */
const UPSIDE_DOWN = /[ɐɔǝɟƃɥᴉɾʞɯɹʇʌʍʎ]/gu;

/** Lines written upside down, as they read when turned. */
export function unturned(text: string): readonly string[] {
  const out: string[] = [];
  for (const line of text.split('\n')) {
    if (out.length >= 40 || line.length > 4000 || (line.match(UPSIDE_DOWN)?.length ?? 0) < 4) continue;
    const plain = [...line]
      .reverse()
      .map((char) => ({ u: 'n', n: 'u', p: 'd', d: 'p', b: 'q', q: 'b' })[char] ?? TURNED[char] ?? char)
      .join('');
    if (commonWords(plain, 12) >= commonWords(line, 12) + 2) out.push(plain);
  }
  return out;
}

/** What a line with right-to-left overrides shows: the stretches they cover, backwards. Source: UAX #9, X1–X8, as far as one level goes. */
export function displayed(text: string): string {
  return text
    .replace(/\u202e([^\u202c\n]{0,4000})\u202c?/gu, (_, covered: string) =>
      [...covered.replace(/[\u202a-\u202e\u2066-\u2069]/gu, '')].reverse().join(''),
    )
    .replace(/[\u202a-\u202e\u2066-\u2069]/gu, '');
}
