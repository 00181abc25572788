/**
 * One client connection and its server. What is not judged is forwarded as the very bytes that came; calls, and whatever a
 * server says that a model or a person could read, pass the gate first. No line reaches the server that another parser could take for a
 * call we did not see (readLine.ts, sortMessage.ts).
 */
import type { Readable, Writable } from 'node:stream';
import type { Judge } from '#contract/judgement.ts';
import type { JsonObject } from '#core/model/json.ts';
import { NO_POLICY } from '#core/policy/policy.ts';
import { relayPolicyFor } from '#core/policy/relayPolicy.ts';
import { gateAsker } from '#node/proxy/askGate.ts';
import { callMemory } from '#node/proxy/callMemory.ts';
import { clientLines } from '#node/proxy/clientLines.ts';
import type { DefinitionReview } from '#node/proxy/definitions/definitionReview.ts';
import { inFlightRequests } from '#node/proxy/inFlight.ts';
import type { Request } from '#node/proxy/inFlight.ts';
import { errorLine } from '#node/proxy/messages/answers.ts';
import { callFromMcp, type CallOrigin } from '#node/proxy/messages/callFromMcp.ts';
import { splitLines } from '#node/proxy/messages/lineSplitter.ts';
import { writeTogether } from '#node/proxy/messages/writeTogether.ts';
import { orderedOutlet } from '#node/proxy/orderedOutlet.ts';
import type { RelayHelp } from '#node/proxy/relayHelp.ts';
import type { RelayParts } from '#node/proxy/relayParts.ts';
import { secretPlaceholders } from '#node/proxy/results/secretPlaceholders.ts';
import { unaskedBudget } from '#node/proxy/results/unaskedBudget.ts';
import { serverLines } from '#node/proxy/serverLines.ts';
import { afterRestart } from '#node/proxy/transports/afterRestart.ts';
import { MAX_MESSAGE_BYTES } from '#node/proxy/transports/upstream.ts';
import type { OpenUpstream, Outbound } from '#node/proxy/transports/upstream.ts';

export interface RelayLimits {
  readonly messageBytes: number;
  /** Calls that may wait for a person at once. */
  readonly heldCalls: number;
  /** Between two progress notifications while a call is held. */
  readonly progressMs: number;
  /** How long a verdict may keep later messages waiting. */
  readonly orderMs: number;
  /** For answers still owed when the client sends no more. */
  readonly drainMs: number;
  /** Between the polite and the hard way of ending a server. */
  readonly exitMs: number;
}

export const RELAY_LIMITS: RelayLimits = {
  messageBytes: MAX_MESSAGE_BYTES,
  heldCalls: 50,
  progressMs: 5_000,
  orderMs: 250,
  drainMs: 10_000,
  exitMs: 2_000,
};

/** A request whose answer comes only when the client ends it (2026-07-28): nobody waits for it at the end. */
const ENDLESS = 'subscriptions/listen';

export interface RelayOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly open: OpenUpstream;
  readonly judge: Judge;
  readonly origin: CallOrigin;
  readonly log: (line: string) => void;
  /** Policy and findings; without it the built-in policy holds and no secret is masked. */
  readonly help?: RelayHelp;
  /** Who reviews what the server says of itself; without it that passes. `tell`: sends the client a notification. */
  readonly makeDefinitions?: (tell: (notification: JsonObject) => void) => DefinitionReview;
  /** What the client gave the server's process; empty when it runs elsewhere. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly limits?: Partial<RelayLimits>;
}

/** `client`: the client left, all is in order · `upstream`: the server went away by itself. */
export interface RelayEnd {
  readonly by: 'client' | 'upstream';
  readonly detail: string;
}

export interface Relay {
  /** Resolves when the server and its children are gone and everything is answered or dropped. Never rejects. */
  readonly done: Promise<RelayEnd>;
  /** The client is gone: frees holds and ends the server, hard after `patienceMs`. */
  stop(patienceMs: number): void;
}

export function startRelay(options: RelayOptions): Relay {
  const { input, output, judge, origin, log } = options;
  const limits = { ...RELAY_LIMITS, ...options.limits };
  const name = origin.server;
  const inFlight = inFlightRequests();
  let inputOpen = true;
  let clientGone = false;
  let upstreamGone: string | null = null;
  let finished = false;
  let drainTimer: NodeJS.Timeout | null = null;
  let resolveDone: (end: RelayEnd) => void = () => undefined;
  const done = new Promise<RelayEnd>((resolve) => (resolveDone = resolve));

  const toServer = orderedOutlet<Outbound>((outbound) => {
    if (upstreamGone === null && !clientGone && !upstream.send(outbound)) input.pause();
  }, limits.orderMs);
  const toClient = orderedOutlet<Buffer>((line) => {
    if (clientGone || finished) return;
    if (!writeTogether(output, line)) upstream.pause();
  }, limits.orderMs);
  const askGate = gateAsker({
    judge,
    server: name,
    progressMs: limits.progressMs,
    tell: (line) => toClient.push(line),
    clientThere: () => inputOpen && !clientGone,
    heldNow: () => [...inFlight.all(), ...parts.serverAsks.values()].filter((request) => request.held).length,
    mostHeld: limits.heldCalls,
    log,
  });
  const definitions = options.makeDefinitions?.((notification) => toClient.push(Buffer.from(`${JSON.stringify(notification)}\n`))) ?? null;
  const parts: RelayParts = {
    origin,
    inFlight,
    serverAsks: new Map(),
    toServer,
    toClient,
    askGate,
    definitions,
    memory: callMemory(),
    secrets: secretPlaceholders(),
    policy: () => options.help?.policy(name, origin.cwd) ?? relayPolicyFor(name, NO_POLICY),
    findings: (call) => options.help?.findings(call) ?? [],
    client: { name: null },
    log,
    serverGone: () => upstreamGone,
    fail,
    settled: settleEnd,
  };

  const splitter = splitLines(limits.messageBytes, {
    onLine: clientLines(parts, options.env ?? {}),
    onOverlong: () => {
      log(`${name}: refused a message from the client longer than ${limits.messageBytes} bytes`);
      toClient.push(errorLine(null, -32600, `Callgate refused a message longer than ${limits.messageBytes} bytes: send less at a time`));
    },
  });
  const upstream = options.open({
    onLine: serverLines(
      parts,
      unaskedBudget(
        () => upstream.pause(),
        () => upstream.resume(),
      ),
    ),
    onOverlong: () => {
      log(`${name}: dropped a message from the server longer than ${limits.messageBytes} bytes`);
      // Its id is lost with it: whoever waits is told rather than left hanging.
      for (const request of inFlight.all()) {
        if (request.stage === 'forwarded')
          fail(request, `the MCP server "${name}" sent a message longer than ${limits.messageBytes} bytes; ask it for less at a time`);
      }
    },
    onDrain: () => input.resume(),
    onClosed: serverIsGone,
    ...afterRestart(definitions),
  });

  function fail(request: Request, message: string): void {
    if (!inFlight.remove(request)) return;
    request.abort.abort();
    toClient.push(errorLine(request.id, -32000, message));
  }

  /** Its last words stand in it, and a client hands the error to its model. */
  function repeatable(detail: string): string {
    const call = callFromMcp('error', { arguments: { text: detail } }, origin);
    const isBad = parts.findings({ ...call, channel: 'response' }).some(({ severity }) => severity === 'high' || severity === 'critical');
    return isBad ? `the MCP server "${name}" is gone; what it said last is in Callgate's log, and not for the model` : detail;
  }

  function serverIsGone(detail: string): void {
    if (upstreamGone !== null) return;
    const why = repeatable(detail);
    upstreamGone = inputOpen ? why : 'the client closed the connection';
    if (inputOpen || inFlight.size() > 0) log(`${name}: ${detail}`);
    // A result that has arrived and waits for its verdict is still delivered.
    for (const request of inFlight.all()) if (request.stage !== 'result') fail(request, why);
    giveUpServerAsks();
    settleEnd();
  }

  function inputEnded(): void {
    if (!inputOpen) return;
    inputOpen = false;
    if (splitter.pendingBytes() > 0) log(`${name}: the client ended in the middle of a message; it was not forwarded`);
    // Nobody can be waiting behind a closed input for a person to decide.
    for (const request of inFlight.all()) {
      if (!request.held) continue;
      request.abort.abort();
      if (request.stage === 'judging') inFlight.remove(request);
    }
    giveUpServerAsks();
    settleEnd();
  }

  /** Requests of a server that is gone, or to a client that is. */
  function giveUpServerAsks(): void {
    for (const request of parts.serverAsks.values()) request.abort.abort();
  }

  /** Does what is due once nothing waits any more; called after everything that could be the last. */
  function settleEnd(): void {
    if (finished || clientGone) return;
    if (upstreamGone !== null) {
      if (toClient.openSlots() === 0) finish({ by: inputOpen ? 'upstream' : 'client', detail: upstreamGone });
      return;
    }
    if (inputOpen || toServer.openSlots() > 0) return;
    if (drainTimer === null) {
      upstream.end();
      drainTimer = setTimeout(() => closeUpstream(limits.exitMs), limits.drainMs);
    }
    if (inFlight.all().every(({ method }) => method === ENDLESS)) closeUpstream(limits.exitMs);
  }

  function closeUpstream(patienceMs: number): void {
    clearTimeout(drainTimer ?? undefined);
    void upstream.close(patienceMs).then(() => finish({ by: 'client', detail: 'the client closed the connection' }));
  }

  function stop(patienceMs: number): void {
    if (clientGone || finished) return;
    clientGone = true;
    inputOpen = false;
    for (const request of inFlight.all()) {
      request.abort.abort();
      inFlight.remove(request);
    }
    giveUpServerAsks();
    closeUpstream(patienceMs);
  }

  function finish(end: RelayEnd): void {
    if (finished) return;
    finished = true;
    definitions?.close();
    clearTimeout(drainTimer ?? undefined);
    input.pause();
    // The server's tree may outlive its leader: closing is what ends it, also after a crash.
    void upstream.close(limits.exitMs).then(() => resolveDone(end));
    if (!clientGone && output.writable) output.end();
  }

  input.on('data', (chunk: Buffer) => {
    if (!clientGone && inputOpen) splitter.feed(chunk);
  });
  input.on('end', inputEnded);
  input.on('close', inputEnded);
  output.on('drain', () => upstream.resume());
  output.on('close', () => stop(limits.exitMs));
  for (const stream of new Set([input, output])) {
    stream.on('error', (error) => {
      log(`${name}: the client's connection failed: ${error.message}`);
      stop(limits.exitMs);
    });
  }
  return { done, stop };
}
