/** Which words a text must hold for a regex to match in it, and how far from the match's start they stand. */
import { frequencyOf } from '#core/detect/frequency.ts';
import { foldable, foldedCode, foldedWord } from '#core/detect/letters.ts';
import { readRegex, type RegexNode } from '#core/detect/regexTree.ts';

/** Bits of `Word.marks`. */
export const STARTS = 1;
export const ENDS = 2;
export const AS_WRITTEN = 4;

export interface Word {
  /** Folded as by `foldedCode`, unless its case counts. */
  readonly text: string;
  /** STARTS, ENDS: a word boundary is before, after it · AS_WRITTEN: in this case only. */
  readonly marks: number;
}

/** Every match holds one of `words`, starting `least` to `most` UTF-16 units after the match's start. */
export interface Literals {
  readonly words: readonly Word[];
  readonly least: number;
  readonly most: number;
}

/** Most words of one set, of a set that is spelt out letter by letter, and units of one word: more say no more. */
const MAX_WORDS = 256;
const MAX_SPELT_WORDS = 64;
const MAX_WORD = 32;
/** Classes of more characters than this are not spelt out. */
const MAX_SPELT = 16;
/** Stands for a word boundary in a text being put together; no text of a rule holds it. */
const EDGE = '\uffff';
/** Stands for a sign beside: a word boundary too, if there is a letter on this side of it. */
const SIGNED = '\ufffe';
const MARKS = /[\ufffe\uffff]/gu;

/** The best set of words for finding matches of the regex; null when it needs none of two units or more. */
export function literalsOf(source: string, flags: string): Literals | null {
  return literalSets(source, flags)[0] ?? null;
}

/** Sets of which every match holds a word each, the best for finding it first. */
export function literalSets(source: string, flags: string): readonly Literals[] {
  const tree = readRegex(source, flags);
  if (tree === null) return [];
  const anyCase = flags.includes('i');
  const known = look(edged(tree, anyCase), anyCase);
  const sets = known.exact === null ? known.sets : [{ texts: known.exact, least: 0, most: 0 }];
  return sets
    .filter((set) => shortest(set.texts) >= 2)
    .map((set) => withoutLonger(set, anyCase))
    .sort((a, b) => worth(b) - worth(a));
}

const WORD_EDGE: RegexNode = { kind: 'look', of: null, edge: true };

/** The same regex with the word boundaries around a choice said for each of what is to choose from, which may be listed apart from what is around. */
function edged(node: RegexNode, anyCase: boolean): RegexNode {
  switch (node.kind) {
    case 'choice':
      return { ...node, of: node.of.map((part) => edged(part, anyCase)) };
    case 'repeat':
      return { ...node, of: edged(node.of, anyCase) };
    case 'sequence': {
      const parts = node.of.map((part) => look(part, anyCase));
      const isEdge = (at: number): boolean => isWordEdge(node.of[at]);
      return {
        ...node,
        of: node.of.map((part, at) => {
          if (part.kind !== 'choice') return edged(part, anyCase);
          const signBefore = lastOf(parts, at - 1) === SIGN;
          const signAfter = firstOf(parts, at + 1) === SIGN;
          const of = part.of.map((one): RegexNode => {
            const { first, last } = look(one, anyCase);
            const starts = isEdge(at - 1) || (signBefore && first === LETTER);
            const ends = isEdge(at + 1) || (signAfter && last === LETTER);
            const of = one.kind === 'sequence' ? one.of : [one];
            return edged({ kind: 'sequence', of: [...(starts ? [WORD_EDGE] : []), ...of, ...(ends ? [WORD_EDGE] : [])] }, anyCase);
          });
          return { ...part, of };
        }),
      };
    }
    default:
      return node;
  }
}

const isWordEdge = (node: RegexNode | undefined): boolean => node?.kind === 'look' && node.edge === true;

export function wordOf(text: string, anyCase: boolean): Word {
  const bare = text.replace(MARKS, '');
  const [before = ''] = /^[\ufffe\uffff]{0,9}/u.exec(text) ?? [];
  const [after = ''] = /[\ufffe\uffff]{0,9}$/u.exec(text) ?? [];
  const starts = before.includes(EDGE) || (before !== '' && isWordUnit(bare.charCodeAt(0)));
  const ends = after.includes(EDGE) || (after !== '' && isWordUnit(bare.charCodeAt(bare.length - 1)));
  const cased = !anyCase && /[A-Za-z]/u.test(bare);
  return { text: bare, marks: (starts ? STARTS : 0) | (ends ? ENDS : 0) | (cased ? AS_WRITTEN : 0) };
}

/** A word that holds another one of the set adds nothing but places to look from. */
function withoutLonger({ texts, least, most }: Texts, anyCase: boolean): Literals {
  const kept: Word[] = [];
  let further = 0;
  for (const word of unique(texts)
    .map((text) => wordOf(text, anyCase))
    .sort((a, b) => a.text.length - b.text.length || a.marks - b.marks)) {
    const at = kept.map((other) => placeIn(other, word)).filter((place) => place >= 0);
    if (at.length === 0) kept.push(word);
    else further = Math.max(further, Math.min(...at));
  }
  return { words: kept, least, most: most + further };
}

/** Where a word is found whenever another one is; -1: nowhere. */
function placeIn(word: Word, other: Word): number {
  const at = other.text.indexOf(word.text);
  if (at < 0 || (word.marks & AS_WRITTEN) > (other.marks & AS_WRITTEN)) return -1;
  if ((word.marks & STARTS) !== 0 && !(at === 0 && (other.marks & STARTS) !== 0)) return -1;
  if ((word.marks & ENDS) !== 0 && !(at + word.text.length === other.text.length && (other.marks & ENDS) !== 0)) return -1;
  return at;
}

interface Texts {
  readonly texts: readonly string[];
  readonly least: number;
  readonly most: number;
}

/** What stands at an end of a part: bits. Nothing at all means that it may be empty. */
const SIGN = 1;
const LETTER = 2;
const NOTHING = 4;

/** What is known of a part of a regex. `exact`: all it can match, folded; null when that is too much to list. */
interface Known {
  readonly exact: readonly string[] | null;
  readonly inside: Texts | null;
  /** Every set that was seen, `inside` among them. */
  readonly sets: readonly Texts[];
  readonly least: number;
  readonly most: number;
  readonly first: number;
  readonly last: number;
}

const EMPTY: Known = { exact: [''], inside: null, sets: [], least: 0, most: 0, first: NOTHING, last: NOTHING };

function look(node: RegexNode, anyCase: boolean): Known {
  switch (node.kind) {
    case 'char': {
      const char = String.fromCodePoint(node.code);
      const kind = isWordUnit(node.code) ? LETTER : SIGN;
      return {
        ...EMPTY,
        exact: spellable(node.code, anyCase) ? [anyCase ? foldedWord(char) : char] : null,
        least: char.length,
        most: char.length,
        first: kind,
        last: kind,
      };
    }
    case 'set': {
      const spelt = new Set<string>();
      let kind = node.beyond ? SIGN : 0;
      for (let code = 0; code < 128; code++) {
        if (node.ascii[code] !== 1) continue;
        kind |= isWordUnit(code) ? LETTER : SIGN;
        spelt.add(String.fromCharCode(anyCase ? foldedCode(code) : code));
      }
      const exact = !node.beyond && spelt.size <= MAX_SPELT ? [...spelt] : null;
      return { ...EMPTY, exact, least: 1, most: node.units, first: kind, last: kind };
    }
    case 'look':
      return node.edge === true ? { ...EMPTY, exact: [EDGE] } : EMPTY;
    case 'back':
      return { ...EMPTY, exact: null, most: Number.POSITIVE_INFINITY, first: SIGN | LETTER | NOTHING, last: SIGN | LETTER | NOTHING };
    case 'choice':
      return choice(node.of.map((part) => look(part, anyCase)));
    case 'sequence':
      return sequence(node.of.map((part) => look(part, anyCase)));
    case 'repeat':
      return repeat(look(node.of, anyCase), node.least, node.most);
  }
}

const isWordUnit = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);

/** Whether a scan sees the letter however the text writes it. */
function spellable(code: number, anyCase: boolean): boolean {
  if (code < 128) return true;
  return code < 0xfffe && (!anyCase || foldable(String.fromCodePoint(code)));
}

function choice(parts: readonly Known[]): Known {
  const least = Math.min(...parts.map((part) => part.least));
  const most = Math.max(...parts.map((part) => part.most));
  const ends = { first: parts.reduce((sum, part) => sum | part.first, 0), last: parts.reduce((sum, part) => sum | part.last, 0) };
  const all = parts.every((part) => part.exact !== null) ? unique(parts.flatMap((part) => part.exact ?? [])) : null;
  if (all !== null && all.length <= MAX_WORDS) return { exact: all, inside: null, sets: [], least, most, ...ends };
  const each = parts.map(bestOf);
  const inside =
    each.every((set) => set !== null) && each.reduce((sum, set) => sum + (set?.texts.length ?? 0), 0) <= 4 * MAX_WORDS
      ? {
          texts: unique(each.flatMap((set) => set?.texts ?? [])),
          least: Math.min(...each.map((set) => set?.least ?? 0)),
          most: Math.max(...each.map((set) => set?.most ?? 0)),
        }
      : null;
  return { exact: null, inside, sets: inside === null ? [] : [inside], least, most, ...ends };
}

function sequence(parts: readonly Known[]): Known {
  let least = 0;
  let most = 0;
  let run: Texts = { texts: [''], least: 0, most: 0 };
  let whole = true;
  const sets: Texts[] = [];
  for (const [at, part] of parts.entries()) {
    const joined = part.exact === null ? null : product(run.texts, part.exact);
    if (joined !== null) run = { ...run, texts: joined };
    else {
      // What cannot be spelt out may still tell that a word ends, or starts, beside it.
      const ended = firstOf(parts, at) === SIGN ? run.texts.map((text) => text + SIGNED) : run.texts;
      sets.push({ ...run, texts: ended });
      for (const set of part.sets) sets.push({ texts: set.texts, least: least + set.least, most: most + set.most });
      whole = false;
      run =
        part.exact === null
          ? { texts: [lastOf(parts, at) === SIGN ? SIGNED : ''], least: least + part.least, most: most + part.most }
          : { texts: lastOf(parts, at - 1) === SIGN ? part.exact.map((text) => SIGNED + text) : part.exact, least, most };
    }
    least += part.least;
    most += part.most;
  }
  const ends = { first: firstOf(parts, 0), last: lastOf(parts, parts.length - 1) };
  if (whole) return { exact: run.texts, inside: null, sets: [], least, most, ...ends };
  sets.push(run);
  const telling = sets.filter((set) => shortest(set.texts) >= 2);
  return {
    exact: null,
    inside: telling.reduce<Texts | null>((best, set) => (best === null || worthOf(set) > worthOf(best) ? set : best), null),
    sets: telling,
    least,
    most,
    ...ends,
  };
}

function firstOf(parts: readonly Known[], from: number): number {
  let ends = 0;
  for (let at = from; at < parts.length; at++) {
    const { first } = parts[at] as Known;
    ends |= first & ~NOTHING;
    if ((first & NOTHING) === 0) return ends;
  }
  return ends | NOTHING;
}

function lastOf(parts: readonly Known[], from: number): number {
  let ends = 0;
  for (let at = from; at >= 0; at--) {
    const { last } = parts[at] as Known;
    ends |= last & ~NOTHING;
    if ((last & NOTHING) === 0) return ends;
  }
  return ends | NOTHING;
}

function repeat(part: Known, least: number, most: number): Known {
  if (most === 0 || part.most === 0) return EMPTY;
  const empty = least === 0 ? NOTHING : 0;
  const lengths = { least: part.least * least, most: part.most * most, first: part.first | empty, last: part.last | empty };
  let power: readonly string[] | null = [''];
  let all: readonly string[] | null = least === 0 ? [''] : [];
  let first: Texts | null = null;
  for (let times = 1; times <= most && power !== null; times++) {
    power = part.exact === null ? null : product(power, part.exact);
    if (power === null) all = null;
    else {
      if (times <= least) first = { texts: power, least: 0, most: 0 };
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
  if (left.length * right.length > (left.length === 1 || right.length === 1 ? MAX_WORDS : MAX_SPELT_WORDS)) return null;
  const out = unique(left.flatMap((start) => right.map((end) => start + end)));
  return out.some((word) => word.length > MAX_WORD) ? null : out;
}

function bestOf(known: Known): Texts | null {
  return known.exact === null ? known.inside : { texts: known.exact, least: 0, most: 0 };
}

const unique = (words: readonly string[]): string[] => [...new Set(words)];
const sizeOf = (text: string): number => text.replace(MARKS, '').length;
const shortest = (texts: readonly string[]): number =>
  texts.reduce((least, text) => Math.min(least, sizeOf(text)), Number.POSITIVE_INFINITY);

function worthOf(set: Texts): number {
  if (set.texts.length === 0 || shortest(set.texts) < 2) return -1;
  return worth({ ...set, words: set.texts.map((text) => wordOf(text, true)) });
}

/** Rarer ones gain nothing; fewer words do. */
const RARE = 8;

/** How rarely a word of the set is in ordinary text, about in powers of eight a unit; less for a start that has to be searched. */
export function worth(set: Literals): number {
  if (set.words.length === 0) return -1;
  const span = set.most - set.least;
  const often = Math.max(oftenOf(set) / 1024, 1e-11);
  return (
    Math.min(RARE, -Math.log2(often) / 3) - Math.log2(set.words.length) / 4 - (set.most > 1024 ? 2 : span > 64 ? 1 : span > 16 ? 0.5 : 0)
  );
}

/** How often some word of the set stands in 1024 units of ordinary text. */
export function oftenOf(set: Pick<Literals, 'words'>): number {
  let sum = 0;
  // A word that is written in one case only is rarer in it.
  for (const { text, marks } of set.words)
    sum += frequencyOf(text, (marks & STARTS) !== 0, (marks & ENDS) !== 0) * ((marks & AS_WRITTEN) !== 0 && /[A-Z]/u.test(text) ? 0.05 : 1);
  return sum;
}
