import type { Finding } from '#core/model/finding.ts';
import { isSecretFinding, MIN_ECHO } from '#core/policy/redact.ts';

const SHOWN = 4;
const MAX_MATCHED = 200;
const MAX_DECODED = 2000;

/**
 * Findings are written down and shown: what a rule for secrets or personal data matched is cut to its first characters, in
 * that finding and wherever another finding quotes the same text or has it in the name of its place. The place of a string in
 * the arguments stays, so redaction still finds it.
 */
export function maskSecrets(findings: readonly Finding[]): readonly Finding[] {
  const secrets = [...new Set(findings.filter(isSecretFinding).map((finding) => finding.matched))]
    .filter((text) => text.length >= MIN_ECHO)
    .sort((a, b) => b.length - a.length);
  const hide = (text: string): string =>
    secrets.reduce((sum, secret) => (sum.includes(secret) ? sum.replaceAll(secret, () => maskOf(secret)) : sum), text);
  // Cut only after masking: half a secret is no longer recognised as one.
  return findings.map((finding) =>
    isSecretFinding(finding)
      ? { ...finding, matched: maskOf(finding.matched), decoded: null }
      : {
          ...finding,
          matched: hide(finding.matched).slice(0, MAX_MATCHED),
          decoded: finding.decoded === null ? null : hide(finding.decoded).slice(0, MAX_DECODED),
        },
  );
}

/** Of short secrets less is shown: four characters of six are most of it. */
const maskOf = (secret: string): string =>
  `${secret.slice(0, Math.min(SHOWN, Math.floor(secret.length / 4)))}… (${secret.length} characters)`;
