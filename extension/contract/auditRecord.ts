import type { ClientId, Channel } from '#core/model/call.ts';
import type { Finding } from '#core/model/finding.ts';
import type { JsonValue } from '#core/model/json.ts';
import type { Verdict } from '#core/model/verdict.ts';

/** How a call ended: what the client was finally told. */
export type Outcome =
  | 'delivered' // ran, or was left to the client's own prompts
  | 'refused' // blocked, rejected, or denied on a failure
  | 'asked' // left to the client's own prompt because no editor was open
  | 'held' // waiting; a later record with the same `call` id says how it ended
  | 'expired'; // nobody answered in time; refused

/** Who settled it. `gate` is the engine alone; `grant` an earlier approval used up or standing. */
export type DecidedBy = 'gate' | 'person' | 'grant' | 'timeout' | 'failure' | 'client';

/**
 * What happened, as handed to the journal. Arguments are already redacted.
 * The journal adds sequence, time, writer, previous hash, own hash and key id (see home/journal).
 */
export interface AuditEvent {
  /**
   * `call`: a decision about a call · `hold`: its end · `response`: what a tool gave back · `prompt`: what a person asked of
   * the agent · `session`: an agent began or ended · `grant`, `config`, `broker`: what else a person should find later ·
   * `journal`: the record about itself (a key rotated, segments expired).
   */
  readonly kind: 'call' | 'hold' | 'response' | 'prompt' | 'session' | 'grant' | 'config' | 'broker' | 'journal';
  /** Correlation id: one per call, the same in its hold's end and in its response. */
  readonly call: string;
  readonly client: ClientId;
  readonly agent: string;
  /** The agent that started this one; null for a main agent. */
  readonly parent: string | null;
  readonly session: string;
  readonly useId: string | null;
  readonly channel: Channel;
  readonly tool: string;
  readonly server: string | null;
  readonly cwd: string;
  /** Root folder of the project the call was made in; empty if unknown. */
  readonly workspace: string;
  /** What was asked, or in a `response` what came back. Redacted arguments; at most 64 KiB of canonical JSON, longer ones cut and marked. */
  readonly args: JsonValue;
  /** SHA-256 (hex) of the canonical JSON of the unredacted arguments, keyed with the install's own secret. */
  readonly argsHash: string;
  /** Hash of the rules and of the policy that judged; empty where nothing was judged. */
  readonly rules: string;
  readonly policy: string;
  readonly verdict: Verdict;
  readonly outcome: Outcome;
  readonly by: DecidedBy;
  readonly reason: string;
  /** A person's note to the agent. */
  readonly note: string;
  readonly findings: readonly Finding[];
  /** From the call's arrival to this record, in milliseconds. */
  readonly tookMs: number;
}

/** One journal line: an event in its place in the chain. */
export interface AuditEntry extends AuditEvent {
  /** Version of this shape. */
  readonly v: 2;
  /** 1, 2, 3 … without gaps over all segments. */
  readonly seq: number;
  /** Wall clock, milliseconds since 1970. */
  readonly time: number;
  /** `pid:processStart` of the writer. */
  readonly writer: string;
  /** Hash of the entry before; the genesis entry carries 64 zeros. */
  readonly prev: string;
  /** First 16 hex digits of the SHA-256 of the signing public key (raw 32 bytes). */
  readonly key: string;
  /** SHA-256 (hex) over `callgate.entry.v2\n` and the canonical JSON of all other fields. */
  readonly hash: string;
}
