/** A tool's result as the hook reports it, cut into what is judged at a time. */
import { isObject, type JsonValue } from '#core/model/json.ts';

/** Characters judged at a time, and what two neighbours share so that nothing hides across their border; as in the relay. */
const PIECE = 512 * 1024;
const OVERLAP = 4 * 1024;
const MAX_STRINGS = 100_000;

/** The result itself when it is short; otherwise its texts, joined and cut. */
export function resultPieces(args: JsonValue): readonly JsonValue[] {
  const texts: string[] = [];
  let length = 0;
  const waiting: JsonValue[] = [args];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === 'string') {
      texts.push(next);
      length += next.length;
    } else if (Array.isArray(next)) waiting.push(...(next as readonly JsonValue[]).toReversed());
    else if (isObject(next)) for (const key of Object.keys(next).reverse()) waiting.push(next[key] ?? null, key);
  }
  if (length <= PIECE && texts.length <= MAX_STRINGS) return [args];
  const whole = texts.join('\n');
  const pieces: JsonValue[] = [];
  for (let from = 0; from < whole.length; from += PIECE - OVERLAP) {
    pieces.push({ content: whole.slice(from, from + PIECE) });
    if (from + PIECE >= whole.length) break;
  }
  return pieces;
}
