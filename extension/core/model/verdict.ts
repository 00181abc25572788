import type { Finding } from '#core/model/finding.ts';

/** clean: deliver · flag: deliver and warn · quarantine: hold for a person · block: never reaches the tool. */
export type Verdict = 'clean' | 'flag' | 'quarantine' | 'block';

/** Ascending: a stage may only move a verdict to the right. */
export const VERDICTS: readonly Verdict[] = ['clean', 'flag', 'quarantine', 'block'];

export function worse(a: Verdict, b: Verdict): Verdict {
  return VERDICTS.indexOf(a) >= VERDICTS.indexOf(b) ? a : b;
}

/** What the gate says about one call. */
export interface Decision {
  readonly verdict: Verdict;
  /** Sorted: worst first, then rule id, then place. */
  readonly findings: readonly Finding[];
  /** One or two sentences a model can act on; empty when clean. */
  readonly reason: string;
  /** Hashes of the rule packs that judged, joined by `+`; empty when there were none. */
  readonly rules: string;
  /** Hash of the policy that judged; `built-in` for the one that ships. */
  readonly policy: string;
}
