/** Shannon entropy of a text in bits a character: words and placeholders are low, keys are high. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  let total = 0;
  for (const char of text) {
    counts.set(char, (counts.get(char) ?? 0) + 1);
    total++;
  }
  let bits = 0;
  for (const count of counts.values()) bits -= (count / total) * Math.log2(count / total);
  return bits;
}

/** A value that names where the secret comes from instead of holding it. */
const REFERENCE =
  /^(?:<[^>]*>|\$\{[^}]*\}|\$\([^)]*\)|\{\{[^}]*\}\}|%[\w.-]+%|\$[A-Za-z_]\w*|(?:process\.env|os\.environ|import\.meta\.env|secrets|vars|env|config|settings|self|this|options|args|data|props)\b[.[(].*)$/iu;
/** Somebody blanked the secret out. */
const BLANKED = /x{6}|\*{3}|\.{3}|…|•{3}|<[a-z_ -]{2,40}>/iu;
/** Marks of a value that is only shaped like a secret: they do not count as its substance. */
const RUNS = /(.)\1{5,200}|x{4,5}|0?123456(?:7890?|78?)?|abcdefgh[i-z]{0,18}|abcdef|(?:deadbeef|cafebabe){1,8}/giu;
/** A word that says what the value is not. */
const DISCLAIMED =
  /EXAMPLE|(?:^|[^a-z])your?[-_]|[-_]goes[-_]here|place[-_]?holder|change[-_]?me|replace[-_]?me|dummy[-_]|not[-_]?(?:a[-_])?real/iu;
/** Words a placeholder is made of; a value that has nothing else but fixed prefixes and separators holds no secret. */
const WORDS =
  /example|sample|dummy|placeholder|change|replace|insert|redacted|removed|hidden|your|here|goes|this|that|with|me|my|the|an?|some|test(?:ing)?|fake|mock|foo|bar|baz|secret|password|passwd|token|key|api|auth|access|client|private|public|value|string|user|name|todo|none|null|undefined|default|prod(?:uction)?|dev(?:elopment)?|staging|live|app|service|account|id/giu;
const MIN_REMAINDER = 8;
/** Words of one case joined by separators, `refresh-token-expired`: a name. */
const SLUG = /^(?:[a-z]{2,20}(?:[-_.][a-z]{1,20}){2,}|[A-Z]{2,20}(?:[-_.][A-Z]{1,20}){2,})$/u;

/**
 * Whether the value itself could be a secret; what stands around it does not count.
 * An entropy of 0 says that the form alone is proof enough: then only what is plainly blanked out or an example is let go.
 */
export function looksSecret(value: string, leastEntropy: number): boolean {
  if (REFERENCE.test(value) || BLANKED.test(value)) return false;
  // The word stands at the end of documented keys, `AKIA…EXAMPLE`; by chance in random text it does not.
  if (/EXAMPLE/u.test(value)) return false;
  if (leastEntropy === 0) return !DISCLAIMED.test(value);
  if (entropy(value) < leastEntropy || SLUG.test(value)) return false;
  return (
    value
      .replace(RUNS, '')
      .replace(WORDS, '')
      .replace(/[^A-Za-z0-9]/gu, '').length >= MIN_REMAINDER
  );
}
