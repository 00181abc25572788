/**
 * What the page remembers while it is hidden or reloaded: which panes are open, the filter, and notes begun but not
 * sent. Anything may stand in the store: an older version wrote it, or a newer one.
 */
import { VERDICTS } from '#core/model/verdict.ts';
import { type Filter, noFilter } from './timeline.ts';

export type PaneState = 'open' | 'closed';

export interface Memory {
  readonly panes: Readonly<Record<string, PaneState>>;
  readonly filter: Filter;
  /** By the id of the hold, oldest first. */
  readonly notes: readonly (readonly [id: string, note: string])[];
}

const MOST_NOTES = 20;
const MOST_TEXT = 1000;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textOrNull = (value: unknown): string | null => (typeof value === 'string' && value.length <= MOST_TEXT ? value : null);

export function parseMemory(value: unknown): Memory {
  const { panes, filter, notes } = isRecord(value) ? value : {};
  const states = isRecord(panes)
    ? Object.entries(panes).filter((pair): pair is [string, PaneState] => pair[1] === 'open' || pair[1] === 'closed')
    : [];
  const isNote = (pair: unknown): pair is readonly [string, string] =>
    Array.isArray(pair) && pair.length === 2 && pair.every((text) => textOrNull(text) !== null);
  return {
    panes: Object.fromEntries(states),
    filter: isRecord(filter) ? filterFrom(filter) : noFilter,
    notes: Array.isArray(notes) ? notes.filter(isNote).slice(-MOST_NOTES) : [],
  };
}

function filterFrom(value: Readonly<Record<string, unknown>>): Filter {
  const verdict = VERDICTS.find((one) => one === value['verdict']) ?? null;
  return {
    verdict,
    agent: textOrNull(value['agent']),
    tool: textOrNull(value['tool']),
    text: (textOrNull(value['text']) ?? '').slice(0, 200),
  };
}

export function noteOf(memory: Memory, id: string): string {
  return memory.notes.find(([one]) => one === id)?.[1] ?? '';
}

/** An empty note is forgotten. */
export function withNote(memory: Memory, id: string, note: string): Memory {
  const others = memory.notes.filter(([one]) => one !== id);
  return { ...memory, notes: note === '' ? others : [...others, [id, note.slice(0, MOST_TEXT)] as const].slice(-MOST_NOTES) };
}
