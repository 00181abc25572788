/** Asks the broker over its socket or named pipe, where no small program of the system's can. */
import { connect } from 'node:net';
import { HEARTBEAT_MS, parseReply, SILENCE_SECONDS, type HookReply } from '#contract/hookReply.ts';

/** Longer than any reply and all heartbeats of the longest hold. */
const MAX_REPLY_BYTES = 64 * 1024;

export interface AskLimits {
  readonly silenceMs: number;
}

/** The broker's reply; a refusal when it took the call and gave no whole reply; null when nobody listens. */
export function askBroker(
  socketPath: string,
  payload: Uint8Array,
  limits: AskLimits = { silenceMs: Math.max(SILENCE_SECONDS * 1000, 2 * HEARTBEAT_MS) },
): Promise<HookReply | null> {
  return new Promise((resolve) => {
    let connected = false;
    let text = '';
    const socket = connect({ path: socketPath, allowHalfOpen: true });
    const settle = (reply: HookReply | null): void => {
      clearTimeout(silence);
      socket.removeAllListeners();
      // The broker may still be writing; its reset is no news.
      socket.on('error', () => undefined);
      socket.destroy();
      resolve(reply);
    };
    const gone = (): void => settle(connected ? (parseReply(text) ?? stopped()) : null);
    const silence = setTimeout(() => settle(connected ? stopped() : null), limits.silenceMs);
    socket.setEncoding('utf8');
    socket.on('connect', () => {
      connected = true;
      silence.refresh();
      socket.end(payload);
    });
    socket.on('data', (chunk: string) => {
      silence.refresh();
      text += chunk;
      if (text.length > MAX_REPLY_BYTES) settle(stopped());
    });
    socket.on('end', gone);
    socket.on('error', gone);
    socket.on('close', gone);
  });
}

function stopped(): HookReply {
  return { kind: 'deny', reason: 'The Callgate broker stopped answering, so this call was refused. Try again.' };
}
