/**
 * Starts a server anew when it has gone by itself, so that the client keeps its connection. What was on its way is
 * answered with an error that says whether it may have run; what comes meanwhile waits. A server that never answered
 * anything, or goes again and again, ends the connection as if nobody restarted it.
 */
import { isObject } from '#core/model/json.ts';
import type { JsonObject } from '#core/model/json.ts';
import { errorLine } from '#node/proxy/messages/answers.ts';
import { readLine } from '#node/proxy/messages/readLine.ts';
import type { LineLook } from '#node/proxy/messages/readLine.ts';
import { asRequestId, idKey } from '#node/proxy/messages/sortMessage.ts';
import type { RequestId } from '#node/proxy/messages/sortMessage.ts';
import { refusedCall, toolsAgain } from '#node/proxy/transports/afterRestart.ts';
import { handshake } from '#node/proxy/transports/handshake.ts';
import type { Repeated } from '#node/proxy/transports/handshake.ts';
import type { OpenUpstream, Outbound, Upstream, UpstreamEvents } from '#node/proxy/transports/upstream.ts';

export interface RestartLimits {
  /** Restarts within `windowMs`; one more crash ends the connection. */
  readonly most: number;
  readonly windowMs: number;
  /** Before the first, the second, … restart of the window. */
  readonly waitMs: readonly number[];
  /** For each answer of the handshake that is repeated. */
  readonly answerMs: number;
}

const LIMITS: RestartLimits = { most: 3, windowMs: 60_000, waitMs: [100, 1_000, 3_000], answerMs: 60_000 };
const MAX_REMEMBERED = 10_000;
const OLD_SERVER_MS = 200;

export function restartingUpstream(open: OpenUpstream, log: (line: string) => void, limits: RestartLimits = LIMITS): OpenUpstream {
  return (events) => start(open, events, log, limits);
}

function start(open: OpenUpstream, events: UpstreamEvents, log: (line: string) => void, limits: RestartLimits): Upstream {
  const memory = handshake();
  /** Requests of the client that the server has got and not answered, and the other way round. */
  const owed = new Map<string, RequestId>();
  const asked = new Map<string, RequestId>();
  /** Requests of a server that is gone: an answer to one must not be taken for an answer to its successor. */
  const stale = new Set<string>();
  const waiting: Outbound[] = [];
  let repeating: { readonly id: string; readonly done: (answer: JsonObject | string) => void } | null = null;
  let crashes: number[] = [];
  let state: 'up' | 'restarting' | 'over' = 'up';
  const isOver = (): boolean => leaving || state === 'over';
  let lived = false;
  let leaving = false;
  let paused = false;
  let generation = 0;
  /** Why the new server went before anything was repeated to it. */
  let diedEarly: string | null = null;
  let current = begin();

  function begin(): Upstream {
    const mine = ++generation;
    const isCurrent = (): boolean => mine === generation && state !== 'over';
    return open({
      onLine: (line) => isCurrent() && received(line),
      onOverlong: () => isCurrent() && events.onOverlong(),
      onDrain: () => isCurrent() && state === 'up' && events.onDrain(),
      onClosed: (detail) => isCurrent() && gone(detail),
    });
  }

  function received(line: Buffer): void {
    // Read once, for the relay too.
    const look = readLine(line);
    for (const message of messagesOf(look)) {
      const id = asRequestId(message['id']);
      if (id === null) continue;
      if (typeof message['method'] === 'string') {
        remember(asked, id);
        stale.delete(idKey(id));
      } else if (repeating !== null && id === repeating.id) {
        repeating.done(message);
        return;
      } else {
        owed.delete(idKey(id));
        memory.answered(message);
        lived = true;
      }
    }
    events.onLine(line, look);
  }

  function gone(detail: string): void {
    const now = Date.now();
    crashes = [...crashes.filter((at) => now - at < limits.windowMs), now];
    const interrupted = repeating;
    repeating = null;
    if (leaving || !lived || crashes.length > limits.most) {
      giveUp(detail);
      interrupted?.done(detail);
      return;
    }
    if (state === 'restarting') {
      // It died while it was being told what the last one knew.
      if (interrupted !== null) interrupted.done(detail);
      else diedEarly = detail;
      return;
    }
    state = 'restarting';
    log(`${detail}; Callgate starts it again`);
    for (const id of owed.values())
      events.onLine(
        errorLine(
          id,
          -32000,
          `${detail}. It had got this request: what was asked may or may not have been done. Callgate starts the server again; check before repeating what must not be done twice.`,
        ),
      );
    owed.clear();
    for (const [key, id] of asked) {
      stale.add(key);
      events.onLine(
        Buffer.from(
          `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id, reason: 'the server was restarted' } })}\n`,
        ),
      );
    }
    asked.clear();
    restart().catch((error: unknown) => {
      if (!isOver()) giveUp(`the MCP server could not be restarted (${error instanceof Error ? error.message : String(error)})`);
    });
  }

  function giveUp(detail: string): void {
    state = 'over';
    const tried = `Callgate restarted it ${limits.most} times within ${limits.windowMs / 1000} s and gives up`;
    events.onClosed(crashes.length > limits.most && !leaving ? `${detail}; ${tried}` : detail);
  }

  async function restart(): Promise<void> {
    for (;;) {
      generation++;
      await current.close(OLD_SERVER_MS);
      await new Promise((resolve) => setTimeout(resolve, limits.waitMs[crashes.length - 1] ?? limits.waitMs.at(-1) ?? 0));
      if (isOver()) return;
      diedEarly = null;
      current = begin();
      if (paused) current.pause();
      const fault = (await repeatAll()) ?? (await lookAgain());
      if (isOver()) return;
      if (fault === null) break;
      if (fault.final || crashes.length > limits.most) {
        giveUp(`the MCP server was restarted, but ${fault.why}`);
        return;
      }
      log(`${fault.why}; Callgate starts it again`);
    }
    state = 'up';
    for (const line of memory.listChanged()) events.onLine(line);
    const queue = waiting.splice(0);
    for (const outbound of queue) {
      const refused = refusedCall(events, outbound.messages);
      if (refused === null) pass(outbound);
      else events.onLine(refused);
    }
    events.onDrain();
  }

  /** `final`: starting it once more would end the same way. */
  async function repeatAll(): Promise<{ why: string; final: boolean } | null> {
    for (const [at, message] of memory.repeat().entries()) {
      const answer = await repeatOne(message);
      if (typeof answer === 'string') return { why: answer, final: false };
      const other = at === 0 && answer !== null ? memory.difference(answer) : null;
      if (other !== null) return { why: other, final: true };
    }
    return diedEarly === null ? null : { why: diedEarly, final: false };
  }

  async function lookAgain(): Promise<{ why: string; final: boolean } | null> {
    const other = await toolsAgain(events, memory, repeatOne);
    return other === null ? null : { why: other.why, final: !other.silent };
  }

  /** The answer, null when none is due, or why there is none. */
  function repeatOne({ id, ...outbound }: Repeated): Promise<JsonObject | string | null> {
    if (diedEarly !== null) return Promise.resolve(diedEarly);
    if (id === null) {
      current.send(outbound);
      return Promise.resolve(null);
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        crashes.push(Date.now());
        done('it did not answer after its restart');
      }, limits.answerMs);
      const done = (answer: JsonObject | string): void => {
        clearTimeout(timer);
        repeating = null;
        resolve(answer);
      };
      repeating = { id, done };
      current.send(outbound);
    });
  }

  function pass(outbound: Outbound): boolean {
    memory.sent(outbound.messages);
    for (const message of outbound.messages) {
      const id = asRequestId(message['id']);
      if (id === null) continue;
      if (typeof message['method'] === 'string') remember(owed, id);
      else asked.delete(idKey(id));
    }
    return current.send(outbound);
  }

  return {
    send(outbound) {
      if (state === 'over') return true;
      const [message] = outbound.messages;
      const answerTo =
        message !== undefined && outbound.messages.length === 1 && message['method'] === undefined ? asRequestId(message['id']) : null;
      if (answerTo !== null && stale.delete(idKey(answerTo))) return true;
      if (state === 'up') return pass(outbound);
      waiting.push(outbound);
      return false;
    },
    end() {
      leaving = true;
      current.end();
    },
    close(patienceMs) {
      leaving = true;
      return current.close(patienceMs);
    },
    pause() {
      paused = true;
      current.pause();
    },
    resume() {
      paused = false;
      current.resume();
    },
  };
}

function remember(map: Map<string, RequestId>, id: RequestId): void {
  map.delete(idKey(id));
  map.set(idKey(id), id);
  if (map.size <= MAX_REMEMBERED) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

/** What cannot be read is the relay's to refuse. */
function messagesOf(look: LineLook): readonly JsonObject[] {
  const parts = look.kind === 'single' ? [look.part] : look.kind === 'batch' ? look.parts : [];
  return parts.map((part) => part.value).filter(isObject);
}
