/** What a text must look like for a regex to match in it at all, told from the regex's form; for regexes that ask for no word. */
import { frequencyOf } from '#core/detect/frequency.ts';
import { readRegex, type RegexNode } from '#core/detect/regexTree.ts';

/**
 * `digits`: digits in a row · `spaced`: digits with nothing but spaces, dots and hyphens between them · `token`: letters,
 * digits, `_` and `-` in a row · `odd`: a character that `fold` does not leave as it is · `signs`: one of these ASCII
 * characters; empty: any.
 */
export interface Gate {
  readonly digits: number;
  readonly spaced: number;
  readonly token: number;
  readonly odd: boolean;
  readonly signs: string;
}

/** Looking for each of this many characters takes less than a regex. */
const MAX_ODD = 8;

/** Null: any text will do. */
export function gateOf(source: string, flags: string): Gate | null {
  const tree = readRegex(source, flags);
  if (tree === null) return null;
  const anyCase = flags.includes('i');
  const needed = required(tree, anyCase);
  const odd = needed !== null && [...needed.ascii].every((has, code) => has === 0 || isOdd(code));
  const often = needed === null || needed.beyond || odd ? 1 : sum(needed.ascii);
  const gate = {
    digits: runIn(tree, (code) => (isDigit(code) ? 1 : -1)).most,
    spaced: runIn(tree, (code) => (isDigit(code) ? 1 : isGap(code) ? 0 : -1)).most,
    token: runIn(tree, (code) => (isToken(code) ? 1 : -1)).most,
    odd,
    signs:
      needed !== null && (often < 0.015 || (odd && !needed.beyond && needed.ascii.reduce((count, has) => count + has, 0) <= MAX_ODD))
        ? [...needed.ascii].flatMap((has, code) => (has === 0 ? [] : String.fromCharCode(code))).join('')
        : '',
  };
  // Every text has a few of these.
  const plain = {
    ...gate,
    digits: gate.digits < 4 ? 0 : gate.digits,
    spaced: gate.spaced < 6 ? 0 : gate.spaced,
    token: gate.token < 16 ? 0 : gate.token,
  };
  return plain.digits + plain.spaced + plain.token > 0 || odd || plain.signs !== '' ? plain : null;
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isGap = (code: number): boolean => code === 32 || code === 46 || code === 45;
const isToken = (code: number): boolean =>
  isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95 || code === 45;
/** Not among what `fold` passes over. */
export const isOdd = (code: number): boolean => code !== 9 && code !== 10 && (code < 32 || code > 126);

interface Chars {
  readonly ascii: Uint8Array;
  readonly beyond: boolean;
}

/** Characters of which every match holds at least one: the rarest such set; null when there is none. */
function required(node: RegexNode, anyCase: boolean): Chars | null {
  switch (node.kind) {
    case 'char': {
      const ascii = new Uint8Array(128);
      if (node.code >= 128) return { ascii, beyond: true };
      ascii[node.code] = 1;
      const isLetter = (node.code | 32) >= 97 && (node.code | 32) <= 122;
      if (anyCase && isLetter) ascii[node.code ^ 32] = 1;
      return { ascii, beyond: anyCase && hasTwin(ascii) };
    }
    case 'set':
      return { ascii: node.ascii, beyond: node.beyond || (anyCase && hasTwin(node.ascii)) };
    case 'look':
    case 'back':
      return null;
    case 'sequence':
      return node.of.map((part) => required(part, anyCase)).reduce((best, part) => (rarer(part, best) ? part : best), null);
    case 'choice': {
      const each = node.of.map((part) => required(part, anyCase));
      if (each.some((part) => part === null)) return null;
      const ascii = new Uint8Array(128);
      for (const part of each) for (let code = 0; code < 128; code++) if (part?.ascii[code] === 1) ascii[code] = 1;
      return { ascii, beyond: each.some((part) => part?.beyond) };
    }
    case 'repeat':
      return node.least === 0 ? null : required(node.of, anyCase);
  }
}

/** Two signs beyond ASCII are a `k` and an `s` in any case. */
const hasTwin = (ascii: Uint8Array): boolean => [75, 83, 107, 115].some((code) => ascii[code] === 1);
const sum = (ascii: Uint8Array): number =>
  ascii.reduce(
    (total, has, code) => total + (has === 0 ? 0 : isOdd(code) ? 0.0001 : frequencyOf(String.fromCharCode(code), false, false) / 1024),
    0,
  );
function rarer(a: Chars | null, b: Chars | null): boolean {
  if (a === null || b === null) return a !== null;
  return sum(a.ascii) + (a.beyond ? 0.0005 : 0) < sum(b.ascii) + (b.beyond ? 0.0005 : 0);
}

/** How many characters of a kind every match holds in a row: in all, at its start and at its end; `whole`: it holds nothing else. */
interface Run {
  readonly most: number;
  readonly start: number;
  readonly end: number;
  readonly whole: boolean;
}

/** `weight` of an ASCII character: what it adds to a run; -1: it ends one. */
function runIn(node: RegexNode, weight: (code: number) => number): Run {
  switch (node.kind) {
    case 'char':
      return one(node.code < 128 ? weight(node.code) : -1);
    case 'set': {
      let least = node.beyond ? -1 : 1;
      for (let code = 0; code < 128; code++) if (node.ascii[code] === 1) least = Math.min(least, weight(code));
      return one(least);
    }
    case 'look':
      return { most: 0, start: 0, end: 0, whole: true };
    case 'back':
      return one(-1);
    case 'choice':
      return node.of
        .map((part) => runIn(part, weight))
        .reduce((a, b) => ({
          most: Math.min(a.most, b.most),
          start: Math.min(a.start, b.start),
          end: Math.min(a.end, b.end),
          whole: a.whole && b.whole,
        }));
    case 'sequence':
      return node.of
        .map((part) => runIn(part, weight))
        .reduce(
          (a, b) => ({
            most: Math.max(a.most, b.most, a.end + b.start),
            start: a.whole ? a.most + b.start : a.start,
            end: b.whole ? a.end + b.most : b.end,
            whole: a.whole && b.whole,
          }),
          { most: 0, start: 0, end: 0, whole: true },
        );
    case 'repeat': {
      const part = runIn(node.of, weight);
      if (part.whole) {
        const count = part.most * node.least;
        return { most: count, start: count, end: count, whole: true };
      }
      return node.least === 0 ? one(-1) : { ...part, most: Math.max(part.most, node.least > 1 ? part.end + part.start : 0) };
    }
  }
}

function one(weight: number): Run {
  return weight < 0 ? { most: 0, start: 0, end: 0, whole: false } : { most: weight, start: weight, end: weight, whole: true };
}
