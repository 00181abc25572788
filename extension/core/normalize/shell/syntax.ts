/** What the shell parser produces: enough of the grammar to know which commands run with which words. */
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
export type Trouble = 'unterminated' | 'too-deep' | 'too-long' | 'too-many' | 'too-much-encoded';

/** Shared by a script and all scripts nested in it. */
export interface ShellState {
  /** Variables whose value is known. */
  readonly variables: Map<string, string>;
  /** Commands whose output a variable holds. */
  readonly origins: Map<string, readonly Simple[]>;
  readonly troubles: Set<Trouble>;
  /** UTF-16 units that may still be parsed. */
  units: number;
  /** Commands that may still be read. */
  commands: number;
  /** UTF-16 units of words that may still be made; variables make more of them than was written. */
  output: number;
  /** Subshells numbered so far, and which stands in which. */
  scopes: number;
  readonly parents: Map<number, number>;
  depth: number;
}
