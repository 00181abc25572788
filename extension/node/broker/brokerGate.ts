/** What judges, holds and records in the broker. It tells the windows through `send`, whoever they are. */
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { EventName, Events, GateSettings, Hold } from '#contract/ipc.ts';
import { rememberingScrub, scrubEvent } from '#home/auditEvents.ts';
import { openEngine, type Engine } from '#home/engine.ts';
import { openGrants, type GrantStore } from '#home/grants.ts';
import { keyedHash, openJournal } from '#home/journal/journal.ts';
import type { Layout } from '#home/layout.ts';
import { openPins, type PinStore } from '#home/pins.ts';
import { errorText } from '#home/privateFile.ts';
import { keepLastGood } from '#home/ruleFile.ts';
import { readSettings, writeSettings } from '#home/settings.ts';
import { createApprovals, type Approvals } from '#node/broker/approvals.ts';
import { createBrokerJudge, type BrokerJudge } from '#node/broker/brokerJudge.ts';
import type { BrokerOptions } from '#node/broker/brokerOptions.ts';
import { createConversation, type Conversation } from '#node/broker/conversation.ts';
import { createDefinitionHolds, type DefinitionHolds } from '#node/broker/definitionHolds.ts';
import { createHolds, type Holds } from '#node/broker/holds.ts';
import { createRecentCalls, olderCall } from '#node/broker/recentCalls.ts';
import { startRecorder, type Recorder } from '#node/broker/recorder.ts';
import { startTimeline, type Timeline } from '#node/broker/timeline.ts';

export interface BrokerGateParts extends Pick<BrokerOptions, 'layout' | 'rulesFile' | 'openIndex' | 'log'> {
  readonly now: () => number;
  readonly send: <N extends EventName>(event: N, data: Events[N]) => void;
  /** What windows are shown of the broker's state has changed. */
  readonly onStatus: () => void;
  /** A window is there, or may be in a moment: a call is worth holding. */
  readonly attended: () => boolean;
}

export interface BrokerGate {
  readonly engine: Engine;
  readonly judge: BrokerJudge;
  readonly holds: Holds;
  readonly definitionHolds: DefinitionHolds;
  readonly pins: PinStore;
  readonly approvals: Approvals;
  readonly grants: GrantStore;
  readonly recorder: Recorder;
  /** Scrubs what nobody judged. Null, or why it is not in the record. */
  readonly record: (event: AuditEvent) => Promise<string | null>;
  readonly conversation: Conversation;
  readonly timeline: Timeline;
  readonly settings: () => GateSettings;
  /** @throws Error when they cannot be written; the old ones stay in force then. */
  readonly configure: (wanted: GateSettings) => GateSettings;
  /** Scrubbed as the record is. */
  readonly log: (line: string) => void;
}

export function openBrokerGate(options: BrokerGateParts): BrokerGate {
  const { layout, now, send, onStatus } = options;
  keepLastGoodOrSay(layout, options.rulesFile, options.log);
  const engine = openEngine(layout, options.rulesFile);
  const hash = keyedHash(layout);
  // What is wrong with a project's rules names its folder, and errors name files: either may be called like a secret. Without rules
  // there are no projects' either, and all would be withheld.
  const log = (line: string): void => options.log(engine.rules() === 0 ? line : String(engine.scrub(line, hash)));
  const atStart = readSettings(layout);
  let settings = atStart.settings;
  for (const problem of [engine.problem(), atStart.problem]) if (problem !== null) log(problem);

  const timeline = startTimeline(options.openIndex, log);
  const recorder = startRecorder(
    (how) => openJournal(layout, how),
    (entries) => {
      for (const entry of entries) send('entry', entry);
      timeline.added(entries);
    },
    (problem) => {
      if (problem !== null) log(`The journal cannot be written: ${problem}`);
      onStatus();
    },
    log,
  );
  const scrub = rememberingScrub((value) => engine.scrub(value, hash));
  const record = (event: AuditEvent): Promise<string | null> => recorder.record(scrubEvent(event, scrub));
  const grants = openGrants(layout, now, log);
  const showHold = (hold: Hold): void => {
    send('hold', hold);
    onStatus();
  };
  const holds = createHolds(now, showHold);
  const pins = openPins(layout, log);
  const definitionHolds = createDefinitionHolds({
    pins,
    record,
    now,
    warn: log,
    onChange: showHold,
  });
  const recent = createRecentCalls(now);
  const judge = createBrokerJudge({
    layout,
    decide: engine.decide,
    grants,
    holds,
    recent,
    record,
    hash,
    scrub: (value) => engine.scrub(value, hash),
    settings: () => settings,
    attended: options.attended,
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
    onChange: (hold) => send('hold', hold),
  });

  return {
    engine,
    judge,
    holds,
    definitionHolds,
    pins,
    approvals,
    grants,
    recorder,
    record,
    conversation,
    timeline,
    settings: () => settings,
    configure: (wanted) => {
      writeSettings(layout, wanted);
      settings = wanted;
      return settings;
    },
    log,
  };
}

function keepLastGoodOrSay(layout: Layout, rulesFile: string, log: (line: string) => void): void {
  try {
    keepLastGood(layout, rulesFile);
  } catch (error) {
    log(`The last good copy of the rules could not be written: ${errorText(error)}`);
  }
}
