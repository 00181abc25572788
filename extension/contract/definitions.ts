/** What is known of a server's definitions: what a person approved, what waits for one, as pins, panel and command line share it. */
import type { Finding } from '#core/model/finding.ts';
import type { JsonValue } from '#core/model/json.ts';
import type { Verdict } from '#core/model/verdict.ts';

/** `instructions`: what the server says of itself when it is started; it has one, without a name. */
export type DefinitionKind = 'tool' | 'prompt' | 'template' | 'instructions';

/**
 * first: never seen, and the policy wants a person to look · changed: other than the approved one · renamed: the content of an
 * approved one under another name · added: new on a server that was known · imitates: its name or its text is about another
 * server's tool · poisoned: the gate holds or blocks what it says.
 */
export type ChangeKind = 'first' | 'changed' | 'renamed' | 'added' | 'imitates' | 'poisoned';

export interface DefinitionChange {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly change: ChangeKind;
  /** One sentence for a person; names in it come from the server. */
  readonly why: string;
  /** The approved definition; null when there is none, or when it was too large to keep. */
  readonly before: JsonValue;
  /** What the server says now; null when it was too large to keep. */
  readonly after: JsonValue;
}

/** Something a server says that is kept from the model until a person has looked at it. */
export interface HeldDefinition {
  /** SHA-256 (hex) of what is pinned of it. */
  readonly hash: string;
  readonly definition: JsonValue;
  readonly change: ChangeKind;
  readonly why: string;
  /** `block`: no person may approve it. */
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  readonly since: number;
  /** Those with the same group are decided together. */
  readonly group: string;
  /** Hashes of the rules and the policy that judged. */
  readonly judgedBy: string;
}

export interface ApprovedDefinition {
  readonly hash: string;
  readonly definition: JsonValue;
  /** first: trusted when it was first seen · gate: a change too small to ask about · person. */
  readonly by: 'first' | 'gate' | 'person';
  readonly at: number;
  readonly judgedBy: string;
  /** Hashes that were approved before, newest last: going back to one of them, or offering each client another, is no change. */
  readonly earlier: readonly string[];
}

export interface PinnedItem {
  readonly kind: DefinitionKind;
  /** Empty for instructions. */
  readonly name: string;
  readonly approved: ApprovedDefinition | null;
  readonly held: HeldDefinition | null;
  /** `hash`: hidden as long as it stays so · `*`: hidden whatever it becomes. */
  readonly denied: { readonly hash: string; readonly at: number } | null;
}

export interface ServerPins {
  /** Names the file: a hash of the server's name and of what it is. */
  readonly id: string;
  /** The name in the client's configuration. */
  readonly server: string;
  /** Its program or address, without arguments that may be secret; for people. */
  readonly shown: string;
  /** Projects it was used in, newest last. */
  readonly workspaces: readonly string[];
  /** What the server of this name was before, when it was another program or address. */
  readonly replaces: string;
  /** Kinds whose whole list has been seen: what comes new after that is an addition. */
  readonly complete: readonly DefinitionKind[];
  /** The pins were lost to a damaged file: nothing may be trusted at first sight. */
  readonly askFirst: boolean;
  readonly items: readonly PinnedItem[];
}
