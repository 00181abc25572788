/** Which keys a rule file may hold, where. Mirrors `rules/rule.schema.json`, which serves editors; a test keeps the two equal. */
export const FILE_KEYS = ['version', 'rules'] as const;
export const RULE_KEYS = [
  'id',
  'title',
  'category',
  'severity',
  'severity-in',
  'confidence',
  'status',
  'channels',
  'match',
  'rationale',
  'references',
  'taxonomy',
  'examples',
] as const;
export const MATCH_KEYS = [
  'field',
  'keywords',
  'regex',
  'flags',
  'secret',
  'least',
  'command',
  'path',
  'url',
  'effect',
  'any',
  'all',
] as const;
export const CONDITION_KEYS = ['field', 'regex', 'flags', 'secret', 'least', 'command', 'path', 'url', 'effect', 'any', 'all'] as const;
export const SECRET_KEYS = ['group', 'entropy', 'checksum'] as const;
export const COMMAND_KEYS = [
  'program',
  'subcommand',
  'flags',
  'operand',
  'argument',
  'line',
  'stdin',
  'assigns',
  'path',
  'url',
  'piped-from',
  'piped-to',
  'not',
] as const;
export const PATH_KEYS = ['regex', 'trait', 'without', 'access', 'not'] as const;
export const URL_KEYS = ['scheme', 'host', 'host-kind', 'port', 'path', 'query', 'userinfo'] as const;
export const EFFECT_KEYS = ['kind', 'target'] as const;
export const EXAMPLES_KEYS = ['match', 'no_match'] as const;
export const EXAMPLE_KEYS = ['text', 'channel', 'path', 'cwd', 'span', 'why'] as const;

/** What a rule is about. Policy, redaction and the panel tell findings apart by it. */
export const CATEGORIES = [
  'prompt-injection',
  'indirect-injection',
  'tool-poisoning',
  'credential-leak',
  'credential-access',
  'exfiltration',
  'command-execution',
  'destruction',
  'privilege-escalation',
  'persistence',
  'supply-chain',
  'external-download',
  'ssrf',
  'mcp-attack',
  'mcp-configuration',
  'encoding',
  'third-party-content',
  'inter-agent',
  'memory-poisoning',
  'self-tampering',
  'pii',
  'data-destruction',
] as const;

/**
 * Codes of `taxonomy`: MITRE ATT&CK techniques (`T1059`, `T1059.004`), OWASP Top 10 for LLM applications 2025 (`LLM01`–`LLM10`),
 * OWASP Top 10 for agentic applications 2026 (`ASI01`–`ASI10`), OWASP MCP Top 10 2025 (`MCP01`–`MCP10`), weaknesses (`CWE-78`).
 */
export const TAXONOMY = /^(?:T1\d{3}(?:\.\d{3})?|(?:LLM|ASI|MCP)(?:0[1-9]|10)|CWE-\d{1,4})$/u;

/** The known key nearest to a misspelt one; null when none is near. */
export function nearestKey(key: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(key.length / 2)) + 1;
  for (const candidate of known) {
    const distance = editDistance(key.toLowerCase(), candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
