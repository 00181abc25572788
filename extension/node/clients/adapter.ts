/**
 * What one client's configuration file is to us. Adapters are pure: text in, text out; the caller reads and writes.
 */
import type { JsonValue } from '#core/model/json.ts';
import type { Problem } from '#node/clients/textPlace.ts';
import type { Splice } from '#node/clients/splices.ts';

/** What our entries are made of; the broker's launcher knows the values. */
export interface Launcher {
  /** The exact command string of a client's hook; fails closed whatever happens to our program. May throw when no launcher is installed. */
  readonly hookCommand: (client: 'claude' | 'codex') => string;
  /** The command of the hooks that only record; null or absent: there are to be none. */
  readonly recordCommand?: (client: 'claude' | 'codex') => string | null;
  /** Absolute path of the stdio shim that stands in for an MCP server. */
  readonly mcpCommand: string;
}

export type AgentId = 'claude' | 'codex';

/** Everything undoing needs beside the bytes; kept in the record, parsed again before use. */
export interface UndoInfo {
  readonly splices: readonly Splice[];
  /** The adapter's own notes. */
  readonly notes: JsonValue;
}

export interface Edited {
  readonly kind: 'edited';
  /** Equal to the input when there is nothing to do. */
  readonly text: string;
  readonly undo: UndoInfo;
  /** One line per change, for the person who decides. */
  readonly summary: readonly string[];
  readonly warnings: readonly string[];
}

export interface Refused {
  readonly kind: 'refused';
  readonly code: 'INVALID_FILE' | 'UNSUPPORTED_SHAPE' | 'NO_RECORD' | 'CANNOT_UNDO';
  readonly problem: Problem;
}

export type EditResult = Edited | Refused;

/** How well a file protects, judged by its text alone. */
export interface Protection {
  readonly state: 'unprotected' | 'protected' | 'broken';
  /** One sentence. */
  readonly detail: string;
}

/** An agent's hook settings: one file, one command. MCP files choose servers and live in `mcpServers.ts`. */
export interface AgentAdapter {
  readonly id: AgentId;
  readonly name: string;
  locate(platform: NodeJS.Platform, home: string, env: Readonly<Record<string, string | undefined>>): string;
  /** Adds our hooks to `text` (null: the file does not exist), or brings older entries of ours up to date. Without `record` there are none that only record. */
  plan(text: string | null, command: string, record?: string | null): EditResult;
  /** `command` is null as long as no launcher is installed. */
  inspect(text: string | null, command: string | null, file: string, record?: string | null): Protection;
  /** Removes only what we added and keeps everything else; `undo` is null when the record is lost. */
  unplan(text: string, undo: UndoInfo | null, file: string): EditResult;
}

/** A hook command or launcher of this project, whichever version wrote it. */
export function isOurs(command: unknown): boolean {
  return typeof command === 'string' && /[\\/]\.callgate[\\/]+(?:bin[\\/]|unrecorded\b)/u.test(command);
}

export const NO_LAUNCHER = 'The Callgate hook is there but its launcher is not installed; protect again.';

export function refuse(code: Refused['code'], problem: Problem): Refused {
  return { kind: 'refused', code, problem };
}
