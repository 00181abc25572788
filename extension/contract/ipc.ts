/**
 * The wire between the broker and an editor window: JSON lines over `window.sock`.
 * The window sends requests, the broker answers each once; the broker also sends events.
 */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { DefinitionChange } from '#contract/definitions.ts';
import type { ToolCall } from '#core/model/call.ts';
import type { Decision, Verdict } from '#core/model/verdict.ts';

export const PROTOCOL_VERSION = 1;

export type HoldState = 'waiting' | 'approved' | 'rejected' | 'expired' | 'cancelled';

/** A quarantined call waiting for a person, or one that waited in vain and can still be granted for its next try. */
export interface Hold {
  /** The call's correlation id. */
  readonly id: string;
  readonly call: ToolCall;
  readonly decision: Decision;
  readonly state: HoldState;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** When it is refused if nobody answers, milliseconds since 1970. */
  readonly until: number;
  /** Set when no call is held but what a server says of its tools: it waits without an end, and approving it pins it. */
  readonly definitions?: readonly DefinitionChange[];
}

/**
 * once: this call (or, when it already expired, the next identical one) · session: identical calls in the same session ·
 * always: identical calls in the same folder, until taken back.
 */
export type GrantScope = 'once' | 'session' | 'always';

export interface Grant {
  readonly id: string;
  readonly scope: GrantScope;
  readonly tool: string;
  readonly server: string | null;
  readonly cwd: string;
  readonly session: string;
  /** What was approved, shortened for people: at most 200 characters. */
  readonly summary: string;
  readonly created: number;
  /** Milliseconds since 1970; null for `always`. */
  readonly expires: number | null;
}

export interface TimelineQuery {
  readonly verdict?: Verdict;
  readonly agent?: string;
  readonly tool?: string;
  readonly session?: string;
  /** Wall clock, milliseconds since 1970: from `since` on, before `until`. */
  readonly since?: number;
  readonly until?: number;
  /** Case-insensitive text in the arguments, reason or rule ids. */
  readonly text?: string;
  /** Entries with a smaller `seq`, for paging back. */
  readonly before?: number;
  /** At most 500. */
  readonly limit: number;
}

export interface TimelinePage {
  /** Newest first. */
  readonly entries: readonly AuditEntry[];
  /** Pass as `before` for the next page; null at the end. */
  readonly next: number | null;
  /** True while the index is still reading the journal: older entries may be missing. */
  readonly indexing: boolean;
}

/** Entries of one verdict in one minute. */
export interface MinuteCount {
  /** Wall clock at the minute's beginning, milliseconds since 1970. */
  readonly minute: number;
  readonly verdict: Verdict;
  readonly count: number;
}

export interface BrokerStatus {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly windows: number;
  readonly rules: number;
  readonly waiting: number;
  /** Set when the journal cannot be written: what is wrong and what to do. */
  readonly journalProblem: string | null;
  /** Set when rules or settings did not load and an older copy is in use. */
  readonly rulesProblem: string | null;
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly entries: number;
  /** Entries behind the newest signature: their writer ended before it could sign, and the next one does it for it. */
  readonly unsigned: number;
  /** The first bad entry and what is wrong with it; null when ok. */
  readonly problem: {
    readonly seq: number;
    readonly file: string;
    readonly line: number;
    readonly code: string;
    readonly message: string;
  } | null;
}

/** The journal's newest signed statement: how many entries it holds and the last one's hash. */
export interface JournalStatement {
  readonly count: number;
  readonly head: string;
  /** Wall clock, milliseconds since 1970. */
  readonly time: number;
  readonly key: string;
}

/** What windows may set; kept in `settings.json` under the data folder so that hooks without an editor obey them too. */
export interface GateSettings {
  /** How long a quarantined call is held, in seconds: 10 to 600. */
  readonly holdSeconds: number;
  /** What a hook does when the journal cannot be written. */
  readonly onJournalFailure: 'deny' | 'warn';
  /** Whether prompts, results and sessions are recorded beside the decisions. */
  readonly recordConversation: boolean;
  /** Segments of the journal older than this many days, or more than this many megabytes of them, are dropped; absent, all is kept. */
  readonly journalMaxDays?: number;
  readonly journalMaxMegabytes?: number;
  /** What an entry that still names our launcher does after Callgate was uninstalled; absent: its server is refused. */
  readonly leftOverServers?: 'start-with-warning';
}

/** What only a window can do for the broker; any of them may answer, by the request `errand`, and the first answer counts. */
export type Errand =
  /** The value under `key` in the editor's secret storage; null when there is none. */
  | { readonly kind: 'secret'; readonly id: string; readonly key: string }
  /** Null deletes. */
  | { readonly kind: 'keepSecret'; readonly id: string; readonly key: string; readonly value: string | null }
  /** A page where a person signs in to an MCP server; answered when it has been shown, not when somebody has signed in. */
  | { readonly kind: 'signIn'; readonly id: string; readonly server: string; readonly host: string; readonly url: string }
  /** How it ended, when nobody waited for it any more; null: well. */
  | { readonly kind: 'signedIn'; readonly id: string; readonly server: string; readonly problem: string | null };

export interface Requests {
  /** First on every connection. `token` is read from the data folder, proving the same user. */
  hello: { params: { protocol: number; version: string; token: string }; result: BrokerStatus };
  ping: { params: Record<string, never>; result: { now: number } };
  holds: { params: Record<string, never>; result: readonly Hold[] };
  approve: { params: { id: string; scope: GrantScope; note: string }; result: Hold };
  reject: { params: { id: string; note: string }; result: Hold };
  grants: { params: Record<string, never>; result: readonly Grant[] };
  revoke: { params: { id: string }; result: { revoked: boolean } };
  timeline: { params: TimelineQuery; result: TimelinePage };
  /** At most a week; the minutes in which nothing happened are left out. */
  counts: { params: { since: number; until: number }; result: readonly MinuteCount[] };
  verify: { params: Record<string, never>; result: VerifyReport };
  /** `seen`: what the window kept from before, outside the journal's reach. `problem`: why the journal is not the one that was seen. */
  checkpoint: {
    params: { seen: JournalStatement | null };
    result: { newest: JournalStatement | null; problem: string | null };
  };
  status: { params: Record<string, never>; result: BrokerStatus };
  configure: { params: GateSettings; result: GateSettings };
  /** Ends the broker when no call is held; a window with a newer version asks for this, then starts its own. */
  retire: { params: Record<string, never>; result: { retiring: boolean } };
  /** The answer to an errand; `taken` is false when nobody waits for it any more. */
  errand: { params: { id: string; value: string | null }; result: { taken: boolean } };
}
export type RequestName = keyof Requests;

export interface Events {
  /** A hold began or changed state. */
  hold: Hold;
  /** A line reached the journal. */
  entry: AuditEntry;
  status: BrokerStatus;
  errand: Errand;
}
export type EventName = keyof Events;

export interface RequestMessage<N extends RequestName = RequestName> {
  readonly id: number;
  readonly request: N;
  readonly params: Requests[N]['params'];
}
export type ResponseMessage =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly code: IpcErrorCode; readonly message: string } };
export interface EventMessage<N extends EventName = EventName> {
  readonly event: N;
  readonly data: Events[N];
}
export type IpcErrorCode = 'BAD_REQUEST' | 'UNAUTHORIZED' | 'PROTOCOL' | 'UNKNOWN_HOLD' | 'ALREADY_SETTLED' | 'BUSY' | 'INTERNAL';
