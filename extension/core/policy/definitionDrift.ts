/**
 * Whether a definition changed so little that nobody need be asked. People who are asked at every new version of every server
 * stop reading; so what cannot carry an instruction passes: blanks, version numbers and counts, narrower or plainer schemas, and
 * what schema libraries write by themselves. Every other word, every hint and every new text waits for a person.
 */
import { canonicalJson, isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { pinnedParts } from '#core/policy/pinnedText.ts';

export type Drift = 'same' | 'mild' | 'changed';

const TEXTS: ReadonlySet<string> = new Set(['description', 'title']);
const BOUNDS: ReadonlySet<string> = new Set([
  'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength', 'minItems', 'maxItems',
]); // prettier-ignore
const TYPES: ReadonlySet<string> = new Set(['string', 'number', 'integer', 'boolean', 'array', 'null']);
const CARRIES_NOTHING: ReadonlySet<string> = new Set(['number', 'integer', 'boolean', 'null']);
const PLAIN_NAME = /^[a-z][\w-]{0,40}$/iu;
const SCHEMA_DIALECT = /^https?:\/\/json-schema\.org\/[\w./-]{1,60}#?$/u;

export function driftBetween(before: JsonValue, after: JsonValue): Drift {
  const [old, now] = [pinnedParts(before), pinnedParts(after)];
  if (canonicalJson(old) === canonicalJson(now)) return 'same';
  if (typeof old === 'string' && typeof now === 'string') return isSameText(old, now) ? 'mild' : 'changed';
  return isObject(old) && isObject(now) && isMild(old, now) ? 'mild' : 'changed';
}

function isMild(old: JsonObject, now: JsonObject): boolean {
  for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const [was, is] = [old[key], now[key]];
    if (was === undefined || is === undefined) {
      if (!isWrittenByLibrary(key, was ?? is)) return false;
    } else if (canonicalJson(was) !== canonicalJson(is) && !isMildMember(key, was, is)) return false;
  }
  return true;
}

function isMildMember(key: string, was: JsonValue, is: JsonValue): boolean {
  if (typeof was === 'string' && typeof is === 'string')
    return (TEXTS.has(key) && isSameText(was, is)) || (key === '$schema' && SCHEMA_DIALECT.test(was) && SCHEMA_DIALECT.test(is));
  if (typeof was === 'number' && typeof is === 'number') return BOUNDS.has(key);
  // Names of what must be given: fewer ask for less.
  if (key === 'required' && Array.isArray(was) && Array.isArray(is)) return is.every((name) => was.includes(name));
  // Keys here are names of parameters.
  if (key === 'properties' && isObject(was) && isObject(is)) return areMildProperties(was, is);
  return key !== 'default' && isObject(was) && isObject(is) && isMild(was, is);
}

function areMildProperties(was: JsonObject, is: JsonObject): boolean {
  return Object.entries(is).every(([name, schema]) => {
    const before = was[name];
    if (before === undefined) return PLAIN_NAME.test(name) && isPlainSchema(name, schema);
    return canonicalJson(before) === canonicalJson(schema) || (isObject(before) && isObject(schema) && isMild(before, schema));
  });
}

/** A model fills a text in by its name alone: what such names ask for is handed to the server. Switches and numbers carry nothing out. */
const ASKING =
  /^(?:api|auth\w*|chat|confidential|content\w*|context|conversation|cookie\w*|credential\w*|cred\w?|env\w*|histor\w*|id|rsa|instruction\w*|key\w*|login|memor\w*|message\w*|model|note\w*|passw\w*|passphrase|pem|pin|private|prompt\w*|pwd|reason\w*|secret\w*|sensitive|session\w*|sidenote\w*|ssh|system|thought\w*|thinking|token\w*|tool\w*|transcript\w*|user\w*|wallet)$/iu;
const MOST_WORDS = 3;

function asksForLittle(name: string): boolean {
  const words = name.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+/gu) ?? [];
  return words.length <= MOST_WORDS && !words.some((word) => ASKING.test(word));
}

/** A parameter that says nothing but its name and kind. */
function isPlainSchema(name: string, schema: JsonValue): boolean {
  if (!isObject(schema)) return typeof schema === 'boolean' && asksForLittle(name);
  const { type } = schema;
  if (!(typeof type === 'string' && CARRIES_NOTHING.has(type)) && !asksForLittle(name)) return false;
  return Object.entries(schema).every(([key, value]) => {
    if (key === 'type') return (Array.isArray(value) ? (value as readonly JsonValue[]) : [value]).every((type) => TYPES.has(String(type)));
    // Some libraries make a title of the name.
    if (key === 'title') return typeof value === 'string' && letters(value) === letters(name);
    if (key === 'default') return typeof value === 'boolean' || typeof value === 'number' || value === null;
    if (key === 'items') return isPlainSchema('', value);
    return BOUNDS.has(key) && typeof value === 'number';
  });
}

const letters = (text: string): string => text.replace(/[^\p{L}\p{N}]/gu, '').toLowerCase();

function isWrittenByLibrary(key: string, value: JsonValue | undefined): boolean {
  if (key === '$schema') return typeof value === 'string' && SCHEMA_DIALECT.test(value);
  if (key === 'additionalProperties') return typeof value === 'boolean';
  return key === 'required' ? Array.isArray(value) && value.length === 0 : BOUNDS.has(key) && typeof value === 'number';
}

/** But for blanks and for numbers in plain words: versions, dates, counts. Numbers in addresses say where something goes. */
function isSameText(was: string, is: string): boolean {
  const [old, now] = [wordsOf(was), wordsOf(is)];
  return old.length === now.length && old.every((word, index) => word === now[index] || isSameButNumbers(word, now[index] ?? ''));
}

const wordsOf = (text: string): readonly string[] => text.trim().split(/[ \t\r\n]+/u);
const VERSION = /^[("'v]{0,2}\d{1,4}(?:[.:-]\d{1,4}){0,2}[)"'.,;:]{0,2}$/iu;

function isSameButNumbers(was: string, is: string): boolean {
  return VERSION.test(was) && VERSION.test(is) && was.replaceAll(/\d+/gu, '0') === is.replaceAll(/\d+/gu, '0');
}
