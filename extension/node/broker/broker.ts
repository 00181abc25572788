/** The one process per user that judges for every hook, relay and window: this file wires its sockets and its life. */
import type { Server, Socket } from 'node:net';
import { dirname } from 'node:path';
import type { BrokerStatus } from '#contract/ipc.ts';
import type { Judge } from '#contract/judgement.ts';
import { answerHook } from '#home/answerHook.ts';
import type { HookClient } from '#home/dialects/hookEvent.ts';
import { ensurePrivateFolder } from '#home/layout.ts';
import { errorText } from '#home/privateFile.ts';
import { recordCrashed, recordMissed, recordPutBack } from '#node/broker/brokerEvents.ts';
import { openBrokerGate } from '#node/broker/brokerGate.ts';
import { takeBrokerLock, type BrokerLock } from '#node/broker/brokerLock.ts';
import type { Broker, BrokerOptions } from '#node/broker/brokerOptions.ts';
import { createErrands } from '#node/broker/errands.ts';
import { createHookServer, HOOK_LIMITS } from '#node/broker/hookServer.ts';
import { startJournalUpkeep } from '#node/broker/journalUpkeep.ts';
import { createLifetime, type Lifetime } from '#node/broker/lifetime.ts';
import { createMcpServer } from '#node/broker/mcpServer.ts';
import { keepReachable } from '#node/broker/reachable.ts';
import { windowHandlers } from '#node/broker/windowHandlers.ts';
import { createWindowServer, type WindowServer } from '#node/broker/windowServer.ts';
import { windowSignIn } from '#node/broker/windowSignIn.ts';
import { ensureWindowToken } from '#node/broker/windowToken.ts';
import { relayHelp } from '#node/proxy/relayHelp.ts';

const GRACE_MS = 10_000;
const FIRST_WINDOW_MS = 30_000;
/** Hooks in flight when the broker is stopped get this long to hear their answer. */
const FAREWELL_MS = 2000;
const WATCH_MS = 2000;

/** @throws BrokerError ALREADY_RUNNING when this user has a broker; CANNOT_LISTEN when a socket cannot be opened. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { layout, log } = options;
  for (const folder of [layout.root, layout.run]) ensurePrivateFolder(folder);
  const lock = takeBrokerLock(layout.brokerLock);
  try {
    return await startLocked(options, lock);
  } catch (error) {
    lock.release();
    log(`The broker could not start: ${errorText(error)}`);
    throw error;
  }
}

async function startLocked(options: BrokerOptions, lock: BrokerLock): Promise<Broker> {
  const { layout, version } = options;
  const now = options.now ?? Date.now;
  const startedAt = now();
  const gate = openBrokerGate({
    layout,
    rulesFile: options.rulesFile,
    openIndex: options.openIndex,
    log: options.log,
    now,
    send: (event, data) => windows.send(event, data),
    onStatus: () => sendStatus(),
    attended: () => life.attended(),
  });
  const { engine, holds, definitionHolds, record, log } = gate;
  const life: Lifetime = createLifetime({
    mode: options.lifetime,
    graceMs: options.graceMs ?? GRACE_MS,
    firstWindowMs: options.firstWindowMs ?? FIRST_WINDOW_MS,
    // Nobody is left to ask; the calls are answered, and with the last of them the broker is idle.
    onDeserted: () => holds.endAll({ how: 'unattended' }),
    onIdle: () => void stop('no window is left'),
  });
  const status = (): BrokerStatus => ({
    version,
    pid: process.pid,
    startedAt,
    windows: windows.windows(),
    rules: engine.rules(),
    waiting: holds.waiting() + definitionHolds.waiting(),
    journalProblem: gate.recorder.problem(),
    rulesProblem: engine.problem(),
  });
  const sendStatus = (): void => windows.send('status', status());

  const errands = createErrands(
    (errand) => windows.send('errand', errand),
    () => windows.windows(),
  );
  const windows: WindowServer = createWindowServer({
    token: ensureWindowToken(layout),
    handlers: windowHandlers({
      ...gate,
      errands,
      verify: () => options.verify(),
      checkpoint: ({ seen }) => options.checkpoint(seen),
      status,
      retire: () => {
        const retiring = holds.waiting() === 0 && life.busy() === 0;
        if (retiring) setImmediate(() => void stop('a window with another version takes over'));
        return retiring;
      },
      now,
    }),
    status,
    onWindows: (count) => {
      life.windows(count);
      setImmediate(sendStatus);
    },
  });

  const judge: Judge = (call, judgeOptions) => gate.judge(call, { ...judgeOptions, side: 'relay', unattended: 'refuse' });
  const hookServer = (client: HookClient): Server =>
    createHookServer(
      (bytes, signal) =>
        answerHook(client, bytes, {
          layout,
          judge: (call, unattended) => gate.judge(call, { signal, side: 'hook', unattended }),
          record,
          note: gate.conversation.note,
        }),
      options.hookLimits ?? HOOK_LIMITS,
      (count) => life.work(client, count),
    );
  const help = relayHelp({
    engine,
    signIn: windowSignIn(errands, dirname(options.rulesFile)),
    pins: gate.pins,
    record,
    onHeld: definitionHolds.look,
  });
  const links = options.serveMcp
    ? createMcpServer(
        (socket: Socket) => options.serveMcp?.(socket, judge, log, help),
        (count) => life.work('mcp', count),
      )
    : null;
  const reachable = keepReachable({
    run: layout.run,
    lock,
    listeners: [
      [hookServer('claude'), layout.claudeSocket],
      [hookServer('codex'), layout.codexSocket],
      [windows.server, layout.windowSocket],
      ...(links ? [[links.server, layout.mcpSocket] as const] : []),
    ],
    onPutBack: (reason) => recordPutBack(reason, { record, log }),
    onLost: (why) => void stop(why),
    log,
  });

  let stopping: Promise<void> | null = null;
  let finish: () => void;
  const ended = new Promise<void>((resolve) => (finish = resolve));
  /** Whatever fails at the end is said and left: a broker that never ended would keep its lock from every other. */
  const anyway = (step: () => void): void => {
    try {
      step();
    } catch (error) {
      log(`While the broker ended: ${errorText(error)}`);
    }
  };
  const stop = (why: string): Promise<void> => {
    stopping ??= (async () => {
      log(`The broker ends: ${why}.`);
      clearInterval(watch);
      endUpkeep();
      life.stop();
      await reachable.leave();
      reachable.close();
      holds.endAll({ how: 'unattended' });
      await life.quiet(['claude', 'codex'], FAREWELL_MS);
      links?.close();
      await gate.conversation.written();
      windows.close();
      await gate.timeline.close();
      anyway(gate.pins.close);
      anyway(gate.recorder.close);
      anyway(lock.release);
      finish();
    })();
    return stopping;
  };
  let said = engine.problem();
  /** Somebody is editing rules of their own: what is wrong with them is told while they do. */
  const lookAtRules = (): void => {
    const problem = engine.problem();
    if (problem === said) return;
    said = problem;
    if (problem !== null) log(problem);
    sendStatus();
  };
  const watch = setInterval(() => {
    lookAtRules();
    definitionHolds.look();
    reachable.look();
  }, options.watchMs ?? WATCH_MS);
  watch.unref();
  const endUpkeep = startJournalUpkeep(() => {
    const held = holds.list().map(({ id }) => id);
    return options.upkeep(gate.settings(), held);
  }, log);

  try {
    await reachable.open();
  } catch (error) {
    await stop('it could not start');
    throw error;
  }
  await recordCrashed(lock, { record, log });
  await recordMissed(layout, { record, log });
  log(`The broker ${version} runs as process ${process.pid} with ${engine.rules()} rules.`);
  life.start();
  return { judge, status, ended, stop: () => stop('it was asked to') };
}
