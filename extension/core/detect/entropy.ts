/** Shannon entropy of a text in bits a character: words and placeholders are low, keys are high. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / total) * Math.log2(count / total);
  return bits;
}

/** Words that stand in examples and templates where a secret would be. */
const PLACEHOLDER = /example|sample|dummy|placeholder|changeme|change_me|your[-_]?|redacted|xxxx|<[^>]*>|\$\{|\{\{|process\.env|os\.environ|getenv|\.\.\.|\*{3}|12345678|abcdefgh|test_?key|fake/iu;

export function looksSecret(value: string, leastEntropy: number): boolean {
  return !PLACEHOLDER.test(value) && entropy(value) >= leastEntropy;
}
