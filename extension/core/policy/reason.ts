import type { Finding } from '#core/model/finding.ts';
import type { Verdict } from '#core/model/verdict.ts';

const MAX_NAMED = 3;

/**
 * One or two sentences a model can act on: what was seen, by which rule, and what now. Never quotes the match:
 * it may be a secret, or text written to steer the reader.
 */
export function reasonFor(verdict: Verdict, findings: readonly Finding[], about: 'call' | 'result' = 'call'): string {
  const first = findings[0];
  if (verdict === 'clean' || first === undefined) return '';
  const named = [...new Map(findings.map((finding) => [finding.rule, finding])).values()].slice(0, MAX_NAMED);
  const what = named.map((finding) => `${finding.title} (${finding.rule})`).join('; ');
  switch (verdict) {
    case 'block':
      return about === 'result'
        ? `Callgate blocked this result: ${what}. Do not try to get at it in another form; go on without it, or ask the user.`
        : `Callgate blocked this call: ${what}. Do not try it in another form; choose a way that does not need this, or ask the user.`;
    case 'quarantine':
      return `Callgate holds this ${about} for a person: ${what}. Continue another way, or ask the user to ${about === 'result' ? 'release' : 'approve'} it.`;
    case 'flag':
      return `Callgate warns: ${what}.`;
  }
}
