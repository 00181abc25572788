/** Takes what must not be kept or shown out of what is kept and shown: the one place that knows which findings mark such text. */
import { detect } from '#core/detect/detect.ts';
import type { RulePack } from '#core/detect/rulePack.ts';
import type { Finding } from '#core/model/finding.ts';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import type { TextField } from '#core/normalize/fields.ts';
import { escapePointer, stringAt } from '#core/normalize/pointer.ts';
import { fold } from '#core/normalize/unicode.ts';

/** Findings of these categories mark text that must not be kept. */
export const SECRET_CATEGORY = 'credential-leak';
const PERSONAL_CATEGORY = 'pii';
export const isSecretFinding = (finding: Finding): boolean =>
  finding.category === SECRET_CATEGORY || finding.category === PERSONAL_CATEGORY;

/** Shorter texts are not hunted elsewhere: they would tear holes into unrelated words. */
export const MIN_ECHO = 6;

interface Mark {
  readonly start: number;
  readonly end: number;
  readonly label: string;
}
type Echo = readonly [secret: string, label: string];

/**
 * The arguments with every found secret replaced by `[secret <rule> <keyed hash>]`, so that the record holds no
 * secret but equal secrets can still be matched. A secret is also replaced wherever else the same text stands,
 * in values and in keys, and as it is written in addresses and pointers. A secret found in decoded text takes the
 * encoded stretch with it; one without a place of its own takes the whole string at its pointer.
 */
export function redact(args: JsonValue, findings: readonly Finding[], keyedHash: (secret: string) => string): JsonValue {
  const { places, echoes } = secretsOf(args, findings, keyedHash);
  return places.size === 0 ? args : replaceIn(args, '', places, echoes);
}

/**
 * Any other part of a record that was made from the same call (its tool's name, folder, ids, reason, findings) without the
 * secrets that were found in the call's arguments. Give it the findings as the gate left them.
 */
export function redactBeside(
  value: JsonValue,
  args: JsonValue,
  findings: readonly Finding[],
  keyedHash: (secret: string) => string,
): JsonValue {
  const { echoes } = secretsOf(args, findings, keyedHash);
  return echoes.length === 0 ? value : replaceIn(value, '', new Map(), echoes);
}

/**
 * A whole record (or any JSON) without what the pack's rules for secrets see in any of its strings and keys, each looked at
 * by itself. For the parts nobody judged: names, folders, ids. Give it what `redact` has been over: decoded text is not looked into.
 */
export function scrub(value: JsonValue, pack: RulePack, keyedHash: (secret: string) => string): JsonValue {
  const strings: string[] = [];
  collect(value, strings);
  const folded = strings.map((text) => fold(text));
  const texts: TextField[] = folded.map((item, index) => ({
    field: 'text',
    at: `/${index}`,
    span: null,
    text: item.text,
    offsets: item.offsets,
    derived: false,
  }));
  const found = detect({ texts, commands: [], paths: [], urls: [], effects: [], notes: [] }, 'other', pack).filter(isSecretFinding);
  if (found.length === 0) return value;
  const marks = new Map<string, Mark[]>();
  const echoes = new Map<string, string>();
  for (const finding of found) {
    const text = strings[Number(finding.at.slice(1))] ?? '';
    const span = finding.span ?? { start: 0, end: text.length };
    const secret = text.slice(span.start, span.end);
    const label = labelOf(finding, secret, keyedHash);
    marks.set(text, [...(marks.get(text) ?? []), { ...span, label }]);
    if (secret.length >= MIN_ECHO) echoes.set(secret, label);
  }
  const order = withWrittenForms(echoes);
  const clean = (text: string): string => replaceEchoes(replaceSpans(text, marks.get(text) ?? []), order);
  return mapStrings(value, clean);
}

const labelOf = (finding: Finding, secret: string, keyedHash: (secret: string) => string): string =>
  `[secret ${finding.rule} ${keyedHash(secret)}]`;

function secretsOf(
  args: JsonValue,
  findings: readonly Finding[],
  keyedHash: (secret: string) => string,
): { places: Map<string, Mark[]>; echoes: readonly Echo[] } {
  const marks = new Map<string, string>();
  const places = new Map<string, Mark[]>();
  for (const finding of findings) {
    if (!isSecretFinding(finding)) continue;
    const whole = stringAt(args, finding.at);
    const span = (whole === null ? null : finding.span) ?? { start: 0, end: whole?.length ?? 0 };
    // A place that is no string (an argument vector, an object with a telling key) is replaced as a whole.
    const secret = whole === null ? finding.at : whole.slice(span.start, span.end);
    const label = labelOf(finding, secret, keyedHash);
    if (whole !== null && secret.length >= MIN_ECHO) marks.set(secret, label);
    const list = places.get(finding.at) ?? [];
    list.push({ ...span, label });
    places.set(finding.at, list);
  }
  return { places, echoes: withWrittenForms(marks) };
}

/** Every secret and how it is written in an address, a JSON pointer and a JSON text; longest first, so that a secret inside a longer one cannot leave the rest of it standing. */
function withWrittenForms(marks: ReadonlyMap<string, string>): readonly Echo[] {
  const all = new Map<string, string>();
  for (const [secret, label] of marks)
    for (const form of [secret, escapePointer(secret), percentEncoded(secret), JSON.stringify(secret).slice(1, -1)])
      if (!all.has(form)) all.set(form, label);
  return [...all].sort((a, b) => b[0].length - a[0].length);
}

/** As `encodeURIComponent`, which throws for half a surrogate pair. */
const percentEncoded = (text: string): string =>
  text.replace(/[^\w.!~*'()-]/gu, (char) => (/\p{Surrogate}/u.test(char) ? char : encodeURIComponent(char)));

function replaceIn(value: JsonValue, at: string, places: ReadonlyMap<string, readonly Mark[]>, echoes: readonly Echo[]): JsonValue {
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

function collect(value: JsonValue, into: string[]): void {
  if (typeof value === 'string') into.push(value);
  else if (Array.isArray(value)) for (const item of value as readonly JsonValue[]) collect(item, into);
  else if (isObject(value))
    for (const [key, member] of Object.entries(value)) {
      into.push(key);
      collect(member, into);
    }
}

function mapStrings(value: JsonValue, change: (text: string) => string): JsonValue {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item: JsonValue) => mapStrings(item, change));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [change(key), mapStrings(member, change)])) as JsonObject;
}

/** Overlapping spans merge under the label of the first. */
function replaceSpans(text: string, spans: readonly Mark[]): string {
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

function replaceEchoes(text: string, echoes: readonly Echo[]): string {
  let out = text;
  for (const [secret, label] of echoes) if (out.includes(secret)) out = out.replaceAll(secret, () => label);
  return out;
}
