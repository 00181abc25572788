/** Gathers the words of a table, each once, with who asks for it and where. */
import type { Word } from '#core/detect/literals.ts';

export interface TableWords {
  readonly add: (word: Word, owner: number, where: number) => void;
  readonly size: () => number;
  readonly list: () => readonly { readonly word: Word; readonly owners: readonly number[]; readonly where: number }[];
}

export function newTableWords(): TableWords {
  const words = new Map<string, { word: Word; owners: Set<number>; where: number }>();
  return {
    add: (word, owner, where) => {
      const key = `${word.marks}${word.text}`;
      const entry = words.get(key) ?? { word, owners: new Set(), where: 0 };
      entry.owners.add(owner);
      entry.where |= where;
      words.set(key, entry);
    },
    size: () => words.size,
    list: () => [...words.values()].map(({ word, owners, where }) => ({ word, owners: [...owners], where })),
  };
}
