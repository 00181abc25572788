/** The place reached in a PowerShell text, and what is known there. */

/** One command, or a call of a .NET member, which goes by `.member` or `[type]::member`. */
export interface PsCommand {
  readonly name: string;
  readonly words: string[];
  readonly redirects: { readonly op: string; readonly target: string }[];
  /** Text that arrives through the pipeline. */
  readonly input: string[];
  /** Commands whose output it gets. */
  readonly from: PsCommand[];
}

export interface PsReader {
  readonly source: string;
  pos: number;
  readonly state: PsState;
}

/** Shared by a text and all texts in it. */
export interface PsState {
  readonly variables: Map<string, PsValue>;
  readonly commands: PsCommand[];
  depth: number;
  /** UTF-16 units that may still be read, and made. */
  units: number;
  cut: boolean;
  /** What reads statements up to a closing sign, and a text of its own: injected, as both are read with what reads this. */
  readonly read: {
    readonly statements: (reader: PsReader, closer: string) => PsValue;
    readonly text: (source: string, state: PsState) => PsValue;
  };
}

export interface PsValue {
  readonly text: string | null;
  readonly list: readonly string[] | null;
  /** Commands whose output it is made of. */
  readonly from: readonly PsCommand[];
}

export const at = (reader: PsReader): string => reader.source[reader.pos] ?? '';

export function blanks(reader: PsReader): void {
  for (;;) {
    const char = at(reader);
    if (char === ' ' || char === '\t' || char === '\r' || char === '\u00a0') reader.pos++;
    else if (char === '`' && /^`\r?\n/u.test(reader.source.slice(reader.pos, reader.pos + 3)))
      reader.pos += reader.source[reader.pos + 1] === '\r' ? 3 : 2;
    else if (char === '#') while (reader.pos < reader.source.length && at(reader) !== '\n') reader.pos++;
    else if (char === '<' && reader.source[reader.pos + 1] === '#') {
      const stop = reader.source.indexOf('#>', reader.pos);
      reader.pos = stop < 0 ? reader.source.length : stop + 2;
    } else return;
  }
}

export function space(reader: PsReader): void {
  for (;;) {
    blanks(reader);
    if (at(reader) !== '\n') return;
    reader.pos++;
  }
}

export const isQuote = (char: string): boolean => /["'\u2018-\u201e]/u.test(char);
