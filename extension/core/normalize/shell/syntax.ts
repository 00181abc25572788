/** What the shell parser produces: enough of the grammar to know which commands run with which words. */
import { MAX_COMMANDS, MAX_SHELL_OUTPUT, MAX_SHELL_TEXT, SHELL_OUTPUT_FOR_ANY, SHELL_OUTPUT_TIMES } from '#core/normalize/limits.ts';

export interface Word {
  /** After quotes are removed and what is known is expanded; unknown variables stay as `$NAME`, unknown substitutions as `$()`. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Any part was quoted or escaped. */
  readonly quoted: boolean;
  /** Commands inside substitutions and process substitutions of this word. */
  readonly inner: readonly Simple[];
  /** The word begins with a substitution, so what `inner` prints decides what the word is. */
  readonly startsWithInner: boolean;
  /** What a process substitution in it prints, if that is known. */
  readonly prints: string | null;
}

export interface ParsedRedirect {
  readonly op: string;
  /** The descriptor written in front of it; empty for the usual one. */
  readonly fd: string;
  readonly target: Word;
  /** Body of a here-document or here-string; null for files. */
  readonly body: string | null;
}

/** One simple command. */
export interface Simple {
  readonly assigns: readonly { readonly name: string; readonly value: string }[];
  readonly words: readonly Word[];
  readonly redirects: readonly ParsedRedirect[];
  readonly start: number;
  readonly end: number;
  /** The subshell it runs in: what `cd` does there stays there. */
  readonly scope: number;
}

/** Stages of one pipeline; a stage is a simple command or all commands of a group. */
export type Pipeline = readonly (readonly Simple[])[];

export interface Script {
  readonly pipelines: readonly Pipeline[];
}

/** Why the parser could not follow. `unterminated` text was read to its end as if closed there. */
export type Trouble = 'unterminated' | 'too-deep' | 'too-long' | 'too-many' | 'too-much-encoded' | 'too-many-calls';

/** Shared by a script and all scripts nested in it. */
export interface ShellState {
  /** Variables whose value is known. */
  readonly variables: Map<string, string>;
  /** Arrays whose elements are known; `variables` holds them joined. */
  readonly arrays: Map<string, readonly string[]>;
  /** Names `declare -n` made stand for other names. */
  readonly references: Map<string, string>;
  /** Bodies of the functions defined so far, and the words aliases stand for. */
  readonly functions: Map<string, string>;
  readonly aliases: Map<string, string>;
  /** Functions and aliases being read now: one that names itself is not read again. */
  readonly calling: Set<string>;
  /** UTF-16 units of bodies that may still be read again for calls. */
  calls: number;
  /** In a long script, a name that is set to nothing is set again elsewhere: it is not known. On a command line nothing is meant. */
  readonly form: 'line' | 'file';
  /** Characters a script made to separate words, beside blanks. */
  separators: string;
  /** Commands whose output a variable holds. */
  readonly origins: Map<string, readonly Simple[]>;
  readonly troubles: Set<Trouble>;
  /** UTF-16 units that may still be parsed. */
  units: number;
  /** Commands that may still be read. */
  commands: number;
  /** UTF-16 units of words that may still be made; variables make more of them than was written. */
  output: number;
  /** Units `allowFor` may still add to that. */
  spare: number;
  /** Subshells numbered so far, and which stands in which. */
  scopes: number;
  readonly parents: Map<number, number>;
  depth: number;
}

/** Functions that call functions make much of little. */
const MAX_CALLED_TEXT = 16 * 1024;

/** The state of a shell that has read nothing yet. */
export function newShellState(home: string, cwd: string): ShellState {
  const variables = new Map<string, string>([
    ['IFS', ' '],
    ['SHELL', '/bin/sh'],
    ['BASH', '/bin/bash'],
    ['0', 'sh'],
  ]);
  if (home !== '') variables.set('HOME', home);
  if (cwd !== '') variables.set('PWD', cwd);
  return {
    variables,
    arrays: new Map(),
    references: new Map(),
    functions: new Map(),
    aliases: new Map(),
    calling: new Set(),
    calls: MAX_CALLED_TEXT,
    form: 'line',
    separators: '',
    origins: new Map(),
    troubles: new Set(),
    units: MAX_SHELL_TEXT,
    commands: MAX_COMMANDS,
    output: SHELL_OUTPUT_FOR_ANY,
    spare: MAX_SHELL_OUTPUT - SHELL_OUTPUT_FOR_ANY,
    scopes: 0,
    parents: new Map(),
    depth: 0,
  };
}

/** What is written allows so much to be made of it: a short text must not take as long as the longest. */
export function allowFor(state: ShellState, written: string): void {
  const more = Math.min(state.spare, SHELL_OUTPUT_TIMES * written.length);
  state.spare -= more;
  state.output += more;
}
