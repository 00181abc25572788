/** What happened, as the journal keeps it: arguments and findings without their secrets, and bounded. */
import { randomUUID } from 'node:crypto';
import type { AuditEvent, DecidedBy, Outcome } from '#contract/auditRecord.ts';
import type { ClientId, ToolCall } from '#core/model/call.ts';
import { canonicalJson, type JsonValue } from '#core/model/json.ts';
import type { Decision } from '#core/model/verdict.ts';
import { isSecretFinding, redact, redactBeside } from '#core/policy/redact.ts';
import { workspaceOf } from '#home/workspace.ts';

export const MAX_ARGS_BYTES = 64 * 1024;
const MAX_FINDINGS = 100;
const MAX_REASON = 4000;

export interface CallRecord {
  readonly id: string;
  readonly call: ToolCall;
  readonly decision: Decision;
  readonly outcome: Outcome;
  readonly by: DecidedBy;
  readonly reason: string;
  readonly note: string;
  readonly tookMs: number;
}

export function callEvent(
  kind: 'call' | 'hold' | 'response' | 'prompt' | 'session',
  record: CallRecord,
  keyedHash: (text: string) => string,
): AuditEvent {
  const { id, call, decision } = record;
  const asked = canonicalJson(call.args);
  const kept = redact(call.args, decision.findings, keyedHash);
  const event: AuditEvent = {
    kind,
    call: id,
    client: call.client,
    agent: call.agent,
    // Claude's and Codex's subagents cannot start any of their own.
    parent: call.agent === 'main' ? null : 'main',
    session: call.session,
    useId: call.useId,
    channel: call.channel,
    tool: call.tool,
    server: call.server,
    cwd: call.cwd,
    workspace: workspaceOf(call.cwd),
    args: boundedArgs(kept, kept === call.args ? asked : canonicalJson(kept)),
    argsHash: keyedHash(asked),
    rules: decision.rules,
    policy: decision.policy,
    verdict: decision.verdict,
    outcome: record.outcome,
    by: record.by,
    reason: record.reason.slice(0, MAX_REASON),
    note: record.note,
    // The gate has already masked the secrets that findings quote.
    findings: decision.findings.slice(0, MAX_FINDINGS),
    tookMs: record.tookMs,
  };
  if (!decision.findings.some(isSecretFinding)) return event;
  // What was found in the arguments may stand beside them too: in the folder, an id, the reason, or the place of a finding.
  const { args, ...beside } = event;
  return { ...(redactBeside(beside as unknown as JsonValue, call.args, decision.findings, keyedHash) as unknown as typeof beside), args };
}

/** Parts that come from outside and that no rule has looked at. */
const UNJUDGED = ['agent', 'parent', 'session', 'useId', 'tool', 'server', 'cwd', 'workspace', 'note'] as const;

/**
 * The event without what looks like a secret in the parts that nobody judged: names, folders, ids and a person's note; of an event
 * without a judgement also its arguments and reason. `scrub` as the engine's; it is asked only for texts that are not plainly harmless.
 */
export function scrubEvent(event: AuditEvent, scrub: (value: JsonValue) => JsonValue): AuditEvent {
  const doubtful: { [name: string]: JsonValue } = {};
  for (const name of UNJUDGED) {
    const text = event[name];
    if (text !== null && !isPlainlyHarmless(text)) doubtful[name] = text;
  }
  // The journal's own events hold public keys and hashes, and nothing from outside.
  const unjudged = event.rules === '' && event.kind !== 'journal';
  if (unjudged) Object.assign(doubtful, { args: event.args, reason: event.reason });
  if (Object.keys(doubtful).length === 0) return event;
  const clean = scrub(doubtful) as typeof doubtful;
  return { ...event, ...clean, ...(clean['args'] === undefined ? {} : { args: boundedArgs(clean['args']) }) };
}

/** Values longer than this as JSON are looked at each time, and so many others are kept. */
const REMEMBERED_LENGTH = 4096;
const MAX_REMEMBERED = 200;

/** `scrub` for `scrubEvent` in a process that records many calls: folder, server and session are the same in one after another. */
export function rememberingScrub(scrub: (value: JsonValue) => JsonValue): (value: JsonValue) => JsonValue {
  const known = new Map<string, JsonValue>();
  return (value) => {
    const key = JSON.stringify(value);
    const before = known.get(key);
    if (before !== undefined) return before;
    const clean = scrub(value);
    if (key.length > REMEMBERED_LENGTH) return clean;
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(key, clean);
    return clean;
  };
}

const KNOWN_ID = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:toolu|call)_[A-Za-z0-9]{6,40})$/u;

/** Too short, too plain or of too well-known a shape to hold a secret: no long run of letters and digits, few digits, no sign that joins a name and its value. */
function isPlainlyHarmless(text: string): boolean {
  if (KNOWN_ID.test(text)) return true;
  return text.length <= 400 && !/[^\w\-./\\ ~]|[A-Za-z0-9]{16}/u.test(text) && (text.match(/\d/gu)?.length ?? 0) <= 6;
}

/** Something that is not a call: a broker's crash, a refused settings change, an unreadable payload. */
export function plainEvent(
  kind: 'call' | 'grant' | 'config' | 'broker' | 'journal',
  about: {
    client: ClientId;
    id: string;
    session?: string;
    tool: string;
    args: JsonValue;
    verdict: 'clean' | 'block';
    outcome: Outcome;
    by: DecidedBy;
    reason: string;
    note?: string;
    cwd?: string;
  },
): AuditEvent {
  const { client, id, tool, args, verdict, outcome, by, reason } = about;
  const base = {
    kind,
    call: id,
    client,
    agent: 'main',
    parent: null,
    session: about.session ?? '',
    useId: null,
    channel: 'other',
    server: null,
    cwd: about.cwd ?? '',
    workspace: '',
    argsHash: '',
    rules: '',
    policy: '',
    findings: [],
    tookMs: 0,
  } as const;
  return { ...base, tool, args: boundedArgs(args), verdict, outcome, by, reason: reason.slice(0, MAX_REASON), note: about.note ?? '' };
}

/** What the record says about itself: segments sealed or dropped, a key changed. */
export function journalEvent(tool: string, args: JsonValue, reason: string): AuditEvent {
  return plainEvent('journal', {
    client: 'cli',
    id: randomUUID(),
    tool,
    args,
    verdict: 'clean',
    outcome: 'delivered',
    by: 'gate',
    reason,
  });
}

/** Longer arguments are cut to the beginning of their canonical JSON and marked with their size in bytes. */
function boundedArgs(args: JsonValue, text = canonicalJson(args)): JsonValue {
  // No character takes more than three bytes.
  if (text.length <= MAX_ARGS_BYTES / 3) return args;
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_ARGS_BYTES) return args;
  // The cut text is itself quoted as JSON, which at worst makes six bytes of one.
  return { cut: text.slice(0, MAX_ARGS_BYTES / 8), bytes };
}
