/**
 * CSV as RFC 4180 says: CRLF, quotes doubled. Spreadsheets run cells that begin like a formula, so those get an apostrophe in
 * front (https://owasp.org/www-community/attacks/CSV_Injection); hidden and control characters become visible escapes.
 */
import type { AuditEntry } from '#contract/auditRecord.ts';
import { canonicalJson } from '#core/model/json.ts';
import type { Encoder } from '#node/audit/export/encoderShape.ts';
import { isoTime, ruleIds, visible, worstFinding } from '#node/audit/export/entryText.ts';

type Column = readonly [name: string, value: (entry: AuditEntry) => string | number | null];

const COLUMNS: readonly Column[] = [
  ['seq', (entry) => entry.seq],
  ['time', (entry) => isoTime(entry.time)],
  ['kind', (entry) => entry.kind],
  ['verdict', (entry) => entry.verdict],
  ['outcome', (entry) => entry.outcome],
  ['by', (entry) => entry.by],
  ['client', (entry) => entry.client],
  ['agent', (entry) => entry.agent],
  ['parent', (entry) => entry.parent],
  ['session', (entry) => entry.session],
  ['channel', (entry) => entry.channel],
  ['tool', (entry) => entry.tool],
  ['server', (entry) => entry.server],
  ['workspace', (entry) => entry.workspace],
  ['cwd', (entry) => entry.cwd],
  ['severity', (entry) => worstFinding(entry)?.severity ?? ''],
  ['findings', (entry) => ruleIds(entry).join(' ')],
  ['reason', (entry) => entry.reason],
  ['note', (entry) => entry.note],
  ['args', (entry) => canonicalJson(entry.args)],
  ['argsHash', (entry) => entry.argsHash],
  ['tookMs', (entry) => entry.tookMs],
  ['call', (entry) => entry.call],
  ['useId', (entry) => entry.useId],
  ['writer', (entry) => entry.writer],
  ['hash', (entry) => entry.hash],
];

/** ASCII and full-width signs that begin a formula, and what some spreadsheets skip before looking for one. */
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

export function csvCell(value: string | number | null): string {
  if (value === null) return '';
  const text = typeof value === 'number' ? String(value) : visible(value);
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n\t;' ]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

export function csvEncoder(): Encoder {
  const row = (cells: readonly string[]): string => `${cells.join(',')}\r\n`;
  return {
    begin: () => row(COLUMNS.map(([name]) => name)),
    entry: ({ entry }) => row(COLUMNS.map(([, value]) => csvCell(value(entry)))),
    end: () => '',
  };
}
