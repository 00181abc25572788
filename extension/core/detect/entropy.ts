/** Shannon entropy of a text in bits a character: words and placeholders are low, keys are high. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / total) * Math.log2(count / total);
  return bits;
}

/** A value that names where the secret comes from instead of holding it. */
const REFERENCE =
  /^(?:<[^>]*>|\$\{[^}]*\}|\$\([^)]*\)|\{\{[^}]*\}\}|%[\w.-]+%|\$[A-Za-z_]\w*|(?:process\.env|os\.environ|import\.meta\.env|secrets|vars|env|config|settings|self|this|options|args|data|props)\b[.[(].*)$/iu;
/** Marks of a value that is only shaped like a secret. */
const FILLER = /[xX]{4}|\*{3}|\.{3}|(.)\1{5}|0123456789|1234567890|abcdefghij/iu;
/** Words a placeholder is made of; a value that has nothing else but fixed prefixes and separators holds no secret. */
const WORDS =
  /example|sample|dummy|placeholder|change|replace|insert|redacted|removed|hidden|your|here|goes|this|that|with|me|my|the|an?|some|test(?:ing)?|fake|mock|foo|bar|baz|secret|password|passwd|token|key|api|auth|access|client|private|public|value|string|user|name|todo|none|null|undefined|default|prod(?:uction)?|dev(?:elopment)?|staging|live|app|service|account|id/giu;
const MIN_REMAINDER = 8;
/** Words of one case joined by separators, `refresh-token-expired`: a name. */
const SLUG = /^(?:[a-z]{2,20}(?:[-_.][a-z]{1,20}){2,}|[A-Z]{2,20}(?:[-_.][A-Z]{1,20}){2,})$/u;

/** Whether the value itself could be a secret; what stands around it does not count. */
export function looksSecret(value: string, leastEntropy: number): boolean {
  if (entropy(value) < leastEntropy || REFERENCE.test(value) || FILLER.test(value) || SLUG.test(value)) return false;
  // A documented example key ends in the word: `AKIA…EXAMPLE`.
  if (/EXAMPLE(?:KEY)?$/u.test(value)) return false;
  return value.replace(WORDS, '').replace(/[^A-Za-z0-9]/gu, '').length >= MIN_REMAINDER;
}
