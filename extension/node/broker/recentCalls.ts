/** Which calls were judged lately, so that what comes back can be told whose it is. Forgetting one costs a link in the record, nothing else. */
import type { ToolCall } from '#core/model/call.ts';
import type { Timeline } from '#node/broker/timeline.ts';

export interface RecentCall {
  readonly id: string;
  readonly call: Pick<ToolCall, 'client' | 'agent' | 'session' | 'useId' | 'tool' | 'server'>;
  /** When it was judged, milliseconds since 1970. */
  readonly at: number;
  /** Its result is in the record already, from the relay that carried it. */
  readonly hasResult: boolean;
}

export interface RecentCalls {
  readonly keep: (id: string, call: ToolCall) => void;
  /** Notes that the call has its result, and gives the result the agent, session and id of the call. */
  readonly answered: (id: string, result: ToolCall) => ToolCall;
  /** The call a client's hook reports the result of; null when it is not known any more. */
  readonly find: (result: ToolCall) => RecentCall | null;
}

const MAX_KEPT = 5000;

export function createRecentCalls(now: () => number): RecentCalls {
  const byId = new Map<string, RecentCall>();
  const byUse = new Map<string, string>();
  // Ids of calls are the client's own and may begin anew with a session.
  const useKey = ({ client, session, useId }: ToolCall): string | null =>
    useId === null ? null : JSON.stringify([client, session, useId]);
  return {
    keep: (id, call) => {
      const { client, agent, session, useId, tool, server } = call;
      byId.set(id, { id, call: { client, agent, session, useId, tool, server }, at: now(), hasResult: false });
      const key = useKey(call);
      if (key !== null) byUse.set(key, id);
      for (const [old, { call: gone }] of byId) {
        if (byId.size <= MAX_KEPT) break;
        byId.delete(old);
        const goneKey = JSON.stringify([gone.client, gone.session, gone.useId]);
        if (byUse.get(goneKey) === old) byUse.delete(goneKey);
      }
    },
    answered: (id, result) => {
      const known = byId.get(id);
      if (known === undefined) return result;
      byId.set(id, { ...known, hasResult: true });
      const { agent, session, useId } = known.call;
      return { ...result, agent, session: session === '' ? result.session : session, useId: useId ?? result.useId };
    },
    find: (result) => {
      const key = useKey(result);
      const id = key === null ? undefined : byUse.get(key);
      return id === undefined ? null : (byId.get(id) ?? null);
    },
  };
}

/** The correlation id of a call that another process judged, or that is long ago; null when the timeline has none. */
export async function olderCall(timeline: Pick<Timeline, 'query'>, { client, session, useId, tool }: ToolCall): Promise<string | null> {
  if (useId === null || session === '') return null;
  try {
    const { entries } = await timeline.query({ session, tool, limit: 100 });
    return entries.find((entry) => entry.kind === 'call' && entry.client === client && entry.useId === useId)?.call ?? null;
  } catch {
    return null; // without an index the result stands in the record unlinked, with the client's own id of the call
  }
}
