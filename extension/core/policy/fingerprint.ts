import type { ToolCall } from '#core/model/call.ts';
import { canonicalJson, isObject, type JsonValue } from '#core/model/json.ts';

/** Arguments by which a model explains itself; they change from try to try and change nothing about what runs. */
const FREE_TEXT: Readonly<Record<'shell' | 'read' | 'write' | 'fetch', readonly string[]>> = {
  shell: ['description', 'justification'],
  read: ['description'],
  write: ['description'],
  fetch: ['description'],
};

/**
 * Canonical text of what an approval binds to: the same call tried again gives the same text, any other call another.
 * A shell call is its command and where it runs; how the model describes it does not count.
 */
export function fingerprint(call: ToolCall): string {
  return canonicalJson({
    channel: call.channel,
    server: call.server,
    // `exec_command` and `shell` are the same act under two names.
    tool: call.channel === 'shell' ? 'shell' : call.tool,
    cwd: call.cwd,
    args: bindingArgs(call),
  });
}

function bindingArgs(call: ToolCall): JsonValue {
  if (!isObject(call.args)) return call.args;
  const dropped =
    call.channel === 'shell' || call.channel === 'read' || call.channel === 'write' || call.channel === 'fetch'
      ? FREE_TEXT[call.channel]
      : [];
  return Object.fromEntries(Object.entries(call.args).filter(([key]) => !dropped.includes(key)));
}
