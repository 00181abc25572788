/** The hook sockets: one payload in, heartbeats while it is held, one reply out. */
import { createServer, type Server, type Socket } from 'node:net';
import { formatReply, HEARTBEAT, HEARTBEAT_MS, MAX_PAYLOAD_BYTES, type HookReply } from '#contract/hookReply.ts';
import type { CancelSignal } from '#contract/judgement.ts';
import { errorText } from '#home/privateFile.ts';
import { HOOK_TIMEOUT_SECONDS } from '#home/settings.ts';

export interface HookLimits {
  /** A client that sends nothing for this long is refused. */
  readonly idleMs: number;
  /** A payload must be whole by then, however busily it arrives. */
  readonly inputMs: number;
}

export const HOOK_LIMITS: HookLimits = { idleMs: 5000, inputMs: 30_000 };

/** Past every hold: if the judge never came back, silence lets the hook refuse before its client gives up on it. */
const MAX_HEARTBEATS = ((HOOK_TIMEOUT_SECONDS - 60) * 1000) / HEARTBEAT_MS;

export type AnswerBytes = (bytes: Uint8Array, signal: CancelSignal) => Promise<HookReply>;

export function createHookServer(answer: AnswerBytes, limits: HookLimits, onWork: (inFlight: number) => void): Server {
  let inFlight = 0;
  return createServer({ allowHalfOpen: true }, (socket) => {
    onWork(++inFlight);
    socket.once('close', () => onWork(--inFlight));
    serveHook(socket, answer, limits);
  });
}

function serveHook(socket: Socket, answer: AnswerBytes, limits: HookLimits): void {
  const gone = new AbortController();
  let chunks: Buffer[] = [];
  let total = 0;
  let answered = false;
  let heartbeat: NodeJS.Timeout | undefined;

  const reply = (text: HookReply): void => {
    if (answered) return;
    answered = true;
    clearInterval(heartbeat);
    clearTimeout(whole);
    socket.setTimeout(limits.idleMs, () => socket.destroy());
    socket.end(formatReply(text));
  };
  const refuse = (what: string): void =>
    reply({ kind: 'deny', reason: `Callgate refused this call because its input ${what}. Try again.` });
  const whole = setTimeout(() => refuse('took too long to arrive'), limits.inputMs);

  socket.setTimeout(limits.idleMs, () => refuse('stopped before its end'));
  socket.on('error', () => socket.destroy()); // the client is gone, which 'close' says
  socket.on('close', () => {
    clearInterval(heartbeat);
    clearTimeout(whole);
    gone.abort();
  });
  socket.on('data', (chunk: Buffer) => {
    total += chunk.length;
    // The rest of an oversize payload is read and forgotten: an asker whose input is cut would lose the reply.
    if (total <= MAX_PAYLOAD_BYTES + chunk.length) chunks.push(chunk);
  });
  socket.on('end', () => {
    if (answered) return;
    clearTimeout(whole);
    socket.setTimeout(0);
    const bytes = Buffer.concat(chunks);
    chunks = [];
    let beats = 0;
    // A client that has gone is only noticed by writing to it.
    heartbeat = setInterval(() => (++beats > MAX_HEARTBEATS ? socket.destroy() : socket.write(HEARTBEAT)), HEARTBEAT_MS);
    answer(bytes, gone.signal).then(reply, (error: unknown) =>
      reply({ kind: 'deny', reason: `Callgate failed on this call (${errorText(error)}), so it was refused. Try again.` }),
    );
  });
}
