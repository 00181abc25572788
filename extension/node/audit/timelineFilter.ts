/** Which entries a timeline query means. The index must give exactly these; only its speed is its own. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { TimelineQuery } from '#contract/ipc.ts';
import type { ClientId } from '#core/model/call.ts';
import { isObject, type JsonValue } from '#core/model/json.ts';
import { CLIENT_NAMES } from '#home/journal/entryShape.ts';

/** A client's id as the wanted agent means every agent of that client: people say "Claude", entries say `main`. */
export function clientMeant(agent: string): ClientId | null {
  return CLIENT_NAMES.find((client) => client === agent) ?? null;
}

export function matchesQuery(entry: AuditEntry, query: TimelineQuery): boolean {
  if (query.before !== undefined && entry.seq >= query.before) return false;
  if (query.verdict !== undefined && entry.verdict !== query.verdict) return false;
  if (query.tool !== undefined && entry.tool !== query.tool) return false;
  if (query.session !== undefined && entry.session !== query.session) return false;
  if (query.since !== undefined && entry.time < query.since) return false;
  if (query.until !== undefined && entry.time >= query.until) return false;
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
 * A cheap look at a stretch of lines: for a line's place in it, false only when no entry there can hold the text. Ask from
 * the last line to the first. The text stands in a line as JSON escapes it; other scripts lower their case depending on
 * the neighbours, so only ASCII is told apart here.
 */
export function textFinder(text: string): (stretch: Buffer) => (from: number, to: number) => boolean {
  const wanted = text.toLowerCase();
  if (wanted === '' || !/^[\x20-\x7e]*$/.test(wanted)) return () => () => true;
  const needle = JSON.stringify(wanted).slice(1, -1);
  // Without the flag u only ASCII letters match ASCII letters of the other case, so every match is as long as the needle.
  const finder = new RegExp(
    needle.replaceAll(/[^\w ]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`),
    'gi',
  );
  return (stretch) => {
    // The two letters outside ASCII whose lower case holds an ASCII letter: the Kelvin sign and the I with a dot.
    if (stretch.includes('\u212a') || stretch.includes('\u0130')) return () => true;
    // One byte a unit, so that places in the text are places in the bytes.
    const line = stretch.toString('latin1');
    const hits: number[] = [];
    finder.lastIndex = 0;
    // A match never reaches over the end of its line, so that of two overlapping ones either will do.
    while (finder.exec(line) !== null) hits.push(finder.lastIndex - needle.length);
    return (from, to) => {
      while ((hits.at(-1) ?? -1) > to - needle.length) hits.pop();
      return (hits.at(-1) ?? -1) >= from;
    };
  };
}
