/**
 * ArcSight Common Event Format, version 0: `CEF:0|vendor|product|version|id|name|severity|key=value …`, one event a line.
 * Header fields escape `\` and `|`, extension values `\`, `=` and line ends; keys and their longest values are those of the
 * format's dictionary.
 */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { Severity } from '#core/model/finding.ts';
import { canonicalJson } from '#core/model/json.ts';
import type { Verdict } from '#core/model/verdict.ts';
import type { Encoder } from '#node/audit/export/encoderShape.ts';
import { cut, ruleIds, visible, worstFinding } from '#node/audit/export/entryText.ts';

const OF_FINDING: Readonly<Record<Severity, number>> = { low: 3, medium: 5, high: 8, critical: 10 };
/** For what was decided without a finding. */
const OF_VERDICT: Readonly<Record<Verdict, number>> = { clean: 0, flag: 5, quarantine: 8, block: 10 };

/** Line ends and tabs have no place in a header. */
export function cefHeader(text: string, limit: number): string {
  return cut(visible(text).replace(/[\n\t]/g, ' '), limit)
    .replaceAll('\\', '\\\\')
    .replaceAll('|', '\\|');
}

/** Every control character but the line feed is shown as an escape. */
export function cefValue(text: string, limit: number): string {
  return cut(visible(text).replaceAll('\t', '\\t'), limit).replaceAll('\\', '\\\\').replaceAll('=', '\\=').replaceAll('\n', '\\n');
}

export function cefLine(entry: AuditEntry, version: string): string {
  const finding = worstFinding(entry);
  const header = [
    'CEF:0',
    'Callgate',
    'Callgate',
    cefHeader(version, 31),
    cefHeader(finding?.rule ?? `callgate.${entry.kind}`, 1023),
    cefHeader(finding?.title ?? `${entry.kind} ${entry.outcome}`, 512),
    String(finding === null ? OF_VERDICT[entry.verdict] : OF_FINDING[finding.severity]),
  ];
  const custom = (field: string, label: string, value: string): [string, string, number][] => [
    [`${field}Label`, label, 1023],
    [field, value, 4000],
  ];
  const values: readonly (readonly [key: string, value: string, limit: number])[] = [
    ['rt', String(entry.time), 20],
    ['externalId', String(entry.seq), 40],
    ['act', entry.outcome, 63],
    ['outcome', entry.verdict, 63],
    ['cat', finding?.category ?? '', 1023],
    ['reason', entry.reason, 1023],
    ['msg', entry.note, 1023],
    ['deviceFacility', entry.channel, 1023],
    ['deviceProcessName', entry.writer, 1023],
    ['sourceServiceName', entry.client, 1023],
    ['sproc', entry.agent, 1023],
    ['destinationServiceName', entry.server ?? '', 1023],
    ['filePath', entry.cwd, 1023],
    ...custom('cs1', 'tool', entry.tool),
    ...custom('cs2', 'session', entry.session),
    ...custom('cs3', 'workspace', entry.workspace),
    ...custom('cs4', 'rules', ruleIds(entry).join(' ')),
    ...custom('cs5', 'args', canonicalJson(entry.args)),
    ...custom('cs6', 'entryHash', entry.hash),
    ['flexString1Label', 'call', 128],
    ['flexString1', entry.call, 1023],
    ['flexString2Label', 'decidedBy', 128],
    ['flexString2', entry.by, 1023],
    ['cfp1Label', 'tookMs', 1023],
    ['cfp1', String(entry.tookMs), 40],
  ];
  const present = new Set(values.filter(([, value]) => value !== '').map(([key]) => key));
  // A label without its value says nothing.
  const extension = values
    .filter(([key]) => present.has(key) && present.has(key.replace(/Label$/, '')))
    .map(([key, value, limit]) => `${key}=${cefValue(value, limit)}`);
  return `${header.join('|')}|${extension.join(' ')}`;
}

export function cefEncoder(version: string): Encoder {
  return { begin: () => '', entry: ({ entry }) => `${cefLine(entry, version)}\n`, end: () => '' };
}
