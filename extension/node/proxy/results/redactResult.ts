/** Takes what was found out of a result, as changes to its JSON text. Whether enough is gone is for the gate to say: it is asked again. */
import type { Finding } from '#core/model/finding.ts';
import { isObject } from '#core/model/json.ts';
import type { JsonValue } from '#core/model/json.ts';
import { stringAt } from '#core/normalize/pointer.ts';

/** What stands in the place of a text that was taken out. A rule's id and not its title: a project's rules could say anything there. */
export const removedNote = (rule: string): string => `[removed by Callgate: ${rule}]`;

/**
 * New values by JSON pointer into `value`. What has no place of its own (it was put together from several texts) changes nothing. A block of which no single text can be pointed at (a picture, a key) is replaced as a whole.
 */
export function redactions(value: JsonValue, findings: readonly Finding[]): ReadonlyMap<string, JsonValue> {
  const spans = new Map<string, { start: number; end: number; note: string }[]>();
  const edits = new Map<string, JsonValue>();
  for (const { at, span, rule } of findings) {
    const text = stringAt(value, at);
    const note = removedNote(rule);
    if (text !== null && !isBinaryPlace(value, at)) {
      const list = spans.get(at) ?? [];
      list.push({ ...(span ?? { start: 0, end: text.length }), note });
      spans.set(at, list);
      continue;
    }
    const block = blockOf(value, at);
    if (block !== null) edits.set(block.at, block.replacement(note));
  }
  for (const [at, list] of spans) {
    const text = stringAt(value, at) ?? '';
    if (![...edits.keys()].some((whole) => at.startsWith(`${whole}/`))) edits.set(at, withoutSpans(text, list));
  }
  return edits;
}

function withoutSpans(text: string, spans: readonly { start: number; end: number; note: string }[]): string {
  let out = '';
  let from = 0;
  for (const { start, end, note } of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (start >= from) {
      out += text.slice(from, start) + note;
      from = end;
    } else from = Math.max(from, end);
  }
  return out + text.slice(from);
}

/** Base64 with a note in it would be a broken picture. */
function isBinaryPlace(value: JsonValue, at: string): boolean {
  const [, parent, key] = /^(.*)\/(data|blob)$/su.exec(at) ?? [];
  return key !== undefined && parent !== undefined && isObject(valueAt(value, parent)) && stringAt(value, `${parent}/mimeType`) !== null;
}

/** The content block, resource or message around a place. */
function blockOf(value: JsonValue, at: string): { readonly at: string; readonly replacement: (note: string) => JsonValue } | null {
  const [block, list] = /^\/(content|contents|messages)\/\d{1,6}(?=\/|$)/u.exec(at) ?? [];
  if (block === undefined) return null;
  const before = valueAt(value, block);
  const textBlock = (note: string): JsonValue => ({ type: 'text', text: note });
  if (list === 'contents')
    return {
      at: block,
      replacement: (note) => ({ uri: isObject(before) ? (before['uri'] ?? '') : '', mimeType: 'text/plain', text: note }),
    };
  if (list === 'messages')
    return {
      at: block,
      replacement: (note) => ({ role: (isObject(before) ? before['role'] : undefined) ?? 'user', content: textBlock(note) }),
    };
  return { at: block, replacement: textBlock };
}

function valueAt(value: JsonValue, pointer: string): JsonValue | undefined {
  let here: JsonValue | undefined = value;
  for (const part of pointer === '' ? [] : pointer.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(here)) here = (here as readonly JsonValue[])[Number(key)];
    else if (isObject(here) && Object.hasOwn(here, key)) here = here[key];
    else return undefined;
  }
  return here;
}
