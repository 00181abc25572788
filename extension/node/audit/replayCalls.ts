/** Judges recorded calls again and counts what would have come out otherwise. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { ToolCall } from '#core/model/call.ts';
import type { Finding } from '#core/model/finding.ts';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { VERDICTS, type Decision, type Verdict } from '#core/model/verdict.ts';

export interface Changed {
  readonly seq: number;
  readonly time: number;
  readonly kind: 'call' | 'response';
  readonly client: ToolCall['client'];
  readonly tool: string;
  readonly server: string | null;
  readonly before: Verdict;
  readonly after: Verdict;
  /** Rules that saw something then, and now. */
  readonly rulesBefore: readonly string[];
  readonly rulesAfter: readonly string[];
}

export interface ReplayReport {
  readonly judged: number;
  /** By the verdict then, by the verdict now. */
  readonly table: Readonly<Record<Verdict, Readonly<Record<Verdict, number>>>>;
  readonly changed: number;
  /** Calls a person was, and would be, asked about. What an earlier approval let through is in neither. */
  readonly prompts: { readonly before: number; readonly after: number };
  /** Judged with what was seen then in text that is not in the record any more. */
  readonly redacted: number;
  /** Not judged: only their beginning is in the record · never a call that could be read. */
  readonly cut: number;
  readonly unreadable: number;
}

export interface Replay {
  /** What has changed for this entry; null when nothing has, or when it is none that is judged. */
  readonly add: (entry: AuditEntry) => Changed | null;
  readonly report: () => ReplayReport;
}

type DecideAgain = (call: ToolCall, earlier: readonly Finding[]) => Decision;

export function replayCalls(decideAgain: DecideAgain): Replay {
  const counts = Object.fromEntries(VERDICTS.map((then) => [then, Object.fromEntries(VERDICTS.map((now) => [now, 0]))])) as Record<
    Verdict,
    Record<Verdict, number>
  >;
  const prompts = { before: 0, after: 0 };
  let [judged, changed, redacted, cut, unreadable] = [0, 0, 0, 0, 0];
  return {
    add: (entry) => {
      const { kind, seq, time, client, tool, server } = entry;
      if (kind !== 'call' && kind !== 'response') return null;
      if (tool === '') {
        unreadable += 1;
        return null;
      }
      if (isCut(entry.args)) {
        cut += 1;
        return null;
      }
      const { args, marked } = withoutMarks(entry.args);
      if (marked.size > 0) redacted += 1;
      const { agent, session, useId, channel, cwd } = entry;
      const earlier = entry.findings.filter(({ rule }) => marked.has(rule)).map((finding) => ({ ...finding, at: '', span: null }));
      const decision = decideAgain({ client, agent, session, useId, channel, tool, server, args, cwd }, earlier);
      const [before, after] = [entry.verdict, decision.verdict];
      judged += 1;
      counts[before][after] += 1;
      if (asksPerson(entry)) {
        if (before === 'quarantine') prompts.before += 1;
        if (after === 'quarantine') prompts.after += 1;
      }
      if (before === after) return null;
      changed += 1;
      return {
        seq,
        time,
        kind,
        client,
        tool,
        server,
        before,
        after,
        rulesBefore: rulesOf(entry.findings),
        rulesAfter: rulesOf(decision.findings),
      };
    },
    report: () => ({ judged, table: counts, changed, prompts, redacted, cut, unreadable }),
  };
}

const rulesOf = (findings: readonly Finding[]): readonly string[] => [...new Set(findings.map(({ rule }) => rule))];

/** Results that only a hook reported are never held, and what was approved for good asks nobody. */
const asksPerson = (entry: AuditEntry): boolean => entry.by !== 'grant' && !(entry.kind === 'response' && entry.by === 'client');

/** As `boundedArgs` in home/auditEvents leaves what is too long. */
function isCut(args: JsonValue): boolean {
  return isObject(args) && typeof args['cut'] === 'string' && typeof args['bytes'] === 'number' && Object.keys(args).length === 2;
}

/** As `labelOf` in core/policy/redact writes them. */
const MARK = /\[secret ([\w.-]{1,200}) [0-9a-f]{16,128}\]/gu;
/** What stands for a secret while it is judged again: nothing that a rule could take for one. */
const STAND_IN = 'redacted';

function withoutMarks(args: JsonValue): { readonly args: JsonValue; readonly marked: ReadonlySet<string> } {
  const marked = new Set<string>();
  const clean = (text: string): string => {
    if (!text.includes('[secret ')) return text;
    return text.replace(MARK, (_, rule: string) => {
      marked.add(rule);
      return STAND_IN;
    });
  };
  const within = (value: JsonValue): JsonValue => {
    if (typeof value === 'string') return clean(value);
    if (Array.isArray(value)) return value.map((item: JsonValue) => within(item));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [clean(key), within(member)])) as JsonObject;
  };
  const changed = within(args);
  return { args: marked.size === 0 ? args : changed, marked };
}
