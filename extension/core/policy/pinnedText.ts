/** What of a definition a pin binds to, in one form for equal meanings. */
import { canonicalJson, isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';

/** Pictures, and notes between programs: no model reads them, and servers make them anew at every start. They are judged all the same. */
const LEFT_OUT: ReadonlySet<string> = new Set(['_meta', 'icons']);
/** Lists that are sets: a server that keeps them in hash tables gives them in another order each time. Source: JSON Schema 2020-12, 6.1 and 6.5. */
const SETS: ReadonlySet<string> = new Set(['required', 'enum', 'type']);
/** Deeper ones are no schema anybody wrote. */
export const MAX_DEFINITION_DEPTH = 100;

/** Works through a list: nesting is the server's choice. */
export function isTooDeep(value: JsonValue): boolean {
  const waiting: { value: JsonValue; depth: number }[] = [{ value, depth: 1 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (next.depth > MAX_DEFINITION_DEPTH) return true;
    for (const member of Object.values(next.value)) waiting.push({ value: member as JsonValue, depth: next.depth + 1 });
  }
  return false;
}

/** The parts that are pinned: name, title, description, schemas, annotations and whatever a later protocol adds. */
export function pinnedParts(definition: JsonValue): JsonValue {
  if (!isObject(definition)) return definition;
  const kept: [string, JsonValue][] = [];
  for (const [key, value] of Object.entries(definition)) if (!LEFT_OUT.has(key)) kept.push([key, setsInOrder(value)]);
  return asObject(kept);
}

export const pinnedText = (definition: JsonValue): string => canonicalJson(pinnedParts(definition));

/** The same without the name: a definition that was renamed keeps it. */
export function namelessText(definition: JsonValue): string {
  const parts = pinnedParts(definition);
  return isObject(parts) ? canonicalJson(asObject(Object.entries(parts).filter(([key]) => key !== 'name'))) : canonicalJson(parts);
}

function setsInOrder(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => setsInOrder(item));
  if (!isObject(value)) return value;
  return asObject(
    Object.entries(value).map(([key, member]) => [key, SETS.has(key) && isScalars(member) ? sorted(member) : setsInOrder(member)]),
  );
}

const isScalars = (value: JsonValue): value is readonly (string | number | boolean | null)[] =>
  Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null);

function sorted(values: readonly JsonValue[]): JsonValue {
  return values
    .map((value) => [canonicalJson(value), value] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, value]) => value);
}

/** A member named `__proto__` stays a member. */
function asObject(members: readonly (readonly [string, JsonValue])[]): JsonObject {
  return Object.fromEntries(members);
}
