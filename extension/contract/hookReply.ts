/**
 * The wire between a hook and the broker, and what a hook finally does.
 *
 * A hook connects to its client's own socket (`claude.sock`, `codex.sock`), sends the client's payload
 * bytes unchanged and closes its sending side. The broker answers with
 *   - zero or more spaces, one a second while a call is held (so that a stopped broker is noticed), then
 *   - one reply below. Every reply ends with the word `end`: a cut-off reply is never mistaken for a whole one.
 */
export type HookReply =
  | { readonly kind: 'pass' } // no opinion: print nothing, exit 0
  | { readonly kind: 'print'; readonly json: string } // print one line of JSON, exit 0
  | { readonly kind: 'deny'; readonly reason: string }; // print the reason on stderr, exit 2

export const REPLY_PASS = 'callgate:pass:end';
export const REPLY_PRINT = 'callgate:print ';
export const REPLY_DENY = 'callgate:deny ';
export const REPLY_END = ' callgate:end';
export const HEARTBEAT = ' ';
/** A held call's hook hears something at least this often, in milliseconds. */
export const HEARTBEAT_MS = 1000;
/** A hook that hears nothing for this long takes the broker for dead, in seconds. */
export const SILENCE_SECONDS = 5;

/** Larger payloads are denied, in bytes. Claude and Codex truncate nothing themselves. */
export const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;

export function formatReply(reply: HookReply): string {
  switch (reply.kind) {
    case 'pass':
      return REPLY_PASS;
    case 'print':
      return REPLY_PRINT + reply.json + REPLY_END;
    case 'deny':
      // NUL cannot be carried by a shell variable; an empty reason would let Codex run the call.
      return REPLY_DENY + (reply.reason.replaceAll('\0', '').trim() || 'Callgate refused this call.') + REPLY_END;
  }
}

/** The reply in `text`, heartbeats removed; null when it is not exactly one whole reply. */
export function parseReply(text: string): HookReply | null {
  const body = text.trim();
  if (body === REPLY_PASS) return { kind: 'pass' };
  if (!body.endsWith(REPLY_END)) return null;
  if (body.startsWith(REPLY_PRINT)) return { kind: 'print', json: body.slice(REPLY_PRINT.length, -REPLY_END.length) };
  if (body.startsWith(REPLY_DENY)) return { kind: 'deny', reason: body.slice(REPLY_DENY.length, -REPLY_END.length) };
  return null;
}
