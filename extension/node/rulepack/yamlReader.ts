import { isMap, isScalar, isSeq, type YAMLMap } from 'yaml';
import { nearestKey } from '#node/rulepack/ruleShape.ts';

/** A node of the YAML tree with the means to say what is wrong with it. */
export interface Reader {
  readonly file: string;
  readonly report: (node: unknown, message: string) => void;
  /** Where the node stands, from 1. */
  readonly lineOf: (node: unknown) => number;
}

/** More of them say nothing new, and looking for what each could mean takes time. */
const MAX_UNKNOWN = 20;

/** Reports every key of `node` that is not in `known`, with the nearest one that is. */
export function checkKeys(reader: Reader, node: unknown, known: readonly string[]): void {
  if (!isMap(node)) return;
  const seen = new Set<string>();
  let unknown = 0;
  for (const pair of node.items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    if (seen.has(key)) reader.report(pair.key, `the key \`${key}\` stands here twice`);
    seen.add(key);
    if (!known.includes(key) && ++unknown > MAX_UNKNOWN) return;
    if (known.includes(key)) continue;
    const near = nearestKey(key, known);
    reader.report(pair.key, `unknown key \`${key}\`${near === null ? `; known here: ${known.join(', ')}` : `; did you mean \`${near}\`?`}`);
  }
}

/** A text under `key`; empty when it is missing. */
export function textOf(reader: Reader, node: YAMLMap, key: string): string {
  const value = node.get(key);
  if (typeof value === 'string' && value.trim() !== '') return value;
  reader.report(node, `\`${key}\` must be a text`);
  return '';
}

/** One of the known words under `key`; null when it is not. */
export function choice<T extends string | boolean>(reader: Reader, node: YAMLMap, key: string, known: readonly T[]): T | null {
  const value = node.get(key);
  const found = known.find((item) => item === value);
  if (found === undefined) reader.report(node.get(key, true) ?? node, `\`${key}\` must be one of ${known.join(', ')}`);
  return found ?? null;
}

/** A list of known words under `key`; empty when absent. */
export function listOf(reader: Reader, node: YAMLMap, key: string, known: readonly string[]): string[] {
  const values = textsOf(reader, node, key);
  for (const value of values)
    if (!known.includes(value)) reader.report(node.get(key, true), `\`${key}\`: ${value} is not one of ${known.join(', ')}`);
  return values;
}

/** A text or list of texts under `key`; empty when absent. */
export function textsOf(reader: Reader, node: YAMLMap, key: string): string[] {
  const value = node.get(key, true);
  if (value === undefined) return [];
  if (isScalar(value) && typeof value.value === 'string') return [value.value];
  if (isSeq(value) && value.items.length > 0 && value.items.every((item) => isScalar(item) && typeof item.value === 'string'))
    return value.items.map((item) => String((item as { value: unknown }).value));
  reader.report(value, `\`${key}\` must be a text or a list of texts`);
  return [];
}
