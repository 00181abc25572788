/** Changes single values of a JSON text and leaves every other byte of it as it came: numbers too big for us, key order, white space. */
import type { JsonValue } from '#core/model/json.ts';
import { escapePointer } from '#core/normalize/pointer.ts';

/**
 * `text` with the values at these JSON pointers replaced. It must be valid JSON in which no object names a key twice.
 * A pointer that leads nowhere changes nothing; one inside a value that is replaced as a whole does not count.
 */
export function rewriteJson(text: string, edits: ReadonlyMap<string, JsonValue>): string {
  let out = '';
  let kept = 0;
  let at = 0;

  const blank = (): void => {
    while (at < text.length && (text.charCodeAt(at) === 0x20 || (text.charCodeAt(at) >= 9 && text.charCodeAt(at) <= 13))) at++;
  };
  const skipString = (): void => {
    at++;
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    at++;
  };
  /** Stands on the first character of a value; ends behind its last. Its nesting is bounded by the caller (`MAX_DEPTH`). */
  const value = (pointer: string): void => {
    const edit = edits.get(pointer);
    const start = at;
    const within = edit === undefined;
    const first = text[at];
    if (first === '"') skipString();
    else if (first === '{' || first === '[') {
      const isObject = first === '{';
      at++;
      for (let index = 0; at < text.length; index++) {
        blank();
        if (text[at] === '}' || text[at] === ']') break;
        if (text[at] === ',') {
          at++;
          index--;
          continue;
        }
        let key = String(index);
        if (isObject) {
          const from = at;
          skipString();
          key = within ? String(JSON.parse(text.slice(from, at))) : '';
          blank();
          at++;
          blank();
        }
        value(within ? `${pointer}/${escapePointer(key)}` : UNNAMED);
      }
      at++;
    } else while (at < text.length && !/[\s,\]}]/u.test(text[at] as string)) at++;
    if (edit === undefined) return;
    out += text.slice(kept, start) + JSON.stringify(edit);
    kept = at;
  };

  blank();
  if (at < text.length && edits.size > 0) value('');
  return out + text.slice(kept);
}

/** No pointer: those begin with a slash or are empty. */
const UNNAMED = 'inside a value that is replaced';
