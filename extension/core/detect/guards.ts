/**
 * Words without which a regex over commands, paths and addresses cannot match. Compiling a regex costs a hook, which lives
 * for one call, as long as hundreds of looks for a word.
 */
import { literalSets, oftenOf } from '#core/detect/literals.ts';
import type { Condition, CommandCondition, PathCondition, UrlCondition } from '#core/detect/rulePack.ts';

/** By the regex's source: a text that matches holds one of these, in any case. Absent: nothing is known. */
export interface Guards {
  readonly [source: string]: readonly string[];
}

/** Looking for this many takes less than compiling a regex that has as many. */
const MAX_WORDS = 60;

/** Of these a text that matches the regex holds one, in any case; null: nothing is known. */
export function wordsOf(source: string): readonly string[] | null {
  const sets = literalSets(source, 'i').filter(
    ({ words }) => words.length <= MAX_WORDS && words.every(({ text }) => /^[\u0020-\u007e]{2,99}$/u.test(text)),
  );
  return sets.sort((a, b) => oftenOf(a) - oftenOf(b))[0]?.words.map(({ text }) => text) ?? null;
}

export function guardsOf(condition: Condition): Guards {
  const guards: { [source: string]: readonly string[] } = {};
  const add = (source: string | null | undefined): void => {
    const words = source === null || source === undefined ? null : wordsOf(source);
    if (words !== null) guards[source as string] = words;
  };
  const path = (item: PathCondition): void => {
    add(item.regex);
    add(item.not);
  };
  const url = (item: UrlCondition): void => [item.path, item.query, item.userinfo].forEach(add);
  const command = (item: CommandCondition): void => {
    [item.operand, item.argument, item.line, item.stdin, item.assigns].forEach(add);
    if (item.path) path(item.path);
    if (item.url) url(item.url);
    for (const other of [item.pipedFrom, item.pipedTo, item.not]) if (other) command(other);
  };
  const walk = (item: Condition): void => {
    switch (item.kind) {
      case 'any':
      case 'all':
        return item.of.forEach(walk);
      case 'command':
        return command(item);
      case 'path':
        return path(item);
      case 'url':
        return url(item);
      case 'effect':
        return add(item.target);
      case 'regex':
        return;
    }
  };
  walk(condition);
  return guards;
}

/** A text as it is looked through for words. */
export interface Wordy {
  readonly lower: string;
  /** Two letters beyond ASCII are a `k` and an `s` in any case: it may hold any word. */
  readonly twins: boolean;
}

export const wordyOf = (text: string): Wordy => ({ lower: text.toLowerCase(), twins: /[\u017f\u212a]/u.test(text) });

export function holdsAnyOf(words: readonly string[], { lower, twins }: Wordy): boolean {
  for (const word of words) if (lower.includes(word)) return true;
  return twins;
}

/** Whether the text may match a regex with these words. */
export const holdsAny = (words: readonly string[], text: string): boolean => holdsAnyOf(words, wordyOf(text));
