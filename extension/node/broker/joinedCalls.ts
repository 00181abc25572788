/**
 * One decision per call: a client that asks by its hook and then sends the same MCP call through the relay gets the
 * outcome it already has, so that a person is asked once. Joined by the client's own id of the call and by what it asks for.
 */
import type { Judgement } from '#contract/judgement.ts';
import type { ToolCall } from '#core/model/call.ts';
import { canonicalJson } from '#core/model/json.ts';

export type Side = 'hook' | 'relay';

/** A client may have asked its own user between the hook and the call. */
const KEEP_MS = 15 * 60_000;
const MAX_KEPT = 1000;

export interface JoinedCalls {
  /** The other side's decision about the same call, taken at most once; null when this side is the first. */
  readonly take: (call: ToolCall, side: Side) => Promise<Judgement> | null;
  readonly keep: (call: ToolCall, side: Side, judgement: Promise<Judgement>) => void;
}

export function createJoinedCalls(now: () => number): JoinedCalls {
  const kept = new Map<string, { side: Side; at: number; judgement: Promise<Judgement> }>();
  // Hook and relay name the server differently and may know different folders.
  const keyOf = (call: ToolCall): string | null =>
    call.useId === null || call.channel !== 'mcp' ? null : canonicalJson([call.useId, call.tool, call.args]);
  return {
    take: (call, side) => {
      const key = keyOf(call);
      const found = key === null ? undefined : kept.get(key);
      if (key === null || !found || found.side === side) return null;
      kept.delete(key);
      return found.at + KEEP_MS < now() ? null : found.judgement;
    },
    keep: (call, side, judgement) => {
      const key = keyOf(call);
      if (key === null) return;
      kept.delete(key);
      kept.set(key, { side, at: now(), judgement });
      for (const oldest of kept.keys()) {
        if (kept.size <= MAX_KEPT) break;
        kept.delete(oldest);
      }
    },
  };
}
