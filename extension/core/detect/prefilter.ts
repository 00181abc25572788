/**
 * Finds which keywords of a pack occur in a text, in one pass (Aho–Corasick), so that most regexes are never tried.
 * Built on first need: short texts are searched word by word, which costs less than building.
 */
const SHORT_TEXT = 4096;

export interface Prefilter {
  /** Indexes of the keyword lists that have at least one word in `text`. `text` is lower case. */
  candidates(text: string): ReadonlySet<number>;
}

/** `lists[i]` are the lower-case keywords of the i-th regex rule; an empty list is always a candidate. */
export function newPrefilter(lists: readonly (readonly string[])[]): Prefilter {
  const always = lists.flatMap((list, index) => (list.length === 0 ? [index] : []));
  const owners = new Map<string, number[]>();
  for (const [index, list] of lists.entries()) for (const word of list) owners.set(word, [...(owners.get(word) ?? []), index]);
  let automaton: Automaton | null = null;
  return {
    candidates(text) {
      const found = new Set(always);
      if (text.length <= SHORT_TEXT) {
        for (const [word, indexes] of owners) if (text.includes(word)) for (const index of indexes) found.add(index);
        return found;
      }
      automaton ??= build(owners);
      run(automaton, text, found);
      return found;
    },
  };
}

interface Automaton {
  /** Next state by state and character class. */
  readonly next: Int32Array;
  readonly classes: Uint8Array;
  readonly width: number;
  readonly hits: readonly (readonly number[])[];
}

function build(owners: ReadonlyMap<string, readonly number[]>): Automaton {
  const classes = new Uint8Array(65536);
  let width = 1;
  for (const word of owners.keys())
    for (let at = 0; at < word.length; at++) if (classes[word.charCodeAt(at)] === 0 && width < 255) classes[word.charCodeAt(at)] = width++;
  const rows: Int32Array[] = [new Int32Array(width)];
  const hits: number[][] = [[]];
  for (const [word, indexes] of owners) {
    let state = 0;
    for (let at = 0; at < word.length; at++) {
      const kind = classes[word.charCodeAt(at)] ?? 0;
      let to = rows[state]?.[kind] ?? 0;
      if (to === 0) {
        to = rows.length;
        rows.push(new Int32Array(width));
        hits.push([]);
        (rows[state] as Int32Array)[kind] = to;
      }
      state = to;
    }
    hits[state]?.push(...indexes);
  }
  const fail = new Int32Array(rows.length);
  const queue: number[] = [];
  for (const to of rows[0] ?? []) if (to > 0) queue.push(to);
  for (let head = 0; head < queue.length; head++) {
    const state = queue[head] ?? 0;
    const back = fail[state] ?? 0;
    hits[state]?.push(...(hits[back] ?? []));
    for (let kind = 0; kind < width; kind++) {
      const to = rows[state]?.[kind] ?? 0;
      const other = rows[back]?.[kind] ?? 0;
      if (to === 0) (rows[state] as Int32Array)[kind] = other;
      else {
        fail[to] = other;
        queue.push(to);
      }
    }
  }
  const next = new Int32Array(rows.length * width);
  for (const [state, row] of rows.entries()) next.set(row, state * width);
  return { next, classes, width, hits };
}

function run(automaton: Automaton, text: string, found: Set<number>): void {
  const { next, classes, width, hits } = automaton;
  let state = 0;
  for (let at = 0; at < text.length; at++) {
    state = next[state * width + (classes[text.charCodeAt(at)] ?? 0)] ?? 0;
    const here = hits[state];
    if (here !== undefined && here.length > 0) for (const index of here) found.add(index);
  }
}
