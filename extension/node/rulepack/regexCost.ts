/**
 * How many steps a backtracking engine may take, at most, from one place of a text before a regex fails there: what makes
 * a regex slow on text made for it. Repeats that can share text with what follows them multiply; others add up.
 */
import { readRegex, type RegexNode } from '#core/detect/regexTree.ts';

/** Characters a part may start with; `ascii`: a bit for each. `beyond`: also some above ASCII. `empty`: it may take no text, so that what follows may start. */
interface First {
  readonly ascii: readonly [number, number, number, number];
  readonly beyond: boolean;
  readonly empty: boolean;
}

interface Cost {
  /** Steps to try it once and fail, everything in it tried. */
  readonly steps: number;
  /** Ways it can match from one place, each of which what follows it will be tried after. */
  readonly ways: number;
}

const NOTHING: First = { ascii: [0, 0, 0, 0], beyond: false, empty: true };

/** Null when the regex has syntax that cannot be judged. */
export function stepsOf(source: string, flags: string): number | null {
  const tree = readRegex(source, flags);
  return tree && costOf(tree, NOTHING, firstsOf(flags.includes('i'))).steps;
}

/** `next`: what may follow in the whole regex. */
function costOf(node: RegexNode, next: First, firstOf: (node: RegexNode) => First): Cost {
  switch (node.kind) {
    case 'char':
    case 'set':
      return { steps: 1, ways: 1 };
    case 'look':
      return { steps: node.of === null ? 1 : costOf(node.of, NOTHING, firstOf).steps, ways: 1 };
    case 'back':
      return { steps: 40, ways: 1 };
    case 'choice': {
      const each = node.of.map((part) => ({ ...costOf(part, next, firstOf), first: firstOf(part) }));
      // Only branches that start alike can all match at one place.
      const alike = each.map((cost, at) =>
        each.reduce((sum, other, index) => (index === at || share(cost.first, other.first) ? sum + other.ways : sum), 0),
      );
      return { steps: each.reduce((sum, cost) => sum + cost.steps, 0), ways: Math.max(...alike) };
    }
    case 'sequence': {
      let after = next;
      let steps = 0;
      let ways = 1;
      for (const part of [...node.of].reverse()) {
        const cost = costOf(part, after, firstOf);
        const first = firstOf(part);
        steps = cost.steps + cost.ways * Math.max(1, steps);
        ways *= cost.ways;
        after = first.empty ? { ...union(first, after), empty: after.empty } : first;
      }
      return { steps, ways };
    }
    case 'repeat': {
      const first = firstOf(node.of);
      const inner = costOf(node.of, union(first, next), firstOf);
      // Where what follows cannot start with what is repeated, only the longest way goes on.
      const stops = node.most - node.least > 0 && share(first, next) ? node.most - node.least + 1 : 1;
      const inside = inner.ways > 1 ? inner.ways ** Math.min(node.most, 12) : 1;
      const rounds = Math.min(node.most, 1e6);
      return { steps: Math.min(1e15, inner.steps * rounds * inside), ways: Math.min(1e15, stops * inside) };
    }
  }
}

/** What a part may start with does not depend on what follows it; kept, since everything around the part asks again. */
function firstsOf(anyCase: boolean): (node: RegexNode) => First {
  const known = new Map<RegexNode, First>();
  const firstOf = (node: RegexNode): First => {
    const before = known.get(node);
    if (before !== undefined) return before;
    const first = make(node);
    known.set(node, first);
    return first;
  };
  const make = (node: RegexNode): First => {
    switch (node.kind) {
      case 'char':
        return single(node.code, anyCase);
      case 'set':
        return { ascii: bits([...node.ascii.keys()].filter((code) => node.ascii[code] === 1)), beyond: node.beyond, empty: false };
      case 'look':
        return NOTHING;
      case 'back':
        return { ascii: [-1, -1, -1, -1], beyond: true, empty: true };
      case 'choice':
        return node.of.map(firstOf).reduce(union);
      case 'sequence': {
        let first: First = NOTHING;
        for (const part of node.of) {
          const own = firstOf(part);
          first = { ...union(first, own), empty: own.empty };
          if (!own.empty) return first;
        }
        return first;
      }
      case 'repeat':
        return { ...firstOf(node.of), empty: node.least === 0 || firstOf(node.of).empty };
    }
  };
  return firstOf;
}

function single(code: number, anyCase: boolean): First {
  const char = code < 128 ? String.fromCharCode(code) : '';
  const same = anyCase ? char.toLowerCase() + char.toUpperCase() : char;
  return { ascii: bits([...same].map((other) => other.charCodeAt(0))), beyond: code >= 128, empty: false };
}

function bits(codes: readonly number[]): First['ascii'] {
  const cells: [number, number, number, number] = [0, 0, 0, 0];
  for (const code of codes) cells[code >> 5] = (cells[code >> 5] as number) | (1 << (code & 31));
  return cells;
}

function union(a: First, b: First): First {
  const [x, y] = [a.ascii, b.ascii];
  return {
    ascii: [x[0] | y[0], x[1] | y[1], x[2] | y[2], x[3] | y[3]],
    beyond: a.beyond || b.beyond,
    empty: a.empty || b.empty,
  };
}

function share(a: First, b: First): boolean {
  const [x, y] = [a.ascii, b.ascii];
  return (a.beyond && b.beyond) || ((x[0] & y[0]) | (x[1] & y[1]) | (x[2] & y[2]) | (x[3] & y[3])) !== 0;
}
