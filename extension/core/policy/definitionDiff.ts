/** What changed between two definitions, part by part, for people to read. */
import { isObject, type JsonValue } from '#core/model/json.ts';
import { visibleLine } from '#core/policy/visibleText.ts';

export interface DiffSpan {
  /** UTF-16 offsets, the end exclusive. */
  readonly start: number;
  readonly end: number;
}

export interface DiffPart {
  /** Where, as people write it: `inputSchema.properties.path.description`. Empty: the whole. */
  readonly at: string;
  /** Null when there was nothing there. */
  readonly before: string | null;
  /** Null when there is nothing there any more. */
  readonly after: string | null;
  /** What is other in `before` and in `after`. */
  readonly gone: readonly DiffSpan[];
  readonly come: readonly DiffSpan[];
}

/** Word by word up to this many comparisons; beyond it everything between the first and the last difference counts as changed. */
const MAX_CELLS = 250_000;
const MAX_LEAVES = 20_000;

/** Parts in the order of the new definition, then those that are gone. Only what differs. */
export function definitionDiff(before: JsonValue, after: JsonValue): readonly DiffPart[] {
  const old = before === null ? new Map<string, string>() : leavesOf(before);
  const now = after === null ? new Map<string, string>() : leavesOf(after);
  const parts: DiffPart[] = [];
  for (const [at, text] of now) {
    const was = old.get(at);
    if (was === undefined) parts.push({ at, before: null, after: text, gone: [], come: [] });
    else if (was !== text) parts.push({ at, before: was, after: text, ...changedWords(was, text) });
  }
  for (const [at, text] of old) if (!now.has(at)) parts.push({ at, before: text, after: null, gone: [], come: [] });
  return parts;
}

/** The same as lines of plain text that are safe to show: `- at: old`, `+ at: new`, each around what changed. */
export function diffLines(parts: readonly DiffPart[], limit: number): readonly string[] {
  return parts.flatMap(({ at, before, after, gone, come }) => [
    ...(before === null ? [] : [`- ${labelOf(at)}${excerpt(before, gone, limit)}`]),
    ...(after === null ? [] : [`+ ${labelOf(at)}${excerpt(after, come, limit)}`]),
  ]);
}

const labelOf = (at: string): string => (at === '' ? '' : `${visibleLine(at, 120)}: `);

function excerpt(text: string, spans: readonly DiffSpan[], limit: number): string {
  const from = Math.max(0, Math.min((spans[0]?.start ?? 0) - 40, text.length - limit));
  return `${from > 0 ? '…' : ''}${visibleLine(text.slice(from), limit)}`;
}

/** Every leaf by where it is; empty lists and objects count as leaves. */
function leavesOf(root: JsonValue): Map<string, string> {
  const leaves = new Map<string, string>();
  const waiting: { at: string; value: JsonValue }[] = [{ at: '', value: root }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { at, value } = next;
    const isList = Array.isArray(value);
    const plain = isList && value.every((item) => typeof item !== 'object' || item === null);
    if ((isList && !plain) || isObject(value)) {
      const members = Object.entries(value);
      if (members.length > 0 && leaves.size + waiting.length < MAX_LEAVES) {
        for (const [key, member] of members.reverse())
          waiting.push({ at: isList ? `${at}[${key}]` : at === '' ? key : `${at}.${key}`, value: member as JsonValue });
        continue;
      }
    }
    leaves.set(at, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return leaves;
}

function changedWords(before: string, after: string): { gone: readonly DiffSpan[]; come: readonly DiffSpan[] } {
  const old = wordsOf(before);
  const now = wordsOf(after);
  let start = 0;
  while (start < old.length && start < now.length && old[start]?.text === now[start]?.text) start++;
  let [oldEnd, nowEnd] = [old.length, now.length];
  while (oldEnd > start && nowEnd > start && old[oldEnd - 1]?.text === now[nowEnd - 1]?.text) {
    oldEnd--;
    nowEnd--;
  }
  const [a, b] = [old.slice(start, oldEnd), now.slice(start, nowEnd)];
  if (a.length * b.length > MAX_CELLS) return { gone: spanOver(a), come: spanOver(b) };
  const common = commonWords(a, b);
  return { gone: spansOf(a, common.a), come: spansOf(b, common.b) };
}

interface Word {
  readonly text: string;
  readonly start: number;
}

function wordsOf(text: string): readonly Word[] {
  return [...text.matchAll(/[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu)].map((match) => ({ text: match[0], start: match.index }));
}

/** Which words stand in both, in order: the longest common subsequence. */
function commonWords(a: readonly Word[], b: readonly Word[]): { a: ReadonlySet<number>; b: ReadonlySet<number> } {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i * width + j] = a[i]?.text === b[j]?.text ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const found = { a: new Set<number>(), b: new Set<number>() };
  for (let [i, j] = [0, 0]; i < a.length && j < b.length;) {
    if (a[i]?.text === b[j]?.text) {
      found.a.add(i++);
      found.b.add(j++);
    } else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return found;
}

function spansOf(words: readonly Word[], common: ReadonlySet<number>): readonly DiffSpan[] {
  const spans: { start: number; end: number }[] = [];
  for (const [index, word] of words.entries()) {
    if (common.has(index)) continue;
    const last = spans.at(-1);
    const end = word.start + word.text.length;
    if (last?.end === word.start) last.end = end;
    else spans.push({ start: word.start, end });
  }
  return spans;
}

function spanOver(words: readonly Word[]): readonly DiffSpan[] {
  const [first, last] = [words[0], words.at(-1)];
  return first && last ? [{ start: first.start, end: last.start + last.text.length }] : [];
}
