/** What an audit entry must look like, field by field, so that nothing read from disk is trusted by its type alone. */
import type { AuditEntry, AuditEvent, DecidedBy, Outcome } from '#contract/auditRecord.ts';
import { CHANNELS, type ClientId } from '#core/model/call.ts';
import type { Confidence, Finding, Severity, Status } from '#core/model/finding.ts';
import { isObject } from '#core/model/json.ts';
import { VERDICTS } from '#core/model/verdict.ts';

type Check = (value: unknown) => boolean;
type Checks<T> = { readonly [K in keyof T]-?: Check };

const text: Check = (value) => typeof value === 'string';
const textOrNull: Check = (value) => value === null || typeof value === 'string';
const count: Check = (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const finite: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const HEX = /^[0-9a-f]*$/;
const hex =
  (digits: number): Check =>
  (value) =>
    typeof value === 'string' && value.length === digits && HEX.test(value);
const oneOf = (values: readonly string[]): Check => {
  const known = new Set<unknown>(values);
  return (value) => known.has(value);
};
/** Written as records so that a new member of the union does not compile until it is named here. */
const names = <T extends string>(members: Readonly<Record<T, true>>): readonly T[] => Object.keys(members) as T[];

export const CLIENT_NAMES = names<ClientId>({ claude: true, codex: true, mcp: true, cli: true });
export const ENTRY_KINDS = names<AuditEvent['kind']>({
  call: true,
  hold: true,
  response: true,
  prompt: true,
  session: true,
  grant: true,
  config: true,
  broker: true,
  journal: true,
});
export const OUTCOMES = names<Outcome>({ delivered: true, refused: true, asked: true, held: true, expired: true });
export const DECIDERS = names<DecidedBy>({ gate: true, person: true, grant: true, timeout: true, failure: true, client: true });
export const SEVERITIES = names<Severity>({ low: true, medium: true, high: true, critical: true });
const CONFIDENCES = names<Confidence>({ low: true, medium: true, high: true });
const STATUSES = names<Status>({ experimental: true, stable: true, deprecated: true });

const SPAN: Checks<NonNullable<Finding['span']>> = { start: count, end: count };

const FINDING: Checks<Finding> = {
  rule: text,
  title: text,
  category: text,
  severity: oneOf(SEVERITIES),
  confidence: oneOf(CONFIDENCES),
  status: oneOf(STATUSES),
  rationale: text,
  at: text,
  span: (value) => value === null || wrongField(value, SPAN_LIST) === null,
  matched: text,
  decoded: textOrNull,
};

const EVENT: Checks<AuditEvent> = {
  kind: oneOf(ENTRY_KINDS),
  call: text,
  client: oneOf(CLIENT_NAMES),
  agent: text,
  parent: textOrNull,
  session: text,
  useId: textOrNull,
  channel: oneOf(CHANNELS),
  tool: text,
  server: textOrNull,
  cwd: text,
  workspace: text,
  args: (value) => value !== undefined,
  argsHash: text,
  rules: text,
  policy: text,
  verdict: oneOf(VERDICTS),
  outcome: oneOf(OUTCOMES),
  by: oneOf(DECIDERS),
  reason: text,
  note: text,
  findings: (value) => Array.isArray(value) && value.every((item) => wrongField(item, FINDING_LIST) === null),
  tookMs: finite,
};

const ENTRY: Checks<AuditEntry> = {
  ...EVENT,
  v: (value) => value === 2,
  seq: (value) => count(value) && value !== 0,
  time: count,
  writer: text,
  prev: hex(64),
  key: hex(16),
  hash: hex(64),
};

/** Checks in the order of their fields; made once, as every line read or written goes through them. */
type CheckList = readonly (readonly [string, Check])[];
const ENTRY_LIST: CheckList = Object.entries(ENTRY);
const FINDING_LIST: CheckList = Object.entries(FINDING);
const SPAN_LIST: CheckList = Object.entries(SPAN);
const FINDING_NAMES = Object.keys(FINDING) as readonly (keyof Finding)[];

/** The name of the first field that is wrong, missing or too many; null when all fit. */
function wrongField(value: unknown, checks: CheckList): string | null {
  if (!isObject(value)) return '(not an object)';
  for (const [name, check] of checks) {
    // No check takes `undefined`, and none of these names is a member of every object.
    if (!check(value[name])) return name;
  }
  const names = Object.keys(value);
  if (names.length === checks.length) return null;
  return names.find((name) => !checks.some(([known]) => known === name)) ?? '(a field is inherited)';
}

export function wrongEntryField(value: unknown): string | null {
  return wrongField(value, ENTRY_LIST);
}

/** The entry's place in the chain, known to the writer that holds the lock. */
export interface ChainPlace {
  readonly seq: number;
  readonly time: number;
  readonly writer: string;
  readonly prev: string;
  readonly key: string;
}

/**
 * The event's own fields in their place and no others: what a caller's object carries beside them must not reach the record.
 * Written out: made field by field in a loop, an object takes as long as the rest of an append.
 */
export function entryOf(event: AuditEvent, place: ChainPlace, hash: string): { -readonly [K in keyof AuditEntry]: AuditEntry[K] } {
  return {
    kind: event.kind,
    call: event.call,
    client: event.client,
    agent: event.agent,
    parent: event.parent,
    session: event.session,
    useId: event.useId,
    channel: event.channel,
    tool: event.tool,
    server: event.server,
    cwd: event.cwd,
    workspace: event.workspace,
    args: event.args,
    argsHash: event.argsHash,
    rules: event.rules,
    policy: event.policy,
    verdict: event.verdict,
    outcome: event.outcome,
    by: event.by,
    reason: event.reason,
    note: event.note,
    findings: event.findings.length === 0 ? NO_FINDINGS : event.findings.map((finding) => pick(finding, FINDING_NAMES)),
    tookMs: event.tookMs,
    v: 2,
    seq: place.seq,
    time: place.time,
    writer: place.writer,
    prev: place.prev,
    key: place.key,
    hash,
  };
}

const NO_FINDINGS: readonly Finding[] = [];

function pick<T extends object>(from: T, names: readonly (keyof T)[]): T {
  const picked: Partial<T> = {};
  for (const name of names) picked[name] = from[name];
  return picked as T;
}
