/** Entries as OpenTelemetry log records in OTLP's JSON form (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). */
import { hostname } from 'node:os';
import type { AuditEntry } from '#contract/auditRecord.ts';
import { canonicalJson } from '#core/model/json.ts';
import type { Verdict } from '#core/model/verdict.ts';
import { headline, ruleIds, safeJson, worstFinding } from '#node/audit/export/entryText.ts';

/** Severity numbers of the logs data model: INFO, WARN, ERROR, ERROR2. */
const SEVERITY: Readonly<Record<Verdict, readonly [number: number, text: string]>> = {
  clean: [9, 'INFO'],
  flag: [13, 'WARN'],
  quarantine: [17, 'ERROR'],
  block: [18, 'ERROR2'],
};

type AnyValue =
  | { readonly stringValue: string }
  /** 64-bit integers are decimal strings in OTLP's JSON. */
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly AnyValue[] } };

const text = (value: string): AnyValue => ({ stringValue: value });

function attributes(entry: AuditEntry): object[] {
  const worst = worstFinding(entry);
  const all: readonly (readonly [string, AnyValue | null])[] = [
    ['callgate.seq', { intValue: String(entry.seq) }],
    ['callgate.kind', text(entry.kind)],
    ['callgate.call', text(entry.call)],
    ['callgate.verdict', text(entry.verdict)],
    ['callgate.outcome', text(entry.outcome)],
    ['callgate.by', text(entry.by)],
    ['callgate.client', text(entry.client)],
    ['callgate.agent', text(entry.agent)],
    ['callgate.parent', entry.parent === null ? null : text(entry.parent)],
    ['session.id', entry.session === '' ? null : text(entry.session)],
    ['gen_ai.tool.call.id', entry.useId === null ? null : text(entry.useId)],
    ['gen_ai.tool.name', entry.tool === '' ? null : text(entry.tool)],
    ['callgate.server', entry.server === null ? null : text(entry.server)],
    ['callgate.channel', text(entry.channel)],
    ['callgate.cwd', text(entry.cwd)],
    ['callgate.workspace', text(entry.workspace)],
    ['callgate.args', text(canonicalJson(entry.args))],
    ['callgate.args_hash', text(entry.argsHash)],
    ['callgate.reason', entry.reason === '' ? null : text(entry.reason)],
    ['callgate.note', entry.note === '' ? null : text(entry.note)],
    ['callgate.rules', entry.findings.length === 0 ? null : { arrayValue: { values: ruleIds(entry).map(text) } }],
    ['callgate.severity', worst === null ? null : text(worst.severity)],
    ['callgate.category', worst === null ? null : text(worst.category)],
    ['callgate.took_ms', { doubleValue: entry.tookMs }],
    ['callgate.writer', text(entry.writer)],
    ['callgate.policy', entry.policy === '' ? null : text(entry.policy)],
    ['callgate.rule_pack', entry.rules === '' ? null : text(entry.rules)],
    ['callgate.hash', text(entry.hash)],
  ];
  return all.filter(([, value]) => value !== null).map(([key, value]) => ({ key, value }));
}

/** A correlation id that is a UUID is 16 bytes, as a trace id is: the same value joins call, hold and response. */
function traceId(call: string): string | null {
  const hex = call.replaceAll('-', '').toLowerCase();
  return /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(call) && !/^0+$/.test(hex) ? hex : null;
}

export function otlpRecord(entry: AuditEntry): object {
  const [severityNumber, severityText] = SEVERITY[entry.verdict];
  const trace = traceId(entry.call);
  return {
    timeUnixNano: `${entry.time}000000`,
    observedTimeUnixNano: `${entry.time}000000`,
    severityNumber,
    severityText,
    eventName: `callgate.${entry.kind}`,
    body: text(headline(entry)),
    attributes: attributes(entry),
    ...(trace === null ? {} : { traceId: trace }),
  };
}

/** The body of one `POST /v1/logs`. */
export function otlpRequest(records: readonly string[], version: string): string {
  const resource = {
    attributes: [
      { key: 'service.name', value: text('callgate') },
      { key: 'service.version', value: text(version) },
      { key: 'host.name', value: text(hostname()) },
    ],
  };
  return `{"resourceLogs":[{"resource":${safeJson(resource)},"scopeLogs":[{"scope":${safeJson({ name: 'callgate.audit', version })},"logRecords":[${records.join(',')}]}]}]}`;
}
