/** What of an answer is a definition, and the answer again without those that are hidden. */
import type { DefinitionKind } from '#contract/definitions.ts';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { isTooDeep, MAX_DEFINITION_DEPTH } from '#core/policy/pinnedText.ts';
import { definitionHash } from '#home/pins.ts';

/** `resource`: judged, never pinned: what resources there are is data, and changes all the time. */
export type ListedKind = DefinitionKind | 'resource';

export interface Listed {
  readonly kind: ListedKind;
  readonly name: string;
  readonly hash: string;
  readonly definition: JsonValue;
}

export interface List {
  readonly kind: ListedKind;
  /** The member of the result that holds it. */
  readonly key: string;
  /** What the client is told when another list may be had. */
  readonly changed: string;
}

const LISTS: Readonly<Record<string, List>> = {
  'tools/list': { kind: 'tool', key: 'tools', changed: 'notifications/tools/list_changed' },
  'prompts/list': { kind: 'prompt', key: 'prompts', changed: 'notifications/prompts/list_changed' },
  'resources/list': { kind: 'resource', key: 'resources', changed: 'notifications/resources/list_changed' },
  'resources/templates/list': { kind: 'template', key: 'resourceTemplates', changed: 'notifications/resources/list_changed' },
};

export const listOf = (method: string): List | null => (Object.hasOwn(LISTS, method) ? (LISTS[method] ?? null) : null);
export const changedNotice = (kind: ListedKind): string | null => Object.values(LISTS).find((list) => list.kind === kind)?.changed ?? null;

/** More on one page than any server has. */
const MAX_LISTED = 20_000;

/** The entries in order, `null` for what is no definition; a sentence when the whole cannot be read in one way. */
export function readList(list: List, result: JsonObject): readonly (Listed | null)[] | string {
  const value = result[list.key];
  if (value === undefined) return [];
  if (!Array.isArray(value)) return `its "${list.key}" is no list`;
  if (value.length > MAX_LISTED) return `its "${list.key}" has more than ${MAX_LISTED} entries on one page`;
  return value.map((entry: JsonValue): Listed | null => {
    if (!isObject(entry) || isTooDeep(entry)) return null;
    const name = entry[list.kind === 'resource' ? 'uri' : list.kind === 'template' ? 'uriTemplate' : 'name'];
    if (typeof name !== 'string') return null;
    return { kind: list.kind, name, hash: hashOf(list.kind, entry), definition: entry };
  });
}

export const hashOf = (kind: ListedKind, definition: JsonValue): string =>
  definitionHash(kind === 'resource' ? 'template' : kind, definition);

export const UNREADABLE = `it is no object with a name, or is nested deeper than ${MAX_DEFINITION_DEPTH} levels`;

/** Members that a parser which ignores case takes for `key`: such a client would read a list nobody looked at. */
export function disguisedMembers(result: JsonObject, key: string): readonly string[] {
  const plain = key.toUpperCase();
  return Object.keys(result).filter((name) => name !== key && (name.split('\0', 1)[0] ?? '').trim().toUpperCase() === plain);
}

export function without(result: JsonObject, keys: readonly string[], more: JsonObject = {}): JsonObject {
  return { ...Object.fromEntries(Object.entries(result).filter(([key]) => !keys.includes(key))), ...more };
}
