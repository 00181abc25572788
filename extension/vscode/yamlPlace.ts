/** Where in a rule or policy file the cursor stands: the keys that lead there, and whether a key or a value is being written. */

export interface YamlPlace {
  /** Keys from the top; places in lists leave no trace. */
  readonly keys: readonly string[];
  /** `value`: after the last of `keys`, or an item of its list · `key`: inside the last of `keys`. */
  readonly wants: 'key' | 'value';
  /** What of the word stands before the cursor. */
  readonly typed: string;
  /** Keys that stand beside it already. */
  readonly beside: readonly string[];
}

const KEY = /^(?:- +)*(["']?)([\w-]{1,60})\1 *:(?= |$)/u;
const WORD = /[\w.-]{0,80}$/u;
/** Longer files are not rule files. */
const MAX_LINES = 20_000;

/** Null: no place where anything could be suggested (a comment, a block of text). */
export function yamlPlace(lines: readonly string[], line: number, column: number): YamlPlace | null {
  const written = (lines[line] ?? '').slice(0, column);
  if (lines.length > MAX_LINES || /^\s*#|\s#/u.test(written)) return null;
  const flow = flowOf(written);
  if (flow === null) return null;
  const head = flow.open[0]?.before ?? written;
  const above = parentsOf(lines, line, columnOf(head));
  const own = KEY.exec(head.trimStart())?.[2];
  const typed = WORD.exec(written)?.[0] ?? '';
  if (flow.open.length > 0) {
    const keys = [...above, ...flow.open.flatMap(({ before }, at) => keysIn(at === 0 ? before.trimStart() : before))];
    const named = KEY.exec(flow.segment.trimStart())?.[2];
    const inList = flow.open.at(-1)?.bracket === '[';
    if (named !== undefined) return { keys: [...keys, named], wants: 'value', typed, beside: [] };
    return { keys, wants: inList ? 'value' : 'key', typed, beside: inList ? [] : flow.keys };
  }
  if (own !== undefined) return { keys: [...above, own], wants: 'value', typed, beside: [] };
  return { keys: above, wants: 'key', typed, beside: siblingsOf(lines, line, columnOf(written)) };
}

const keysIn = (text: string): string[] => {
  const key = KEY.exec(text.trimStart())?.[2];
  return key === undefined ? [] : [key];
};

/** Where the key of a line stands: dashes of a list count as blanks. */
const columnOf = (text: string): number => /^[ -]*/u.exec(text.replace(/^( *(?:- +)*).*$/su, '$1'))?.[0].length ?? 0;

interface Flow {
  /** Brackets not closed yet, each with the text of its line before it. */
  readonly open: readonly { readonly bracket: string; readonly before: string }[];
  /** What stands after the last bracket or comma. */
  readonly segment: string;
  /** Keys of the innermost mapping. */
  readonly keys: readonly string[];
}

/** Null inside of quotes. */
function flowOf(text: string): Flow | null {
  const open: { bracket: string; before: string; keys: string[] }[] = [];
  let from = 0;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (quote !== '') {
      if (char === '\\' && quote === '"') at++;
      else if (char === quote) quote = '';
    } else if ((char === '"' || char === "'") && /[\s,:{[]$/u.test(text.slice(0, at) || ' ')) quote = char;
    else if (char === '{' || char === '[') {
      if (open.length === 0 && !/(?:^|[:-])\s*$/u.test(text.slice(0, at))) continue;
      open.push({ bracket: char, before: text.slice(from, at), keys: [] });
      from = at + 1;
    } else if ((char === '}' || char === ']') && open.length > 0) {
      open.pop();
      from = at + 1;
    } else if (char === ',' && open.length > 0) {
      open.at(-1)?.keys.push(...keysIn(text.slice(from, at)));
      from = at + 1;
    }
  }
  return quote === '' ? { open, segment: text.slice(from), keys: open.at(-1)?.keys ?? [] } : null;
}

/** The keys of the lines above that stand further and further to the left. */
function parentsOf(lines: readonly string[], line: number, column: number): string[] {
  const keys: string[] = [];
  let least = column;
  for (let at = line; at >= 0 && least > 0; at--) {
    const text = lines[at] ?? '';
    if (at === line || text.trim() === '' || text.trimStart().startsWith('#')) continue;
    const here = columnOf(text);
    if (here >= least) continue;
    const key = KEY.exec(text.trimStart())?.[2];
    if (key !== undefined) keys.unshift(key);
    least = here;
  }
  return keys;
}

function siblingsOf(lines: readonly string[], line: number, column: number): string[] {
  const keys: string[] = [];
  const own = (lines[line] ?? '').trimStart().startsWith('- ');
  const take = (at: number): boolean => {
    const text = lines[at] ?? '';
    if (text.trim() === '' || columnOf(text) > column) return true;
    if (columnOf(text) < column) return false;
    keys.push(...keysIn(text));
    return true;
  };
  for (let at = line - 1; at >= 0 && !own; at--) if (!take(at) || startsItem(lines[at], column)) break;
  for (let at = line + 1; at < lines.length; at++) if (startsItem(lines[at], column) || !take(at)) break;
  return keys;
}

const startsItem = (text = '', column: number): boolean => text.trimStart().startsWith('- ') && columnOf(text) === column;
