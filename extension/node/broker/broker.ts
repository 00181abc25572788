/** The one process per user that judges for every hook, relay and window: this file wires its parts and its life. */
import type { Server, Socket } from 'node:net';
import { dirname } from 'node:path';
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { BrokerStatus, GateSettings, JournalStatement, Requests, VerifyReport } from '#contract/ipc.ts';
import type { Judge } from '#contract/judgement.ts';
import { answerHook } from '#home/answerHook.ts';
import { scrubEvent } from '#home/auditEvents.ts';
import type { HookClient } from '#home/dialects/hookEvent.ts';
import { openEngine } from '#home/engine.ts';
import { openGrants } from '#home/grants.ts';
import { openPins } from '#home/pins.ts';
import { keyedHash, openJournal } from '#home/journal/journal.ts';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import { errorText } from '#home/privateFile.ts';
import { keepLastGood } from '#home/ruleFile.ts';
import { readSettings, writeSettings } from '#home/settings.ts';
import { createApprovals } from '#node/broker/approvals.ts';
import { createBrokerJudge, type BrokerJudge } from '#node/broker/brokerJudge.ts';
import { recordCrashed, recordMissed, recordPutBack } from '#node/broker/brokerEvents.ts';
import { takeBrokerLock, type BrokerLock } from '#node/broker/brokerLock.ts';
import { createConversation } from '#node/broker/conversation.ts';
import { createDefinitionHolds } from '#node/broker/definitionHolds.ts';
import { createErrands } from '#node/broker/errands.ts';
import { createHolds } from '#node/broker/holds.ts';
import { createHookServer, HOOK_LIMITS, type HookLimits } from '#node/broker/hookServer.ts';
import { startJournalUpkeep } from '#node/broker/journalUpkeep.ts';
import { createLifetime, type Lifetime } from '#node/broker/lifetime.ts';
import { createMcpServer, type ServeMcp } from '#node/broker/mcpServer.ts';
import { keepReachable } from '#node/broker/reachable.ts';
import { createRecentCalls, olderCall } from '#node/broker/recentCalls.ts';
import { startRecorder } from '#node/broker/recorder.ts';
import { startTimeline, type TimelineIndex } from '#node/broker/timeline.ts';
import { windowHandlers } from '#node/broker/windowHandlers.ts';
import { createWindowServer, type WindowServer } from '#node/broker/windowServer.ts';
import { windowSignIn } from '#node/broker/windowSignIn.ts';
import { ensureWindowToken } from '#node/broker/windowToken.ts';
import { relayHelp } from '#node/proxy/relayHelp.ts';

export interface BrokerOptions {
  readonly layout: Layout;
  readonly version: string;
  /** `rules.json` beside the running bundle. */
  readonly rulesFile: string;
  /** Opens the timeline's index; failing, only the timeline fails. */
  readonly openIndex: () => TimelineIndex | Promise<TimelineIndex>;
  readonly verify: () => Promise<VerifyReport>;
  readonly checkpoint: (seen: JournalStatement | null) => Promise<Requests['checkpoint']['result']>;
  /** Seals, packs and drops what is due of the journal, and gives what a person should know. Called now and then. */
  readonly upkeep: (settings: GateSettings, held: readonly string[]) => Promise<string>;
  /** Serves one shim's connection; without it no MCP socket is opened. */
  readonly serveMcp?: ServeMcp;
  readonly log: (line: string) => void;
  /** `windows`: ends when the last window has gone · `until-stopped`: `callgate serve`. */
  readonly lifetime: 'windows' | 'until-stopped';
  /** How long a window may be away (a reload) before the broker ends, in milliseconds; 10 s unless said. */
  readonly graceMs?: number;
  /** How long the window that started the broker may take to connect, in milliseconds; 30 s unless said. */
  readonly firstWindowMs?: number;
  readonly hookLimits?: HookLimits;
  /** How often the broker looks whether its lock and sockets are still its own, in milliseconds; 2 s unless said. */
  readonly watchMs?: number;
  readonly now?: () => number;
}

export interface Broker {
  readonly judge: Judge;
  readonly status: () => BrokerStatus;
  /** Settles when the broker has ended, however it came to that. */
  readonly ended: Promise<void>;
  /** Refuses what is held (or leaves it to a client that can ask), answers what is in flight, and ends. */
  readonly stop: () => Promise<void>;
}

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
  keepLastGoodOrSay(layout, options.rulesFile, options.log);
  const engine = openEngine(layout, options.rulesFile);
  const hash = keyedHash(layout);
  // What is wrong with a project's rules names its folder, and errors name files: either may be called like a secret. Without rules
  // there are no projects' either, and all would be withheld.
  const log = (line: string): void => options.log(engine.rules() === 0 ? line : String(engine.scrub(line, hash)));
  const startSettings = readSettings(layout);
  let settings: GateSettings = startSettings.settings;
  for (const problem of [engine.problem(), startSettings.problem]) if (problem !== null) log(problem);

  const timeline = startTimeline(options.openIndex, log);
  const recorder = startRecorder(
    (how) => openJournal(layout, how),
    (entries) => {
      for (const entry of entries) windows.send('entry', entry);
      timeline.added(entries);
    },
    (problem) => {
      if (problem !== null) log(`The journal cannot be written: ${problem}`);
      sendStatus();
    },
    log,
  );
  const record = (event: AuditEvent): Promise<string | null> => recorder.record(scrubEvent(event, (value) => engine.scrub(value, hash)));
  const grants = openGrants(layout, now, log);
  const holds = createHolds(now, (hold) => {
    windows.send('hold', hold);
    sendStatus();
  });
  const pins = openPins(layout, log);
  const definitionHolds = createDefinitionHolds({
    pins,
    record,
    now,
    warn: log,
    onChange: (hold) => {
      windows.send('hold', hold);
      sendStatus();
    },
  });
  const life: Lifetime = createLifetime({
    mode: options.lifetime,
    graceMs: options.graceMs ?? GRACE_MS,
    firstWindowMs: options.firstWindowMs ?? FIRST_WINDOW_MS,
    // Nobody is left to ask; the calls are answered, and with the last of them the broker is idle.
    onDeserted: () => holds.endAll({ how: 'unattended' }),
    onIdle: () => void stop('no window is left'),
  });
  const recent = createRecentCalls(now);
  const brokerJudge: BrokerJudge = createBrokerJudge({
    layout,
    decide: engine.decide,
    grants,
    holds,
    recent,
    record,
    hash,
    scrub: (value) => engine.scrub(value, hash),
    settings: () => settings,
    attended: life.attended,
    now,
    warn: log,
  });
  const conversation = createConversation({
    decide: engine.decide,
    record,
    recent,
    lookUp: (result) => olderCall(timeline, result),
    wanted: () => settings.recordConversation,
    hash,
    now,
    warn: log,
  });
  const approvals = createApprovals({
    layout,
    holds,
    grants,
    record,
    hash,
    now,
    warn: log,
    onChange: (hold) => windows.send('hold', hold),
  });

  const status = (): BrokerStatus => ({
    version,
    pid: process.pid,
    startedAt,
    windows: windows.windows(),
    rules: engine.rules(),
    waiting: holds.waiting() + definitionHolds.waiting(),
    journalProblem: recorder.problem(),
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
      approvals,
      definitionHolds,
      grants,
      timeline,
      errands,
      verify: () => options.verify(),
      checkpoint: ({ seen }) => options.checkpoint(seen),
      status,
      configure: (wanted) => {
        writeSettings(layout, wanted);
        settings = wanted;
        return settings;
      },
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

  const judge: Judge = (call, judgeOptions) => brokerJudge(call, { ...judgeOptions, side: 'relay', unattended: 'refuse' });
  const hookServer = (client: HookClient): Server =>
    createHookServer(
      (bytes, signal) =>
        answerHook(client, bytes, {
          layout,
          judge: (call, unattended) => brokerJudge(call, { signal, side: 'hook', unattended }),
          record,
          note: conversation.note,
        }),
      options.hookLimits ?? HOOK_LIMITS,
      (count) => life.work(client, count),
    );
  const help = relayHelp({
    engine,
    signIn: windowSignIn(errands, dirname(options.rulesFile)),
    pins,
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
      await conversation.written();
      windows.close();
      await timeline.close();
      anyway(pins.close);
      anyway(recorder.close);
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
    return options.upkeep(settings, held);
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

function keepLastGoodOrSay(layout: Layout, rulesFile: string, log: (line: string) => void): void {
  try {
    keepLastGood(layout, rulesFile);
  } catch (error) {
    log(`The last good copy of the rules could not be written: ${errorText(error)}`);
  }
}
