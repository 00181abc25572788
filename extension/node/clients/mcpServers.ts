/** The servers that a client's file names, whatever language it is written in. */
import { type EditResult, type Refused, type UndoInfo } from '#node/clients/adapter.ts';
import { type McpFile } from '#node/clients/mcp/mcpFile.ts';
import { listJsonServers, planJson, unplanJson } from '#node/clients/mcpJson.ts';
import { listTomlServers, planToml, unplanToml } from '#node/clients/mcpToml.ts';

export interface ServerEntry {
  /** Unique in the file: the server's name, with the project in brackets where the file has several lists. */
  readonly name: string;
  readonly state: 'plain' | 'wrapped' | 'unsupported';
  /** How it is reached now, for people; secrets in headers and environment are not part of it. */
  readonly detail: string;
  /** The launcher that a rewritten entry starts although it is not ours: of another machine, or of a stranger's making. */
  readonly foreign: string | null;
}

/** A server whose shim is not the one at `mcpCommand` is `plain`: nothing says that it asks us. */
export function listServers(file: McpFile, text: string, mcpCommand: string): readonly ServerEntry[] | Refused {
  return file.format === 'toml' ? listTomlServers(file, text, mcpCommand) : listJsonServers(file, text, mcpCommand);
}

/** Rewrites the named servers to start the shim at `mcpCommand`; wrapped ones are only brought up to date. */
export function planMcp(file: McpFile, text: string, names: readonly string[], mcpCommand: string): EditResult {
  return file.format === 'toml' ? planToml(file, text, names, mcpCommand) : planJson(file, text, names, mcpCommand);
}

/**
 * Gives every wrapped server its original entry back: byte for byte where our text is untouched, by meaning where the
 * user has edited the entry itself.
 */
export function unplanMcp(file: McpFile, text: string, undo: UndoInfo | null): EditResult {
  return file.format === 'toml' ? unplanToml(file, text, undo) : unplanJson(file, text, undo);
}
