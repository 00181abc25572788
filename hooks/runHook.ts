/** Reads the payload, has it judged and answers, all within a deadline of its own. */
import { dirname, isAbsolute, join } from 'node:path';
import { formatReply, MAX_PAYLOAD_BYTES, type HookReply } from '#contract/hookReply.ts';
import { answerHook } from '#home/answerHook.ts';
import type { HookClient } from '#home/dialects/hookEvent.ts';
import { layoutFor, type Layout } from '#home/layout.ts';
import { openLocalGate, type LocalGate } from '#home/localGate.ts';

/** A payload that does not come within this time is not coming, in milliseconds. */
const INPUT_DEADLINE_MS = 10_000;

export const MODES = ['reply', 'exit', 'ask'] as const;
export type HookMode = (typeof MODES)[number];

interface Arguments {
  readonly client: HookClient;
  readonly layout: Layout;
  readonly mode: HookMode;
}

export async function runHook(argv: readonly string[], input: NodeJS.ReadableStream, out: NodeJS.WritableStream, err: NodeJS.WritableStream): Promise<void> {
  const { client, layout, mode } = readArguments(argv);
  const bytes = await readInput(input);
  let reply: HookReply | null = null;
  if (mode === 'ask' && bytes !== null) {
    const { askBroker } = await import('#hooks/askBroker.ts');
    reply = await askBroker(client === 'claude' ? layout.claudeSocket : layout.codexSocket, bytes);
  }
  reply ??= bytes === null ? noInput() : await judgeHere(client, layout, bytes);
  if (mode === 'reply') {
    await write(out, formatReply(reply));
    return;
  }
  if (reply.kind === 'print') await write(out, `${reply.json}\n`);
  if (reply.kind === 'deny') await write(err, `${reply.reason.trim() || 'Callgate refused this call.'}\n`);
  process.exitCode = reply.kind === 'deny' ? 2 : 0;
}

/** Positions, not options or environment: a project's settings can set a hook's environment, and must not move our data. */
export function readArguments(argv: readonly string[]): Arguments {
  const [client, home, mode = 'reply'] = argv;
  if (client !== 'claude' && client !== 'codex') throw new Error(`unknown client ${JSON.stringify(client ?? '')}: expected claude or codex`);
  if (home === undefined || !isAbsolute(home)) throw new Error('the second argument must be the absolute home directory');
  const known = MODES.find((name) => name === mode);
  if (known === undefined) throw new Error(`unknown mode ${JSON.stringify(mode)}: expected ${MODES.join(', ')}`);
  return { client, layout: layoutFor(home), mode: known };
}

async function judgeHere(client: HookClient, layout: Layout, bytes: Uint8Array): Promise<HookReply> {
  let gate: LocalGate | null = null;
  // Standard error stays empty unless the call is refused: clients show it to the agent.
  const open = (): LocalGate => (gate ??= openLocalGate({ layout, rulesFile: join(dirname(process.argv[1] ?? ''), 'rules.json'), warn: () => undefined }));
  const reply = await answerHook(client, bytes, { layout, judge: (call, unattended) => open().judge(call, unattended), record: (event) => open().record(event) });
  (gate as LocalGate | null)?.close();
  return reply;
}

function noInput(): HookReply {
  return { kind: 'deny', reason: `Callgate refused this call: its input did not arrive within ${INPUT_DEADLINE_MS / 1000} seconds. Try again.` };
}

/** Null when it did not end in time. One byte over the limit is kept, so that the reader can tell it was too long. */
function readInput(input: NodeJS.ReadableStream): Promise<Uint8Array | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let total = 0;
    const finish = (bytes: Uint8Array | null): void => {
      clearTimeout(timer);
      input.removeAllListeners('data');
      input.pause();
      resolve(bytes);
    };
    const timer = setTimeout(() => finish(null), INPUT_DEADLINE_MS);
    input.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      total += chunk.length;
      if (total > MAX_PAYLOAD_BYTES) finish(Buffer.concat(chunks));
    });
    input.once('end', () => finish(Buffer.concat(chunks)));
    input.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

function write(stream: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => stream.write(text, (error) => (error ? reject(error) : resolve())));
}
