/** Which words a text must hold for a regex to match in it, and how far from the match's start they stand. */
import { readRegex, type RegexNode } from '#core/detect/regexTree.ts';

/** Every match holds one of `words` (folded as by `foldedCode`), starting `least` to `most` UTF-16 units after the match's start. */
export interface Literals {
  readonly words: readonly string[];
  readonly least: number;
  readonly most: number;
}

/** Most words of one set, and units of one word: more say no more. */
const MAX_WORDS = 64;
const MAX_WORD = 32;
/** Classes of more characters than this are not spelt out. */
const MAX_SPELT = 16;
const LONG_S = 0x17f;
const KELVIN = 0x212a;

/** The case a scan sees a UTF-16 unit in. Beside A–Z, two signs fold to ASCII letters in regexes with the flags `iu`. */
export function foldedCode(code: number): number {
  if (code < 128) return code >= 65 && code <= 90 ? code + 32 : code;
  return code === LONG_S ? 115 : code === KELVIN ? 107 : code;
}

/** Whether `foldedCode` sees every case of the word: it knows ASCII and what has no case. */
export function foldable(word: string): boolean {
  for (const char of word)
    if ((char.codePointAt(0) ?? 0) > 127 && (char.length > 1 || char.toLowerCase() !== char.toUpperCase())) return false;
  return true;
}

export function foldedWord(word: string): string {
  return word.replace(/[A-Z]/gu, (letter) => letter.toLowerCase());
}

/** The best set of words for finding matches of the regex; null when it needs none of two units or more. */
export function literalsOf(source: string, flags: string): Literals | null {
  return literalSets(source, flags)[0] ?? null;
}

/** Sets of which every match holds a word each, the best for finding it first. */
export function literalSets(source: string, flags: string): readonly Literals[] {
  const tree = readRegex(source, flags);
  if (tree === null) return [];
  const known = look(tree, flags.includes('i'));
  const sets = known.exact === null ? known.sets : [{ words: known.exact, least: 0, most: 0 }];
  return sets.filter((set) => shortest(set.words) >= 2).sort((a, b) => worth(b) - worth(a));
}

/** What is known of a part of a regex. `exact`: all it can match, folded; null when that is too much to list. */
interface Known {
  readonly exact: readonly string[] | null;
  readonly inside: Literals | null;
  /** Every set that was seen, `inside` among them. */
  readonly sets: readonly Literals[];
  readonly least: number;
  readonly most: number;
}

function look(node: RegexNode, anyCase: boolean): Known {
  switch (node.kind) {
    case 'char': {
      const char = String.fromCodePoint(node.code);
      return {
        exact: spellable(node.code, anyCase) ? [foldedWord(char)] : null,
        inside: null,
        sets: [],
        least: char.length,
        most: char.length,
      };
    }
    case 'set': {
      const spelt = new Set<string>();
      for (let code = 0; code < 128; code++) if (node.ascii[code] === 1) spelt.add(String.fromCharCode(foldedCode(code)));
      const exact = !node.beyond && spelt.size <= MAX_SPELT ? [...spelt] : null;
      return { exact, inside: null, sets: [], least: 1, most: node.units };
    }
    case 'look':
      return { exact: [''], inside: null, sets: [], least: 0, most: 0 };
    case 'back':
      return { exact: null, inside: null, sets: [], least: 0, most: Number.POSITIVE_INFINITY };
    case 'choice':
      return choice(node.of.map((part) => look(part, anyCase)));
    case 'sequence':
      return sequence(node.of.map((part) => look(part, anyCase)));
    case 'repeat':
      return repeat(look(node.of, anyCase), node.least, node.most);
  }
}

/** Whether a scan sees the letter however the text writes it. */
function spellable(code: number, anyCase: boolean): boolean {
  if (code < 128) return true;
  return code <= 0xffff && foldedCode(code) === code && !(anyCase && !foldable(String.fromCodePoint(code)));
}

function choice(parts: readonly Known[]): Known {
  const least = Math.min(...parts.map((part) => part.least));
  const most = Math.max(...parts.map((part) => part.most));
  const all = parts.every((part) => part.exact !== null) ? unique(parts.flatMap((part) => part.exact ?? [])) : null;
  if (all !== null && all.length <= MAX_WORDS) return { exact: all, inside: null, sets: [], least, most };
  const each = parts.map(bestOf);
  const inside = each.every((set) => set !== null)
    ? {
        words: unique(each.flatMap((set) => set?.words ?? [])),
        least: Math.min(...each.map((set) => set?.least ?? 0)),
        most: Math.max(...each.map((set) => set?.most ?? 0)),
      }
    : null;
  return { exact: null, inside, sets: inside === null ? [] : [inside], least, most };
}

function sequence(parts: readonly Known[]): Known {
  let least = 0;
  let most = 0;
  let run: Literals = { words: [''], least: 0, most: 0 };
  let whole = true;
  const sets: Literals[] = [];
  for (const part of parts) {
    const joined = part.exact === null ? null : product(run.words, part.exact);
    if (joined !== null) run = { ...run, words: joined };
    else {
      sets.push(run);
      for (const set of part.sets) sets.push({ words: set.words, least: least + set.least, most: most + set.most });
      whole = false;
      run = part.exact === null ? { words: [''], least: least + part.least, most: most + part.most } : { words: part.exact, least, most };
    }
    least += part.least;
    most += part.most;
  }
  sets.push(run);
  if (whole) return { exact: run.words, inside: null, sets: [], least, most };
  const telling = sets.filter((set) => shortest(set.words) >= 2);
  return {
    exact: null,
    inside: telling.reduce<Literals | null>((best, set) => (best === null || worth(set) > worth(best) ? set : best), null),
    sets: telling,
    least,
    most,
  };
}

function repeat(part: Known, least: number, most: number): Known {
  if (most === 0) return { exact: [''], inside: null, sets: [], least: 0, most: 0 };
  if (part.most === 0) return { exact: [''], inside: null, sets: [], least: 0, most: 0 };
  const lengths = { least: part.least * least, most: part.most * most };
  let power: readonly string[] | null = [''];
  let all: readonly string[] | null = least === 0 ? [''] : [];
  let first: Literals | null = null;
  for (let times = 1; times <= most && power !== null; times++) {
    power = part.exact === null ? null : product(power, part.exact);
    if (power === null) all = null;
    else {
      if (times <= least) first = { words: power, least: 0, most: 0 };
      if (times >= least) all = all === null || all.length + power.length > MAX_WORDS ? null : unique([...all, ...power]);
    }
    if (all === null && times >= least) break;
  }
  if (all !== null) return { exact: all, inside: null, sets: [], ...lengths };
  // The first of them always stands at the start.
  const inside = least === 0 ? null : (first ?? part.inside);
  return { exact: null, inside, sets: inside === null ? [] : [inside], ...lengths };
}

function product(left: readonly string[], right: readonly string[]): readonly string[] | null {
  if (left.length * right.length > MAX_WORDS) return null;
  const out = unique(left.flatMap((start) => right.map((end) => start + end)));
  return out.some((word) => word.length > MAX_WORD) ? null : out;
}

function bestOf(known: Known): Literals | null {
  return known.exact === null ? known.inside : { words: known.exact, least: 0, most: 0 };
}

const unique = (words: readonly string[]): string[] => [...new Set(words)];
const shortest = (words: readonly string[]): number =>
  words.reduce((least, word) => Math.min(least, word.length), Number.POSITIVE_INFINITY);

const COMMON = 'etaoinsrhld';
/** How rare the least rare word is in ordinary text, about in powers of eight; less for many words and for a start that has to be searched. */
export function worth(set: Literals): number {
  if (set.words.length === 0 || shortest(set.words) < 2) return -1;
  const rarest = Math.min(12, ...set.words.map(rarity));
  const span = set.most - set.least;
  return rarest - Math.log2(set.words.length) / 2 - (set.most > 1024 ? 3 : span > 64 ? 2 : span > 16 ? 1 : 0);
}

export function rarity(word: string): number {
  let sum = 0;
  for (let at = 0; at < word.length; at++) {
    const char = word[at] ?? '';
    sum +=
      char === ' ' || char === '\n' ? 0.7 : COMMON.includes(char) ? 1 : /[a-z]/u.test(char) ? 1.6 : /[0-9./\-"']/u.test(char) ? 1.8 : 2.4;
  }
  return sum;
}
