/**
 * Open Cybersecurity Schema Framework 1.3.0 (https://schema.ocsf.io/1.3.0), one event a line. Entries with findings are Detection
 * Finding (2004) under the Security Control profile, calls without one API Activity (6003), all others Base Event (0).
 * What has no attribute there stands under `unmapped` with its own name, so nothing is lost.
 */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { Confidence, Finding, Severity } from '#core/model/finding.ts';
import type { Encoder } from '#node/audit/export/encoderShape.ts';
import { headline, safeJson, worstFinding } from '#node/audit/export/entryText.ts';

export const OCSF_VERSION = '1.3.0';

type Enumerated = readonly [id: number, caption: string];

const SEVERITY: Readonly<Record<Severity, Enumerated>> = {
  low: [2, 'Low'],
  medium: [3, 'Medium'],
  high: [4, 'High'],
  critical: [5, 'Critical'],
};
const CONFIDENCE: Readonly<Record<Confidence, Enumerated>> = { low: [1, 'Low'], medium: [2, 'Medium'], high: [3, 'High'] };

/** `action_id`: 0 unknown, 1 allowed, 2 denied. */
function control({ outcome, by }: AuditEntry): { readonly action: Enumerated; readonly disposition: Enumerated } {
  const denied: Enumerated = [2, 'Denied'];
  switch (outcome) {
    case 'delivered':
      return { action: [1, 'Allowed'], disposition: by === 'person' || by === 'grant' ? [8, 'Approved'] : [1, 'Allowed'] };
    case 'refused':
      return { action: denied, disposition: by === 'person' ? [25, 'Rejected'] : by === 'failure' ? [27, 'Error'] : [2, 'Blocked'] };
    case 'expired':
      return { action: denied, disposition: [2, 'Blocked'] };
    case 'held':
      return { action: [0, 'Unknown'], disposition: [3, 'Quarantined'] };
    case 'asked':
      return { action: [0, 'Unknown'], disposition: [23, 'Challenge'] };
  }
}

const FINDING_ACTIVITY: Partial<Readonly<Record<AuditEntry['kind'], Enumerated>>> = { hold: [3, 'Close'] };
const API_ACTIVITY: Partial<Readonly<Record<AuditEntry['channel'], Enumerated>>> = {
  read: [2, 'Read'],
  fetch: [2, 'Read'],
  write: [3, 'Update'],
};

function common(entry: AuditEntry, version: string, ids: { category: Enumerated; class: Enumerated; activity: Enumerated }): object {
  const { action, disposition } = control(entry);
  const { category, activity } = ids;
  return {
    activity_id: activity[0],
    activity_name: activity[1],
    category_uid: category[0],
    category_name: category[1],
    class_uid: ids.class[0],
    class_name: ids.class[1],
    type_uid: ids.class[0] * 100 + activity[0],
    type_name: `${ids.class[1]}: ${activity[1]}`,
    time: entry.time,
    message: headline(entry),
    action_id: action[0],
    action: action[1],
    disposition_id: disposition[0],
    disposition: disposition[1],
    metadata: {
      version: OCSF_VERSION,
      product: { name: 'Callgate', vendor_name: 'Callgate', version },
      profiles: ['security_control'],
      uid: entry.hash,
      sequence: entry.seq,
      correlation_uid: entry.call,
      log_name: 'callgate-journal',
      logged_time: entry.time,
    },
    unmapped: unmapped(entry),
  };
}

/** Every field of the entry but those that `metadata` carries already. */
function unmapped({ v: _v, seq: _seq, time: _time, hash: _hash, call: _call, findings: _findings, ...others }: AuditEntry): object {
  return others;
}

const actor = (entry: AuditEntry): object => ({
  app_name: entry.client,
  invoked_by: entry.agent,
  ...(entry.session === '' ? {} : { session: { uid: entry.session } }),
});

const resource = (entry: AuditEntry): object => ({
  name: entry.tool,
  type: 'tool',
  ...(entry.server === null ? {} : { group: { name: entry.server } }),
});

const api = (entry: AuditEntry): object => ({
  operation: entry.tool,
  service: { name: entry.server ?? entry.client },
  ...(entry.useId === null ? {} : { request: { uid: entry.useId } }),
});

function analytic({ rule, title, category }: Finding): object {
  return { type_id: 1, type: 'Rule', uid: rule, name: title, category };
}

export function ocsfEvent(entry: AuditEntry, version: string): object {
  const worst = worstFinding(entry);
  const severity: Enumerated = worst === null ? [1, 'Informational'] : SEVERITY[worst.severity];
  const rated = { severity_id: severity[0], severity: severity[1], is_alert: entry.verdict === 'quarantine' || entry.verdict === 'block' };
  if (worst !== null) {
    const confidence = CONFIDENCE[worst.confidence];
    const activity: Enumerated = FINDING_ACTIVITY[entry.kind] ?? [1, 'Create'];
    return {
      ...common(entry, version, { category: [2, 'Findings'], class: [2004, 'Detection Finding'], activity }),
      ...rated,
      confidence_id: confidence[0],
      confidence: confidence[1],
      finding_info: {
        // A call and the end of its hold are one finding.
        uid: entry.call === '' ? entry.hash : entry.call,
        title: worst.title,
        desc: worst.rationale,
        types: [...new Set(entry.findings.map(({ category }) => category))],
        created_time: entry.time,
        analytic: analytic(worst),
        related_analytics: entry.findings.filter((finding) => finding !== worst).map(analytic),
      },
      resources: [resource(entry)],
      evidences: entry.findings.map(({ rule, at, span, matched, decoded }) => ({
        actor: actor(entry),
        api: api(entry),
        data: { rule, at, span, matched, decoded },
      })),
    };
  }
  if (entry.kind !== 'call' && entry.kind !== 'hold' && entry.kind !== 'response')
    return {
      ...common(entry, version, { category: [0, 'Uncategorized'], class: [0, 'Base Event'], activity: [99, entry.kind] }),
      ...rated,
    };
  const activity: Enumerated = API_ACTIVITY[entry.channel] ?? [99, entry.channel];
  const status: Enumerated =
    entry.outcome === 'delivered'
      ? [1, 'Success']
      : entry.outcome === 'held' || entry.outcome === 'asked'
        ? [99, entry.outcome]
        : [2, 'Failure'];
  return {
    ...common(entry, version, { category: [6, 'Application Activity'], class: [6003, 'API Activity'], activity }),
    ...rated,
    status_id: status[0],
    status: status[1],
    actor: actor(entry),
    api: api(entry),
    resources: [resource(entry)],
    // The journal knows no address: calls come from a program on the same machine.
    src_endpoint: { svc_name: entry.client },
  };
}

export function ocsfEncoder(version: string): Encoder {
  return { begin: () => '', entry: ({ entry }) => `${safeJson(ocsfEvent(entry, version))}\n`, end: () => '' };
}
