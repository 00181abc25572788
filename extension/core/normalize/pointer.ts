/** RFC 6901 pointers into a call's arguments. */
import { isObject, type JsonValue } from '#core/model/json.ts';

export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The string a pointer names; null when there is none. An array of texts (an argument vector) has no single text. */
export function stringAt(value: JsonValue, pointer: string): string | null {
  let here: JsonValue | undefined = value;
  for (const part of pointer === '' ? [] : pointer.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(here)) here = (here as readonly JsonValue[])[Number(key)];
    else if (isObject(here) && Object.hasOwn(here, key)) here = here[key];
    else return null;
  }
  return typeof here === 'string' ? here : null;
}
