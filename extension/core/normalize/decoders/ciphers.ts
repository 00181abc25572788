/** Letter ciphers a model reads without help: Caesar's (rot13 among them), atbash, and text written backwards. */
import { commonWords } from '#core/normalize/english.ts';

/** 1–25 a shift, 26 atbash, 27 backwards. */
export const CIPHERS = 28;
const ATBASH = 26;
const BACKWARDS = 27;

/** Words nearly every order holds. For rare shifts only the commonest: each word of each cipher makes a false candidate likelier. */
const FEW = ['the', 'you', 'all', 'and', 'your', 'this', 'ignore', 'instructions'];
const MANY = [
  ...FEW,
  'previous',
  'what',
  'with',
  'for',
  'can',
  'not',
  'secret',
  'system',
  'prompt',
  'key',
  'password',
  'prior',
  'rules',
  'disregard',
  'forget',
  'is',
  'to',
  'my',
  'me',
  'of',
  'that',
  'from',
  'reveal',
  'send',
  'file',
  'run',
];

let table: Uint8Array | null = null;

/** Which cipher a word of it belongs to, by the word's hash as `signsIn` counts it; 0 for none. */
export function cipherTable(): Uint8Array {
  if (table) return table;
  table = new Uint8Array(1 << 16);
  const plain = new Set([...MANY, 'no', 'on', 'ti', 'so', 'as', 'if', 'it', 'in', 'or', 'at', 'be', 'do', 'saw', 'was'].map(hashOf));
  for (let cipher = CIPHERS - 1; cipher >= 1; cipher--) {
    for (const word of cipher === 13 || cipher >= ATBASH ? MANY : FEW) {
      const hash = hashIn(word, cipher);
      if (!plain.has(hash)) table[hash] = cipher;
    }
  }
  return table;
}

function hashOf(word: string): number {
  let hash = word.charCodeAt(0) & 31;
  for (let at = 1; at < word.length; at++) hash = (hash * 29 + (word.charCodeAt(at) & 31)) & 0xffff;
  return hash;
}

/** Hash of a word of small letters as it is written in a cipher. */
function hashIn(word: string, cipher: number): number {
  let hash = 0;
  for (let at = 0; at < word.length; at++) {
    const place = word.charCodeAt(cipher === BACKWARDS ? word.length - 1 - at : at) - 97;
    const letter = cipher === BACKWARDS ? place : cipher === ATBASH ? 25 - place : (place + 26 - cipher) % 26;
    hash = (hash * 29 + letter + 1) & 0xffff;
  }
  return hash;
}

export function decipher(text: string, cipher: number): string {
  if (cipher === BACKWARDS) return [...text].reverse().join('');
  return text.replace(/[A-Za-z]/gu, (letter) => {
    const code = letter.charCodeAt(0);
    const base = code >= 97 ? 97 : 65;
    const place = code - base;
    return String.fromCharCode(base + (cipher === ATBASH ? 25 - place : (place + cipher) % 26));
  });
}

export const cipherName = (cipher: number): 'rot13' | 'caesar' | 'atbash' | 'reversed' =>
  cipher === 13 ? 'rot13' : cipher === ATBASH ? 'atbash' : cipher === BACKWARDS ? 'reversed' : 'caesar';

/** The plain forms of one line: empty when it reads no better than before. */
export function plainForms(line: string, cipher: number): readonly string[] {
  const forms = [decipher(line, cipher < ATBASH ? cipher : cipher)];
  if (cipher === BACKWARDS) forms.push(line.replace(/[A-Za-z]{2,30}/gu, (word) => [...word].reverse().join('')));
  const before = commonWords(line, 12);
  return forms.filter((form) => {
    const after = commonWords(form, 12);
    return after >= 3 && after >= before + 2;
  });
}
