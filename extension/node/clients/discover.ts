/** What on this machine can be protected, and how it stands now. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Protectable } from '#contract/panel.ts';
import type { AgentId } from '#node/clients/adapter.ts';
import { ConfigError } from '#node/clients/configError.ts';
import { readConfig } from '#node/clients/configFile.ts';
import { findProgram } from '#node/clients/findProgram.ts';
import { listServers, type ServerEntry } from '#node/clients/mcpServers.ts';
import { otherScopes } from '#node/clients/otherScopes.ts';
import { type ClientContext, recordCommandOf, type Subject, subjects } from '#node/clients/planChange.ts';

export interface Discovered extends Protectable {
  /** What stands in the way although the file itself may be in order; one sentence each. */
  readonly warnings: readonly string[];
  /** MCP files only. */
  readonly servers: readonly ServerEntry[];
  /** Agents only: the client's program, for the canary; null when it is not on PATH. */
  readonly program: string | null;
}

/** Never throws for what it finds: a file that cannot be read is `broken` and says why. */
export function discover(context: Omit<ClientContext, 'layout'>): readonly Discovered[] {
  return subjects(context).flatMap((subject) => {
    try {
      return look(subject, context);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return [
        {
          id: subject.id,
          kind: subject.kind,
          name: subject.adapter.name,
          file: subject.file,
          state: 'broken',
          detail: `${error.message}.`,
          warnings: [],
          servers: [],
          program: null,
        },
      ];
    }
  });
}

function look(subject: Subject, context: Omit<ClientContext, 'layout'>): readonly Discovered[] {
  const { id, kind, file } = subject;
  const { text } = readConfig(file);
  const common = { id, kind, file, servers: [], program: null, warnings: [] };
  if (subject.kind === 'agent') {
    const { adapter } = subject;
    const program = findProgram(adapter.id, context.env, context.platform);
    const base = { ...common, name: adapter.name, program };
    if (program === null && text === null && !existsSync(dirname(file)))
      return [{ ...base, state: 'unavailable', detail: `${adapter.name} was not found on this machine.` }];
    const { state, detail } = adapter.inspect(
      text,
      installedCommand(context, adapter.id),
      file,
      recordCommandOf(context.launcher, adapter.id),
    );
    const warnings = otherScopes(adapter.id, context);
    const off = warnings.find((warning) => warning.includes(' is true: ') || warning.includes(' is false: '));
    if (state === 'protected' && off !== undefined) return [{ ...base, state: 'broken', detail: `${off}.`, warnings }];
    return [{ ...base, state, detail, warnings }];
  }
  if (text === null) return [];
  const { adapter } = subject;
  const listed = listServers(adapter, text, context.launcher.mcpCommand);
  if ('kind' in listed) {
    const { line, column, message } = listed.problem;
    return [{ ...common, name: adapter.name, state: 'broken', detail: `Line ${line}, column ${column}: ${message}.` }];
  }
  return [{ ...common, name: adapter.name, ...standing(listed), servers: listed }];
}

function standing(listed: readonly ServerEntry[]): Pick<Discovered, 'state' | 'detail'> {
  const plain = listed.filter((server) => server.state === 'plain');
  const wrapped = listed.filter((server) => server.state === 'wrapped');
  // Synced from another machine, or of an installation that is gone: the client cannot start them at all.
  const lost = plain.filter(({ foreign }) => foreign !== null && !existsSync(foreign));
  if (lost.length > 0)
    return {
      state: 'broken',
      detail: `${names(lost)} cannot start: ${lost.length === 1 ? 'it names' : 'they name'} a Callgate that is not on this machine (${lost[0]?.foreign ?? ''}); protect again to mend that.`,
    };
  if (plain.length > 0) return { state: 'unprotected', detail: `Starts ${names(plain)} through the Callgate shim.` };
  if (wrapped.length > 0)
    return { state: 'protected', detail: `${names(wrapped)} ${wrapped.length === 1 ? 'runs' : 'run'} through the Callgate shim.` };
  return {
    state: 'unavailable',
    detail: listed.length === 0 ? 'There is no MCP server in this file.' : 'None of its MCP servers can run through the shim.',
  };
}

function installedCommand({ launcher }: Pick<ClientContext, 'launcher'>, id: AgentId): string | null {
  try {
    return launcher.hookCommand(id);
  } catch (error) {
    // Looking must work before anything is installed; planning reports the same error with its own words.
    if (error instanceof Error) return null;
    throw error;
  }
}

const MOST_NAMED = 8;
const MOST_OF_NAME = 60;

function names(servers: readonly ServerEntry[]): string {
  const named = servers
    .slice(0, MOST_NAMED)
    .map(({ name }) => `"${name.length > MOST_OF_NAME ? `${name.slice(0, MOST_OF_NAME)}…` : name}"`);
  return [...named, ...(servers.length > MOST_NAMED ? [`${servers.length - MOST_NAMED} more`] : [])].join(', ');
}
