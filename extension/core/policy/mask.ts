import type { Finding } from '#core/model/finding.ts';
import { SECRET_CATEGORY } from '#core/policy/redact.ts';

const SHOWN = 4;
const MIN_ECHO = 6;
const MAX_MATCHED = 200;
const MAX_DECODED = 2000;

/**
 * Findings are written down and shown: what a secret rule matched is cut to its first characters, in that finding
 * and wherever another finding quotes the same text. The place in the arguments stays, so redaction still finds it.
 */
export function maskSecrets(findings: readonly Finding[]): readonly Finding[] {
  const secrets = [...new Set(findings.filter((finding) => finding.category === SECRET_CATEGORY).map((finding) => finding.matched))]
    .filter((text) => text.length >= MIN_ECHO)
    .sort((a, b) => b.length - a.length);
  const hide = (text: string): string =>
    secrets.reduce((sum, secret) => (sum.includes(secret) ? sum.replaceAll(secret, () => maskOf(secret)) : sum), text);
  // Cut only after masking: half a secret is no longer recognised as one.
  return findings.map((finding) =>
    finding.category === SECRET_CATEGORY
      ? { ...finding, matched: maskOf(finding.matched), decoded: null }
      : {
          ...finding,
          matched: hide(finding.matched).slice(0, MAX_MATCHED),
          decoded: finding.decoded === null ? null : hide(finding.decoded).slice(0, MAX_DECODED),
        },
  );
}

const maskOf = (secret: string): string => `${secret.slice(0, SHOWN)}… (${secret.length} characters)`;
