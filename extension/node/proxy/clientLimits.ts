/**
 * How long MCP clients wait for the answer to a call. An answer of ours must come before: it says that the hold can still be
 * approved and the call tried again, and the client's own error would not.
 *
 * Sources: Claude Code's documentation of `MCP_TOOL_TIMEOUT` (100,000,000 ms unless set) and its idle watchdog of five minutes
 * that progress sets back (since 2.1.187); codex-rs `DEFAULT_TOOL_TIMEOUT` (120 s, later 300 s; `tool_timeout_sec`); Gemini
 * CLI's `MCP_DEFAULT_TIMEOUT_MSEC` (10 minutes); the TypeScript SDK's `DEFAULT_REQUEST_TIMEOUT_MSEC` (60 s), which Claude
 * Desktop, Cline and Zed use. VS Code and Cursor wait for their user to cancel. A ping does not set any of them back, and
 * progress may be told only to a client that gave a token, so that nothing is sent to one that did not.
 */
interface Patience {
  readonly ms: number | null;
  /** Progress sets the limit back, for calls that ask for it. */
  readonly progressHelps: boolean;
}

const SDK: Patience = { ms: 60_000, progressHelps: false };
const KNOWN: readonly (readonly [name: RegExp, patience: Patience])[] = [
  [/^claude-code$/u, { ms: 300_000, progressHelps: true }],
  [/^claude-ai/u, SDK],
  [/^codex/u, { ms: 120_000, progressHelps: false }],
  [/^gemini-cli/u, { ms: 600_000, progressHelps: false }],
  [/^(?:cline|zed)\b/iu, SDK],
  [/^(?:visual studio code|vscode|cursor)/iu, { ms: null, progressHelps: true }],
];
/** The SDK's own limit; whoever asks for progress usually lets it set the limit back. */
const UNKNOWN: Patience = { ms: 60_000, progressHelps: true };

/** The way back to the client and a busy machine take their part. */
const MARGIN_MS = 5_000;

/**
 * Milliseconds from a call's arrival in which it must be answered; null when the client waits as long as it takes.
 * `env`: what the client gave to the server; Claude Code's own limit is in it.
 */
export function answerWithin(client: string | null, env: Readonly<Record<string, string | undefined>>, hasToken: boolean): number | null {
  const { ms, progressHelps } = KNOWN.find(([name]) => client !== null && name.test(client))?.[1] ?? UNKNOWN;
  const idle = ms === null || (progressHelps && hasToken) ? Infinity : ms;
  const own = client === 'claude-code' ? Number(env['MCP_TOOL_TIMEOUT'] ?? '') : 0;
  const limit = Math.min(idle, own > 0 ? own : Infinity);
  return limit === Infinity ? null : Math.max(limit - MARGIN_MS, limit / 2);
}
