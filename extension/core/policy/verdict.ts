import type { Finding, Severity } from '#core/model/finding.ts';
import { worse, type Decision, type Verdict } from '#core/model/verdict.ts';
import { reasonFor } from '#core/policy/reason.ts';

/** Name of the policy below in the record. */
export const BUILT_IN_POLICY = 'built-in';

const VERDICT_OF: Readonly<Record<Severity, Verdict>> = { critical: 'block', high: 'quarantine', medium: 'flag', low: 'clean' };
const RANK: Readonly<Record<Severity, number>> = { critical: 0, high: 1, medium: 2, low: 3 };

/** What one finding alone asks for. Experimental rules only report. */
export function verdictOf(finding: Finding): Verdict {
  return finding.status === 'experimental' ? 'clean' : VERDICT_OF[finding.severity];
}

/** The worst verdict of all findings; their order does not count. */
export function decideFrom(findings: readonly Finding[], rules: string): Decision {
  const sorted = sortFindings(findings);
  const verdict = sorted.reduce<Verdict>((sum, finding) => worse(sum, verdictOf(finding)), 'clean');
  return {
    verdict,
    findings: sorted,
    reason: reasonFor(
      verdict,
      sorted.filter((finding) => verdictOf(finding) === verdict),
    ),
    rules,
    policy: BUILT_IN_POLICY,
  };
}

/** Worst first, then rule id, then place; duplicates of the same rule at the same place count once. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>();
  const kept: Finding[] = [];
  for (const finding of [...findings].sort(compare)) {
    const key = `${finding.rule}\n${finding.at}\n${finding.span?.start ?? ''}:${finding.span?.end ?? ''}`;
    if (!seen.has(key)) kept.push(finding);
    seen.add(key);
  }
  return kept;
}

function compare(a: Finding, b: Finding): number {
  return (
    Number(a.status === 'experimental') - Number(b.status === 'experimental') ||
    RANK[a.severity] - RANK[b.severity] ||
    byText(a.rule, b.rule) ||
    byText(a.at, b.at) ||
    (a.span?.start ?? -1) - (b.span?.start ?? -1) ||
    (a.span?.end ?? -1) - (b.span?.end ?? -1) ||
    byText(a.matched, b.matched) ||
    byText(a.decoded ?? '', b.decoded ?? '')
  );
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
