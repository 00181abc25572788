/** Reads the payload, has it judged and answers. */
import { writeSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { formatReply, type HookReply } from '#contract/hookReply.ts';
import { answerHook } from '#home/answerHook.ts';
import type { Judgement } from '#contract/judgement.ts';
import type { ToolCall } from '#core/model/call.ts';
import { openEngine } from '#home/engine.ts';
import type { HookClient } from '#home/dialects/hookEvent.ts';
import { layoutFor, type Layout } from '#home/layout.ts';
import { openLocalGate, type LocalGate } from '#home/localGate.ts';
import { errorCode } from '#home/privateFile.ts';
import { INPUT_DEADLINE_MS, readNow, readStream } from '#hooks/readInput.ts';

/** SHA-256 (hex) of the rules this program was built with; empty when it was built without. */
declare const CHECKED_RULES: string;

export const MODES = ['reply', 'exit', 'ask'] as const;
export type HookMode = (typeof MODES)[number];

export interface HookArguments {
  readonly client: HookClient;
  readonly layout: Layout;
  readonly mode: HookMode;
}

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;

export interface HookRun {
  /** To end with. */
  readonly status: 0 | 2;
  /** Whether the call was judged in this process. */
  readonly judged: boolean;
}

export async function runHook(argv: readonly string[], program: string): Promise<HookRun> {
  const { client, layout, mode } = readArguments(argv);
  const bytes = await readInput(mode);
  let reply: HookReply | null = null;
  if (mode === 'ask' && bytes !== null) {
    const { askBroker } = await import('#hooks/askBroker.ts');
    reply = await askBroker(client === 'claude' ? layout.claudeSocket : layout.codexSocket, bytes);
  }
  let judged = false;
  if (reply === null && bytes !== null) ({ reply, judged } = await judgeHere(client, layout, bytes, program));
  return { status: deliver(reply ?? noInput(), mode), judged };
}

function deliver(reply: HookReply, mode: HookMode): 0 | 2 {
  if (mode === 'reply') {
    writeAll(STDOUT, formatReply(reply));
    return 0;
  }
  if (reply.kind === 'print') writeAll(STDOUT, `${reply.json}\n`);
  if (reply.kind !== 'deny') return 0;
  writeAll(STDERR, `${reply.reason.trim() || 'Callgate refused this call.'}\n`);
  return 2;
}

/** Calls of the usual kinds, judged without being recorded: so that the code they need is compiled when it is kept. */
export async function rehearse(argv: readonly string[], program: string): Promise<void> {
  const { client, layout } = readArguments(argv);
  const engine = openEngine(layout, join(dirname(program), 'rules.json'), { checkedHash: CHECKED_RULES });
  const judge = (call: ToolCall): Judgement => ({ id: '', decision: engine.decide(call), outcome: 'delivered', by: 'gate', reason: '' });
  for (const [tool_name, tool_input] of REHEARSED) {
    const payload = {
      session_id: 'rehearsal',
      hook_event_name: 'PreToolUse',
      permission_mode: 'default',
      cwd: layout.home,
      tool_name,
      tool_input,
    };
    await answerHook(client, Buffer.from(JSON.stringify(payload)), { layout, judge, record: () => null });
  }
}

const REHEARSED: readonly (readonly [tool: string, input: { readonly [name: string]: string }])[] = [
  ['Bash', { command: `cd src && A=1 git commit -m "one $(date)" | head -n 3 > out.txt 2>&1; for f in *.ts; do cat "$f" || true; done` }],
  ['Bash', { command: `curl -s https://example.com/a.tar.gz -o a.tar.gz; bash -c 'rm -r build'; cat <<END\ntext\nEND` }],
  ['Write', { file_path: 'src/a.ts', content: 'export const a = 1;\n' }],
  ['Read', { file_path: '~/notes.md' }],
  ['WebFetch', { url: 'https://example.com/', prompt: 'What does it say?' }],
  ['mcp__files__search', { query: 'one' }],
];

/** Positions, not options or environment: a project's settings can set a hook's environment, and must not move our data. */
export function readArguments(argv: readonly string[]): HookArguments {
  const [client, home, mode = 'reply'] = argv;
  if (client !== 'claude' && client !== 'codex')
    throw new Error(`unknown client ${JSON.stringify(client ?? '')}: expected claude or codex`);
  if (home === undefined || !isAbsolute(home)) throw new Error('the second argument must be the absolute home directory');
  const known = MODES.find((name) => name === mode);
  if (known === undefined) throw new Error(`unknown mode ${JSON.stringify(mode)}: expected ${MODES.join(', ')}`);
  return { client, layout: layoutFor(home), mode: known };
}

async function readInput(mode: HookMode): Promise<Buffer | null> {
  // Only the hook script has a deadline around us; without it a read that blocks would block for ever.
  const { bytes, whole } = mode === 'reply' ? readNow(STDIN) : { bytes: Buffer.alloc(0), whole: false };
  return whole ? bytes : readStream(bytes, process.stdin);
}

async function judgeHere(
  client: HookClient,
  layout: Layout,
  bytes: Uint8Array,
  program: string,
): Promise<{ readonly reply: HookReply; readonly judged: boolean }> {
  const gates: LocalGate[] = [];
  const open = (): LocalGate => {
    // What the gate warns of is in the journal and the panel; clients would show our standard error to the agent.
    gates[0] ??= openLocalGate({
      layout,
      rulesFile: join(dirname(program), 'rules.json'),
      checkedRules: CHECKED_RULES,
      warn: () => undefined,
    });
    return gates[0];
  };
  const reply = await answerHook(client, bytes, {
    layout,
    judge: (call, unattended) => open().judge(call, unattended),
    record: (event) => open().record(event),
  });
  for (const gate of gates) gate.close();
  return { reply, judged: gates.length > 0 };
}

function noInput(): HookReply {
  return {
    kind: 'deny',
    reason: `Callgate refused this call: its input did not arrive within ${INPUT_DEADLINE_MS / 1000} seconds. Try again.`,
  };
}

/** Node's own streams would cost their set-up, and could still hold text when the process ends. */
function writeAll(handle: number, text: string): void {
  const bytes = Buffer.from(text);
  let from = 0;
  while (from < bytes.length) {
    try {
      from += writeSync(handle, bytes, from);
    } catch (error) {
      // A pipe that does not block is full for a moment; the deadline around us bounds this.
      if (errorCode(error) !== 'EAGAIN') throw error;
    }
  }
}
