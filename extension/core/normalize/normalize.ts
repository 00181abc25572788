import type { ToolCall } from '#core/model/call.ts';
import { isObject, type JsonValue } from '#core/model/json.ts';
import type { FieldName } from '#core/detect/rulePack.ts';

export interface TextField { readonly field: FieldName; readonly at: string; readonly text: string }
export interface Fields { readonly texts: readonly TextField[] }

export function normalize(call: ToolCall, _context: unknown): Fields {
  const texts: TextField[] = [];
  const walk = (value: JsonValue, at: string, depth: number): void => {
    if (depth > 64) return;
    if (typeof value === 'string') texts.push({ field: call.channel === 'shell' ? 'command' : call.channel === 'fetch' ? 'url' : call.channel === 'read' ? 'path' : call.channel === 'write' ? 'content' : 'text', at, text: value });
    else if (Array.isArray(value)) value.forEach((item: JsonValue, index) => walk(item, `${at}/${index}`, depth + 1));
    else if (isObject(value)) for (const [key, member] of Object.entries(value)) walk(member, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, depth + 1);
  };
  walk(call.args, '', 0);
  return { texts };
}
