/**
 * One line of `callgate check --jsonl`:
 * `{"id", "channel", "tool_name", "tool_input" | "tool_response" | "tool_definition"}`, answered by
 * `{"id", "verdict", "rules", "micros"}`.
 */
import type { Channel, ToolCall } from '#core/model/call.ts';
import { isObject, type JsonValue } from '#core/model/json.ts';
import type { Verdict } from '#core/model/verdict.ts';

export interface CheckAnswer {
  readonly id: string;
  readonly verdict: Verdict;
  /** Ids of the rules that raised findings, worst first. */
  readonly rules: readonly string[];
  /** How long the decision took, in microseconds. */
  readonly micros: number;
  /** Why the line could not be judged; absent when it was. */
  readonly problem?: string;
}

const CHANNEL_OF: Readonly<Record<string, Channel>> = {
  bash: 'shell',
  read_path: 'read',
  write_content: 'write',
  url: 'fetch',
  mcp_call: 'mcp',
  tool_definition: 'definition',
  tool_response: 'response',
  shell: 'shell',
  read: 'read',
  write: 'write',
  fetch: 'fetch',
  mcp: 'mcp',
  definition: 'definition',
  response: 'response',
  other: 'other',
};

/** What a tool of that channel is called when the line does not say. */
const TOOL_OF: Readonly<Record<Channel, string>> = {
  shell: 'Bash',
  read: 'Read',
  write: 'Write',
  fetch: 'WebFetch',
  mcp: 'tool',
  definition: 'tool',
  response: 'tool',
  other: 'tool',
};

/** The call a line stands for; `id` is the text of whatever the line has as its id. */
export function parseCheckLine(line: unknown, cwd: string): { id: string; call: ToolCall } | { id: string; problem: string } {
  if (!isObject(line)) return { id: '', problem: 'the line is not a JSON object' };
  const id = typeof line['id'] === 'string' ? line['id'] : line['id'] === undefined ? '' : JSON.stringify(line['id']);
  const channel =
    typeof line['channel'] === 'string' && Object.hasOwn(CHANNEL_OF, line['channel']) ? CHANNEL_OF[line['channel']] : undefined;
  if (channel === undefined)
    return { id, problem: `\`channel\` is ${JSON.stringify(line['channel'])}; it must be one of ${Object.keys(CHANNEL_OF).join(', ')}` };
  const key = channel === 'response' ? 'tool_response' : channel === 'definition' ? 'tool_definition' : 'tool_input';
  const args = line[key];
  if (args === undefined) return { id, problem: `\`${key}\` is missing` };
  const named = line['tool_name'];
  return {
    id,
    call: {
      client: 'cli',
      agent: 'main',
      session: '',
      useId: null,
      channel,
      tool: typeof named === 'string' && named !== '' ? named : TOOL_OF[channel],
      server: channel === 'mcp' || channel === 'definition' ? 'check' : null,
      args: args as JsonValue,
      cwd: typeof line['cwd'] === 'string' ? line['cwd'] : cwd,
    },
  };
}
