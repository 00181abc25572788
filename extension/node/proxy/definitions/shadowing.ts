/** Tools made to be mistaken for another server's, and texts that tell the model how to use another server's tools. */
import type { ServerPins } from '#contract/definitions.ts';
import { skeleton } from '#core/normalize/lookalike.ts';

interface Known {
  readonly server: string;
  readonly name: string;
}

export interface Shadowing {
  /** Why this name of a tool may be taken for another one; null when it may not. Two servers that share a plain name do not imitate each other. */
  readonly imitation: (name: string) => string | null;
  /** Why this text meddles with another server's tool; null when it does not. */
  readonly meddling: (text: string) => string | null;
}

/** A name that is no ordinary word. */
const TELLING = /[a-z0-9][_-][a-z0-9]|[a-z][A-Z]|^\w{12,}$/u;
const WORD = /[A-Za-z][\w-]{3,127}/gu;
const SENTENCE_END = /[.!?;]\s|\n/gu;
const DIRECTIVE =
  /\b(?:instead of|rather than|in place of|before (?:using|calling|you|any|each|every)|after (?:using|calling|you|any|each|every)|always|never|must|should(?: not|n['’]t)?|do not|don['’]t|whenever|(?:each|every) time|(?:is|are|was) (?:called|used|invoked|run|available|present)|replac\w{1,4}|overrid\w{1,4}|deprecated|supersed\w{1,4}|no longer|first call)\b/iu;
const MAX_TEXT = 200_000;

export function shadowing(server: string, own: readonly string[], all: readonly ServerPins[]): Shadowing {
  const byLook = new Map<string, Known[]>();
  const byName = new Map<string, string>();
  const add = (known: Known): void => {
    const look = skeleton(known.name);
    byLook.set(look, [...(byLook.get(look) ?? []), known]);
    if (known.server !== server && TELLING.test(known.name)) byName.set(known.name, known.server);
  };
  for (const pins of all)
    for (const item of pins.items)
      if (item.kind === 'tool' && item.approved !== null && pins.server !== server) add({ server: pins.server, name: item.name });
  // The first of two look-alikes on one server is the one that is imitated.
  for (const name of own) add({ server, name });
  const ours = new Set(own);

  return {
    imitation: (name) => {
      const other = (byLook.get(skeleton(name)) ?? []).find(
        (known) =>
          known.name !== name &&
          !sameButCase(known.name, name) &&
          !(known.server === server && own.indexOf(known.name) > own.indexOf(name)),
      );
      return other === undefined
        ? null
        : `The name of the tool "${name}" looks like "${other.name}" of ${other.server === server ? 'the same server' : `the MCP server "${other.server}"`}, but is another one.`;
    },
    meddling: (text) => {
      const looked = text.slice(0, MAX_TEXT);
      for (const match of looked.matchAll(WORD)) {
        const word = match[0].includes('__') ? match[0].slice(match[0].lastIndexOf('__') + 2) : match[0];
        const other = ours.has(word) ? undefined : byName.get(word);
        if (other !== undefined && DIRECTIVE.test(sentenceAround(looked, match.index, match.index + match[0].length)))
          return `It tells the model how to use "${word}", a tool of the MCP server "${other}".`;
      }
      return null;
    },
  };
}

/** Nobody mistakes one for the other by its look alone, and honest servers differ in nothing else. */
function sameButCase(a: string, b: string): boolean {
  return /^[\x20-\x7e]*$/u.test(a + b) && a.toLowerCase() === b.toLowerCase();
}

const AROUND = 300;

function sentenceAround(text: string, start: number, end: number): string {
  const before = text.slice(Math.max(0, start - AROUND), start);
  const after = text.slice(end, end + AROUND);
  const from = [...before.matchAll(SENTENCE_END)].at(-1);
  const to = after.search(SENTENCE_END);
  return `${from === undefined ? before : before.slice(from.index + from[0].length)}${text.slice(start, end)}${to === -1 ? after : after.slice(0, to)}`;
}
