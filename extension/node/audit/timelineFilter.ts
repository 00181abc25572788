/** Which entries a timeline query means. The index must give exactly these; only its speed is its own. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { TimelineQuery } from '#contract/ipc.ts';
import type { ClientId } from '#core/model/call.ts';
import { isObject, type JsonValue } from '#core/model/json.ts';
import { CLIENT_NAMES } from '#home/journal/entryShape.ts';

/** A client's id as the wanted agent means every agent of that client: people say "Claude", entries say `main`. */
export function clientMeant(agent: string): ClientId | null {
  return CLIENT_NAMES.includes(agent) ? (agent as ClientId) : null;
}

export function matchesQuery(entry: AuditEntry, query: TimelineQuery): boolean {
  if (query.before !== undefined && entry.seq >= query.before) return false;
  if (query.verdict !== undefined && entry.verdict !== query.verdict) return false;
  if (query.tool !== undefined && entry.tool !== query.tool) return false;
  if (query.agent !== undefined && (clientMeant(query.agent) === null ? entry.agent : entry.client) !== query.agent) return false;
  return query.text === undefined || hasText(entry, query.text.toLowerCase());
}

/** `wanted` is in lower case. Looks into keys and strings of the arguments, the reason and the rule ids. */
function hasText(entry: AuditEntry, wanted: string): boolean {
  const found = (text: string): boolean => text.toLowerCase().includes(wanted);
  return found(entry.reason) || entry.findings.some(({ rule }) => found(rule)) || hasTextWithin(entry.args, found);
}

function hasTextWithin(value: JsonValue, found: (text: string) => boolean): boolean {
  if (typeof value === 'object' && value !== null) {
    if (!isObject(value)) return value.some((item) => hasTextWithin(item, found));
    return Object.entries(value).some(([key, item]) => found(key) || hasTextWithin(item, found));
  }
  return found(String(value));
}

/**
 * A cheap look at a line's bytes: false only when no entry in it can hold the text. The text stands in the line as JSON
 * escapes it; other scripts lower their case depending on the neighbours, so only ASCII is told apart here.
 */
export function mayHaveText(line: Buffer, text: string): boolean {
  const wanted = text.toLowerCase();
  if (!/^[\x20-\x7e]*$/.test(wanted)) return true;
  return line.toString('utf8').toLowerCase().includes(JSON.stringify(wanted).slice(1, -1));
}
