/**
 * Tries a regex on texts made for it: what its structure can only overestimate is measured. Each try runs under a
 * deadline of V8's, which also ends a regex that would take years.
 */
import { createContext, Script } from 'node:vm';
import { readRegex, type RegexNode } from '#core/detect/regexTree.ts';
import { stepsOf } from '#node/rulepack/regexCost.ts';

const UNITS = 4096;
/** For `UNITS`, in milliseconds; what is linear in all but name takes under ten. */
const MOST_MS = 200;
/** A regex that cannot take this many steps a place is not worth trying. */
const HARMLESS_STEPS = 5000;
const MAX_TEXTS = 40;
const SECOND_THOUGHTS = 3;
/** What repeats of a class are filled with: each is tried where the class has it. */
const FILLINGS: readonly string[] = ['a', ' ', '0', '-', '/', '.', 'A', '"'];

const context = createContext({ regex: null, text: '' });
const script = new Script(
  'for (let hits = (regex.lastIndex = 0); hits < 17 && regex.exec(text) !== null; hits++) if (regex.lastIndex === 0) break;',
);

/** Why the regex is too slow to be used; null when it is not. */
export function slowness(source: string, flags: string, mostMs: number = MOST_MS): string | null {
  const tree = readRegex(source, flags);
  const steps = stepsOf(source, flags);
  if (tree === null || steps === null) return 'a form that cannot be checked for speed (inline modifiers?)';
  if (steps <= HARMLESS_STEPS) return null;
  const regex = new RegExp(source, `${flags}gu`);
  for (const text of textsFor(tree)) {
    if (within(regex, text, mostMs)) continue;
    const shown = JSON.stringify(text.slice(0, 40));
    return `needs more than ${mostMs} ms for ${UNITS} characters like ${shown}…: repeats that can match the same text multiply; bound them lower or put something fixed between`;
  }
  return null;
}

/** A busy machine is slow at times; a slow regex always. */
function within(regex: RegExp, text: string, mostMs: number): boolean {
  for (let thought = 0; thought < SECOND_THOUGHTS; thought++) {
    Object.assign(context, { regex, text });
    try {
      script.runInContext(context, { timeout: mostMs });
      return true;
    } catch (error) {
      // An error of the context's own, so not an instance of our Error.
      if ((error as { code?: unknown } | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    }
  }
  return false;
}

/** Texts that get far into the regex again and again, and each of its repeats filled to the end. */
export function textsFor(tree: RegexNode): readonly string[] {
  const out = new Set<string>();
  for (const filling of FILLINGS)
    for (const rounds of [0, 1, 8]) {
      const once = sample(tree, filling, rounds);
      if (once !== '') out.add(filled(once));
      if (once.length > 1) out.add(filled(once.slice(0, -1)));
    }
  for (const filling of FILLINGS) starts(tree, '', filling, out);
  return [...out].slice(0, MAX_TEXTS);
}

const filled = (unit: string): string => unit.repeat(Math.ceil(UNITS / unit.length)).slice(0, UNITS);

/** For every repeat: the shortest text that leads to it, then the repeat without end. Gives the shortest text of the node. */
function starts(node: RegexNode, before: string, filling: string, out: Set<string>): string {
  switch (node.kind) {
    case 'sequence':
      return node.of.reduce((text, part) => text + starts(part, before + text, filling, out), '');
    case 'choice':
      return node.of.map((part) => starts(part, before, filling, out))[0] ?? '';
    case 'repeat': {
      const unit = sample(node.of, filling, 1);
      if (unit !== '') out.add((before + filled(unit)).slice(0, UNITS));
      starts(node.of, before, filling, out);
      return sample(node, filling, 0);
    }
    default:
      return sample(node, filling, 0);
  }
}

/** A text the node matches, mostly; `rounds`: how often a repeat goes round beyond what it must. */
function sample(node: RegexNode, filling: string, rounds: number): string {
  switch (node.kind) {
    case 'char':
      return String.fromCodePoint(node.code);
    case 'set': {
      if (node.ascii[filling.charCodeAt(0)] === 1) return filling;
      const code = node.ascii.indexOf(1, 32);
      return code >= 0 ? String.fromCharCode(code) : node.ascii.includes(1) ? String.fromCharCode(node.ascii.indexOf(1)) : '\u4e00';
    }
    case 'look':
    case 'back':
      return '';
    case 'choice':
      return sample(node.of[0] as RegexNode, filling, rounds);
    case 'sequence':
      return node.of
        .map((part) => sample(part, filling, rounds))
        .join('')
        .slice(0, UNITS);
    case 'repeat':
      return sample(node.of, filling, rounds)
        .repeat(Math.min(node.least + rounds, node.most, UNITS))
        .slice(0, UNITS);
  }
}
