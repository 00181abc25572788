/** What is judged and never pinned, because it changes all the time: resources, notes of tools, the server's name. Bad ones are left out. */
import type { PinnedItem } from '#contract/definitions.ts';
import { canonicalJson, isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import type { Judged, ReviewEvent } from '#node/proxy/definitions/classify.ts';
import { isBad, UNPINNED, type DefinitionJudge } from '#node/proxy/definitions/judgeDefinitions.ts';
import { without, type Listed } from '#node/proxy/definitions/listing.ts';
import { saysSomething } from '#node/proxy/results/readable.ts';

export interface Unpinned {
  /** Whether each may be shown, by hash and name. */
  readonly resources: (entries: readonly Listed[]) => Promise<ReadonlyMap<string, boolean>>;
  /** The definition itself when none of its notes is bad. */
  readonly withoutBadNotes: (entry: Listed) => JsonValue;
  readonly isBadServer: (serverInfo: JsonValue) => boolean;
  /** Those members of an answer that nobody asked for, beside the `known` ones, and that are bad. */
  readonly badMembers: (result: JsonObject, known: readonly string[]) => readonly string[];
}

const MAX_NOTES = 2000;
const MAX_NOTE = 4000;

/** `hidden` hears of each bad one once: nobody can approve it. */
export function unpinned(judge: DefinitionJudge, hidden: (event: ReviewEvent) => void, now: () => number): Unpinned {
  const said = new Set<string>();
  const notes = new Map<string, Judged>();

  const hide = (name: string, value: JsonValue, judged: Judged): void => {
    const key = `${name}\n${canonicalJson(value).slice(0, MAX_NOTE)}`;
    if (said.has(key) || said.size >= MAX_NOTES) return;
    said.add(key);
    const held = {
      hash: '',
      definition: null,
      change: 'poisoned',
      why: `Left out: ${name}. ${judged.reason}`,
      verdict: 'block',
      findings: [],
      since: now(),
      group: '',
      judgedBy: '',
    } as const;
    const item: PinnedItem = { kind: 'template', name, approved: null, held, denied: null };
    hidden({ type: 'blocked', how: 'first', item, before: null, after: value, hash: '', judged });
  };
  /** Notes are often the same for every tool, and looked at whenever they are listed. */
  const judgedNote = (value: JsonObject): Judged => {
    const key = `${judge.inForce()}\n${canonicalJson(value)}`;
    const judged = notes.get(key) ?? judge.judgeValue('', value);
    if (key.length <= MAX_NOTE && notes.size < MAX_NOTES) notes.set(key, judged);
    return judged;
  };

  return {
    resources: async (entries) => {
      judge.judgedBy();
      await judge.judge(entries);
      return new Map(
        entries.map((entry) => {
          const judged = judge.known.get(entry.hash) ?? judge.judgeValue(entry.name, entry.definition);
          if (isBad(judged)) hide(`the resource ${entry.name}`, entry.definition, judged);
          return [entry.hash + entry.name, !isBad(judged)];
        }),
      );
    },
    withoutBadNotes: ({ kind, name, definition }) => {
      if (!isObject(definition)) return definition;
      const bad = UNPINNED.filter((key) => {
        const value = definition[key];
        if (value === undefined || (isObject(value) && Object.keys(value).length === 0)) return false;
        const judged = judgedNote({ [key]: value });
        if (isBad(judged)) hide(`${key} of the ${kind} ${name}`, { [key]: value }, judged);
        return isBad(judged);
      });
      return bad.length === 0 ? definition : without(definition, bad);
    },
    isBadServer: (serverInfo) => {
      if (!isObject(serverInfo)) return true;
      const judged = judgedNote({ serverInfo });
      if (isBad(judged)) hide('what the server calls itself', { serverInfo }, judged);
      return isBad(judged);
    },
    badMembers: (result, known) =>
      Object.keys(result).filter((key) => {
        const value = { [key]: result[key] as JsonValue };
        if (known.includes(key) || !saysSomething(value)) return false;
        const judged = judgedNote(value);
        if (isBad(judged)) hide('something beside what was asked for', value, judged);
        return isBad(judged);
      }),
  };
}
