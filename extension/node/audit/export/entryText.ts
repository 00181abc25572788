/** What several export formats say about an entry in the same words. All of it stands in the entry. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { Finding, Severity } from '#core/model/finding.ts';
import { canonicalJson, isObject } from '#core/model/json.ts';
import { visibleRuns } from '#core/policy/visibleText.ts';

const SEVERITY_ORDER: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

/** The first of the worst findings; null when there is none. */
export function worstFinding(entry: AuditEntry): Finding | null {
  let worst: Finding | null = null;
  for (const finding of entry.findings)
    if (worst === null || SEVERITY_ORDER.indexOf(finding.severity) > SEVERITY_ORDER.indexOf(worst.severity)) worst = finding;
  return worst;
}

/** Each rule once, in the order of the findings. */
export function ruleIds(entry: AuditEntry): readonly string[] {
  return [...new Set(entry.findings.map(({ rule }) => rule))];
}

/** Arguments that say by themselves what is asked for. */
const TELLING = ['command', 'file_path', 'path', 'url', 'pattern', 'query', 'prompt', 'file'] as const;

/** What was asked in one line: the command, path or address if there is one, else the arguments as JSON. */
export function askedText(entry: AuditEntry): string {
  const { args } = entry;
  if (isObject(args))
    for (const name of TELLING) {
      const value = args[name];
      if (typeof value === 'string' && value !== '') return value;
    }
  return args === null ? '' : canonicalJson(args);
}

/** One sentence about the entry for formats that want a message. */
export function headline(entry: AuditEntry): string {
  const title = worstFinding(entry)?.title;
  const what = entry.tool === '' ? entry.kind : `${entry.kind} ${entry.server === null ? '' : `${entry.server}/`}${entry.tool}`;
  return `${what}: ${entry.verdict}, ${entry.outcome}${title === undefined ? (entry.reason === '' ? '' : `: ${entry.reason}`) : `: ${title}`}`;
}

export const isoTime = (ms: number): string => {
  // A forged or broken clock may be beyond what a date can say; the entry's own number is then better than none.
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
};

const PLAIN = /^[\x20-\x7e\n\t]*$/;
/** Hidden, reordering and control characters as visible escapes such as `\u{202E}`; line feeds and tabs stay. */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text;
  return visibleRuns(text)
    .map((run) => run.shown)
    .join('');
}

/** Half a surrogate pair cannot be written as UTF-8; many readers refuse a whole file for one. It becomes U+FFFD. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd');
}

/** At most `limit` UTF-16 units, an ellipsis as the last when something was cut; never half a character. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = limit - 1;
  const half = end > 0 && /[\ud800-\udbff]/.test(text.charAt(end - 1)) ? 1 : 0;
  return `${text.slice(0, Math.max(0, end - half))}…`;
}

/** JSON that every reader takes: no half surrogate pairs, wherever they stand. */
export function safeJson(value: unknown): string {
  const json = JSON.stringify(value);
  // JSON.stringify writes a lone surrogate as an escape, which is the only way these six characters come about unescaped.
  return json.includes('\\ud') ? json.replace(/(\\+)(ud[89a-f][0-9a-f]{2})/g, loneEscape) : json;
}

/** An even number of backslashes before it are themselves escaped ones, and what follows is plain text. */
function loneEscape(whole: string, slashes: string): string {
  return slashes.length % 2 === 1 ? `${slashes}ufffd` : whole;
}
