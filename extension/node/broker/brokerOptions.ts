/** What a broker is started with, and what whoever started it has of it. */
import type { BrokerStatus, GateSettings, JournalStatement, Requests, VerifyReport } from '#contract/ipc.ts';
import type { Judge } from '#contract/judgement.ts';
import type { Layout } from '#home/layout.ts';
import type { HookLimits } from '#node/broker/hookServer.ts';
import type { ServeMcp } from '#node/broker/mcpServer.ts';
import type { TimelineIndex } from '#node/broker/timeline.ts';

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
