/**
 * Command lines that stand in running text: what a result or a description asks, shows or teaches an agent to run.
 * Read by the same shell reader as a command that is about to run, but never from disk: nothing runs here.
 */
import type { ToolCall } from '#core/model/call.ts';
import { readArguments } from '#core/normalize/arguments.ts';
import { newCollector, type Collector } from '#core/normalize/collector.ts';
import type { Fields } from '#core/normalize/fields.ts';
import { MAX_COMMANDS_IN_TEXT, MAX_OUTPUT_IN_TEXT } from '#core/normalize/limits.ts';
import type { NormalizeContext } from '#core/normalize/normalize.ts';
import { readCommandLine } from '#core/normalize/shell/commands.ts';
import { unitsOf } from '#core/normalize/textUnits.ts';
import { fold, originalSpan, type Folded } from '#core/normalize/unicode.ts';

/** More stretches than these say nothing new: the text as a whole is judged by its own rules. */
const MAX_STRETCHES = 40;
const MAX_STRETCH = 400;
/** What a command line has and a sentence has not: a flag, a path, a variable, an operator, a file name. */
const COMMAND_LIKE = /(?:^|\s)-{1,2}[a-z]|[/~$|<>&=]|\w\.\w/iu;

/** The commands in the texts of a call, with their places; null when there are none. `isProgram` takes a name in lower case. */
export function commandsInTexts(call: ToolCall, context: NormalizeContext, isProgram: (name: string) => boolean): Fields | null {
  let collector: Collector | null = null;
  let left = MAX_STRETCHES;
  for (const { at, text, role } of readArguments(call).list) {
    if (left <= 0) break;
    // Joined texts have been seen part by part.
    if (role.kind === 'assembled') continue;
    const folded = fold(text);
    for (const stretch of stretchesOf(folded.text, isProgram, left)) {
      left -= 1;
      collector ??= newReader(call, context);
      collector.derived('command', { at, span: originalSpan(folded.offsets, stretch.start, stretch.end) }, stretch.text);
      readCommandLine(collector, at, partOf(folded, stretch.start, stretch.end), 'as sent');
    }
  }
  return collector === null ? null : { ...collector.fields(), notes: [] };
}

/** What its bounds leave out is left out in silence: more commands than these say nothing new. */
function newReader(call: ToolCall, context: NormalizeContext): Collector {
  const collector = newCollector({ ...context, cwd: call.cwd, realpath: () => null, readText: () => null, resolved: new Map() });
  collector.shell.commands = MAX_COMMANDS_IN_TEXT;
  collector.shell.output = MAX_OUTPUT_IN_TEXT;
  collector.shell.spare = 0;
  return collector;
}

interface Stretch {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

function stretchesOf(text: string, isProgram: (name: string) => boolean, most: number): readonly Stretch[] {
  let out: Stretch[] | null = null;
  const units = unitsOf(text);
  const { length } = text;
  let past = 0;
  for (let at = 0; at < length;) {
    let start = at;
    while (start < at + 8 && isBlank(units[start] as number)) start++;
    const after = nameEnd(units, start);
    // A mark before a blank may be the end of the name.
    at = nextOpening(units, after < 0 ? at : after - 2, length);
    if (after < 0 || start < past) continue;
    const name = text.slice(start, after).toLowerCase();
    const first = name.charCodeAt(0);
    if (!(isProgram(name) || ((first === 0x2e || first === 0x2f) && /^\.{1,2}\/|^\/.*\/(?:ba|da|z|k)?sh$/u.test(name)))) continue;
    if (isSource(text, start, after)) continue;
    const end = endOf(text, start);
    past = end;
    const stretch = text.slice(start, end);
    if (!COMMAND_LIKE.test(stretch.slice(name.length))) continue;
    out ??= [];
    out.push({ text: stretch, start, end });
    if (out.length >= most) break;
  }
  return out ?? NONE;
}

const NONE: readonly Stretch[] = [];
/** What a command may begin after, beside the start of the text: an end of a line, a colon, an opening quote or bracket. */
const ALONE = 1;
/** A prompt or a list's mark, with a space behind it. */
const SPACED = 2;
/** A number of a list, with a dot and a space behind it. */
const NUMBER = 3;
const OPENINGS = new Uint8Array(256);
for (const [kind, signs] of [
  [ALONE, '\n`"\'(:;|&'],
  [SPACED, '$#>*-'],
  [NUMBER, '0123456789'],
] as const)
  for (let at = 0; at < signs.length; at++) OPENINGS[signs.charCodeAt(at)] = kind;

/** Where the next command may begin; `length`: nowhere. */
function nextOpening(units: Uint8Array, from: number, length: number): number {
  for (let at = from; at < length; at++) {
    const kind = OPENINGS[units[at] as number] as number;
    if (kind === 0) continue;
    if (kind === ALONE) return at + 1;
    if (kind === SPACED ? units[at + 1] === 0x20 : units[at + 1] === 0x2e && units[at + 2] === 0x20) return at + kind;
  }
  return length;
}

/** Longest name of a program that is looked for, after its first letter. */
const MAX_NAME = 30;
const isBlank = (code: number): boolean => code === 32 || code === 9;
const isLetter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90);

/** Where the name of a program ends that starts here, perhaps with `./`, `../` or `/`, and is followed by a blank; -1: there is none. */
function nameEnd(units: Uint8Array, start: number): number {
  let at = start;
  while (at < start + 2 && units[at] === 0x2e) at++;
  if (units[at] === 0x2f) at++;
  else if (at > start) return -1;
  if (!isLetter(units[at] as number)) return -1;
  const first = at++;
  while (at <= first + MAX_NAME) {
    const code = units[at] as number;
    if (!isLetter(code) && !(code >= 48 && code <= 57) && code !== 95 && code !== 46 && code !== 43 && code !== 45) break;
    at++;
  }
  return at > first + 1 && isBlank(units[at] as number) ? at : -1;
}

/** What source code says where a command line would have its first argument. What follows in the line may still begin a command. */
const ASSIGNED = /^[ \t]{1,2}(?:(?:[=!+*<>&|-]{0,2}={1,2}>?|[{(])[ \t]|\|[ \t](?:null|undefined|string|number|boolean|unknown)\b)/u;
const DECLARED =
  /^(?:export|declare|import|type|default)[ \t](?:const|let|var|function|class|type|interface|default|async|abstract|declare|enum|namespace|module)[ \t]|^type[ \t]\w{1,60}[ \t]=/u;

function isSource(text: string, start: number, after: number): boolean {
  const sign = text.charCodeAt(after + 1);
  if (isLetter(sign)) return DECLARED.test(text.slice(start, after + 80));
  return ASSIGNED.test(text.slice(after, after + 16));
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
  const text = folded.text.slice(start, end);
  if (folded.offsets !== null) return { ...folded, text, offsets: folded.offsets.slice(start, end + 1) };
  const offsets = new Int32Array(end - start + 1);
  for (let at = 0; at < offsets.length; at++) offsets[at] = start + at;
  return { ...folded, text, offsets };
}
