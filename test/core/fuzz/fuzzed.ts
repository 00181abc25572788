/** What the fuzzer runs: the whole gate on a call of any channel, and what must hold for every answer. Bundled, so it imports core alone. */
import { decide, type GateContext } from '#core/gate.ts';
import { CHANNELS, type Channel, type ToolCall } from '#core/model/call.ts';
import type { JsonValue } from '#core/model/json.ts';
import { stringAt } from '#core/normalize/pointer.ts';

let context: GateContext | null = null;

export function prepare(given: unknown): void {
  context = { ...(given as GateContext), realpath: () => null, readText: () => null };
}

function argsOf(channel: Channel, text: string): JsonValue {
  switch (channel) {
    case 'shell':
      return { command: text };
    case 'read':
      return { file_path: text };
    case 'write':
      return text.startsWith('***') ? { command: text } : { file_path: text.slice(0, 40), content: text };
    case 'fetch':
      return { url: text, prompt: text };
    case 'mcp':
      return { [text.slice(0, 20)]: [text, { path: text }] };
    case 'definition':
      return { name: text.slice(0, 20), description: text, inputSchema: { properties: { [text.slice(0, 10)]: { description: text } } } };
    case 'response':
      return { content: [{ type: 'text', text }] };
    case 'other':
      return { text };
  }
}

export function check(way: string, text: string): void {
  const channel = CHANNELS.find((one) => one === way) ?? 'other';
  const call: ToolCall = {
    client: 'claude',
    agent: 'main',
    session: 'fuzz',
    useId: null,
    channel,
    tool: channel === 'write' && text.startsWith('***') ? 'apply_patch' : channel,
    server: channel === 'mcp' ? 'fuzz' : null,
    args: argsOf(channel, text),
    cwd: '/home/dev/app',
  };
  if (context === null) throw new Error('not prepared');
  const first = decide(call, context);
  for (const finding of first.findings) {
    if (finding.rule === 'engine.failed' || finding.rule === 'engine.broken-rule') throw new Error(`${finding.rule}: ${finding.matched}`);
    if (finding.span === null) continue;
    const { start, end } = finding.span;
    const length = stringAt(call.args, finding.at)?.length ?? -1;
    if (!(start >= 0 && start <= end && end <= length))
      throw new Error(`${finding.rule} points at ${start}–${end} of ${length} in ${finding.at}`);
  }
  const second = decide(call, context);
  if (JSON.stringify(first) !== JSON.stringify(second)) throw new Error('another verdict the second time');
}
