/**
 * How many steps a backtracking engine may take, at most, from one place of a text before a regex fails there: what makes
 * a regex slow on text made for it. Repeats that can share text with what follows them multiply; others add up.
 */
import { readRegex, type CharacterSet, type RegexNode } from '#core/detect/regexTree.ts';

/** Characters a part may start with. `beyond`: also some above ASCII. `empty`: it may take no text, so that what follows may start. */
interface First {
  readonly ascii: Uint8Array;
  readonly beyond: boolean;
  readonly empty: boolean;
}

interface Cost {
  readonly first: First;
  /** Steps to try it once and fail, everything in it tried. */
  readonly steps: number;
  /** Ways it can match from one place, each of which what follows it will be tried after. */
  readonly ways: number;
}

const NOTHING: First = { ascii: new Uint8Array(128), beyond: false, empty: true };

/** Null when the regex has syntax that cannot be judged. */
export function stepsOf(source: string, flags: string): number | null {
  const tree = readRegex(source, flags);
  return tree && costOf(tree, NOTHING, flags.includes('i')).steps;
}

/** `next`: what may follow in the whole regex. */
function costOf(node: RegexNode, next: First, anyCase: boolean): Cost {
  switch (node.kind) {
    case 'char':
      return { first: single(node.code, anyCase), steps: 1, ways: 1 };
    case 'set':
      return { first: firstOf(node), steps: 1, ways: 1 };
    case 'look':
      return { first: NOTHING, steps: node.of === null ? 1 : costOf(node.of, NOTHING, anyCase).steps, ways: 1 };
    case 'back':
      return { first: { ascii: new Uint8Array(128).fill(1), beyond: true, empty: true }, steps: 40, ways: 1 };
    case 'choice': {
      const each = node.of.map((part) => costOf(part, next, anyCase));
      // Only branches that start alike can all match at one place.
      const alike = each.map((cost, at) =>
        each.reduce((sum, other, index) => (index === at || share(cost.first, other.first) ? sum + other.ways : sum), 0),
      );
      return {
        first: each.map((cost) => cost.first).reduce(union),
        steps: each.reduce((sum, cost) => sum + cost.steps, 0),
        ways: Math.max(...alike),
      };
    }
    case 'sequence': {
      let after = next;
      let steps = 0;
      let ways = 1;
      for (const part of [...node.of].reverse()) {
        const cost = costOf(part, after, anyCase);
        steps = cost.steps + cost.ways * Math.max(1, steps);
        ways *= cost.ways;
        after = cost.first.empty ? { ...union(cost.first, after), empty: after.empty } : cost.first;
      }
      return { first: node.of.length === 0 ? NOTHING : firstOfSequence(node.of, anyCase), steps, ways };
    }
    case 'repeat': {
      const first = { ...costOf(node.of, NOTHING, anyCase).first };
      const inner = costOf(node.of, union(first, next), anyCase);
      const empty = node.least === 0 || first.empty;
      // Where what follows cannot start with what is repeated, only the longest way goes on.
      const stops = node.most - node.least > 0 && share(first, next) ? node.most - node.least + 1 : 1;
      const inside = inner.ways > 1 ? inner.ways ** Math.min(node.most, 12) : 1;
      const rounds = Math.min(node.most, 1e6);
      return { first: { ...first, empty }, steps: Math.min(1e15, inner.steps * rounds * inside), ways: Math.min(1e15, stops * inside) };
    }
  }
}

function firstOfSequence(parts: readonly RegexNode[], anyCase: boolean): First {
  let first: First = NOTHING;
  for (const part of parts) {
    const own = costOf(part, NOTHING, anyCase).first;
    first = { ...union(first, own), empty: own.empty };
    if (!own.empty) return first;
  }
  return first;
}

function single(code: number, anyCase: boolean): First {
  const ascii = new Uint8Array(128);
  if (code < 128) {
    ascii[code] = 1;
    const char = String.fromCharCode(code);
    if (anyCase) for (const other of [char.toLowerCase(), char.toUpperCase()]) ascii[other.charCodeAt(0)] = 1;
  }
  return { ascii, beyond: code >= 128, empty: false };
}

const firstOf = (set: CharacterSet): First => ({ ascii: set.ascii, beyond: set.beyond, empty: false });

function union(a: First, b: First): First {
  return { ascii: a.ascii.map((member, code) => member | (b.ascii[code] ?? 0)), beyond: a.beyond || b.beyond, empty: a.empty || b.empty };
}

function share(a: First, b: First): boolean {
  return (a.beyond && b.beyond) || a.ascii.some((member, code) => (member & (b.ascii[code] ?? 0)) !== 0);
}
