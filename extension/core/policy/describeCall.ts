import type { ToolCall } from '#core/model/call.ts';
import { canonicalJson, isObject, type JsonValue } from '#core/model/json.ts';

const MAX_TITLE = 120;

/** How a call is shown to a person: `title` on one line, `text` whole, as it would run. */
export function describeCall(call: ToolCall): { title: string; text: string } {
  const text = bodyOf(call);
  const name = call.server === null ? call.tool : `${call.server} · ${call.tool}`;
  const line = firstLine(text);
  return { title: shorten(line === '' ? name : `${name}: ${line}`), text };
}

function bodyOf(call: ToolCall): string {
  const args = call.args;
  if (typeof args === 'string') return args;
  const text = (key: string): string | null => (isObject(args) && typeof args[key] === 'string' ? args[key] : null);
  switch (call.channel) {
    case 'shell':
      return text('command') ?? words(args, 'command') ?? canonicalJson(args);
    case 'read':
      return text('file_path') ?? text('path') ?? canonicalJson(args);
    case 'write': {
      const patch = text('command') ?? text('patch') ?? text('input');
      const path = text('file_path') ?? text('path');
      if (path === null) return patch ?? canonicalJson(args);
      const content = text('content') ?? text('new_string');
      return content === null ? `${path}\n${canonicalJson(args)}` : `${path}\n${content}`;
    }
    case 'fetch':
      return text('url') ?? canonicalJson(args);
    case 'mcp':
    case 'response':
    case 'definition':
    case 'other':
      return canonicalJson(args);
  }
}

function words(args: JsonValue, key: string): string | null {
  if (!isObject(args)) return null;
  const value = args[key];
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value.join(' ') : null;
}

const firstLine = (text: string): string => (text.split('\n', 1)[0] ?? '').trim();
const shorten = (text: string): string => (text.length <= MAX_TITLE ? text : `${text.slice(0, MAX_TITLE - 1)}…`);
