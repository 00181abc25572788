/**
 * RFC 5424 messages: `<PRI>1 time host app procid msgid [structured data] BOM text`. One entry is one message of one line.
 * The data's id carries the enterprise number that RFC 5612 keeps for documentation, as Callgate has none of its own.
 */
import type { AuditEntry } from '#contract/auditRecord.ts';
import { canonicalJson } from '#core/model/json.ts';
import type { Verdict } from '#core/model/verdict.ts';
import { askedText, cut, headline, isoTime, ruleIds, visible, worstFinding } from '#node/audit/export/entryText.ts';

const SD_ID = 'callgate@32473';
/** Informational, warning, error, critical. */
const SEVERITY: Readonly<Record<Verdict, number>> = { clean: 6, flag: 4, quarantine: 3, block: 2 };
const MAX_SEQUENCE_ID = 2_147_483_647;

export interface SyslogStyle {
  /** 0 to 23; 13 is "log audit". */
  readonly facility: number;
  readonly host: string;
  /** Longest message in bytes, at least 480: every receiver takes 480, and should take 2,048 (6.1). */
  readonly maxBytes: number;
}

/** A header field: printable ASCII without spaces, or `-` for none. */
export function headerField(text: string, limit: number): string {
  return text.replace(/[^\x21-\x7e]/g, '').slice(0, limit) || '-';
}

/** The three characters that a value must escape; control characters are shown, so a message stays one line. */
export function paramValue(text: string, limit: number): string {
  return cut(oneLine(text), limit).replace(/["\\\]]/g, '\\$&');
}

const oneLine = (text: string): string => visible(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');

export function syslogMessage(entry: AuditEntry, { facility, host, maxBytes }: SyslogStyle): string {
  const worst = worstFinding(entry);
  const time = isoTime(entry.time);
  const header =
    `<${facility * 8 + SEVERITY[entry.verdict]}>1 ${/^\d{4}-/.test(time) ? time : '-'} ${headerField(host, 255)} callgate ` +
    `${headerField(entry.writer.split(':')[0] ?? '', 128)} ${headerField(entry.kind, 32)} `;
  const params: readonly (readonly [string, string])[] = [
    ['seq', String(entry.seq)],
    ['verdict', entry.verdict],
    ['outcome', entry.outcome],
    ['by', entry.by],
    ['client', entry.client],
    ['tool', entry.tool],
    ['hash', entry.hash],
    ['call', entry.call],
    ['rules', ruleIds(entry).join(' ')],
    ['severity', worst?.severity ?? ''],
    ['category', worst?.category ?? ''],
    ['server', entry.server ?? ''],
    ['agent', entry.agent],
    ['session', entry.session],
    ['workspace', entry.workspace],
    ['cwd', entry.cwd],
    ['channel', entry.channel],
    ['tookMs', String(entry.tookMs)],
    ['argsHash', entry.argsHash],
    ['reason', entry.reason],
    ['note', entry.note],
    ['args', canonicalJson(entry.args)],
  ];
  let left = maxBytes - Buffer.byteLength(header) - 80;
  let data = '';
  for (const [name, value] of params) {
    if (value === '') continue;
    const param = ` ${name}="${paramValue(value, 1024)}"`;
    const bytes = Buffer.byteLength(param);
    // What does not fit any more is left out as a whole: half a value would read as another one.
    if (bytes > left) continue;
    data += param;
    left -= bytes;
  }
  const sequence = ((entry.seq - 1) % MAX_SEQUENCE_ID) + 1;
  const before = `${header}[${SD_ID}${data}][meta sequenceId="${sequence}"] \ufeff`;
  const asked = askedText(entry);
  const message = oneLine(asked === '' ? headline(entry) : `${headline(entry)}: ${asked}`);
  return before + cutBytes(message, maxBytes - Buffer.byteLength(before));
}

/** At most `limit` bytes of UTF-8, whole characters only. */
export function cutBytes(text: string, limit: number): string {
  if (text.length * 3 <= limit) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  let end = Math.max(0, limit - 3);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString('utf8', 0, end)}…`;
}
