import type { ToolCall } from '#core/model/call.ts';
import type { Finding, Severity } from '#core/model/finding.ts';
import { worse, type Decision, type Verdict } from '#core/model/verdict.ts';
import { verdictFor, type Policy, type PolicyCall } from '#core/policy/policy.ts';
import { reasonFor } from '#core/policy/reason.ts';

const RANK: Readonly<Record<Severity, number>> = { critical: 0, high: 1, medium: 2, low: 3 };

/** The worst verdict of all findings; their order does not count. */
export function decideFrom(
  findings: readonly Finding[],
  call: PolicyCall & Partial<Pick<ToolCall, 'channel'>>,
  policy: Policy,
  rules: string,
): Decision {
  const sorted = sortFindings(findings);
  const verdicts = new Map(sorted.map((finding) => [finding, verdictFor(finding, call, policy)]));
  const verdict = [...verdicts.values()].reduce<Verdict>(worse, 'clean');
  return {
    verdict,
    findings: sorted,
    reason: reasonFor(
      verdict,
      sorted.filter((finding) => verdicts.get(finding) === verdict),
      call.channel === 'response' ? 'result' : 'call',
    ),
    rules,
    policy: policy.hash,
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
