import type { Finding } from '#core/model/finding.ts';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { escapePointer, stringAt } from '#core/normalize/pointer.ts';

/** Findings of this category mark secrets. */
export const SECRET_CATEGORY = 'credential-leak';

/** Shorter texts are not hunted elsewhere: they would tear holes into unrelated words. */
const MIN_ECHO = 6;

/**
 * The arguments with every found secret replaced by `[secret <rule> <keyed hash>]`, so that the record holds no
 * secret but equal secrets can still be matched. A secret is also replaced wherever else the same text stands,
 * in values and in keys. A secret without a place of its own takes the whole string at its pointer with it.
 */
export function redact(args: JsonValue, findings: readonly Finding[], keyedHash: (secret: string) => string): JsonValue {
  const marks = new Map<string, string>();
  const places = new Map<string, { start: number; end: number; label: string }[]>();
  for (const finding of findings) {
    if (finding.category !== SECRET_CATEGORY) continue;
    const whole = stringAt(args, finding.at);
    const span = (whole === null ? null : finding.span) ?? { start: 0, end: whole?.length ?? 0 };
    // A place that is no string (an argument vector, an object with a telling key) is replaced as a whole.
    const secret = whole === null ? finding.at : whole.slice(span.start, span.end);
    const label = `[secret ${finding.rule} ${keyedHash(secret)}]`;
    if (whole !== null && secret.length >= MIN_ECHO) marks.set(secret, label);
    const list = places.get(finding.at) ?? [];
    list.push({ ...span, label });
    places.set(finding.at, list);
  }
  if (places.size === 0) return args;
  // Longest first, so that a secret inside a longer one cannot leave the rest of it standing.
  const echoes = [...marks].sort((a, b) => b[0].length - a[0].length);
  return replaceIn(args, '', places, echoes);
}

function replaceIn(
  value: JsonValue,
  at: string,
  places: ReadonlyMap<string, { start: number; end: number; label: string }[]>,
  echoes: readonly (readonly [string, string])[],
): JsonValue {
  if (typeof value === 'string') return replaceEchoes(replaceSpans(value, places.get(at) ?? []), echoes);
  const whole = places.get(at)?.[0];
  if (whole !== undefined) return whole.label;
  if (Array.isArray(value)) return value.map((item: JsonValue, index) => replaceIn(item, `${at}/${index}`, places, echoes));
  if (!isObject(value)) return value;
  const members: [string, JsonValue][] = [];
  for (const [key, member] of Object.entries(value)) {
    members.push([replaceEchoes(key, echoes), replaceIn(member, `${at}/${escapePointer(key)}`, places, echoes)]);
  }
  return Object.fromEntries(members) as JsonObject;
}

/** Overlapping spans merge under the label of the first. */
function replaceSpans(text: string, spans: readonly { start: number; end: number; label: string }[]): string {
  let out = '';
  let from = 0;
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (span.start >= from) {
      out += text.slice(from, span.start) + span.label;
      from = span.end;
    } else from = Math.max(from, span.end);
  }
  return out + text.slice(from);
}

function replaceEchoes(text: string, echoes: readonly (readonly [string, string])[]): string {
  let out = text;
  for (const [secret, label] of echoes) if (out.includes(secret)) out = out.replaceAll(secret, () => label);
  return out;
}
