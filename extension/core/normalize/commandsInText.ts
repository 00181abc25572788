/**
 * Command lines that stand in running text: what a result or a description asks, shows or teaches an agent to run.
 * Read by the same shell reader as a command that is about to run, but never from disk: nothing runs here.
 */
import type { ToolCall } from '#core/model/call.ts';
import { readArguments } from '#core/normalize/arguments.ts';
import { newCollector } from '#core/normalize/collector.ts';
import type { Fields } from '#core/normalize/fields.ts';
import type { NormalizeContext } from '#core/normalize/normalize.ts';
import { readCommandLine } from '#core/normalize/shell/commands.ts';
import { fold, originalSpan, type Folded } from '#core/normalize/unicode.ts';

/** More stretches than these say nothing new: the text as a whole is judged by its own rules. */
const MAX_STRETCHES = 40;
const MAX_STRETCH = 400;
/** A word where a command may begin: at a line's start, after a prompt, a list mark, a colon, or an opening quote or bracket. */
const BEGINNING = /(?<=^|[\n`"'(:;|&]|[$#>*-] |\d\. )[ \t]{0,8}((?:\.{0,2}\/)?[a-z][\w.+-]{1,30})(?=[ \t])/giu;
/** What a command line has and a sentence has not: a flag, a path, a variable, an operator, a file name. */
const COMMAND_LIKE = /(?:^|\s)-{1,2}[a-z]|[/~$|<>&=]|\w\.\w/iu;

/** The commands in the texts of a call, with their places; null when there are none. `isProgram` takes a name in lower case. */
export function commandsInTexts(call: ToolCall, context: NormalizeContext, isProgram: (name: string) => boolean): Fields | null {
  const collector = newCollector({
    ...context,
    cwd: call.cwd,
    realpath: () => null,
    readText: () => null,
    resolved: new Map(),
  });
  let left = MAX_STRETCHES;
  for (const { at, text, role } of readArguments(call).list) {
    if (left <= 0) break;
    // Joined texts have been seen part by part.
    if (role.kind === 'assembled') continue;
    const folded = fold(text);
    for (const stretch of stretchesOf(folded.text, isProgram, left)) {
      left -= 1;
      collector.derived('command', { at, span: originalSpan(folded.offsets, stretch.start, stretch.end) }, stretch.text);
      readCommandLine(collector, at, partOf(folded, stretch.start, stretch.end), 'as sent');
    }
  }
  return left === MAX_STRETCHES ? null : { ...collector.fields(), notes: [] };
}

interface Stretch {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

function stretchesOf(text: string, isProgram: (name: string) => boolean, most: number): readonly Stretch[] {
  const out: Stretch[] = [];
  let past = 0;
  for (const hit of text.matchAll(BEGINNING)) {
    const name = (hit[1] ?? '').toLowerCase();
    const start = hit.index + hit[0].length - name.length;
    if (start < past || !(isProgram(name) || /^\.{1,2}\/|^\/.*\/(?:ba|da|z|k)?sh$/u.test(name))) continue;
    const end = endOf(text, start);
    past = end;
    const stretch = text.slice(start, end);
    if (COMMAND_LIKE.test(stretch.slice(name.length))) out.push({ text: stretch, start, end });
    if (out.length >= most) break;
  }
  return out;
}

/** Up to the line's end, or to the quote that closes what the command stands in. */
function endOf(text: string, start: number): number {
  const opened = text[start - 1];
  const closing = opened === '`' || opened === '"' || opened === "'" ? opened : '\n';
  const window = text.slice(start, start + MAX_STRETCH);
  const line = window.indexOf('\n');
  const quote = closing === '\n' ? -1 : window.indexOf(closing);
  const ends = [line, quote].filter((index) => index > 0);
  return start + (ends.length === 0 ? window.length : Math.min(...ends));
}

function partOf(folded: Folded, start: number, end: number): Folded {
  const offsets =
    folded.offsets === null
      ? Int32Array.from({ length: end - start + 1 }, (_, index) => start + index)
      : folded.offsets.slice(start, end + 1);
  return { ...folded, text: folded.text.slice(start, end), offsets };
}
