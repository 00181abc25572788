/**
 * Secrets of one server's results, which the model knows by placeholders only: `‹callgate-secret-1-x7k2…›`. They live in this
 * object, of one connection to one server, and are written nowhere; what another server is sent stays a placeholder.
 */
import { randomBytes } from 'node:crypto';
import type { JsonValue } from '#core/model/json.ts';
import { isObject } from '#core/model/json.ts';
import type { Finding } from '#core/model/finding.ts';
import { MIN_ECHO, SECRET_CATEGORY } from '#core/policy/redact.ts';
import { escapePointer, stringAt } from '#core/normalize/pointer.ts';

export interface SecretPlaceholders {
  /** Takes up the secrets that were found in `value`, and gives the strings of it that change, by JSON pointer; null when there are too many. */
  readonly mask: (value: JsonValue, findings: readonly Finding[]) => ReadonlyMap<string, JsonValue> | null;
  /** The same bytes with our placeholders written out; `bytes` itself when there is none. */
  readonly restore: (bytes: Buffer) => Buffer;
}

/** More secrets than a session needs; beyond, nothing is masked any more and results are judged as they are. */
const MAX_SECRETS = 10_000;
const MARK = 'callgate-secret-';

export function secretPlaceholders(): SecretPlaceholders {
  // Whoever has not been shown a placeholder cannot make one up.
  const session = randomBytes(6).toString('hex');
  const bySecret = new Map<string, string>();
  const byNumber = new Map<string, string>();
  const placeholder = new RegExp(`(?:‹|(?<!\\\\)\\\\u2039)${MARK}(\\d{1,6})-${session}(?:›|\\\\u203[aA])`, 'gu');

  const nameOf = (secret: string): string => {
    const known = bySecret.get(secret);
    if (known !== undefined) return known;
    const number = String(bySecret.size + 1);
    const name = `‹${MARK}${number}-${session}›`;
    bySecret.set(secret, name);
    byNumber.set(number, secret);
    return name;
  };

  return {
    mask: (value, findings) => {
      const secrets = new Set<string>();
      for (const { category, at, span } of findings) {
        const whole = category === SECRET_CATEGORY && span !== null ? stringAt(value, at) : null;
        // One without a place (put together from several texts, decoded) stays, and is judged like any other.
        const secret = span === null ? '' : (whole ?? '').slice(span.start, span.end);
        if (secret.length >= MIN_ECHO) secrets.add(secret);
      }
      if (secrets.size === 0) return new Map();
      if (bySecret.size + secrets.size > MAX_SECRETS) return null;
      const order = [...secrets].sort((a, b) => b.length - a.length);
      const edits = new Map<string, JsonValue>();
      changed(
        value,
        '',
        (text) => order.reduce((sum, secret) => (sum.includes(secret) ? sum.replaceAll(secret, () => nameOf(secret)) : sum), text),
        edits,
      );
      return edits;
    },
    restore: (bytes) => {
      if (byNumber.size === 0 || !bytes.includes(MARK)) return bytes;
      const text = bytes.toString('utf8');
      // The placeholder stands inside a JSON string, and so must what it stands for.
      const restored = text.replace(placeholder, (whole, number: string) => {
        const secret = byNumber.get(number);
        return secret === undefined ? whole : JSON.stringify(secret).slice(1, -1);
      });
      return restored === text ? bytes : Buffer.from(restored);
    },
  };
}

/** Every string that `change` changes, by its pointer. */
function changed(value: JsonValue, at: string, change: (text: string) => string, into: Map<string, JsonValue>): void {
  if (typeof value === 'string') {
    const after = change(value);
    if (after !== value) into.set(at, after);
  } else if (Array.isArray(value)) (value as readonly JsonValue[]).forEach((item, index) => changed(item, `${at}/${index}`, change, into));
  else if (isObject(value)) for (const [key, member] of Object.entries(value)) changed(member, `${at}/${escapePointer(key)}`, change, into);
}
